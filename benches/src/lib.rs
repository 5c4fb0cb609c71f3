//! Our data structures beside their rivals: every row in one process and run. See the README.

mod counts;
mod floors;
mod goal;
mod machine;
mod measure;
mod page;
mod pair;
mod rng;
mod row;
mod stats;
mod table;
mod turns;
mod work;
mod works;

pub use counts::{call as count, names as counted_operations};
pub use floors::Floors;
pub use measure::Effort;
pub use page::write as write_page;
pub use row::{Row, json};
pub use table::render as render_table;
pub use turns::{Turns, measure as measure_turns, plot as plot_turns, table as turns_table};
pub use work::{Work, select};
pub use works::ALL;
