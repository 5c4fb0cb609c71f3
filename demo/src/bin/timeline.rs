//! `timeline FILE.bin FOLDER`: the records in a file, as a page and a Perfetto file in a folder. A kernel's trace comes
//! this way; a run of the demo writes its own.

use demo::timeline::read_records;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [file, folder] = &arguments[..] else {
        eprintln!("usage: timeline FILE.bin FOLDER");
        return ExitCode::from(2);
    };
    match convert(Path::new(file), Path::new(folder)) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn convert(file: &Path, folder: &Path) -> Result<String, String> {
    let of_file = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let bytes = std::fs::read(file).map_err(|error| of_file(&error))?;
    let timeline = read_records(&bytes).map_err(|error| of_file(&error))?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let files = timeline
        .write_to(folder, &format!("Scheduler timeline: {name}"))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let files = files.map(|file| file.display().to_string());
    Ok(format!("{} records: {}", timeline.records.len(), files.join(", ")))
}
