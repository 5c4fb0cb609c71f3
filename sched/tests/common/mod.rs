//! A machine of several CPUs on one thread: the test says which CPU it is, what time it is, and when interrupts come.
#![allow(dead_code, unreachable_pub, reason = "shared by test files; none needs all of it")]

use sched::trace::{Event, Trace};
use sched::{Core, CpuId, Interrupts, Machine, Scheduler, Settings, Step};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

#[cfg(miri)]
pub(crate) mod relay;

pub const CPUS: usize = 4;

thread_local! {
    /// The CPU that the test thread is at the moment. Other threads are none.
    static CPU: Cell<Option<u32>> = const { Cell::new(None) };
}

#[derive(Default)]
pub struct Virtual {
    pub now_ns: AtomicU64,
    pub kicked: [AtomicBool; CPUS],
    pub timer_ns: [AtomicU64; CPUS],
    pub masked: AtomicUsize,
    pub slept_in_atomic: AtomicUsize,
    /// How far each CPU is from all others.
    pub distance: [AtomicU64; CPUS],
    /// What happens wherever the scheduler lets something come between, until it says that it is over.
    pub meanwhile: Mutex<Option<Meanwhile>>,
    #[cfg(miri)]
    pub(crate) relay: relay::Relay,
}

pub type Meanwhile = Box<dyn FnMut() -> bool + Send>;

// SAFETY: 1. `Test::on` sets the CPU of the one thread that steps. 2. Handlers run between steps only. 3. and 4. The
// test delivers kicks; a halt returns at once, as a simulator's may.
unsafe impl Machine for Virtual {
    type Saved = usize;

    fn cpu(&self) -> Option<CpuId> {
        CPU.get().map(CpuId::new)
    }

    fn now_ns(&self) -> u64 {
        self.now_ns.load(SeqCst)
    }

    fn mask(&self) -> usize {
        self.masked.fetch_add(1, SeqCst)
    }

    // As hardware does it: a value, not a step back. Each context has its own.
    unsafe fn restore(&self, saved: usize) {
        self.masked.store(saved, SeqCst);
    }

    fn kick(&self, cpu: CpuId) {
        assert!(self.masked.load(SeqCst) > 0, "kick with interrupts unmasked");
        self.kicked[cpu.index()].store(true, SeqCst);
    }

    unsafe fn halt(&self) {
        assert_eq!(self.masked.fetch_sub(1, SeqCst), 1, "halt masks once");
    }

    fn set_timer(&self, at_ns: u64) {
        assert!(self.masked.load(SeqCst) > 0, "set_timer with interrupts unmasked");
        if let Some(cpu) = CPU.get() {
            self.timer_ns[cpu as usize].store(at_ns, SeqCst);
        }
    }

    fn seed(&self) -> u64 {
        0
    }

    fn steal_distance(&self, _: CpuId, victim: CpuId) -> u8 {
        self.distance[victim.index()].load(SeqCst) as u8
    }

    fn interleave(&self) {
        // Out of its place while it runs: it may come by here itself.
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(mut meanwhile) = meanwhile
            && !meanwhile()
        {
            *self.meanwhile.lock().unwrap() = Some(meanwhile);
        }
    }
}

/// Threads for a [`relay`].
#[cfg(miri)]
pub(crate) mod host {
    use super::CPU;
    use sched::CpuId;
    use std::any::Any;
    pub(crate) use std::thread::{Thread, current, park};

    pub(crate) type JoinHandle = std::thread::JoinHandle<()>;

    /// Miri sees for itself what is ordered behind what.
    pub(crate) struct Saved;

    impl Saved {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn save(&self) {}
        pub(crate) fn restore(&self) {}
    }

    pub(crate) fn spawn(body: impl FnOnce() + Send + 'static) -> JoinHandle {
        std::thread::spawn(body)
    }

    pub(crate) fn join(thread: JoinHandle) {
        thread.join().unwrap();
    }

    /// The panic has been told.
    pub(crate) fn fail(_: Box<dyn Any + Send>) -> ! {
        std::process::abort()
    }

    pub(crate) fn become_cpu(cpu: Option<CpuId>) {
        CPU.set(cpu.map(CpuId::get));
    }

    pub(crate) fn leave_cpu() -> Option<CpuId> {
        CPU.take().map(CpuId::new)
    }
}

/// Every event, in order.
#[derive(Default)]
pub struct Log(pub Mutex<Vec<(Option<CpuId>, Event)>>);

impl Trace for Log {
    fn record(&self, cpu: Option<CpuId>, _: u64, event: Event) {
        self.0.lock().unwrap().push((cpu, event));
    }
}

pub type Sched = Scheduler<Virtual, Log, CPUS>;

/// A loop in other hands.
pub struct Loop(Core<Virtual, Log, CPUS>);

// SAFETY: one thread steps all loops, and is the CPU of each meanwhile.
unsafe impl Send for Loop {}

impl Loop {
    pub fn step(&mut self) -> Step {
        as_cpu(self.0.id().get(), || self.0.step())
    }
}

/// A scheduler and the loops of its CPUs, all in the hands of one thread.
pub struct Test {
    memory: *mut Sched,
    cores: Vec<Core<Virtual, Log, CPUS>>,
}

impl Test {
    pub fn new(cpus: usize) -> Self {
        Self::with(cpus, Settings::DEFAULT)
    }

    pub fn with(cpus: usize, settings: Settings) -> Self {
        let machine = Virtual::default();
        for timer in &machine.timer_ns {
            timer.store(u64::MAX, SeqCst);
        }
        let memory = Box::into_raw(Box::new(Scheduler::new(machine, Log::default(), settings)));
        let mut test = Self { memory, cores: Vec::new() };
        test.enter(cpus);
        // The first was alone for a while, and was kicked as the second came.
        (0..cpus).for_each(|cpu| test.deliver_kick(cpu));
        test.scheduler().trace().0.lock().unwrap().clear();
        test
    }

    pub fn scheduler(&self) -> &'static Sched {
        // SAFETY: valid until `finish`, when nobody refers to it any more.
        unsafe { &*self.memory }
    }

    /// Brings up CPUs until there are `cpus`.
    pub fn enter(&mut self, cpus: usize) {
        for cpu in self.cores.len()..cpus {
            self.cores.push(as_cpu(cpu as u32, || self.scheduler().enter().unwrap()));
        }
    }

    /// Brings CPU `cpu` up again.
    pub fn enter_one(&mut self, cpu: usize) {
        self.cores.push(as_cpu(cpu as u32, || self.scheduler().enter().unwrap()));
    }

    pub fn cpus(&self) -> usize {
        self.cores.len()
    }

    /// Ends the loop of CPU `cpu`.
    pub fn leave_one(&mut self, cpu: usize) {
        let core = self.take(cpu);
        as_cpu(cpu as u32, || drop(core));
    }

    /// Hands the loop of CPU `cpu` out.
    pub fn take(&mut self, cpu: usize) -> Core<Virtual, Log, CPUS> {
        let place = self.cores.iter().position(|core| core.id().index() == cpu).unwrap();
        self.cores.remove(place)
    }

    /// Ends the loops of all CPUs; what they had stays.
    pub fn leave(&mut self) {
        for core in self.cores.drain(..) {
            as_cpu(core.id().get(), || drop(core));
        }
    }

    /// The loop of CPU `cpu`, to be [put back](Self::put_back): so that it can step in the midst of another one's step.
    pub fn lend(&mut self, cpu: usize) -> Loop {
        Loop(self.take(cpu))
    }

    pub fn put_back(&mut self, core: Loop) {
        self.cores.push(core.0);
    }

    /// Is CPU `cpu` while `f` runs.
    pub fn on<R>(&mut self, cpu: usize, f: impl FnOnce(&mut Core<Virtual, Log, CPUS>) -> R) -> R {
        CPU.set(Some(cpu as u32));
        let core = self.cores.iter_mut().find(|core| core.id().index() == cpu).unwrap();
        let result = f(core);
        assert_eq!(self.scheduler().machine().masked.load(SeqCst), 0, "interrupts left masked");
        CPU.set(None);
        result
    }

    fn deliver_kick(&mut self, cpu: usize) {
        let scheduler = self.scheduler();
        if scheduler.machine().kicked[cpu].swap(false, SeqCst) {
            self.on(cpu, |_| scheduler.on_kick());
        }
    }

    /// Delivers CPU `cpu`'s interrupts, then steps it.
    pub fn step(&mut self, cpu: usize) -> Step {
        let scheduler = self.scheduler();
        self.deliver_kick(cpu);
        self.on(cpu, |core| {
            let machine = scheduler.machine();
            if machine.timer_ns[cpu].load(SeqCst) <= machine.now_ns.load(SeqCst) {
                machine.timer_ns[cpu].store(u64::MAX, SeqCst);
                scheduler.on_timer();
            }
            core.step()
        })
    }

    /// Steps CPU `cpu` until it halts.
    pub fn settle(&mut self, cpu: usize) {
        for _ in 0..100_000 {
            if self.step(cpu) == Step::Halted {
                return;
            }
        }
        panic!("cpu{cpu} does not come to rest");
    }

    /// Steps each CPU until it halts, in a round in which nobody does anything else.
    pub fn settle_all(&mut self) {
        loop {
            let polls = self.scheduler().totals().polls;
            let cpus: Vec<_> = self.cores.iter().map(|core| core.id().index()).collect();
            cpus.into_iter().for_each(|cpu| self.settle(cpu));
            if self.scheduler().totals().polls == polls {
                return;
            }
        }
    }

    pub fn advance_to(&self, now_ns: u64) {
        self.scheduler().machine().now_ns.store(now_ns, SeqCst);
    }

    pub fn is_kicked(&self, cpu: usize) -> bool {
        self.scheduler().machine().kicked[cpu].load(SeqCst)
    }

    /// Gives the scheduler's memory back; every task must be gone, and nothing lost on the way.
    pub fn finish(mut self) {
        for core in &self.cores {
            assert_eq!(core.queued(), 0, "{} has tasks left", core.id());
        }
        self.leave();
        let totals = self.scheduler().totals();
        assert_eq!(totals.spawned, totals.completed + totals.cancelled + totals.unreachable);
        #[cfg(miri)]
        self.scheduler().machine().relay.end();
        // SAFETY: the loops are gone, and all tasks with them: nobody refers to the scheduler any more.
        drop(unsafe { Box::from_raw(self.memory) });
    }
}

/// The CPU that the test is. Not inlined: a thread that asks may go on as another CPU.
#[inline(never)]
pub fn here() -> u32 {
    CPU.get().unwrap()
}

/// Is CPU `cpu` while `f` runs.
pub fn as_cpu<R>(cpu: u32, f: impl FnOnce() -> R) -> R {
    let before = CPU.replace(Some(cpu));
    let result = f();
    CPU.set(before);
    result
}

/// A list of what happened, shared by tasks.
#[derive(Clone, Default)]
pub struct Notes(std::sync::Arc<Mutex<Vec<u64>>>);

impl Notes {
    pub fn push(&self, note: u64) {
        self.0.lock().unwrap().push(note);
    }

    pub fn take(&self) -> Vec<u64> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A waker that counts.
#[derive(Default)]
pub struct CountingWaker(pub AtomicUsize);

impl Wake for CountingWaker {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Polls a future outside of any task.
pub fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Stores its task's waker where the test finds it, and counts polls.
pub struct Bell {
    pub waker: Mutex<Option<Waker>>,
    pub polls: AtomicUsize,
    pub done: AtomicBool,
}

impl Bell {
    pub fn new() -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self {
            waker: Mutex::new(None),
            polls: AtomicUsize::new(0),
            done: AtomicBool::new(false),
        })
    }

    pub fn waker(&self) -> Waker {
        self.waker.lock().unwrap().clone().unwrap()
    }

    pub fn polls(&self) -> usize {
        self.polls.load(SeqCst)
    }

    /// A future that is pending until `done`, and notes each poll.
    pub fn listen(self: &std::sync::Arc<Self>) -> impl Future<Output = ()> + Send + use<> {
        let bell = self.clone();
        std::future::poll_fn(move |context| {
            bell.polls.fetch_add(1, SeqCst);
            *bell.waker.lock().unwrap() = Some(context.waker().clone());
            if bell.done.load(SeqCst) {
                // The waker would keep its task's memory, and the task this bell.
                *bell.waker.lock().unwrap() = None;
                return Poll::Ready(());
            }
            Poll::Pending
        })
    }
}
