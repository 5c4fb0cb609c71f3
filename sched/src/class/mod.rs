//! Scheduling classes: the policies by which threads share a CPU, as data structures.
//!
//! A class holds the runnable tasks of one CPU and says which runs. It is generic over the caller's own
//! task type, asks of it what its policy needs and no more, embeds its links there, and never
//! allocates. It knows no CPU, no clock and no lock: who calls it says the time, and is alone with it.
//! So a class is tested without a kernel. The loop uses `Stop` over `Realtime` over `Fair`, see
//! [`thread`](crate::thread).
//!
//! | Class | Order | What it asks of a task |
//! |---|---|---|
//! | [`Stop`] | first come, first served, to the end | [`ListTask`] |
//! | [`Realtime`] | the most urgent of 100 levels, equals in turns; a share kept for others by [`Throttle`] | [`ListTask`], [`Priority`] |
//! | [`RoundRobin`] | in turns | [`ListTask`] |
//! | [`Fair`] | by weight, earliest eligible virtual deadline first | [`FairTask`], [`Weight`], [`Deadline`] |
//! | [`Set`] | one class over another, to any depth | [`Policy`] |
//! | [`LoadBalanced`] | that of the class inside; keeps its load, and gives to a less loaded CPU | [`Load`] |
//!
//! A class of one's own implements [`SchedClass`]: `examples/own_class.rs`. `examples/round_robin.rs`
//! and `examples/eevdf.rs` show the others.
//!
//! | Operation | Callable from | Allocates | `Levels` | `Fair` |
//! |---|---|---|---|---|
//! | `enqueue_task` | the CPU's loop | no | O(1) | O(log n): one insertion, one pick |
//! | `dequeue_task`, `wake_delayed` | the CPU's loop | no | O(1) | O(log n): at most a removal and an insertion |
//! | `pick_next_task` | the CPU's loop | no | O(1) | O(log n): two descents; if another one is picked, a removal and an insertion |
//! | `put_prev_task`, `yield_task` | the CPU's loop | no | O(1) | O(log n): one insertion |
//! | `task_tick`, `check_preempt_curr` | the CPU's loop | no | O(1) | O(log n): two descents |
//! | `set_nice`, `set_weight` | the CPU's loop | no | – | O(log n): a removal, an insertion, a pick |
//! | `steal_task` | a thief, under the class's lock | no | O([`STEAL_CANDIDATES`]) | the same, and one removal |
//! | `task_fork`, `current`, `holds`, `runnable`, `turn_ends_ns` | as for the others | no | O(1) | O(1) |
//! | [`Fair::check`], drop | anywhere with the class | no | O(n) | O(n), drop O(n log n) |
//!
//! All are wait-free: there is nothing to wait for, and the `&mut` says that nobody was interrupted in
//! the class. In a [`Set`] an operation costs what it costs in the class that has the task, and O(1) for
//! each class above it; a pick and a theft ask one class after another. [`LoadBalanced`] adds O(1) to each;
//! [`LoadBalanced::pull_task`] is a theft. What handles cost comes on top.
//!
//! Counted by Callgrind, an operation of [`Fair`] on 10⁶ tasks of random weights and slices takes this
//! many times the instructions that it takes on 10³: `dequeue_task` 1.04, `enqueue_task` 1.40, a pick of
//! another task 1.41, `task_tick` 2.25.

mod balanced;
mod held;
mod levels;
mod list;
mod nice;
mod outcome;
mod realtime;
mod round_robin;
mod sched_class;
mod set;
mod stop;
mod stopwatch;
mod tcb;
mod throttle;

pub mod fair;

pub use balanced::{LoadBalanced, LoadInfo, QueueLoad};
pub use fair::{Fair, FairSettings, FairTask};
pub use held::Held;
pub use levels::{Kind, Levels};
pub use list::{ListTask, Node};
pub use nice::Nice;
pub use outcome::{AlreadyQueued, Dequeue, Dequeued, Enqueue, Pick, Resched};
pub use rbtree_aug::Handle;
pub use realtime::{ByPriority, Realtime};
pub use round_robin::{InTurn, RoundRobin};
pub use sched_class::{STEAL_CANDIDATES, SchedClass};
pub use set::{Policy, Set};
pub use stop::{Stop, ToTheEnd};
pub use tcb::{Deadline, Load, MAX_WEIGHT, Priority, Tcb, Weight};
pub use throttle::Throttle;
