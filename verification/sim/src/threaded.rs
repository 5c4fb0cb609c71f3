//! The scheduler with threads, as a machine runs it: interrupt handlers preempt with their last call, and futures may have a
//! stack of their own.

use crate::Subject;
use crate::campaign::Simulated;
use crate::machine::Virtual;
use crate::violation::Kind;
use sched::class::fair::FairMember;
use sched::thread::Stack;
use sched::{Core, CpuId, Interrupts};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::ptr::NonNull;

/// Of an executor, or of a thread of the load. A panic has to be told from there.
pub(crate) const STACK_BYTES: usize = 48 << 10;

/// Steps between two looks at a fair class.
const STEPS_OF_A_LOOK: u32 = 8;

/// Looks at the members of a fair class: words if a lag is out of its bounds.
pub(crate) type Bounds = fn(&FairMember) -> Result<(), String>;

/// What the executors run on: freed when the scheduler has gone.
#[derive(Default)]
struct Stacks(RefCell<Vec<NonNull<[u128]>>>);

// SAFETY: it stays on the thread of its simulation, as the machine does.
unsafe impl Sync for Stacks {}

impl Drop for Stacks {
    fn drop(&mut self) {
        for stack in self.0.take() {
            // SAFETY: it came from a box, and no executor runs any more.
            drop(unsafe { Box::from_raw(stack.as_ptr()) });
        }
    }
}

/// A scheduler with threads, to be simulated.
pub struct Threaded<const CPUS: usize> {
    scheduler: Simulated<CPUS>,
    lends_stacks: bool,
    bounds: Bounds,
    stacks: Stacks,
}

/// A CPU's loop.
pub struct ThreadedCore<const CPUS: usize> {
    core: Core<Virtual, crate::Observer, CPUS>,
    subject: &'static Threaded<CPUS>,
    looks: Cell<u32>,
}

impl<const CPUS: usize> Threaded<CPUS> {
    pub(crate) fn new(scheduler: Simulated<CPUS>, lends_stacks: bool, bounds: Bounds) -> Self {
        Self { scheduler, lends_stacks, bounds, stacks: Stacks::default() }
    }

    pub(crate) fn scheduler(&self) -> &Simulated<CPUS> {
        &self.scheduler
    }

    /// The kept sums are those of the members, and their lags within the bounds.
    fn look(&self, cpu: CpuId) {
        let machine = *self.scheduler.machine();
        let mut beyond = Ok(());
        let sound = self.scheduler.check_fair(cpu, |member| {
            if beyond.is_ok() {
                beyond = (self.bounds)(&member);
            }
        });
        if let Err(fault) = sound {
            machine.fail(Kind::FairBooks, format!("{cpu}: {fault}"));
        }
        if let Err(what) = beyond {
            machine.fail(Kind::Unfair, format!("{cpu}: {what}"));
        }
    }
}

impl<const CPUS: usize> Interrupts for Threaded<CPUS> {
    fn on_kick(&self) {
        self.scheduler.on_kick();
        self.scheduler.preempt();
    }

    fn on_timer(&self) {
        self.scheduler.on_timer();
        self.scheduler.preempt();
    }
}

impl<const CPUS: usize> Subject for Threaded<CPUS> {
    type Core = ThreadedCore<CPUS>;

    fn enter(&'static self) -> Self::Core {
        let mut core = Subject::enter(&self.scheduler);
        if self.lends_stacks {
            let memory = Box::leak(vec![0_u128; STACK_BYTES / 16].into_boxed_slice());
            let memory = NonNull::from(memory);
            self.stacks.0.borrow_mut().push(memory);
            let bytes = NonNull::slice_from_raw_parts(memory.cast(), STACK_BYTES);
            // SAFETY: a box of this size, which `stacks` has until the scheduler has gone.
            let stack = unsafe { Stack::from_raw(bytes, None) };
            if core.lend_stack(stack).is_err() {
                // The CPU was here before, and has one.
                let unused = self.stacks.0.borrow_mut().pop();
                // SAFETY: handed back, so nobody's.
                drop(unused.map(|memory| unsafe { Box::from_raw(memory.as_ptr()) }));
            }
        }
        ThreadedCore { core, subject: self, looks: Cell::new(0) }
    }

    fn step(this: &mut Self::Core) {
        this.core.step();
        let looks = this.looks.replace(this.looks.get() + 1);
        if looks.is_multiple_of(STEPS_OF_A_LOOK) {
            this.subject.look(this.core.id());
        }
    }

    fn leave(this: &mut Self::Core) -> bool {
        <Simulated<CPUS> as Subject>::leave(&mut this.core)
    }

    fn has_left(&self, cpu: CpuId) -> bool {
        Subject::has_left(&self.scheduler, cpu)
    }

    fn queued(this: &Self::Core) -> Option<usize> {
        Some(this.core.queued())
    }

    fn settle(&self) -> Result<(), String> {
        Subject::settle(&self.scheduler)
    }
}

impl<const CPUS: usize> fmt::Debug for Threaded<CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threaded").field("lends_stacks", &self.lends_stacks).finish_non_exhaustive()
    }
}

impl<const CPUS: usize> fmt::Debug for ThreadedCore<CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadedCore").field("core", &self.core).finish_non_exhaustive()
    }
}
