//! Models of CPUs that go offline and come back (PE; U1–U6 of the loop's `hotplug`): the real loop's steps, beside threads that wake,
//! spawn, interrupt, go and come.
//!
//! At most three preemptions. Nobody but the request's kick is there to remind a CPU of anything, so what is not found is lost.

use crate::machine::Stepped;
use crate::step::{model, model_of, run_out, spawn, woken_once};
use crate::time::{DUE_NS, Sleeper};
use sched::{
    Core, CpuId, CpuSet, IfPinned::Refuse, IfPinned::Widen, Interrupts as _, OfflineError,
    Scheduler, Step,
};
use std::sync::{Arc, Mutex};
use std::task::Waker;

fn only(cpus: &[u32]) -> CpuSet {
    cpus.iter().map(|&cpu| CpuId::new(cpu)).collect()
}

fn entered<const CPUS: usize>(
    scheduler: &'static Scheduler<Stepped, (), CPUS>,
    cpu: u32,
) -> Core<Stepped, (), CPUS> {
    Stepped::become_cpu(cpu);
    scheduler.enter().expect("nobody else is this CPU")
}

/// CPU `cpu` has come, and left.
fn has_left<const CPUS: usize>(scheduler: &'static Scheduler<Stepped, (), CPUS>, cpu: u32) {
    let mut core = entered(scheduler, cpu);
    assert_eq!(core.leave(Refuse), Ok(()));
}

/// The waker of a task that runs on `core` and waits.
fn waiting<const CPUS: usize>(
    core: &mut Core<Stepped, (), CPUS>,
    task: sched::Builder<Stepped, (), CPUS>,
) -> (sched::JoinHandle<()>, Waker) {
    let waker = Arc::new(Mutex::new(None));
    let handle = task.spawn(woken_once(waker.clone()));
    assert_eq!(core.step(), Step::Ran);
    let waker = waker.lock().unwrap().clone().expect("it was polled");
    (handle, waker)
}

/// CPU 0, which has halted, gets the kick for which it is no longer alone, and halts again.
fn hears_of_it<const CPUS: usize>(
    scheduler: &'static Scheduler<Stepped, (), CPUS>,
    core: &mut Core<Stepped, (), CPUS>,
) {
    Stepped::become_cpu(0);
    assert!(scheduler.machine().was_kicked(0));
    scheduler.on_kick();
    assert_eq!(core.step(), Step::Halted);
    scheduler.machine().forget_kick(0);
}

/// A task is woken while its CPU leaves: the other CPU, which halted, is kicked, and runs it.
#[test]
fn a_wake_beside_an_unplug_is_not_lost() {
    model(|scheduler| {
        let mut stays = entered(scheduler, 0);
        assert_eq!(stays.step(), Step::Halted);
        let mut leaves = entered(scheduler, 1);
        hears_of_it(scheduler, &mut stays);
        Stepped::become_cpu(1);
        let (handle, waker) = waiting(&mut leaves, scheduler.task(""));
        let other = spawn(move || waker.wake());
        assert_eq!(leaves.leave(Refuse), Ok(()));
        other.join().unwrap();
        drop(leaves);
        Stepped::become_cpu(0);
        assert!(scheduler.machine().was_kicked(0), "halted, unkicked");
        assert!(stays.step() != Step::Halted, "nothing has come");
        run_out_of(stays, &[&handle]);
        drop(handle);
        free(scheduler);
    });
}

/// A task is woken while its CPU leaves and comes back, and nobody else may run it.
#[test]
fn a_wake_beside_an_unplug_and_a_return_is_not_lost() {
    model_of::<3>(|scheduler| {
        let stays = entered(scheduler, 0);
        let mut leaves = entered(scheduler, 1);
        // The third one never comes.
        let (handle, waker) =
            waiting(&mut leaves, scheduler.task("").affinity(only(&[1, 2])).unwrap());
        let other = spawn(move || waker.wake());
        assert_eq!(leaves.leave(Refuse), Ok(()));
        drop(leaves);
        let back = entered(scheduler, 1);
        other.join().unwrap();
        run_out_of(back, &[&handle]);
        drop(handle);
        drop(stays);
        free(scheduler);
    });
}

/// A task that only one CPU may run is spawned while that one comes back: it finds the task, or is told of it.
#[test]
fn a_stranded_task_is_found_by_its_cpu() {
    model(|scheduler| {
        let stays = entered(scheduler, 0);
        has_left(scheduler, 1);
        let other = spawn(move || scheduler.task("").affinity(only(&[1])).unwrap().spawn(async {}));
        let mut back = entered(scheduler, 1);
        let step = back.step();
        let handle = other.join().unwrap();
        assert!(step != Step::Halted || scheduler.machine().was_kicked(1), "halted, unkicked");
        run_out_of(back, &[&handle]);
        drop(handle);
        drop(stays);
        free(scheduler);
    });
}

/// The same while that CPU is given up: the other one runs it.
#[test]
fn a_stranded_task_is_found_by_who_may_run_it_instead() {
    model(|scheduler| {
        has_left_beside_none(scheduler);
        let stays = entered(scheduler, 0);
        let other = spawn(move || scheduler.task("").affinity(only(&[1])).unwrap().spawn(async {}));
        assert_eq!(scheduler.offline(CpuId::new(1), Widen), Ok(()));
        let handle = other.join().unwrap();
        run_out_of(stays, &[&handle]);
        drop(handle);
        free(scheduler);
    });
}

/// Another CPU comes at the same time, and looks through the stranded tasks as well: the CPU that a task waits for gets it,
/// whoever is first.
#[test]
fn a_stranded_task_is_found_beside_another_cpu_that_looks() {
    model(|scheduler| {
        let task = scheduler.task("").affinity(only(&[0])).unwrap().spawn(async {});
        scheduler.machine().give_way();
        let other = spawn(move || std::mem::forget(entered(scheduler, 1)));
        let mut core = entered(scheduler, 0);
        while !task.is_complete() {
            core.step();
        }
        other.join().unwrap();
        drop(task);
        run_out(core);
    });
}

/// A CPU leaves with a sleep armed, and its last interrupt comes while the survivor takes its wheel over: one wake.
#[test]
fn a_wheel_is_adopted_beside_its_last_interrupt() {
    model(|scheduler| {
        let mut stays = entered(scheduler, 0);
        let mut leaves = entered(scheduler, 1);
        let mut sleeper = Sleeper::new(scheduler);
        assert_eq!(leaves.leave(Refuse), Ok(()));
        drop(leaves);
        scheduler.machine().set_now_ns(DUE_NS);
        let other = spawn(move || {
            Stepped::become_cpu(1);
            sched::Interrupts::on_timer(scheduler);
        });
        Stepped::become_cpu(0);
        while stays.step() != Step::Halted {}
        assert_eq!(sleeper.wakes.count(), 1, "what slept there is not woken, or twice");
        other.join().unwrap();
        sleeper.free();
    });
}

/// It comes back meanwhile: its sleep is woken by one of the two.
#[test]
fn a_wheel_is_adopted_beside_its_cpus_return() {
    model(|scheduler| {
        let mut stays = entered(scheduler, 0);
        let mut leaves = entered(scheduler, 1);
        let mut sleeper = Sleeper::new(scheduler);
        assert_eq!(leaves.leave(Refuse), Ok(()));
        drop(leaves);
        let other = spawn(move || {
            let core = entered(scheduler, 1);
            std::mem::forget(core);
        });
        Stepped::become_cpu(0);
        while stays.step() != Step::Halted {}
        other.join().unwrap();
        scheduler.machine().set_now_ns(DUE_NS);
        sched::Interrupts::on_timer(scheduler);
        assert_eq!(sleeper.wakes.count(), 0, "kept from a CPU that is back");
        Stepped::become_cpu(1);
        sched::Interrupts::on_timer(scheduler);
        assert_eq!(sleeper.wakes.count(), 1);
        sleeper.free();
    });
}

/// A CPU that leaves asks another one to look after its wheel, which leaves as well: the third one does, or is kicked for it.
#[test]
fn what_is_asked_of_a_cpu_that_leaves_is_asked_of_another() {
    model_of::<3>(|scheduler| {
        let mut leaves = entered(scheduler, 2);
        let mut sleeper = Sleeper::new(scheduler);
        let others = spawn(move || {
            let mut stays = entered(scheduler, 1);
            has_left(scheduler, 0);
            Stepped::become_cpu(1);
            while scheduler.machine().take_kick(1) {
                sched::Interrupts::on_kick(scheduler);
                while stays.step() != Step::Halted {}
            }
            std::mem::forget(stays);
        });
        Stepped::become_cpu(2);
        let left = leaves.leave(Refuse);
        drop(leaves);
        others.join().unwrap();
        scheduler.machine().set_now_ns(DUE_NS);
        Stepped::become_cpu(1);
        sched::Interrupts::on_timer(scheduler);
        let looked_after = sleeper.wakes.count() == 1 || scheduler.machine().was_kicked(1);
        assert!(left.is_err() || looked_after, "nobody looks after the wheel");
        sleeper.free();
    });
}

/// Two CPUs, and both want to leave: one stays.
#[test]
fn the_last_cpu_stays() {
    model(|scheduler| {
        let mut mine = entered(scheduler, 0);
        let other = spawn(move || {
            let mut core = entered(scheduler, 1);
            let left = core.leave(Refuse);
            std::mem::forget(core);
            left
        });
        let left = mine.leave(Refuse);
        let others = other.join().unwrap();
        for left in [left, others] {
            assert!(matches!(left, Ok(()) | Err(OfflineError::LastCpu)));
        }
        assert!(left.is_err() || others.is_err(), "nobody is left");
    });
}

/// A CPU is asked to leave while its loop ends: it leaves, or the one who asks is told that it is not there.
#[test]
fn a_loop_that_ends_answers_who_asked() {
    model(|scheduler| {
        let mut stays = entered(scheduler, 0);
        let ends = entered(scheduler, 1);
        let handle = scheduler.spawn(async {});
        let other = spawn(move || scheduler.offline(CpuId::new(1), Refuse));
        drop(ends);
        let left = other.join().unwrap().is_ok();
        assert_eq!(scheduler.has_left(CpuId::new(1)), left, "it was said that it goes");
        Stepped::become_cpu(0);
        while stays.step() != Step::Halted {}
        assert_eq!(handle.is_complete(), left);
        drop(stays);
        drop(handle);
        free(scheduler);
    });
}

/// CPU 1 leaves while no other one is there for long.
fn has_left_beside_none(scheduler: &'static crate::step::Sched) {
    let stays = entered(scheduler, 0);
    has_left(scheduler, 1);
    Stepped::become_cpu(0);
    drop(stays);
}

/// The CPU has nothing more to do, and these tasks are over.
fn run_out_of<const CPUS: usize>(
    core: Core<Stepped, (), CPUS>,
    handles: &[&sched::JoinHandle<()>],
) {
    Stepped::become_cpu(core.id().get());
    run_out(core);
    assert!(handles.iter().all(|handle| handle.is_complete()), "a task is lost");
}

/// Each CPU that is away comes once more, to free what is to be freed.
fn free<const CPUS: usize>(scheduler: &'static Scheduler<Stepped, (), CPUS>) {
    for cpu in 0..CPUS as u32 {
        Stepped::become_cpu(cpu);
        if let Ok(core) = scheduler.enter() {
            run_out(core);
        }
    }
}
