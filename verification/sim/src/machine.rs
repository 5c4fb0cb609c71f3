//! The machine contract, kept by the world.
//!
//! # Invariants
//!
//! - **VM1** A yield point is a call of [`interleave`](Machine::interleave) or [`checkpoint`](Machine::checkpoint), the end of the outermost mask, a halt,
//!   and computing. There, and nowhere else, interrupts arrive (where they are not masked) and other CPUs go on.
//! - **VM2** Nothing but an interrupt ends a halt, or the fault that says so.
//! - **VM3** The contract's conditions on the caller are checked: who kicks, halts and sets timers has masked.

use crate::rng::Rng;
use crate::violation::Kind;
use crate::world::{ENGINE, Irq, Phase, State, World};
use crate::{Fault, Faults, Workload};
use corosensei::Yielder;
use sched_arch::{CpuId, Interrupts, Machine};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::fmt;
use std::rc::Rc;
use std::task::Waker;

/// Suspends the party that it was given to.
pub(crate) type Suspend = Yielder<(), ()>;

/// Whose interrupt handlers run.
pub(crate) type Connected = (&'static dyn Interrupts, Rc<dyn Workload>);

pub(crate) struct Shared {
    world: UnsafeCell<World>,
    /// Of the party that runs.
    suspend: Cell<*const Suspend>,
    connected: RefCell<Option<Connected>>,
}

/// The virtual machine: the machine contract by seed, and what workloads need of it.
///
/// A handle; all copies are the same machine. It belongs to the thread that made its [`Simulation`](crate::Simulation), and
/// is of no use on another one or after its run.
#[derive(Clone, Copy)]
pub struct Virtual(pub(crate) &'static Shared);

// SAFETY: the world is touched by the one thread that runs it (asserted by `Simulation`, which is neither `Send` nor
// `Sync`, and by the schedulers that it drives, which live on that thread). The bounds are there because the machine contract
// asks for them: what looks like many CPUs is one thread.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self {
            world: UnsafeCell::new(world),
            suspend: Cell::new(std::ptr::null()),
            connected: RefCell::new(None),
        }
    }
}

impl Virtual {
    /// Calls `f` with the world. It may not call out of this crate, nor suspend (W3).
    pub(crate) fn with<R>(self, f: impl FnOnce(&mut World) -> R) -> R {
        // SAFETY: one thread, and W3: no other reference is alive.
        f(unsafe { &mut *self.0.world.get() })
    }

    pub(crate) fn connect(self, connected: Option<Connected>) {
        *self.0.connected.borrow_mut() = connected;
    }

    /// Lets those go first whose time is earlier.
    pub(crate) fn give_way(self) {
        let at_ns = self.with(|world| world.now_ns());
        self.suspend_until(at_ns);
    }

    /// Lets others go on until this party is the first in line at `at_ns`, or earlier if the world says so meanwhile.
    pub(crate) fn suspend_until(self, at_ns: u64) {
        let suspend = self.0.suspend.get();
        let me = self.with(|world| {
            world.line.set(world.current, at_ns);
            world.current
        });
        // SAFETY: the engine resumes no party but by its coroutine, whose first act was `run_as`, and whose yielder lives as
        // long as the coroutine's stack, on which we are.
        unsafe { &*suspend }.suspend(());
        self.0.suspend.set(suspend);
        debug_assert_eq!(self.with(|world| world.current), me);
    }

    /// The first act of a party.
    pub(crate) fn run_as(self, suspend: &Suspend) {
        self.0.suspend.set(suspend);
    }

    /// A yield point (VM1).
    #[inline]
    pub(crate) fn point(self) {
        if self.with(World::counts) {
            self.pass();
        }
    }

    /// The time of whoever runs has moved on.
    pub(crate) fn pass(self) {
        if std::thread::panicking() {
            return;
        }
        if self.with(|world| world.must_switch()) {
            self.give_way();
        }
        if self.with(|world| world.is_interrupted()) {
            self.deliver();
        }
    }

    /// Handles the interrupts that are due.
    fn deliver(self) {
        while let Some(irq) = self.with(World::take_irq) {
            let connected = self.0.connected.borrow().clone();
            if let Some((handlers, workload)) = connected {
                match irq {
                    Irq::Kick => handlers.on_kick(),
                    Irq::Timer => handlers.on_timer(),
                    Irq::Device => {
                        let cpu = self.with(|world| CpuId::new(world.current as u32));
                        workload.interrupt(self, cpu);
                    }
                }
            }
            self.unmask();
        }
    }

    fn unmask(self) {
        self.with(|world| {
            if let Some(party) = world.me() {
                party.masks -= 1;
                if party.masks == 0 {
                    world.left_section();
                }
            }
        });
    }

    /// Waits until `at_ns`, or for an interrupt, which is handled.
    pub(crate) fn wait_until(self, at_ns: u64) {
        let at_ns = self.with(|world| {
            let broken = world.checker.conserves(&world.parties);
            world.note(broken);
            let party = &mut world.parties[world.current];
            party.listens = true;
            at_ns.min(party.irq_ns.max(party.time_ns))
        });
        self.suspend_until(at_ns);
        self.with(|world| {
            if let Some(party) = world.me() {
                party.listens = false;
            }
        });
    }

    fn must_be_masked(self, what: &str) {
        self.with(|world| {
            if world.me().is_some_and(|party| party.masks == 0) {
                world.fail(Kind::Contract, format!("{what} with interrupts unmasked"));
            }
        });
    }

    /// Computes for `duration_ns` on the CPU of the caller, or until an interrupt was handled; what is left then. For tasks
    /// and interrupt handlers.
    pub fn compute_ns(self, duration_ns: u64) -> u64 {
        let end_ns = self.with(|world| match world.me() {
            Some(party) if party.masks > 0 => {
                party.time_ns += duration_ns;
                None
            }
            Some(party) => Some(party.time_ns + duration_ns),
            None => None,
        });
        let Some(end_ns) = end_ns else { return 0 };
        self.wait_until(end_ns);
        // Before the handlers: they may not return for long, and on another CPU.
        let left_ns = self.with(|world| end_ns.saturating_sub(world.now_ns()));
        self.deliver();
        left_ns
    }

    /// Lets `duration_ns` pass. For the thread outside, see [`Workload::outside`](crate::Workload::outside).
    pub fn rest_ns(self, duration_ns: u64) {
        let at_ns = self.with(|world| world.now_ns()) + duration_ns;
        self.wait_until(at_ns);
    }

    /// The virtual time, which is the same everywhere; what a CPU's clock says is [`now_ns`](Machine::now_ns).
    #[must_use]
    pub fn time_ns(self) -> u64 {
        self.with(|world| world.now_ns())
    }

    /// Draws from the seed's stream.
    pub fn draw<R>(self, f: impl FnOnce(&mut Rng) -> R) -> R {
        self.with(|world| f(&mut world.rng))
    }

    /// The faults that this seed has drawn, of those that were asked for; none when the end has begun.
    #[must_use]
    pub fn faults(self) -> Faults {
        self.with(|world| world.knobs.faults)
    }

    /// Whether the end has begun: tasks should come to theirs.
    #[must_use]
    pub fn is_closing(self) -> bool {
        self.with(|world| world.phase >= Phase::Closing)
    }

    /// CPUs of the machine.
    #[must_use]
    pub fn cpus(self) -> u32 {
        self.with(|world| world.cpus() as u32)
    }

    /// The run has gone wrong; it ends at the next yield point. The first one counts.
    pub fn fail(self, kind: Kind, what: impl Into<String>) {
        self.with(|world| world.fail(kind, what.into()));
    }

    /// Says that `cpu` is, or is not, to be paused: until then its tasks wait.
    pub fn note_pause(self, cpu: CpuId, paused: bool) {
        self.with(|world| world.checker.note_pause(cpu.index(), paused, &world.parties));
    }

    /// Says that `cpu` is asked to go offline; with `widens` the tasks of it alone run elsewhere meanwhile.
    pub fn note_unplug(self, cpu: CpuId, widens: bool) {
        self.with(|world| world.checker.note_unplug(cpu.index(), widens));
    }

    /// Whether it was, and has not come back since.
    #[must_use]
    pub fn is_unplugged(self, cpu: CpuId) -> bool {
        self.with(|world| world.checker.is_closing(cpu.index()))
    }

    /// Says that it stays.
    pub fn note_stay(self, cpu: CpuId) {
        self.with(|world| world.checker.note_stay(cpu.index()));
    }

    /// Wakes a [tracked](Self::tracked) task, and checks that the wake has its effect (V9).
    pub fn wake(self, task: u64, waker: &Waker) {
        self.expect_run(task, || waker.wake_by_ref());
    }

    /// Calls `wake`, which wakes or cancels a [tracked](Self::tracked) task, and checks that the task is polled, or over,
    /// after that (V9).
    pub fn expect_run(self, task: u64, wake: impl FnOnce()) {
        let before = self.with(|world| world.checker.before_wake(task));
        wake();
        self.with(|world| {
            let broken = world.checker.after_wake(task, before, &world.parties);
            world.note(broken);
        });
    }
}

impl fmt::Debug for Virtual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cpus, steps) = self.with(|world| (world.cpus(), world.steps));
        f.debug_struct("Virtual")
            .field("cpus", &cpus)
            .field("steps", &steps)
            .finish_non_exhaustive()
    }
}

// SAFETY: 1. A party is one CPU and runs as that one alone (W1). 2. Handlers run in `deliver` alone, which looks at the mask;
// a party never changes its CPU. 3. `send_kick` sets the arrival, which only `take_irq` clears, before the handler runs;
// memory is that of one thread. 4. `halt` unmasks and waits with what is under way taken into account.
unsafe impl Machine for Virtual {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        self.with(|world| {
            let place = world.current;
            (place < world.cpus()).then(|| CpuId::new(place as u32))
        })
    }

    fn now_ns(&self) -> u64 {
        self.with(World::clock_ns)
    }

    fn mask(&self) {
        self.with(|world| {
            if let Some(party) = world.me() {
                party.masks += 1;
            }
        });
    }

    unsafe fn restore(&self, (): ()) {
        self.unmask();
        if self.with(|world| world.me().is_some_and(|party| party.masks == 0)) {
            self.point();
        }
    }

    fn kick(&self, cpu: CpuId) {
        self.must_be_masked("a kick");
        self.with(|world| {
            if cpu.index() < world.cpus() {
                world.send_kick(cpu.index());
            }
        });
    }

    unsafe fn halt(&self) {
        self.must_be_masked("a halt");
        let until_ns = self.with(|world| {
            let place = world.current;
            let party = &mut world.parties[place];
            if party.masks != 1 || !party.is_cpu {
                world.fail(Kind::Contract, "a halt unmasks what one mask masked".to_owned());
            }
            let party = &mut world.parties[place];
            party.masks = 0;
            party.state = State::Halted;
            party.time_ns += 50;
            let now_ns = party.time_ns;
            world.left_section();
            let broken = world.checker.halts(place, &world.parties);
            world.note(broken);
            let wakes_by_itself = world.knobs.faults.has(Fault::Spurious) && world.rng.one_in(16);
            if wakes_by_itself { now_ns + world.rng.magnitude(18) } else { u64::MAX }
        });
        self.wait_until(until_ns);
        self.with(|world| {
            if let Some(party) = world.me() {
                party.state = State::Running;
                let (place, now_ns) = (world.current, world.now_ns());
                world.checker.resumes(place, now_ns);
            }
        });
        self.deliver();
    }

    fn set_timer(&self, at_ns: u64) {
        self.must_be_masked("a timer");
        self.with(|world| world.set_timer(at_ns));
    }

    fn seed(&self) -> u64 {
        self.draw(Rng::next_u64)
    }

    /// Four CPUs to a cluster.
    fn steal_distance(&self, thief: CpuId, victim: CpuId) -> u8 {
        u8::from(thief.index() / 4 != victim.index() / 4)
    }

    fn checkpoint(&self) {
        self.point();
    }

    fn interleave(&self) {
        if self.with(|world| world.current) != ENGINE {
            self.point();
        }
    }
}
