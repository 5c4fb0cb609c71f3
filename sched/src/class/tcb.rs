//! The caller's task type, and what a class may ask of it: a trait for each capability.
//!
//! A class names those that it uses and no others, so a task control block implements as little as
//! the scheduler that it is meant for wants.

use super::balanced::LoadInfo;
use super::nice::Nice;
use rbtree_aug::Handle;

/// A task control block: the caller's own type.
///
/// Classes hold a task by a handle: a pointer type that the caller chooses, such as `Arc<T>`,
/// `&'static T`, or `NonNull<T>` with promises of the caller's own (see [`Handle`]). A class never
/// allocates, and never drops a handle but when it is dropped itself.
pub trait Tcb: Sized {
    /// How a task is given to a class, and handed back.
    type Handle: Handle<Target = Self>;
}

/// A task with a weight: its share of the CPU, relative to the others'.
pub trait Weight {
    /// [`Nice::weight`] of its niceness, or any other from 1 to [`MAX_WEIGHT`]; what is outside
    /// counts as the nearest of these.
    ///
    /// Asked for when the task is enqueued. While it is in a class, the class must be told:
    /// [`set_nice`](super::SchedClass::set_nice).
    fn weight(&self) -> u32 {
        Nice::DEFAULT.weight()
    }
}

/// The greatest [`Weight`].
pub const MAX_WEIGHT: u32 = 1 << 20;

/// A task that may have a say in its deadlines.
pub trait Deadline {
    /// How much service it asks for at once: its virtual deadline is so far away, divided by its
    /// weight. Short means soon and often, long means late and undisturbed; the share of the CPU
    /// is the same. In nanoseconds, clamped to 0.1 ms to 100 ms; 0 for the class's own.
    ///
    /// Asked for when the task is enqueued, and at the beginning of each request.
    fn slice_ns(&self) -> u64 {
        0
    }
}

/// A task with a fixed priority.
pub trait Priority {
    /// Greater is more urgent. What is beyond the greatest level counts as that.
    ///
    /// Asked for when the task is enqueued. To change it, take the task out and put it back.
    fn priority(&self) -> u8;
}

/// A task that a [`LoadBalanced`](super::LoadBalanced) class counts.
pub trait Load {
    /// How much it burdens its CPU, relative to others; 0 for one that is never moved for balance. Its
    /// weight, or a decaying average of its use of the CPU.
    ///
    /// Asked for when the task becomes runnable in the class, and at
    /// [`set_nice`](super::SchedClass::set_nice): a change in between counts from then on.
    fn load(&self) -> u32 {
        Nice::DEFAULT.weight()
    }

    /// Where what it is counted with is kept: a field of this task, always the same one.
    fn load_info(&self) -> &LoadInfo;
}
