//! The trace that a kernel sends over its serial line: decoded to a file, from which the demo makes the timeline.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::command::Command;
use crate::workspace::Workspace;

/// What a line of the trace begins with.
pub(super) const LINE: &str = "trace: ";

/// Writes the trace in `text` to `file`, and what people look at beside it.
pub(super) fn write(workspace: &Workspace, text: &str, file: &Path) -> Result<()> {
    let bytes = decode(text)?;
    ensure!(!bytes.is_empty(), "the kernel has sent no trace");
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    // Here, as the paths are relative to where the user is.
    Command::new("cargo")
        .words("run --quiet --release --package demo --bin timeline --manifest-path")
        .arg(workspace.root.join("Cargo.toml"))
        .target_dir(&workspace.target)
        .arg("--")
        .args([file, folder])
        .check()?;
    Ok(())
}

/// The bytes that the lines of the trace tell.
fn decode(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix(LINE)) {
        let (pairs, rest) = line.trim_end().as_bytes().as_chunks::<2>();
        ensure!(rest.is_empty(), "half a byte in `{line}`");
        for pair in pairs {
            let digits = str::from_utf8(pair)?;
            let byte = u8::from_str_radix(digits, 16).with_context(|| format!("`{digits}`"))?;
            bytes.push(byte);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_of_the_trace_are_decoded() {
        let text = "ok      idle\r\ntrace: 00ff1a\r\nverdict: 1 passed\r\ntrace: 7f\n";
        assert_eq!(decode(text).unwrap(), [0, 0xff, 0x1a, 0x7f]);
        assert!(decode("trace: 0").is_err());
        assert!(decode("trace: zz").is_err());
        assert_eq!(decode("ok").unwrap(), []);
    }
}
