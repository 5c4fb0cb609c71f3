//! Models of what passes from a CPU to another one by a flag alone: no queue stands between, whose orderings would hide a
//! weak one.
//!
//! A few steps of the real loop, at most three preemptions.

use crate::machine::Stepped;
use crate::step::{model, run_out, spawn, woken_once};
use sched::{CpuId, CpuSet, Interrupts, Step, Tier};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use verification::exhaustive::Plain;

/// A task that counts its polls where whoever pauses its CPU looks, and adds one: at each poll its CPU sees all of it, and
/// so does the other side once the CPU has stopped.
#[test]
fn a_paused_cpu_has_written_and_a_resumed_one_sees() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let number = Arc::new(Plain::new(0));
        let counted = number.clone();
        let mut polls = 0;
        drop(scheduler.spawn(poll_fn(move |context| {
            polls += 1;
            counted.write(counted.read() + 1);
            if polls == 2 {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })));
        let seen = number.clone();
        let outside = spawn(move || {
            scheduler.pause(CpuId::new(0));
            let stopped = scheduler.is_paused(CpuId::new(0));
            if stopped {
                seen.write(seen.read() + 1);
            }
            scheduler.resume(CpuId::new(0));
            usize::from(stopped)
        });
        for _ in 0..3 {
            core.step();
        }
        let added = outside.join().unwrap();
        run_out(core);
        assert_eq!(number.read(), 2 + added, "each poll counts, and so does the one who paused");
    });
}

/// A CPU that is paused is resumed and paused again, beside the step that may see either: once it is seen to be paused, its poll
/// is over, or still to come after the last resumption.
#[test]
fn who_pauses_again_has_the_cpu_stopped() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let number = Arc::new(Plain::new(0));
        let counted = number.clone();
        drop(scheduler.spawn(async move { counted.write(counted.read() + 1) }));
        scheduler.pause(CpuId::new(0));
        assert_eq!(core.step(), Step::Paused);
        let seen = number.clone();
        let outside = spawn(move || {
            scheduler.resume(CpuId::new(0));
            scheduler.pause(CpuId::new(0));
            let stopped = scheduler.is_paused(CpuId::new(0));
            if stopped {
                seen.write(seen.read() + 1);
            }
            scheduler.resume(CpuId::new(0));
            usize::from(stopped)
        });
        core.step();
        let added = outside.join().unwrap();
        run_out(core);
        assert_eq!(number.read(), 1 + added, "the poll counts, and so does the one who paused");
    });
}

/// An urgent task is woken beside the last step of a lesser one. If a kick came of it, the step after its interrupt runs
/// the urgent task (PC5).
#[test]
fn the_drain_after_a_kick_sees_what_was_pushed_before_it() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let waker = Arc::new(Mutex::new(None));
        let urgent = scheduler.task("").tier(Tier::Critical).spawn(woken_once(waker.clone()));
        assert_eq!(core.step(), Step::Ran);
        let here = CpuSet::EMPTY.with(CpuId::new(0));
        let lesser =
            scheduler.task("").tier(Tier::Background).affinity(here).expect("it has a CPU");
        let mut polls = 0;
        drop(lesser.spawn(poll_fn(move |context| {
            polls += 1;
            if polls == 3 {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })));
        let waker = waker.lock().unwrap().clone().expect("it was polled");
        let outside = spawn(move || waker.wake());
        assert_eq!(core.step(), Step::Ran);
        if scheduler.machine().was_kicked(0) {
            scheduler.on_kick();
            core.step();
            assert!(urgent.is_complete(), "a kick came before what it was for");
        }
        outside.join().unwrap();
        drop(urgent);
        run_out(core);
    });
}

/// A loop runs until it is stopped, and sees then what was written before.
#[test]
fn who_stops_a_loop_has_written() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let written = Arc::new(Plain::new(0));
        let before = written.clone();
        let outside = spawn(move || {
            before.write(1);
            scheduler.stop();
        });
        scheduler.machine().give_way();
        core.run();
        assert_eq!(written.read(), 1);
        outside.join().unwrap();
        run_out(core);
    });
}
