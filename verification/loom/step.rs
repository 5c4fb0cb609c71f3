//! Models of single steps of the real loop: what shuttle cannot see in it, the orderings, and what the other models here
//! cannot, how it puts its parts together.
//!
//! One step of each CPU concerned, at most three preemptions. A step has a hundred atomic accesses, but those that only
//! one thread makes cost loom nothing.

use crate::machine::{STACK_WORDS, Stepped};
use loom::thread;
use sched::{CpuId, CpuSet, Interrupts as _, Scheduler, Settings, Step, Tier, yield_now};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use verification::exhaustive;

const CPUS: usize = 2;

pub(crate) type Sched = Scheduler<Stepped, (), CPUS>;

pub(crate) fn spawn<R: Send + 'static>(
    body: impl FnOnce() -> R + Send + 'static,
) -> thread::JoinHandle<R> {
    thread::Builder::new().stack_size(STACK_WORDS).spawn(body).expect("loom has room for it")
}

/// Explores `body`, which has joined its threads and let all tasks end when it returns.
pub(crate) fn model(body: fn(&'static Sched)) {
    model_of(body);
}

/// The same for any number of CPUs.
pub(crate) fn model_of<const CPUS: usize>(body: fn(&'static Scheduler<Stepped, (), CPUS>)) {
    exhaustive::model(move || {
        let body = move || {
            let mut settings = Settings::DEFAULT;
            settings.slice_ns = u64::MAX;
            let raw = Box::into_raw(Box::new(Scheduler::new(Stepped::new(), (), settings)));
            // SAFETY: freed below, when all that uses it is over.
            body(unsafe { &*raw });
            // SAFETY: as above.
            unsafe { &*raw }.machine().end();
            // SAFETY: from `into_raw` above, and nobody uses it any more.
            drop(unsafe { Box::from_raw(raw) });
        };
        spawn(body).join().unwrap();
    });
}

/// Nothing is left when the CPU has nothing more to do.
pub(crate) fn run_out<const CPUS: usize>(mut core: sched::Core<Stepped, (), CPUS>) {
    while core.step() != Step::Halted {}
    assert_eq!(core.queued(), 0);
}

/// A thread that is no CPU spawns while a CPU steps with nothing to do: it takes the task, or is kicked.
#[test]
fn a_spawn_from_outside_finds_a_cpu() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let outside = spawn(move || drop(scheduler.spawn(async {})));
        let step = core.step();
        outside.join().unwrap();
        assert!(step != Step::Halted || scheduler.machine().was_kicked(0), "halted, unkicked");
        run_out(core);
    });
}

/// A CPU picks one of two tasks while another one, which it knows of, steps with nothing to do: that one gets the second task, or
/// is kicked.
#[test]
fn a_cpu_with_a_task_to_spare_wakes_an_idle_one() {
    model_of::<3>(|scheduler| {
        // A third, so that the first is not alone.
        Stepped::become_cpu(2);
        std::mem::forget(scheduler.enter().expect("it is new"));
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let handles = [scheduler.spawn(async {}), scheduler.spawn(async {})];
        let other = spawn(move || {
            Stepped::become_cpu(1);
            let mut core = scheduler.enter().expect("it is new");
            let step = core.step();
            if step == Step::Stole {
                assert_eq!(core.step(), Step::Ran);
            }
            // It stays where it is: to leave the scheduler would end its halt.
            std::mem::forget(core);
            step
        });
        assert_eq!(core.step(), Step::Ran);
        let step = other.join().unwrap();
        assert!(step != Step::Halted || scheduler.machine().was_kicked(1), "halted, unkicked");
        drop(handles);
        run_out(core);
    });
}

/// The same where the first one was alone: one step later, which the newcomer asks for, if it is not kicked at once.
#[test]
fn a_cpu_that_was_alone_publishes_for_a_newcomer() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let handles = [(); 3].map(|()| scheduler.spawn(async {}));
        let other = spawn(move || {
            Stepped::become_cpu(1);
            let mut core = scheduler.enter().expect("it is new");
            let step = core.step();
            if step == Step::Stole {
                assert_eq!(core.step(), Step::Ran);
            }
            std::mem::forget(core);
            step
        });
        assert_eq!(core.step(), Step::Ran);
        let step = other.join().unwrap();
        if step == Step::Halted && !scheduler.machine().was_kicked(1) {
            assert!(scheduler.machine().was_kicked(0), "nobody asks for a step");
            scheduler.on_kick();
            assert_eq!(core.step(), Step::Ran);
            assert!(scheduler.machine().was_kicked(1), "halted, unkicked");
        }
        drop(handles);
        run_out(core);
    });
}

/// A future that leaves its waker, and finishes when it is polled a second time.
pub(crate) fn woken_once(waker: Arc<Mutex<Option<Waker>>>) -> impl Future<Output = ()> {
    poll_fn(move |context| {
        let mut waker = waker.lock().unwrap();
        if waker.is_some() {
            return Poll::Ready(());
        }
        *waker = Some(context.waker().clone());
        Poll::Pending
    })
}

/// A task's waker is used while its CPU steps with nothing to do: it runs the task, or is kicked.
#[test]
fn a_wake_finds_its_cpu() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let waker = Arc::new(Mutex::new(None));
        drop(scheduler.spawn(woken_once(waker.clone())));
        assert_eq!(core.step(), Step::Ran);
        let waker = waker.lock().unwrap().clone().expect("it was polled");
        let outside = spawn(move || waker.wake());
        let step = core.step();
        outside.join().unwrap();
        assert!(step != Step::Halted || scheduler.machine().was_kicked(0), "halted, unkicked");
        run_out(core);
    });
}

/// A CPU that has just run a Critical task comes down to a Background one while the Critical one is woken: it runs that
/// first, or is kicked (PC1).
#[test]
fn a_wake_preempts_what_is_less_urgent() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let waker = Arc::new(Mutex::new(None));
        let urgent = scheduler.task("").tier(Tier::Critical).spawn(woken_once(waker.clone()));
        let here = CpuSet::EMPTY.with(CpuId::new(0));
        let lower = scheduler.task("").tier(Tier::Background).affinity(here).expect("it has a CPU");
        drop(lower.spawn(yield_now()));
        assert_eq!(core.step(), Step::Ran);
        let waker = waker.lock().unwrap().clone().expect("the urgent one goes first");
        let outside = spawn(move || waker.wake());
        assert_eq!(core.step(), Step::Ran);
        let urgent_ran = urgent.is_complete();
        outside.join().unwrap();
        assert!(urgent_ran || scheduler.machine().was_kicked(0), "a needed preemption is lost");
        drop(urgent);
        run_out(core);
    });
}
