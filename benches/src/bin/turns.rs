//! `turns FILE`: how long single turns of a timer wheel take, ours and the rivals'; the plot goes to the file.
//! `cargo xtask bench --turns` builds and runs it.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("which file does the plot go to?")?;
    let floors = benches::Floors::measure();
    let all = benches::measure_turns(floors.clock_ns, |turns| eprintln!("{turns:?}"));
    println!("{}", benches::turns_table(&all));
    benches::plot_turns(&all, Path::new(&file))?;
    println!("The plot: {file}");
    Ok(())
}
