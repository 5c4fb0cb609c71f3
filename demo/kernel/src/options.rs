//! What the loader's command line says: `key=value` words, blanks between.

/// The command line's words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Which scenario, or `all`.
    pub(crate) scenario: &'static str,
    /// CPUs that there are.
    pub(crate) cpus: usize,
    /// How long the soak takes; 0: as long as it usually does.
    pub(crate) seconds: u64,
    /// Send the trace at the end.
    pub(crate) trace: bool,
    /// The clock counts instructions: nothing that a host does is seen.
    pub(crate) exact: bool,
    /// The long forms.
    pub(crate) long: bool,
}

/// A year.
const MOST_SECONDS: u64 = 365 * 24 * 60 * 60;

impl Options {
    /// Reads the words; those that are not known are somebody else's.
    pub(crate) fn parse(line: &'static str) -> Self {
        let mut options =
            Self { scenario: "all", cpus: 1, seconds: 0, trace: false, exact: false, long: false };
        for word in line.split_ascii_whitespace() {
            match word.split_once('=') {
                Some(("scenario", name)) => options.scenario = name,
                Some(("cpus", count)) => options.cpus = count.parse().unwrap_or(1),
                Some(("seconds", count)) => options.seconds = count.parse().unwrap_or(0),
                None if word == "trace" => options.trace = true,
                None if word == "exact" => options.exact = true,
                None if word == "long" => options.long = true,
                _ => {}
            }
        }
        options.seconds = options.seconds.min(MOST_SECONDS);
        options.cpus = options.cpus.clamp(1, crate::MAX_CPUS);
        options
    }
}
