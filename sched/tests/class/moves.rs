//! Sleep, wake-up and migration: the lag after is the lag before, within its clamp.

use crate::common::{Rng, Task, Tasks, pick, size};
use sched::class::fair::{FairSettings, VirtualTime};
use sched::class::{Dequeue, Dequeued, Enqueue, Fair, SchedClass};

const TICK_NS: u64 = FairSettings::DEFAULT.tick_ns;

fn queue(start: u64, delay_dequeue: bool) -> Fair<Task> {
    let mut settings = FairSettings::DEFAULT;
    settings.delay_dequeue = delay_dequeue;
    Fair::starting_at(VirtualTime::from_bits(start), settings)
}

/// V − v, in virtual time, rounded down.
fn lag(fair: &Fair<Task>, tasks: &Tasks, id: usize) -> i64 {
    fair.virtual_time().since(tasks.entity(id).vruntime())
}

#[test]
fn lag_after_sleep_wake_up_and_migration_is_the_clamped_lag_before() {
    let mut nonzero = 0;
    for seed in 0..size("CLASS_MOVES", 3_000) {
        let mut rng = Rng::new(seed);
        let mut tasks = Tasks::new();
        let mut fairs = [0, 1].map(|_| queue(rng.next(), false));
        let mut now_ns = 0;
        let ids: Vec<_> = (0..8)
            .map(|at| {
                let id = tasks.add(15 + rng.below(88_747) as u32, 100_000 * (1 + rng.below(200)));
                let _ =
                    fairs[at % 2].enqueue_task(tasks.handle(id), Enqueue::Wakeup, 0).expect("new");
                id
            })
            .collect();
        for _ in 0..20 {
            now_ns += 50_000 * rng.below(400);
            fairs.iter_mut().for_each(|fair| {
                pick(fair, now_ns).expect("there are four in each");
            });
        }
        // One of the first queue sleeps or moves; it comes back there, or into the other one.
        let id = ids[2 * rng.below(4) as usize];
        let why = rng.of(&[Dequeue::Sleep, Dequeue::Move]);
        let request = tasks.entity(id).deadline().since(tasks.entity(id).vruntime());
        let before = lag(&fairs[0], &tasks, id);
        let longest_ns = ids.iter().step_by(2).map(|&id| tasks.entity(id).slice_ns()).max();
        let limit = ((u64::from(longest_ns.expect("some")) + TICK_NS) << 20)
            / u64::from(tasks.entity(id).weight());
        let clamped = before.clamp(-(limit as i64), limit as i64);
        // SAFETY: It is in the first class.
        let out = unsafe { fairs[0].dequeue_task(tasks.handle(id), why, now_ns) };
        let handle = out.out().expect("it is not delayed");
        assert_eq!(tasks.entity(id).lag_taken_along(), Some(clamped), "seed {seed}: left with");

        let to = &mut fairs[rng.below(2) as usize];
        now_ns += 1_000_000;
        pick(to, now_ns).expect("some are left");
        let _ = to.enqueue_task(handle, Enqueue::Wakeup, now_ns).expect("it is out");
        let after = lag(to, &tasks, id);
        assert!((after - clamped).abs() <= 1, "seed {seed}: lag {before} became {after}");
        let new = tasks.entity(id).deadline().since(tasks.entity(id).vruntime());
        if why == Dequeue::Move {
            assert_eq!(new, request, "seed {seed}: a move keeps d - v");
        }
        nonzero += u64::from(clamped.abs() > 1_000);
        to.check().expect("every invariant");
    }
    assert!(nonzero > size("CLASS_MOVES", 3_000) / 2, "most lags are not zero: {nonzero}");
}

#[test]
fn a_sleeper_with_a_huge_negative_lag_is_not_forgiven() {
    let mut tasks = Tasks::new();
    let mut fair = queue(7, false);
    let [hog, other] = [(); 2].map(|()| tasks.add(1024, 0));
    for id in [hog, other] {
        let _ = fair.enqueue_task(tasks.handle(id), Enqueue::Wakeup, 0).expect("new");
    }
    assert_eq!(pick(&mut fair, 0), Some(hog));
    // It runs for a second without a tick, and sleeps.
    let second_ns = 1_000_000_000;
    // SAFETY: It is in the class.
    let handle = unsafe { fair.dequeue_task(tasks.handle(hog), Dequeue::Sleep, second_ns) };
    let handle = handle.out().expect("not delayed");
    let least = -(3_000_000 + TICK_NS as i64);
    assert_eq!(fair.lag_ns(tasks.get(hog)), least, "it owes as much as can be owed");
    assert_eq!(pick(&mut fair, second_ns), Some(other));
    let later_ns = 100 * second_ns;
    let _ = fair.enqueue_task(handle, Enqueue::Wakeup, later_ns).expect("out");
    assert_eq!(fair.lag_ns(tasks.get(hog)), least, "and still does, however long it slept");
}

#[test]
fn a_sleeper_with_a_huge_positive_lag_is_clamped() {
    let mut tasks = Tasks::new();
    let mut fair = queue(7, false);
    let [hog, starved] = [(); 2].map(|()| tasks.add(1024, 0));
    for id in [hog, starved] {
        let _ = fair.enqueue_task(tasks.handle(id), Enqueue::Wakeup, 0).expect("new");
    }
    assert_eq!(pick(&mut fair, 0), Some(hog));
    let second_ns = 1_000_000_000;
    let _ = fair.task_tick(second_ns);
    assert_eq!(fair.lag_ns(tasks.get(starved)), second_ns as i64 / 2);
    // SAFETY: It is in the class.
    let handle = unsafe { fair.dequeue_task(tasks.handle(starved), Dequeue::Move, second_ns) };
    let _ =
        fair.enqueue_task(handle.out().expect("queued"), Enqueue::Move, second_ns).expect("out");
    let most = 3_000_000 + TICK_NS as i64;
    assert!((fair.lag_ns(tasks.get(starved)) - most).abs() <= 1, "no more than can be owed");
}

/// Two tasks, of which the first has run too long: it owes, and goes to sleep.
fn delayed(tasks: &mut Tasks) -> (Fair<Task>, usize, usize, u64) {
    let mut fair = queue(0, true);
    let [sleeper, other] = [(); 2].map(|()| tasks.add(1024, 0));
    for id in [sleeper, other] {
        let _ = fair.enqueue_task(tasks.handle(id), Enqueue::Wakeup, 0).expect("new");
    }
    assert_eq!(pick(&mut fair, 0), Some(sleeper));
    let now_ns = 2_000_000;
    // SAFETY: It is in the class.
    let out = unsafe { fair.dequeue_task(tasks.handle(sleeper), Dequeue::Sleep, now_ns) };
    assert!(matches!(out, Dequeued::Delayed), "it owes 1 ms");
    assert!(tasks.entity(sleeper).is_delayed() && fair.holds(tasks.get(sleeper)));
    assert_eq!((fair.runnable(), fair.weight()), (1, 2048), "it counts, but cannot run");
    let ahead = fair.virtual_time().plus(1_000_000 << 10);
    assert_eq!(tasks.entity(sleeper).vruntime(), ahead, "1 ms ahead of its share");
    assert!(!fair.is_eligible(tasks.get(sleeper)) && fair.is_eligible(tasks.get(other)));
    fair.check().expect("every invariant");
    (fair, sleeper, other, now_ns)
}

#[test]
fn a_delayed_entity_is_not_picked_as_null() {
    let mut tasks = Tasks::new();
    let (mut fair, sleeper, other, mut now_ns) = delayed(&mut tasks);
    let mut left = 0;
    for _ in 0..20 {
        now_ns += 1_000_000;
        match fair.pick_next_task(now_ns) {
            sched::class::Pick::Run(task) => assert_eq!(task.id, other),
            sched::class::Pick::Asleep(task) => {
                assert_eq!(task, tasks.handle(sleeper), "its handle comes out");
                left += 1;
            }
            sched::class::Pick::Idle => panic!("a delayed entity was picked as nothing"),
        }
    }
    assert_eq!(left, 1, "it leaves when it would be picked, once");
    assert_eq!(
        tasks.entity(sleeper).lag_taken_along(),
        Some(0),
        "what it was owed meanwhile is not"
    );
    assert_eq!((fair.runnable(), fair.weight()), (1, 1024));
    assert_eq!(pick(&mut fair, now_ns), Some(other));
}

#[test]
fn a_wake_up_meets_a_delayed_dequeue() {
    let mut tasks = Tasks::new();
    // Woken while it still owes: it stays where it is.
    let (mut fair, sleeper, _, now_ns) = delayed(&mut tasks);
    let v = tasks.entity(sleeper).vruntime();
    let again = fair.enqueue_task(tasks.handle(sleeper), Enqueue::Wakeup, now_ns);
    assert_eq!(again.expect_err("it is in the queue").0, tasks.handle(sleeper));
    // SAFETY: It is in the class.
    let woken = unsafe { fair.wake_delayed(tasks.handle(sleeper), now_ns) };
    assert!(woken.is_some() && !tasks.entity(sleeper).is_delayed());
    assert_eq!(tasks.entity(sleeper).vruntime(), v, "its debt is not forgiven");
    assert_eq!(fair.runnable(), 2);
    // SAFETY: As above.
    let woken = unsafe { fair.wake_delayed(tasks.handle(sleeper), now_ns) };
    assert_eq!(woken, None, "once");
    fair.check().expect("every invariant");

    // Woken when it is owed already, and nobody has picked since: that is forgotten.
    let (mut fair, sleeper, other, now_ns) = delayed(&mut tasks);
    assert_eq!(pick(&mut fair, now_ns), Some(other));
    let later_ns = now_ns + 40_000_000;
    // SAFETY: As above.
    let woken = unsafe { fair.wake_delayed(tasks.handle(sleeper), later_ns) };
    assert!(woken.is_some() && !tasks.entity(sleeper).is_delayed());
    let lag_ns = fair.lag_ns(tasks.get(sleeper));
    assert!((-1..=0).contains(&lag_ns), "a sleep earns nothing: {lag_ns} ns");
    fair.check().expect("every invariant");
}

#[test]
fn a_thief_takes_the_last_that_may_go_and_no_sleeper() {
    let mut tasks = Tasks::new();
    let (mut fair, sleeper, other, now_ns) = delayed(&mut tasks);
    let stolen = fair.steal_task(&mut |task| {
        assert_ne!(task.id, sleeper, "asleep: nobody is asked");
        true
    });
    assert_eq!(stolen, Some(tasks.handle(other)));
    assert_eq!((fair.runnable(), fair.weight()), (0, 1024));
    assert_eq!(pick(&mut fair, now_ns), None, "the sleeper goes, and nothing is left");

    let mut asked = 0;
    for _ in 0..100 {
        let id = tasks.add(1024, 0);
        let _ = fair.enqueue_task(tasks.handle(id), Enqueue::Wakeup, now_ns).expect("new");
    }
    let stolen = fair.steal_task(&mut |_| {
        asked += 1;
        false
    });
    assert_eq!((stolen, asked), (None, sched::class::STEAL_CANDIDATES));
}
