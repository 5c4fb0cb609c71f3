//! Stacks on the virtual machine: the architecture's own switch, within the coroutine of a virtual CPU.
//!
//! A party that is suspended goes on where it was, on whatever stack that is: the engine keeps a stack pointer, and asks for no
//! stack of its own. So a yield point suspends the CPU, in a thread as in the loop, and a switch is nothing that the engine
//! sees. A thread that is resumed by another CPU suspends that one from then on.
//!
//! # Invariants
//!
//! - **X1** The depth of the interrupt mask is the context's: it is put by at the switch away, and put back on the CPU that
//!   switches to it.
//! - **X2** A context is switched to once for each time that it was prepared or saved: who comes somewhere else notes the context
//!   that was left there, and who goes takes one that is noted. So no CPU runs what has not been saved, and no two run one.

use crate::machine::Virtual;
use crate::violation::Kind;
use crate::world::World;
use sched::{CpuId, Machine};
use sched_arch::{Context, Entry, Switch};
use std::collections::HashSet;
use std::ptr::NonNull;

/// The contexts that do not run, and where each CPU has left one that is not noted yet.
#[derive(Debug, Default)]
pub(crate) struct Contexts {
    saved: HashSet<usize>,
    left: Vec<Option<NonNull<Context>>>,
}

impl Contexts {
    fn left(&mut self, place: usize) -> &mut Option<NonNull<Context>> {
        if self.left.len() <= place {
            self.left.resize(place + 1, None);
        }
        &mut self.left[place]
    }
}

/// The architecture's switch, without a machine.
struct Bare;

// SAFETY: it is no CPU, and has no interrupts.
unsafe impl Machine for Bare {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        None
    }
    fn now_ns(&self) -> u64 {
        0
    }
    fn mask(&self) {}
    unsafe fn restore(&self, (): ()) {}
    fn kick(&self, _: CpuId) {}
    unsafe fn halt(&self) {}
    fn set_timer(&self, _: u64) {}
    fn seed(&self) -> u64 {
        0
    }
    fn checkpoint(&self) {}
}

// SAFETY: the architecture's own switch; there is nothing to unmask.
unsafe impl Switch for Bare {
    unsafe fn begin(&self) {}
}

impl World {
    /// X2: whether `to` may be gone to, from a context that will be saved at `from`.
    fn departs(&mut self, from: *mut Context, to: Context) -> bool {
        let place = self.current;
        if self.me().is_none_or(|party| party.masks == 0) {
            self.fail(Kind::Contract, "a switch with interrupts unmasked".to_owned());
            return false;
        }
        if !self.contexts.saved.remove(&to.into_raw().addr()) {
            let what = format!("cpu{place} goes on with a context that is not saved");
            self.fail(Kind::TwoCpus, what);
            return false;
        }
        *self.contexts.left(place) = NonNull::new(from);
        true
    }

    /// X2: this CPU has come to another context.
    fn arrives(&mut self) {
        let place = self.current;
        if let Some(left) = self.contexts.left(place).take() {
            // SAFETY: the switch has written to it on this CPU, and whoever owns it is not run before it is noted here.
            let context = unsafe { left.read() };
            self.contexts.saved.insert(context.into_raw().addr());
        }
    }
}

// SAFETY: 1, 2. The architecture's switch, with the mask put back (X1). 3. `begin` unmasks.
unsafe impl Switch for Virtual {
    unsafe fn prepare(&self, stack: NonNull<[u8]>, entry: Entry, argument: *mut ()) -> Context {
        // SAFETY: the caller's promise.
        let context = unsafe { Bare.prepare(stack, entry, argument) };
        self.with(|world| world.contexts.saved.insert(context.into_raw().addr()));
        context
    }

    unsafe fn switch(&self, from: *mut Context, to: Context) {
        let (may_go, masks) =
            self.with(|world| (world.departs(from, to), world.me().map_or(0, |party| party.masks)));
        if !may_go {
            // The run is over: the engine goes on with nobody.
            loop {
                self.give_way();
            }
        }
        // SAFETY: the caller's promise.
        unsafe { Bare.switch(from, to) };
        self.with(|world| {
            world.arrives();
            if let Some(party) = world.me() {
                party.masks = masks;
            }
        });
    }

    unsafe fn begin(&self) {
        self.with(|world| {
            world.arrives();
            if let Some(party) = world.me() {
                party.masks = 0;
            }
            world.left_section();
        });
        self.point();
    }

    fn activate(&self, _: *mut ()) {
        self.with(|world| world.checker.switches(world.current, true));
    }

    fn deactivate(&self, _: *mut ()) {
        self.with(|world| world.checker.switches(world.current, false));
    }

    fn is_masked(&self) -> bool {
        self.with(|world| world.me().is_some_and(|party| party.masks > 0))
    }

    fn slept_in_atomic(&self, thread: &'static str) {
        self.fail(Kind::Contract, format!("{thread} would sleep in atomic context"));
    }

    fn stack_overflowed(&self) {
        self.fail(Kind::Contract, "a stack has overflowed");
    }
}
