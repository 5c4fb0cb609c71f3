//! Who is kicked, who is not, and who may halt.

mod common;

use common::{Bell, Test, as_cpu};
use sched::trace::Event;
use sched::{CpuId, CpuSet, Interrupts, Settings, Step, Tier, yield_now};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// A task of `tier` at home on CPU `cpu` that waits for its bell.
fn waiting(test: &mut Test, cpu: usize, tier: Tier) -> Arc<Bell> {
    let bell = Bell::new();
    let scheduler = test.scheduler();
    test.on(cpu, |_| drop(scheduler.task("waiting").tier(tier).spawn(bell.listen())));
    test.settle(cpu);
    assert_eq!(bell.polls(), 1);
    bell
}

fn finish(mut test: Test, bells: impl IntoIterator<Item = Arc<Bell>>) {
    for bell in bells {
        bell.done.store(true, SeqCst);
        bell.waker().wake();
    }
    // In turn, because a CPU may have work for another.
    for _ in 0..4 {
        for cpu in 0..test.cpus() {
            test.settle(cpu);
        }
    }
    test.finish();
}

#[test]
fn a_wake_kicks_a_halted_cpu_and_only_once_for_a_burst() {
    let mut test = Test::new(2);
    let bells = [waiting(&mut test, 1, Tier::Normal), waiting(&mut test, 1, Tier::Normal)];
    assert!(!test.is_kicked(1));
    assert!(test.scheduler().is_idle(CpuId::new(1)) && !test.scheduler().is_idle(CpuId::new(0)));
    let before = test.scheduler().totals().kicks_sent;
    for bell in &bells {
        as_cpu(0, || bell.waker().wake());
    }
    assert!(test.is_kicked(1));
    assert_eq!(test.scheduler().totals().kicks_sent - before, 1);
    finish(test, bells);
}

#[test]
fn a_busy_cpu_is_kicked_for_a_more_urgent_task_only() {
    let mut test = Test::new(2);
    let [critical, normal, background] =
        [Tier::Critical, Tier::Normal, Tier::Background].map(|tier| waiting(&mut test, 1, tier));
    let scheduler = test.scheduler();
    test.on(1, |_| drop(scheduler.spawn(async { yield_now().await })));
    assert_eq!(test.step(1), Step::Ran);
    test.scheduler().machine().kicked[1].store(false, SeqCst);
    // CPU 1 is between two polls of a Normal task.
    as_cpu(0, || background.waker().wake());
    as_cpu(0, || normal.waker().wake());
    assert!(!test.is_kicked(1), "nothing more urgent than what runs");
    as_cpu(0, || critical.waker().wake());
    assert!(test.is_kicked(1));
    finish(test, [critical, normal, background]);
}

#[test]
fn a_cpu_that_lowers_its_level_looks_at_its_inboxes_first() {
    // PC1, the side of the CPU: the Normal wake comes while a Critical task runs, so it is not kicked for.
    let mut test = Test::new(2);
    let normal = waiting(&mut test, 1, Tier::Normal);
    let (scheduler, bell) = (test.scheduler(), normal.clone());
    test.on(1, |_| {
        drop(scheduler.task("background").tier(Tier::Background).spawn(async {}));
        drop(scheduler.task("critical").tier(Tier::Critical).spawn(async move {
            bell.waker().wake();
        }));
    });
    assert_eq!(test.step(1), Step::Ran);
    assert_eq!(test.step(1), Step::Ran);
    assert_eq!(normal.polls(), 2, "the woken Normal task comes before the Background one");
    finish(test, [normal]);
}

#[test]
fn a_cpu_that_spins_needs_no_kick_and_halts_when_nothing_comes() {
    let mut settings = Settings::DEFAULT;
    settings.spin_steps = 3;
    let mut test = Test::with(2, settings);
    let bell = waiting(&mut test, 1, Tier::Normal);
    // Its halt ends, and it looks again.
    for _ in 0..2 {
        assert_eq!(
            [(); 4].map(|()| test.step(1)),
            [Step::Spun, Step::Spun, Step::Spun, Step::Halted]
        );
    }
    assert_eq!([test.step(1), test.step(1)], [Step::Spun; 2]);
    as_cpu(0, || bell.waker().wake());
    assert!(!test.is_kicked(1), "it looks by itself");
    assert_eq!(test.step(1), Step::Ran);
    // After a run it begins to count anew.
    assert_eq!([(); 4].map(|()| test.step(1)), [Step::Spun, Step::Spun, Step::Spun, Step::Halted]);
    as_cpu(0, || bell.waker().wake());
    assert!(test.is_kicked(1));
    finish(test, [bell]);
}

#[test]
fn a_wake_between_check_and_halt_is_not_lost() {
    let mut test = Test::new(2);
    let bell = waiting(&mut test, 1, Tier::Normal);
    // CPU 1 has halted: its heads are armed. An interrupt that pushes nothing ends the halt; the next halt is one
    // as well (PB2), and the wake that follows it still kicks.
    assert_eq!(test.step(1), Step::Halted);
    assert_eq!(test.step(1), Step::Halted);
    as_cpu(0, || bell.waker().wake());
    assert!(test.is_kicked(1));
    assert_eq!(test.step(1), Step::Ran);
    assert_eq!(bell.polls(), 2);
    finish(test, [bell]);
}

#[test]
fn a_long_inbox_is_drained_in_order_within_the_budget_and_forbids_halting() {
    let mut settings = Settings::DEFAULT;
    settings.inbox_budget_nodes = 4;
    let mut test = Test::with(2, settings);
    let scheduler = test.scheduler();
    let notes = common::Notes::default();
    let there = CpuSet::EMPTY.with(CpuId::new(0));
    test.on(1, |_| {
        for note in 0..100 {
            let (notes, task) = (notes.clone(), scheduler.task("").affinity(there).unwrap());
            drop(task.spawn(async move { notes.push(note) }));
        }
    });
    let mut undone = 0;
    loop {
        match test.step(0) {
            Step::Halted => break,
            Step::Undone => undone += 1,
            _ => {}
        }
    }
    assert_eq!(notes.take(), (0..100).collect::<Vec<_>>());
    assert!(
        undone > 20,
        "the chain is reversed a few nodes a step, and no step halts meanwhile: {undone}"
    );
    test.finish();
}

#[test]
fn what_a_cpu_wakes_itself_comes_in_order_and_bounded() {
    let mut settings = Settings::DEFAULT;
    settings.inbox_budget_nodes = 4;
    let mut test = Test::with(1, settings);
    let scheduler = test.scheduler();
    let notes = common::Notes::default();
    test.on(0, |_| {
        for note in 0..100 {
            let notes = notes.clone();
            drop(scheduler.spawn(async move {
                notes.push(note);
                // The last of them come to the run queue in the twenty-fifth step.
                assert_eq!(scheduler.should_yield(), note < 24, "asked to look, {note}");
            }));
        }
    });
    for step in 1..=100 {
        assert_eq!(test.step(0), Step::Ran);
        let enqueued = |(_, event): &(_, Event)| matches!(event, Event::Enqueue { .. });
        let count =
            scheduler.trace().0.lock().unwrap().iter().filter(|&event| enqueued(event)).count();
        assert!(count <= 4 * step, "a budget at most in a step: {count} after {step}");
    }
    assert_eq!(test.step(0), Step::Halted);
    assert_eq!(notes.take(), (0..100).collect::<Vec<_>>());
    test.finish();
}

/// A handler comes at any place of a step with nothing to do, and wakes: the step does not halt after that.
#[test]
fn a_handler_that_wakes_in_the_midst_of_a_step_is_heard() {
    let mut places = 0;
    for place in 0.. {
        let mut test = Test::new(1);
        let (bell, scheduler) = (waiting(&mut test, 0, Tier::Normal), test.scheduler());
        let (waker, mut left) = (bell.waker(), place);
        let meanwhile = move || {
            // Nothing interrupts where interrupts are masked.
            if scheduler.machine().masked.load(SeqCst) > 0 {
                return false;
            }
            if left == 0 {
                waker.wake_by_ref();
            }
            left -= 1;
            left < 0
        };
        *scheduler.machine().meanwhile.lock().unwrap() = Some(Box::new(meanwhile));
        let step = test.step(0);
        let is_over = scheduler.machine().meanwhile.lock().unwrap().take().is_none();
        assert!(!is_over || step != Step::Halted, "it halted on a wake, place {place}");
        test.settle(0);
        assert_eq!(bell.polls(), if is_over { 2 } else { 1 });
        finish(test, [bell]);
        if !is_over {
            places = place;
            break;
        }
    }
    assert!(places >= 3, "the drain alone has three: {places}");
}

/// The same in a step that comes down from a Critical task to a Background one: that is polled after the wake's task, or is asked to
/// yield (PC1).
#[test]
fn a_handler_that_wakes_while_the_level_falls_is_heard() {
    let mut places = 0;
    for place in 0.. {
        let mut test = Test::new(1);
        let (bell, scheduler) = (waiting(&mut test, 0, Tier::Normal), test.scheduler());
        let has_woken = Arc::new(AtomicBool::new(false));
        let woken = has_woken.clone();
        test.on(0, |_| {
            drop(scheduler.task("").tier(Tier::Critical).spawn(async {}));
            drop(scheduler.task("").tier(Tier::Background).spawn(async move {
                let is_asked = scheduler.should_yield();
                assert!(is_asked || !woken.load(SeqCst), "a needed preemption is lost");
            }));
        });
        assert_eq!(test.step(0), Step::Ran);
        let (waker, mut left) = (bell.waker(), place);
        let woken = has_woken.clone();
        let meanwhile = move || {
            if scheduler.machine().masked.load(SeqCst) > 0 {
                return false;
            }
            if left == 0 {
                waker.wake_by_ref();
                woken.store(true, SeqCst);
            }
            left -= 1;
            left < 0
        };
        *scheduler.machine().meanwhile.lock().unwrap() = Some(Box::new(meanwhile));
        assert_eq!(test.step(0), Step::Ran);
        has_woken.store(false, SeqCst);
        let is_over = scheduler.machine().meanwhile.lock().unwrap().take().is_none();
        test.settle(0);
        finish(test, [bell]);
        if !is_over {
            places = place;
            break;
        }
    }
    assert!(places >= 5, "the drain alone has three, the fall one: {places}");
}

#[test]
fn work_beyond_what_a_cpu_runs_wakes_idle_cpus_and_no_more_than_it_is() {
    let mut test = Test::new(4);
    for cpu in 0..4 {
        test.settle(cpu);
    }
    let scheduler = test.scheduler();
    test.on(0, |_| {
        for _ in 0..3 {
            drop(scheduler.spawn(async { yield_now().await }));
        }
    });
    assert_eq!(test.step(0), Step::Ran);
    let kicked = (0..4).filter(|&cpu| test.is_kicked(cpu)).count();
    assert_eq!(kicked, 2, "one runs, two are to spare");
    finish(test, []);
}

#[test]
fn a_foreign_spawn_wakes_one_idle_cpu() {
    let mut test = Test::new(4);
    for cpu in 0..4 {
        test.settle(cpu);
    }
    drop(test.scheduler().spawn(async {}));
    assert_eq!((0..4).filter(|&cpu| test.is_kicked(cpu)).count(), 1);
    finish(test, []);
}

#[test]
fn more_foreign_spawns_than_one_take_are_all_found() {
    let mut test = Test::new(2);
    test.settle(0);
    test.settle(1);
    for _ in 0..100 {
        drop(test.scheduler().spawn(async {}));
    }
    test.settle(1);
    assert_eq!(test.scheduler().totals().completed, 100);
    finish(test, []);
}

#[test]
fn should_yield_tells_of_a_kick_and_of_the_end_of_the_slice() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    assert!(!scheduler.should_yield(), "no CPU");
    let seen = common::Notes::default();
    let log = seen.clone();
    test.on(0, |_| {
        drop(scheduler.spawn(async move {
            for _ in 0..3 {
                log.push(u64::from(scheduler.should_yield()));
                scheduler.on_kick();
                log.push(u64::from(scheduler.should_yield()));
                yield_now().await;
                scheduler.on_timer();
                log.push(u64::from(scheduler.should_yield()));
                yield_now().await;
            }
        }));
    });
    test.settle(0);
    assert_eq!(seen.take(), [0, 1, 1, 0, 1, 1, 0, 1, 1]);
    test.finish();
}

#[test]
fn a_long_computation_yields_if_it_is_asked_to_and_not_otherwise() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let seen = common::Notes::default();
    let (log, other) = (seen.clone(), seen.clone());
    test.on(0, |_| {
        drop(scheduler.spawn(async move {
            for part in 0..3 {
                log.push(part);
                scheduler.yield_if_asked().await;
            }
            scheduler.on_timer();
            scheduler.yield_if_asked().await;
            log.push(9);
        }));
        drop(scheduler.spawn(async move { other.push(7) }));
    });
    test.settle(0);
    assert_eq!(seen.take(), [0, 1, 2, 7, 9]);
    test.finish();
}

#[test]
fn a_paused_cpu_does_nothing_but_its_work_can_be_stolen() {
    for paused in 0..2 {
        let mut test = Test::new(2);
        let (scheduler, notes) = (test.scheduler(), common::Notes::default());
        test.on(paused, |_| {
            for note in 0..5 {
                let notes = notes.clone();
                drop(scheduler.spawn(async move { notes.push(note) }));
            }
        });
        assert_eq!(test.step(paused), Step::Ran);
        assert!(scheduler.pause(CpuId::new(paused as u32)));
        assert_eq!(test.step(paused), Step::Paused);
        assert_eq!(test.step(paused), Step::Paused);
        assert_eq!(notes.take(), [0]);
        test.settle(1 - paused);
        assert_eq!(notes.take(), [4, 3, 2, 1], "from the back");
        assert!(scheduler.resume(CpuId::new(paused as u32)));
        test.settle(paused);
        test.finish();
    }
}

#[test]
fn stop_kicks_every_cpu() {
    let test = Test::new(3);
    test.scheduler().stop();
    assert!((0..3).all(|cpu| test.is_kicked(cpu)));
    test.finish();
}

#[test]
fn a_claimed_cpu_with_work_of_its_own_wakes_another_for_what_it_was_claimed_for() {
    let mut test = Test::new(3);
    let bell = waiting(&mut test, 0, Tier::Normal);
    for cpu in 0..3 {
        test.settle(cpu);
    }
    let scheduler = test.scheduler();
    drop(scheduler.spawn(async {}));
    assert!(test.is_kicked(0) && !test.is_kicked(1) && !test.is_kicked(2));
    as_cpu(1, || bell.waker().wake());
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(bell.polls(), 2, "its own work comes first");
    assert!(test.is_kicked(1) || test.is_kicked(2), "the injected task waits beside idle CPUs");
    finish(test, [bell]);
}

#[test]
fn a_claimed_cpu_that_pauses_or_leaves_wakes_another() {
    for leaves in [false, true] {
        let mut test = Test::new(2);
        test.settle(0);
        test.settle(1);
        let scheduler = test.scheduler();
        drop(scheduler.spawn(async {}));
        assert!(test.is_kicked(0) && !test.is_kicked(1));
        if leaves {
            test.leave_one(0);
        } else {
            scheduler.pause(CpuId::new(0));
            assert_eq!(test.step(0), Step::Paused);
        }
        assert!(test.is_kicked(1), "leaves: {leaves}");
        test.settle(1);
        assert_eq!(scheduler.totals().completed, 1);
        scheduler.resume(CpuId::new(0));
        test.finish();
    }
}
