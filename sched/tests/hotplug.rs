//! CPUs go offline and come back, any of them, and nothing is lost (PE).

mod common;

use common::{Bell, CPUS, Notes, Sched, Test, as_cpu, poll_once};
use sched::{CpuId, CpuSet, IfPinned, JoinHandle, OfflineError, Step, Tier, yield_now};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use IfPinned::{Refuse, Widen};

const MS: u64 = 1_000_000;

fn cpu(index: usize) -> CpuId {
    CpuId::new(index as u32)
}

fn only(cpus: &[usize]) -> CpuSet {
    cpus.iter().map(|&index| cpu(index)).collect()
}

/// A task of these CPUs that says when it runs, and where.
fn noting(scheduler: &'static Sched, notes: &Notes, name: u64, cpus: &[usize]) -> JoinHandle<()> {
    let notes = notes.clone();
    scheduler.task("").affinity(only(cpus)).unwrap().spawn(async move {
        let here = sched::Machine::cpu(scheduler.machine()).unwrap();
        notes.push(100 * name + u64::from(here.get()));
    })
}

/// CPU `index` leaves, and its loop is dropped.
fn leave(test: &mut Test, index: usize) {
    test.on(index, |core| core.leave(Refuse)).unwrap();
    assert!(test.scheduler().has_left(cpu(index)));
    test.leave_one(index);
}

/// Code goes on on a CPU that has left, and wakes a task that was at home there.
#[test]
fn what_a_cpu_wakes_after_it_has_left_runs_elsewhere() {
    let mut test = Test::new(2);
    let (bell, scheduler) = (Bell::new(), test.scheduler());
    test.on(1, |_| drop(scheduler.spawn(bell.listen())));
    test.settle(1);
    leave(&mut test, 1);
    bell.done.store(true, SeqCst);
    as_cpu(1, || bell.waker().wake());
    test.settle(0);
    assert_eq!(bell.polls(), 2, "the wake was lost");
    // And once more when it is back.
    test.enter_one(1);
    test.on(1, |_| drop(scheduler.spawn(async {})));
    test.settle(1);
    assert_eq!(scheduler.totals().completed, 2);
    test.settle_all();
    test.finish();
}

#[test]
fn what_is_ready_moves_to_others_in_its_order() {
    let mut settings = sched::Settings::DEFAULT;
    settings.inbox_budget_nodes = 1_000;
    let mut test = Test::with(2, settings);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let spawn = |tier, name| {
        let notes = notes.clone();
        drop(scheduler.task("").tier(tier).spawn(async move { notes.push(name) }));
    };
    let spawn_all = |names| {
        for name in names {
            spawn(Tier::Normal, name);
            spawn(Tier::Background, 1_000 + name);
            spawn(Tier::Critical, 2_000 + name);
        }
    };
    test.on(1, |core| {
        // Some are in the run queues, more than the deque takes at once, and some still in the inboxes.
        spawn_all(0..80);
        assert_eq!((core.step(), core.queued()), (Step::Ran, 239));
        spawn_all(80..100);
        core.leave(Refuse).unwrap();
        assert_eq!((core.queued(), core.step(), core.step()), (0, Step::Offline, Step::Offline));
    });
    test.leave_one(1);
    test.settle(0);
    let notes = notes.take();
    for tier in 0..3 {
        let of_tier: Vec<_> = notes.iter().filter(|&&name| name / 1_000 == tier).collect();
        assert_eq!(of_tier.len(), 100, "tasks of tier {tier} are lost");
        assert!(of_tier.is_sorted(), "the oldest goes first");
    }
    let stats = |index| scheduler.cpu_stats(cpu(index)).unwrap();
    assert_eq!((stats(0).polls, stats(1).polls, stats(1).evacuated), (299, 1, 299));
    test.settle_all();
    test.finish();
}

#[test]
fn they_are_spread_over_all_that_may_run_them() {
    let mut test = Test::new(4);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let handles: Vec<_> = test.on(3, |core| {
        let handles = (0..30).map(|name| noting(scheduler, &notes, name, &[0, 2, 3])).collect();
        // Into the run queue, out of which they are moved.
        core.step();
        handles
    });
    leave(&mut test, 3);
    (0..3).for_each(|index| test.settle(index));
    let ran = notes.take();
    let on = |index| ran.iter().filter(|&&note| note % 100 == index).count();
    assert_eq!((on(1), ran.len()), (0, 30));
    assert!(on(0) >= 10 && on(2) >= 10, "{} and {}", on(0), on(2));
    drop(handles);
    test.settle_all();
    test.finish();
}

#[test]
fn each_step_moves_a_bounded_part() {
    let mut settings = sched::Settings::DEFAULT;
    settings.inbox_budget_nodes = 2_000;
    let mut test = Test::with(2, settings);
    let scheduler = test.scheduler();
    test.on(1, |core| {
        (0..1_000).for_each(|_| drop(scheduler.spawn(async {})));
        core.step();
    });
    scheduler.offline(cpu(1), Refuse).unwrap();
    let mut moved = 0;
    loop {
        let step = test.step(1);
        let now = scheduler.cpu_stats(cpu(1)).unwrap().evacuated;
        assert!(now - moved <= 64, "{} at once", now - moved);
        assert_eq!(scheduler.has_left(cpu(1)), step == Step::Offline);
        moved = now;
        if step == Step::Offline {
            break;
        }
        assert_eq!(step, Step::Leaving);
    }
    assert_eq!(moved, 999);
    test.leave_one(1);
    test.settle(0);
    test.settle_all();
    test.finish();
}

#[test]
fn a_waker_finds_its_task_whose_cpu_has_gone() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let bells = [Bell::new(), Bell::new(), Bell::new()];
    let mut handles: Vec<_> =
        test.on(1, |_| bells.iter().map(|bell| scheduler.spawn(bell.listen())).collect());
    test.settle(1);
    // One is woken before, and waits in the inbox.
    bells[0].waker().wake();
    leave(&mut test, 1);
    // One by a thread that is no CPU, one by a CPU that has gone.
    bells.iter().for_each(|bell| bell.done.store(true, SeqCst));
    bells[1].waker().wake();
    as_cpu(1, || bells[2].waker().wake());
    assert!(test.is_kicked(0) || !scheduler.is_idle(cpu(0)));
    test.settle(0);
    for handle in &mut handles {
        assert_eq!(poll_once(handle), Poll::Ready(Ok(())));
    }
    drop((handles, bells));
    test.settle_all();
    test.finish();
}

#[test]
fn tasks_of_a_cpu_that_has_gone_can_be_cancelled_and_freed() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let (waits, alone) = (Bell::new(), Bell::new());
    let mut handle = test.on(1, |_| scheduler.spawn(waits.listen()));
    let restricted = || scheduler.task("").affinity(only(&[1, 2])).unwrap();
    test.on(1, |_| drop(restricted().spawn(alone.listen())));
    test.settle(1);
    leave(&mut test, 1);
    handle.cancel();
    // The last reference: the task goes where it can be freed, though its CPU is not there.
    let last = alone.waker.lock().unwrap().take();
    drop(last);
    test.settle(0);
    assert!(matches!(poll_once(&mut handle), Poll::Ready(Err(_))));
    assert_eq!(Arc::strong_count(&alone), 1, "the future of what nobody can wake is dropped");
    assert_eq!(scheduler.totals().unreachable, 1);
    drop((handle, waits));
    test.settle_all();
    test.finish();
}

#[test]
fn who_sleeps_on_a_cpu_that_goes_is_woken_in_time() {
    let mut test = Test::new(3);
    let scheduler = test.scheduler();
    let woken = Arc::new(AtomicUsize::new(0));
    let sleeper = |deadline_ns| {
        let woken = woken.clone();
        scheduler.spawn(async move {
            scheduler.sleep_until(deadline_ns).await;
            woken.fetch_add(1, SeqCst);
        })
    };
    let handles: Vec<_> = test.on(2, |_| (1..=10).map(|at| sleeper(at * MS)).collect::<Vec<_>>());
    test.settle(2);
    leave(&mut test, 2);
    assert_eq!(scheduler.machine().timer_ns[2].load(SeqCst), u64::MAX, "its timer is still");
    // The first survivor goes as well, before it has looked after the wheel, or after that.
    leave(&mut test, 0);
    test.settle(1);
    handles[9].cancel();
    for at in 1..=9 {
        test.advance_to(at * MS + 1_000);
        test.settle(1);
        assert_eq!(woken.load(SeqCst), at as usize);
    }
    drop(handles);
    test.settle_all();
    test.finish();
}

#[test]
fn any_cpu_can_be_asked_from_anywhere_and_its_run_returns() {
    for gone in 0..3 {
        let mut test = Test::new(3);
        let scheduler = test.scheduler();
        // It halts, so that it must be kicked.
        test.settle(gone);
        as_cpu(((gone + 1) % 3) as u32, || scheduler.offline(cpu(gone), Refuse)).unwrap();
        assert!(test.is_kicked(gone));
        assert!(!scheduler.has_left(cpu(gone)));
        // Nothing new goes there.
        as_cpu(gone as u32, || drop(scheduler.spawn(async {})));
        test.on(gone, |core| core.run());
        assert!(scheduler.has_left(cpu(gone)));
        assert!(scheduler.online().all(|other| other != cpu(gone)));
        test.leave_one(gone);
        (0..3).filter(|&other| other != gone).for_each(|other| test.settle(other));
        assert_eq!(scheduler.totals().completed, 1);
        test.enter_one(gone);
        assert!(!scheduler.has_left(cpu(gone)));
        test.on(gone, |_| drop(scheduler.spawn(async {})));
        assert_eq!(test.step(gone), Step::Ran);
        test.settle_all();
        test.finish();
    }
}

#[test]
fn a_task_asks_for_its_own_cpu_and_finishes_its_turn() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let inner = notes.clone();
    let handle = test.on(1, |_| {
        scheduler.spawn(async move {
            let here = || u64::from(sched::Machine::cpu(scheduler.machine()).unwrap().get());
            inner.push(here());
            scheduler.offline(cpu(1), Refuse).unwrap();
            assert!(scheduler.should_yield(), "it is asked to come to its end");
            inner.push(here());
            yield_now().await;
            inner.push(here());
        })
    });
    assert_eq!((test.step(1), test.step(1)), (Step::Ran, Step::Offline));
    test.leave_one(1);
    test.settle(0);
    assert_eq!(notes.take(), [1, 1, 0]);
    drop(handle);
    test.settle_all();
    test.finish();
}

#[test]
fn a_paused_cpu_can_be_asked() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    test.on(1, |_| drop(scheduler.spawn(async {})));
    assert!(scheduler.pause(cpu(1)));
    assert_eq!(test.step(1), Step::Paused);
    scheduler.offline(cpu(1), Refuse).unwrap();
    assert_eq!(test.step(1), Step::Offline);
    test.leave_one(1);
    assert!(!scheduler.is_paused(cpu(1)));
    test.settle(0);
    assert_eq!(scheduler.totals().completed, 1);
    test.settle_all();
    test.finish();
}

#[test]
fn who_cannot_go_is_told_why_and_stays() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let offline = |index| scheduler.offline(cpu(index), Refuse);
    assert_eq!(offline(CPUS), Err(OfflineError::OutOfRange(cpu(CPUS))));
    assert_eq!(offline(3), Err(OfflineError::NotOnline(cpu(3))));
    let bell = Bell::new();
    let pinned = [[1].as_slice(), &[1], &[0, 1]].map(|cpus| {
        let task = scheduler.task("").affinity(only(cpus)).unwrap();
        task.spawn(bell.listen())
    });
    test.settle(1);
    assert_eq!(offline(1), Err(OfflineError::Pinned(2)));
    assert_eq!(test.on(1, |core| core.leave(Refuse)), Err(OfflineError::Pinned(2)));
    assert_ne!(test.step(1), Step::Offline);
    // They are over, each in its way: nobody is left.
    pinned[0].cancel();
    bell.done.store(true, SeqCst);
    bell.waker().wake();
    test.settle(1);
    pinned[1].cancel();
    pinned[2].cancel();
    test.settle(1);
    test.settle(0);
    assert_eq!(offline(1), Ok(()));
    assert_eq!(offline(1), Ok(()), "asked twice");
    assert_eq!(offline(0), Err(OfflineError::LastCpu));
    assert_eq!(test.step(1), Step::Offline);
    assert_eq!(offline(1), Err(OfflineError::NotOnline(cpu(1))));
    assert_eq!(test.on(1, |core| core.leave(Refuse)), Err(OfflineError::NotOnline(cpu(1))));
    assert_eq!(test.on(0, |core| core.leave(Widen)), Err(OfflineError::LastCpu));
    test.leave_one(1);
    for error in [
        OfflineError::OutOfRange(cpu(9)),
        OfflineError::NotOnline(cpu(1)),
        OfflineError::Pinned(3),
        OfflineError::LastCpu,
    ] {
        assert!(!error.to_string().is_empty());
        let _: &dyn core::error::Error = &error;
    }
    drop(pinned);
    test.settle(0);
    test.settle_all();
    test.finish();
}

#[test]
fn a_task_whose_cpus_are_away_waits_for_the_first_of_them() {
    let mut test = Test::new(3);
    let scheduler = test.scheduler();
    let (notes, bell) = (Notes::default(), Bell::new());
    let woken = scheduler.task("").affinity(only(&[1, 2])).unwrap().spawn(bell.listen());
    (0..3).for_each(|index| test.settle(index));
    leave(&mut test, 1);
    leave(&mut test, 2);
    let both = noting(scheduler, &notes, 1, &[1, 2]);
    let one = as_cpu(0, || noting(scheduler, &notes, 2, &[1]));
    bell.done.store(true, SeqCst);
    bell.waker().wake();
    test.settle(0);
    assert!(notes.take().is_empty() && !woken.is_complete());
    test.enter_one(2);
    test.settle(2);
    assert_eq!(notes.take(), [102]);
    assert!(woken.is_complete());
    test.settle(0);
    // Nothing goes round in circles meanwhile: nobody looks again.
    let steps = scheduler.cpu_stats(cpu(0)).unwrap().steps;
    test.settle(0);
    assert!(scheduler.cpu_stats(cpu(0)).unwrap().steps <= steps + 2);
    test.enter_one(1);
    test.settle(1);
    assert_eq!(notes.take(), [201]);
    drop((both, one, woken, bell));
    test.settle_all();
    test.finish();
}

#[test]
fn widened_tasks_run_elsewhere_until_their_cpu_is_back() {
    let mut test = Test::new(3);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let bell = Bell::new();
    let (rang, inner) = (bell.clone(), notes.clone());
    let task = scheduler.task("").affinity(only(&[2])).unwrap().spawn(async move {
        loop {
            inner.push(u64::from(sched::Machine::cpu(scheduler.machine()).unwrap().get()));
            let polls = rang.polls();
            let mut listen = Box::pin(rang.listen());
            std::future::poll_fn(|context| {
                if rang.polls() > polls + 1 {
                    return Poll::Ready(());
                }
                listen.as_mut().poll(context)
            })
            .await;
        }
    });
    test.settle(2);
    assert_eq!(notes.take(), [2]);
    test.on(2, |core| core.leave(Widen)).unwrap();
    test.leave_one(2);
    let ring = |test: &mut Test| {
        for _ in 0..2 {
            bell.waker().wake();
            (0..test.cpus()).for_each(|index| test.settle(index));
        }
        notes.take()
    };
    let away = ring(&mut test);
    assert!(away.len() == 1 && away[0] < 2, "{away:?}");
    // Another one that is spawned meanwhile, too.
    let other = noting(scheduler, &notes, 9, &[2]);
    (0..2).for_each(|index| test.settle(index));
    assert_eq!(notes.take().len(), 1);
    test.enter_one(2);
    assert_eq!(ring(&mut test), [2], "where it belongs");
    task.cancel();
    (0..3).for_each(|index| test.settle(index));
    assert_eq!(test.on(2, |core| core.leave(Refuse)), Ok(()), "nobody is pinned any more");
    test.leave_one(2);
    let waits = noting(scheduler, &notes, 8, &[2]);
    test.settle_all();
    assert!(notes.take().is_empty(), "this time it was not given up");
    test.enter_one(2);
    drop((task, other, waits, bell));
    test.settle(0);
    test.settle(1);
    test.settle_all();
    test.finish();
}

#[test]
fn a_cpu_that_is_away_can_be_given_up() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    leave(&mut test, 1);
    let stranded = noting(scheduler, &notes, 1, &[1]);
    test.settle(0);
    assert!(notes.take().is_empty());
    assert_eq!(scheduler.offline(cpu(1), Widen), Ok(()));
    assert!(test.is_kicked(0));
    test.settle(0);
    assert_eq!(notes.take(), [100]);
    drop(stranded);
    test.settle_all();
    test.finish();
}

#[test]
fn a_loop_that_is_only_dropped_leaves_all_in_place_unless_it_was_asked() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let spawn = |name| {
        let notes = notes.clone();
        drop(scheduler.spawn(async move { notes.push(name) }));
    };
    test.on(1, |_| spawn(1));
    test.leave_one(1);
    assert!(!scheduler.has_left(cpu(1)));
    test.settle(0);
    assert!(notes.take().is_empty());
    test.enter_one(1);
    scheduler.offline(cpu(1), Refuse).unwrap();
    test.leave_one(1);
    assert!(scheduler.has_left(cpu(1)));
    test.settle(0);
    assert_eq!(notes.take(), [1]);
    test.settle_all();
    test.finish();
}

#[test]
fn every_cpu_goes_and_comes_back_again_and_again() {
    const TASKS: usize = 40;
    const TURNS: usize = 20;
    let mut test = Test::new(CPUS);
    let scheduler = test.scheduler();
    let handles: Vec<_> = (0..TASKS)
        .map(|task| {
            scheduler.task("").tier(Tier::ALL[task % 3]).spawn(async move {
                for turn in 0..TURNS as u64 {
                    yield_now().await;
                    scheduler.sleep_ns((turn + task as u64) % 3 * 1_000).await;
                }
            })
        })
        .collect();
    let mut now_ns = 0;
    for round in 0..1_000 {
        if handles.iter().all(JoinHandle::is_complete) {
            break;
        }
        let gone = round % CPUS;
        leave(&mut test, gone);
        for _ in 0..4 {
            now_ns += 700;
            test.advance_to(now_ns);
            (0..CPUS).filter(|&other| other != gone).for_each(|other| {
                test.step(other);
            });
        }
        test.enter_one(gone);
    }
    assert!(handles.iter().all(JoinHandle::is_complete), "a task is lost");
    let totals = scheduler.totals();
    assert!(totals.evacuated > 0 && totals.steals_won > 0);
    drop(handles);
    (0..CPUS).for_each(|index| test.settle(index));
    test.settle_all();
    test.finish();
}
