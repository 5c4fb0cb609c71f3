//! Which class runs a kernel's threads is the kernel's choice: turns alone, fixed priorities alone, EEVDF alone, or a class of
//! its own. Each thread runs for a millisecond of virtual time and lets others go first, three times.

use sched::class::{AlreadyQueued, Dequeue, Dequeued, Enqueue, Nice, Pick, Resched};
use sched::class::{RoundRobin, SchedClass};
use sched::thread::{LentClass, Policy, Stack, Tcb, TcbRef};
use sched::{CpuId, Machine, Scheduler, Settings};
use sched_arch::Switch;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One CPU, whose clock the threads move on.
struct OneCpu(AtomicU64);

// SAFETY: there is one CPU, and it has no interrupts.
unsafe impl Machine for OneCpu {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        Some(CpuId::new(0))
    }

    fn now_ns(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn mask(&self) {}

    unsafe fn restore(&self, (): ()) {}

    fn kick(&self, _: CpuId) {}

    unsafe fn halt(&self) {}

    fn set_timer(&self, _: u64) {}

    fn seed(&self) -> u64 {
        0
    }
}

// SAFETY: the architecture's switch, and no mask.
unsafe impl Switch for OneCpu {
    unsafe fn begin(&self) {}
}

/// The thread that came last runs first, until it has nothing to do.
#[derive(Default)]
struct LastComeFirst {
    queued: Vec<TcbRef>,
    current: Option<TcbRef>,
}

fn look(held: &TcbRef) -> &Tcb {
    held
}

impl SchedClass<Tcb> for LastComeFirst {
    fn enqueue_task(
        &mut self,
        task: TcbRef,
        _: Enqueue,
        _: u64,
    ) -> Result<Resched, AlreadyQueued<TcbRef>> {
        if self.holds(&task) {
            return Err(AlreadyQueued(task));
        }
        self.queued.push(task);
        Ok(Resched::Yes)
    }

    unsafe fn dequeue_task(&mut self, task: NonNull<Tcb>, _: Dequeue, _: u64) -> Dequeued<TcbRef> {
        let is_it = |held: &TcbRef| NonNull::from(look(held)) == task;
        if let Some(current) = self.current.take_if(|current| is_it(current)) {
            return Dequeued::Out(current);
        }
        match self.queued.iter().position(is_it) {
            Some(at) => Dequeued::Out(self.queued.remove(at)),
            None => Dequeued::NotQueued,
        }
    }

    fn pick_next_task(&mut self, _: u64) -> Pick<'_, Tcb> {
        if self.current.is_none() {
            self.current = self.queued.pop();
        }
        self.current.as_deref().map_or(Pick::Idle, Pick::Run)
    }

    fn put_prev_task(&mut self, _: u64) {
        self.queued.extend(self.current.take());
    }

    fn task_tick(&mut self, _: u64) -> Resched {
        Resched::No
    }

    fn check_preempt_curr(&mut self, _: &Tcb, _: u64) -> Resched {
        Resched::No
    }

    fn steal_task(&mut self, may_take: &mut dyn FnMut(&Tcb) -> bool) -> Option<TcbRef> {
        let at = self.queued.iter().position(|held| may_take(held))?;
        Some(self.queued.remove(at))
    }

    fn current(&self) -> Option<&Tcb> {
        self.current.as_deref()
    }

    fn holds(&self, task: &Tcb) -> bool {
        self.queued.iter().chain(&self.current).any(|held| std::ptr::eq(look(held), task))
    }

    fn runnable(&self) -> usize {
        self.queued.len() + usize::from(self.current.is_some())
    }

    fn turn_ends_ns(&self) -> Option<u64> {
        None
    }
}

/// In which order threads of these policies run, each for three milliseconds in all.
fn order(class: Option<LentClass>, policies: [Policy; 3]) -> String {
    static NOTES: Mutex<String> = Mutex::new(String::new());
    let machine = OneCpu(AtomicU64::new(0));
    let scheduler: &'static Scheduler<OneCpu, (), 1> =
        Box::leak(Box::new(Scheduler::new(machine, (), Settings::DEFAULT)));
    let mut core = scheduler.enter().expect("the only CPU");
    if let Some(class) = class {
        // SAFETY: it hands out what it was given, once, and what is current to no thief.
        unsafe { core.lend_class(class) }.map_err(drop).expect("nothing runs yet");
    }
    for (name, policy) in ['a', 'b', 'c'].into_iter().zip(policies) {
        let stack = Stack::new(64 * 1024).expect("memory");
        let thread = scheduler.thread("worker").policy(policy).spawn(stack, move || {
            for _ in 0..3 {
                NOTES.lock().expect("no thread panics").push(name);
                scheduler.machine().0.fetch_add(1_000_000, Relaxed);
                scheduler.yield_thread();
            }
        });
        drop(thread.expect("the stack is big enough"));
    }
    // A future is one of them.
    drop(scheduler.spawn(async { NOTES.lock().expect("no thread panics").push('f') }));
    while scheduler.totals().completed < 4 {
        core.step();
    }
    std::mem::take(&mut NOTES.lock().expect("no thread panics"))
}

fn main() {
    const FAIR: Policy = Policy::DEFAULT;
    let turns = Box::leak(Box::new(RoundRobin::<Tcb>::new(3_000_000)));
    let turns = order(Some(turns), [FAIR; 3]);
    println!("round-robin       {turns}");

    let priorities = [1, 9, 5].map(|priority| Policy::Realtime { priority });
    let priorities = order(None, priorities);
    println!("fixed priorities  {priorities}");

    let weights = order(None, [0, 10, -10].map(|nice| Policy::fair(Nice::new(nice))));
    println!("EEVDF             {weights}");

    let own = order(Some(Box::leak(Box::new(LastComeFirst::default()))), [FAIR; 3]);
    println!("a class of ours   {own}");

    let threads = |order: &str| order.replace('f', "");
    assert_eq!(threads(&turns), "abcabcabc");
    assert_eq!(threads(&priorities), "bbbcccaaa");
    assert_eq!(weights.chars().last(), Some('b'), "the lightest one ends last");
    // The first to come was alone then.
    assert_eq!(threads(&own), "aaacccbbb");
}
