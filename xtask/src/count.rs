//! Reads from a runner's output how many tests ran.

/// How many tests ran, and how many of them failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) run: u64,
    pub(crate) failed: u64,
}

/// What libtest (`test result: …`, one line per binary) or nextest (`Summary […] N tests run: …`)
/// says. Output of both is added up; output of neither counts nothing.
pub(crate) fn count(output: &str) -> Count {
    let mut count = Count::default();
    for line in output.lines().map(str::trim) {
        let results = if line.starts_with("test result: ") {
            line
        } else if let Some((_, results)) =
            line.strip_prefix("Summary [").and_then(|rest| rest.split_once(" run: "))
        {
            results
        } else {
            continue;
        };
        let failed = before(results, "failed") + before(results, "timed out");
        count.run += before(results, "passed") + failed;
        count.failed += failed;
    }
    count
}

/// The number before `word`, or zero.
fn before(line: &str, word: &str) -> u64 {
    line.split([',', ';', '.'])
        .filter_map(|part| part.trim().split_once(' '))
        .filter(|(_, rest)| rest.starts_with(word))
        .find_map(|(number, _)| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_lines_add_up() {
        let output = "running 3 tests\n...\n\
            test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.0s\n";
        assert_eq!(count(output), Count { run: 6, failed: 2 });
    }

    #[test]
    fn nextest_summaries_are_read() {
        let passed = "     Summary [   0.010s] 12 tests run: 12 passed (1 slow), 3 skipped\n";
        assert_eq!(count(passed), Count { run: 12, failed: 0 });
        let failed =
            "     Summary [   1.1s] 7 tests run: 4 passed, 2 failed, 1 timed out, 0 skipped";
        assert_eq!(count(failed), Count { run: 7, failed: 3 });
        let stopped = "     Summary [   1.1s] 3/7 tests run: 2 passed, 1 failed, 0 skipped";
        assert_eq!(count(stopped), Count { run: 3, failed: 1 });
    }

    #[test]
    fn other_output_counts_nothing() {
        assert_eq!(count("   Compiling x\n    Finished\n"), Count::default());
        assert_eq!(
            count("test result: ok. 0 passed; 0 failed; 0 ignored; 9 filtered out"),
            Count::default()
        );
    }
}
