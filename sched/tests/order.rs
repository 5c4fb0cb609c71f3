//! Order within and between tiers, and what thieves take.

mod common;

use common::{Bell, Notes, Test};
use sched::{CpuId, CpuSet, Settings, Step, Tier, yield_now};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

fn noting(test: &mut Test, cpu: usize, tier: Tier, notes: &Notes, range: std::ops::Range<u64>) {
    let scheduler = test.scheduler();
    test.on(cpu, |_| {
        for note in range {
            let notes = notes.clone();
            drop(scheduler.task("noting").tier(tier).spawn(async move { notes.push(note) }));
        }
    });
}

#[test]
fn within_a_tier_the_order_is_first_in_first_out_over_many_refills() {
    for tier in Tier::ALL {
        let mut test = Test::new(2);
        let notes = Notes::default();
        noting(&mut test, 0, tier, &notes, 0..1_000);
        test.settle(0);
        assert_eq!(notes.take(), (0..1_000).collect::<Vec<_>>(), "{tier:?}");
        test.finish();
    }
}

#[test]
fn yielding_tasks_take_turns_exactly() {
    let mut test = wide(2);
    let notes = Notes::default();
    let scheduler = test.scheduler();
    test.on(0, |_| {
        for task in 0..100 {
            let notes = notes.clone();
            drop(scheduler.spawn(async move {
                for _ in 0..10 {
                    notes.push(task);
                    yield_now().await;
                }
            }));
        }
    });
    test.settle(0);
    let round: Vec<u64> = (0..100).collect();
    let seen = notes.take();
    assert!(seen.chunks(100).all(|turn| turn == round), "{seen:?}");
    test.finish();
}

#[test]
fn pinned_and_free_tasks_keep_their_common_order() {
    let mut test = Test::new(2);
    let (notes, scheduler) = (Notes::default(), test.scheduler());
    test.on(0, |_| {
        for note in 0..500u64 {
            let notes = notes.clone();
            let task = scheduler.task("mixed");
            // Runs of either kind of several lengths, so that heads change in every way.
            let pinned = (note / (1 + note % 7)) % 3 == 0;
            let task = if pinned {
                task.affinity(CpuSet::EMPTY.with(CpuId::new(0))).unwrap()
            } else {
                task
            };
            drop(task.spawn(async move { notes.push(note) }));
        }
    });
    test.settle(0);
    assert_eq!(notes.take(), (0..500).collect::<Vec<_>>());
    test.finish();
}

#[test]
fn higher_tiers_go_first_and_one_background_poll_comes_in_a_hundred() {
    let mut test = wide(1);
    let notes = Notes::default();
    noting(&mut test, 0, Tier::Background, &notes, 2_000..2_003);
    noting(&mut test, 0, Tier::Normal, &notes, 1_000..1_250);
    noting(&mut test, 0, Tier::Critical, &notes, 0..3);
    test.settle(0);
    let seen = notes.take();
    assert_eq!(seen[..3], [0, 1, 2]);
    assert_eq!(seen[103], 2_000, "after 100 Normal polls");
    assert_eq!(seen[204], 2_001);
    assert_eq!(seen[255], 2_002, "when nothing else is left");
    let normal: Vec<u64> = seen.into_iter().filter(|note| (1_000..2_000).contains(note)).collect();
    assert_eq!(normal, (1_000..1_250).collect::<Vec<_>>());
    test.finish();
}

#[test]
fn critical_tasks_leave_a_turn_to_others_and_strict_does_not() {
    for (limit, expected_first) in [(4, 4), (u32::MAX, 64)] {
        let mut settings = Settings::DEFAULT;
        settings.critical_limit_polls = limit;
        let mut test = Test::with(1, settings);
        let notes = Notes::default();
        noting(&mut test, 0, Tier::Normal, &notes, 100..101);
        let (log, scheduler) = (notes.clone(), test.scheduler());
        test.on(0, |_| {
            drop(scheduler.task("critical").tier(Tier::Critical).spawn(async move {
                for note in 0..64 {
                    log.push(note);
                    yield_now().await;
                }
            }));
        });
        test.settle(0);
        let position = notes.take().iter().position(|&note| note == 100).unwrap();
        assert_eq!(position, expected_first);
        test.finish();
    }
}

/// CPUs that drain an inbox of any length in one step, so that only the order of picks shows.
fn wide(cpus: usize) -> Test {
    let mut settings = Settings::DEFAULT;
    settings.inbox_budget_nodes = 10_000;
    Test::with(cpus, settings)
}

/// A task that runs `body` in its first poll on CPU 0, while what else is queued there is up for stealing.
fn during_a_poll(test: &mut Test, body: impl FnOnce() + Send + 'static) {
    let scheduler = test.scheduler();
    test.on(0, |_| drop(scheduler.spawn(async move { body() })));
}

#[test]
fn a_thief_takes_the_newest_published_of_the_lowest_it_may() {
    let mut test = Test::new(2);
    let notes = Notes::default();
    let reached = Arc::new(AtomicBool::new(false));
    let flag = reached.clone();
    during_a_poll(&mut test, move || flag.store(true, SeqCst));
    noting(&mut test, 0, Tier::Critical, &notes, 0..4);
    noting(&mut test, 0, Tier::Background, &notes, 200..204);
    noting(&mut test, 0, Tier::Normal, &notes, 100..104);
    // CPU 0 polls one task; all others are behind it. (The four Critical ones go first.)
    while !reached.load(SeqCst) {
        assert_eq!(test.step(0), Step::Ran);
    }
    assert_eq!(notes.take(), [0, 1, 2, 3]);
    // Of the five Normal ones CPU 0 has taken two, in a batch.
    assert_eq!(steal(&mut test, &notes, 7), [103, 102, 101, 203, 202, 201, 200]);
    assert_eq!(test.step(1), Step::Halted);
    test.settle(0);
    assert_eq!(notes.take(), [100]);
    assert_eq!(test.scheduler().cpu_stats(CpuId::new(1)).unwrap().steals_won, 7);
    test.finish();
}

/// CPU 1 steals so many, and runs each.
fn steal(test: &mut Test, notes: &Notes, count: usize) -> Vec<u64> {
    let mut stolen = Vec::new();
    for _ in 0..count {
        assert_eq!(test.step(1), Step::Stole);
        assert_eq!(test.step(1), Step::Ran);
        stolen.extend(notes.take());
    }
    stolen
}

#[test]
fn what_a_batch_took_out_goes_back_when_thieves_have_had_the_rest() {
    let mut test = Test::new(2);
    let notes = Notes::default();
    noting(&mut test, 0, Tier::Normal, &notes, 0..9);
    assert_eq!([test.step(0), test.step(0)], [Step::Ran; 2]);
    assert_eq!(notes.take(), [0, 1]);
    // Eight were in the deque, and half of them went out at once.
    assert_eq!(steal(&mut test, &notes, 4), [8, 7, 6, 5]);
    assert_eq!(test.step(1), Step::Halted, "hungry");
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(notes.take(), [2]);
    assert_eq!(steal(&mut test, &notes, 2), [4, 3], "one poll later they are there");
    test.finish();
}

#[test]
fn where_nobody_can_steal_nothing_is_published_until_somebody_comes() {
    let mut test = Test::new(1);
    let notes = Notes::default();
    noting(&mut test, 0, Tier::Normal, &notes, 0..4);
    assert_eq!(test.step(0), Step::Ran);
    test.enter_one(1);
    assert_eq!(test.step(1), Step::Halted, "hungry");
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(notes.take(), [0, 1]);
    assert_eq!(steal(&mut test, &notes, 2), [3, 2], "one poll later they are there");
    test.finish();
}

#[test]
fn critical_and_pinned_tasks_are_never_stolen() {
    let mut test = Test::new(2);
    let (notes, scheduler) = (Notes::default(), test.scheduler());
    noting(&mut test, 0, Tier::Critical, &notes, 0..10);
    test.on(0, |_| {
        for note in 10..20 {
            let notes = notes.clone();
            let task =
                scheduler.task("pinned").affinity(CpuSet::EMPTY.with(CpuId::new(0))).unwrap();
            drop(task.spawn(async move { notes.push(note) }));
        }
    });
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(test.step(1), Step::Halted);
    assert_eq!(notes.take(), [0]);
    test.settle(0);
    assert_eq!(notes.take(), (1..20).collect::<Vec<_>>());
    test.finish();
}

#[test]
fn the_only_ready_task_of_a_cpu_is_left_to_it() {
    let mut test = Test::new(2);
    let notes = Notes::default();
    noting(&mut test, 0, Tier::Normal, &notes, 0..1);
    assert_eq!(test.step(1), Step::Halted, "it is in the inbox");
    test.settle(0);
    assert_eq!(notes.take(), [0]);
    test.finish();
}

#[test]
fn a_stolen_task_is_woken_where_it_lives_now() {
    let mut test = Test::new(2);
    let bell = Bell::new();
    let (scheduler, notes) = (test.scheduler(), Notes::default());
    during_a_poll(&mut test, || ());
    test.on(0, |_| drop(scheduler.spawn(bell.listen())));
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(test.step(1), Step::Stole);
    test.settle(1);
    assert_eq!(bell.polls(), 1);
    // A waker that was made before would do as well: the home is the task's, not the waker's.
    bell.done.store(true, SeqCst);
    test.settle(0);
    assert!(!test.is_kicked(0));
    bell.waker().wake();
    assert!(test.is_kicked(1) && !test.is_kicked(0));
    test.settle(0);
    assert_eq!(bell.polls(), 1, "CPU 0 has it no more");
    test.settle(1);
    assert_eq!(bell.polls(), 2);
    drop(notes);
    test.finish();
}

#[test]
fn a_thief_that_finds_nothing_published_asks_for_it_once() {
    let mut test = wide(3);
    let notes = Notes::default();
    during_a_poll(&mut test, || ());
    noting(&mut test, 0, Tier::Normal, &notes, 0..100);
    assert_eq!(test.step(0), Step::Ran);
    // All that one refill published is stolen; the rest is private to CPU 0, which is still in its poll.
    let mut taken = 0;
    while test.step(1) == Step::Stole {
        taken += 1;
        assert_eq!(test.step(1), Step::Ran);
    }
    assert!((1..100).contains(&taken), "{taken}");
    assert!(test.is_kicked(0), "asked to publish");
    test.scheduler().machine().kicked[0].store(false, SeqCst);
    assert_eq!(test.step(2), Step::Halted);
    assert!(!test.is_kicked(0), "one request is enough");
    // Its next pass publishes, and wakes both.
    assert_eq!(test.step(0), Step::Ran);
    assert!(test.is_kicked(1) && test.is_kicked(2));
    assert_eq!(test.step(1), Step::Stole);
    test.settle(0);
    test.settle(1);
    test.settle(2);
    assert_eq!(notes.take().len(), 100);
    test.finish();
}
