//! What was once wrong in somebody's kernel, each by its name; those about sleep and steal are in
//! `moves`, and heap order after random histories is in `orders`.

use crate::common::{Rng, Task, Tasks, pick, size};
use crate::oracle::mix;
use sched::class::fair::{FairSettings, VirtualTime};
use sched::class::{Dequeue, Enqueue, Fair, MAX_WEIGHT, Nice, Resched, SchedClass};

fn fair() -> Fair<Task> {
    Fair::new(FairSettings::DEFAULT)
}

fn enqueue(fair: &mut Fair<Task>, tasks: &Tasks, id: usize) -> Resched {
    fair.enqueue_task(tasks.handle(id), Enqueue::Wakeup, 0).expect("out")
}

/// What two tasks have had, when both ran for a while.
fn unequal(tasks: &mut Tasks) -> (Fair<Task>, [usize; 2]) {
    let mut fair = fair();
    let ids = [(); 2].map(|()| tasks.add(1024, 10_000_000));
    for id in ids {
        let _ = enqueue(&mut fair, tasks, id);
    }
    assert_eq!(pick(&mut fair, 0), Some(ids[0]));
    let _ = fair.task_tick(2_000_000);
    (fair, ids)
}

#[test]
fn the_timeline_is_whole_after_keys_change_in_place() {
    let mut rng = Rng::new(3);
    let mut tasks = Tasks::new();
    let mut fair = fair();
    for _ in 0..100 {
        let id = tasks.add(15 + rng.below(80_000) as u32, 100_000 * rng.below(100));
        let _ = enqueue(&mut fair, &tasks, id);
    }
    for step in 0..2_000 {
        assert!(pick(&mut fair, step * 700_000).is_some());
        let task = tasks.handle(rng.below(100) as usize);
        // SAFETY: All are in the class.
        let _ = unsafe { fair.set_nice(task, Nice::new(rng.below(40) as i8 - 20), step * 700_000) };
        fair.check().expect("every invariant");
    }
}

#[test]
fn a_reweight_keeps_lag_deadline_and_average() {
    for (id, nice) in [(0, -20), (0, 19), (1, -20), (1, 19), (1, 5)] {
        let mut tasks = Tasks::new();
        let (mut fair, ids) = unequal(&mut tasks);
        let (task, entity) = (tasks.get(ids[id]), tasks.entity(ids[id]));
        let v = fair.virtual_time();
        let lag_ns = fair.lag_ns(task);
        assert_eq!(lag_ns, [-1_000_000, 1_000_000][id]);
        let service = |entity: &sched::class::fair::Entity<Task>| {
            (i128::from(entity.deadline().since(v)) * i128::from(entity.weight())) >> 20
        };
        let until_deadline = service(entity);
        // SAFETY: It is in the class.
        let _ = unsafe { fair.set_nice(tasks.handle(ids[id]), Nice::new(nice), 2_000_000) };
        assert_eq!(entity.weight(), Nice::new(nice).weight());
        assert!((fair.virtual_time().since(v)).abs() <= 1, "V stays");
        assert!((fair.lag_ns(task) - lag_ns).abs() <= 1, "lag is service");
        assert!((service(entity) - until_deadline).abs() <= 1, "so is the way to the deadline");
        let other = fair.lag_ns(tasks.get(ids[1 - id]));
        assert!((other + lag_ns).abs() <= 1, "the others' lag is theirs: {other}");
        fair.check().expect("every invariant");
    }
}

#[test]
fn a_weight_that_changes_while_a_task_is_out_keeps_its_lag() {
    for tell_the_class in [false, true] {
        let mut tasks = Tasks::new();
        let (mut fair, [_, owed]) = unequal(&mut tasks);
        // SAFETY: It is in the class.
        let out = unsafe { fair.dequeue_task(tasks.handle(owed), Dequeue::Move, 2_000_000) };
        let handle = out.out().expect("queued");
        tasks.get(owed).weight.set(15);
        if tell_the_class {
            // SAFETY: It is in no class.
            let _ = unsafe { fair.set_weight(handle, 15, 2_000_000) };
        }
        let _ = fair.enqueue_task(handle, Enqueue::Move, 2_000_000).expect("out");
        assert!((fair.lag_ns(tasks.get(owed)) - 1_000_000).abs() <= 1);
        fair.check().expect("every invariant");
    }
}

#[test]
fn the_average_is_rounded_down_not_towards_zero() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut tasks = Tasks::new();
        let mut fair = fair();
        for _ in 0..6 {
            let id = tasks.add(1 + rng.below(100_000) as u32, 0);
            let _ = enqueue(&mut fair, &tasks, id);
        }
        for left in 0..5 {
            for _ in 0..10 {
                let _ = pick(&mut fair, (left + 1) * rng.below(100_000_000));
            }
            // Without it, the average is where it was not looked for before: ahead, or behind.
            // SAFETY: It is in the class.
            let out = unsafe { fair.dequeue_task(tasks.handle(left as usize), Dequeue::Exit, 0) };
            assert!(out.out().is_some());
            let rest: Vec<_> = (left as usize + 1..6).map(|id| tasks.entity(id)).collect();
            let zero = rest[0].vruntime();
            let moment = |e: &&sched::class::fair::Entity<Task>| {
                i128::from(e.vruntime().since(zero)) * i128::from(e.weight())
            };
            let exact = rest.iter().map(moment).sum::<i128>().div_euclid(fair.weight().into());
            let average = i128::from(fair.virtual_time().since(zero));
            assert_eq!(average, exact, "seed {seed}: V is rounded down");
        }
    }
}

#[test]
fn a_slice_of_u64_max_and_one_of_a_nanosecond_are_clamped() {
    for (asked_ns, given_ns) in [(u64::MAX, 100_000_000), (1, 100_000), (0, 3_000_000)] {
        for weight in [0, 1, 15, 88_761, u32::MAX] {
            let mut tasks = Tasks::new();
            let mut fair = fair();
            let id = tasks.add(weight, asked_ns);
            let _ = enqueue(&mut fair, &tasks, id);
            let entity = tasks.entity(id);
            assert_eq!(entity.slice_ns(), given_ns);
            assert_eq!(entity.weight(), weight.clamp(1, MAX_WEIGHT));
            assert!(entity.deadline() > entity.vruntime());
            fair.check().expect("every invariant");
        }
    }
}

#[test]
fn slices_shrink_where_many_run_and_not_below_the_granularity() {
    let mut settings = FairSettings::DEFAULT;
    settings.latency_ns = Some(FairSettings::LATENCY_NS);
    let mut tasks = Tasks::new();
    let mut fair = Fair::new(settings);
    for expected_ns in [3_000_000, 3_000_000, 2_000_000, 1_500_000, 1_200_000, 1_000_000] {
        let id = tasks.add(1024, 0);
        let _ = enqueue(&mut fair, &tasks, id);
        assert_eq!(tasks.entity(id).slice_ns(), expected_ns);
    }
    let last = (0..20).map(|_| {
        let id = tasks.add(1024, 0);
        let _ = enqueue(&mut fair, &tasks, id);
        id
    });
    let last = last.last().expect("some");
    assert_eq!(tasks.entity(last).slice_ns(), 500_000);
    // A granularity above the slice does not lengthen it.
    settings.min_granularity_ns = u64::MAX;
    let mut fair = Fair::new(settings);
    let id = tasks.add(1024, 0);
    let _ = enqueue(&mut fair, &tasks, id);
    assert_eq!(tasks.entity(id).slice_ns(), 3_000_000);
}

#[test]
fn the_longest_slice_in_the_queue_bounds_a_lag_not_the_shortest() {
    let mut tasks = Tasks::new();
    let mut fair = fair();
    let [short, owed] = [100_000, 100_000].map(|slice_ns| tasks.add(1024, slice_ns));
    let long = tasks.add(1024, 50_000_000);
    for id in [short, owed, long] {
        let _ = enqueue(&mut fair, &tasks, id);
    }
    assert_eq!(pick(&mut fair, 0), Some(short));
    // SAFETY: It is in the class.
    let out = unsafe { fair.dequeue_task(tasks.handle(owed), Dequeue::Move, 90_000_000) };
    assert!(out.out().is_some());
    assert_eq!(fair.lag_ns(tasks.get(owed)), 30_000_000, "90 ms by three, within 51 ms");
}

#[test]
fn a_new_task_has_half_a_first_slice() {
    let mut tasks = Tasks::new();
    let mut fair = fair();
    let [parent, child] = [(); 2].map(|()| tasks.add(1024, 0));
    let _ = enqueue(&mut fair, &tasks, parent);
    fair.task_fork(tasks.get(child));
    let _ = fair.enqueue_task(tasks.handle(child), Enqueue::Fork, 0).expect("new");
    let request = |id| tasks.entity(id).deadline().since(tasks.entity(id).vruntime());
    assert_eq!(2 * request(child), request(parent));
    fair.task_fork(tasks.get(parent));
    assert!(tasks.entity(parent).is_held(), "a task in a class is not made new");
}

#[test]
fn a_fork_does_not_inherit_what_an_earlier_life_owed() {
    let mut tasks = Tasks::new();
    let (mut fair, [owes, _]) = unequal(&mut tasks);
    // SAFETY: It is in the class.
    let out = unsafe { fair.dequeue_task(tasks.handle(owes), Dequeue::Move, 2_000_000) };
    assert_eq!(fair.lag_ns(tasks.get(owes)), -1_000_000);
    fair.task_fork(tasks.get(owes));
    let _ = fair.enqueue_task(out.out().expect("current"), Enqueue::Wakeup, 2_000_000);
    assert_eq!(fair.lag_ns(tasks.get(owes)), 0);
}

#[test]
fn virtual_time_near_the_ends_and_around_them() {
    let ends = [0, i64::MAX as u64, u64::MAX];
    for start in ends.into_iter().flat_map(|end| [end - (1 << 34).min(end), end]) {
        for seed in 0..200 {
            mix(seed, start).unwrap_or_else(|fault| panic!("from {start:#x}: {fault}"));
        }
    }
}

#[test]
fn a_clock_that_stands_steps_back_or_leaps_breaks_nothing() {
    let mut tasks = Tasks::new();
    let mut fair = fair();
    for weight in [1, 1024, MAX_WEIGHT] {
        let id = tasks.add(weight, 0);
        let _ = enqueue(&mut fair, &tasks, id);
    }
    let mut rng = Rng::new(5);
    for _ in 0..1_000 {
        let now_ns = rng.of(&[0, 1, 5_000_000, u64::MAX / 2, u64::MAX]);
        let running = fair.current().map(|task| tasks.entity(task.id).vruntime());
        let _ = fair.task_tick(now_ns);
        let later = fair.current().map(|task| tasks.entity(task.id).vruntime());
        assert!(later >= running, "nobody runs backwards");
        assert!(pick(&mut fair, now_ns).is_some());
        fair.check().expect("every invariant");
    }
}

#[test]
fn a_yield_gives_up_the_rest_and_lets_the_others_go_first() {
    let mut tasks = Tasks::new();
    let mut fair = fair();
    let ids = [(); 3].map(|()| tasks.add(1024, 0));
    for id in ids {
        let _ = enqueue(&mut fair, &tasks, id);
    }
    let mut turns = Vec::new();
    for _ in 0..300 {
        turns.push(pick(&mut fair, 0).expect("some"));
        fair.yield_task(0);
    }
    for round in turns.chunks(3) {
        assert!(ids.iter().all(|id| round.contains(id)), "{round:?}");
    }
    // Alone, it may do so for ever.
    for id in &ids[1..] {
        // SAFETY: It is in the class.
        let _ = unsafe { fair.dequeue_task(tasks.handle(*id), Dequeue::Exit, 0) };
    }
    for _ in 0..100_000 {
        assert_eq!(pick(&mut fair, 0), Some(ids[0]));
        fair.yield_task(0);
    }
    fair.check().expect("every invariant");
}

#[test]
fn run_to_parity_runs_on_until_the_shortest_slice_is_had() {
    for protected in [false, true] {
        let mut settings = FairSettings::DEFAULT;
        settings.run_to_parity = protected;
        let mut tasks = Tasks::new();
        let mut fair = Fair::new(settings);
        let first = tasks.add(1024, 10_000_000);
        let _ = enqueue(&mut fair, &tasks, first);
        let late = tasks.add(1024, 2_000_000);
        assert_eq!(pick(&mut fair, 0), Some(first));
        // A newcomer with an earlier deadline: without protection it goes first.
        let resched = fair.enqueue_task(tasks.handle(late), Enqueue::Wakeup, 0).expect("new");
        assert_eq!(resched == Resched::No, protected);
        assert_eq!(pick(&mut fair, 0), Some(if protected { first } else { late }));
    }
}

/// Renices in a loop: nobody gains by it, nothing overflows, the sums stay what they are.
#[test]
fn a_renice_from_one_end_to_the_other_in_a_loop_gains_nothing() {
    let operations = size("CLASS_RENICES", 200_000);
    let mut rng = Rng::new(11);
    let mut tasks = Tasks::new();
    let (mut fair, ids) = unequal(&mut tasks);
    for _ in 0..8 {
        let id = tasks.add(1024, 0);
        let _ = fair.enqueue_task(tasks.handle(id), Enqueue::Wakeup, 2_000_000).expect("new");
    }
    for id in ids {
        let before_ns = fair.lag_ns(tasks.get(id));
        for round in 0..operations / 4 {
            for nice in [Nice::MIN, Nice::MAX] {
                // SAFETY: It is in the class.
                let _ = unsafe { fair.set_nice(tasks.handle(id), nice, 2_000_000) };
            }
            if round % 1_000 == 0 {
                fair.check().expect("the kept sums are those from scratch");
            }
        }
        let (after_ns, rounded_ns) = (fair.lag_ns(tasks.get(id)), operations as i64 / 4);
        assert!(after_ns <= before_ns, "{before_ns} became {after_ns}");
        assert!(after_ns >= before_ns - rounded_ns - 2, "{before_ns} became {after_ns}");
    }
    // And with everything else going on.
    let mut now_ns = 2_000_000;
    let mut ran = [0_u64; 10];
    for operation in 0..operations {
        now_ns += rng.below(400_000);
        let id = rng.below(10) as usize;
        let nice = Nice::new(rng.below(40) as i8 - 20);
        // SAFETY: All are in the class.
        let _ = unsafe { fair.set_nice(tasks.handle(id), nice, now_ns) };
        ran[pick(&mut fair, now_ns).expect("some")] += 1;
        if operation % 1_000 == 0 {
            fair.check().expect("the kept sums are those from scratch");
            // Σ wᵢ·(V − vᵢ) is what V was rounded down by, however long this goes on.
            let lags = (0..10).map(|id| {
                let entity = tasks.entity(id);
                let lag = fair.virtual_time().since(entity.vruntime());
                i128::from(lag) * i128::from(entity.weight())
            });
            let lags: i128 = lags.sum();
            assert!(-i128::from(fair.weight()) < lags && lags <= 0, "{lags}");
        }
    }
    let least = ran.iter().min().expect("ten");
    assert!(*least > operations / 100, "nobody is stuck: {ran:?}");
}

#[test]
fn a_million_entities() {
    let entities = size("CLASS_ENTITIES", 100_000) as usize;
    let mut rng = Rng::new(13);
    let mut tasks = Tasks::new();
    let mut fair = Fair::starting_at(VirtualTime::from_bits(u64::MAX), FairSettings::DEFAULT);
    for _ in 0..entities {
        let id = tasks.add(Nice::new(rng.below(40) as i8 - 20).weight(), 100_000 * rng.below(100));
        let _ = enqueue(&mut fair, &tasks, id);
    }
    fair.check().expect("every invariant");
    for step in 0..10_000 {
        assert!(pick(&mut fair, step * 1_000_000).is_some());
    }
    fair.check().expect("every invariant");
    while let Some(id) = pick(&mut fair, 0) {
        // SAFETY: It is in the class.
        let out = unsafe { fair.dequeue_task(tasks.handle(id), Dequeue::Exit, 0) };
        assert!(out.out().is_some());
    }
    assert_eq!((fair.runnable(), fair.weight()), (0, 0));
    fair.check().expect("every invariant");
}

#[test]
fn nice_is_the_table_of_weights_and_clamps() {
    let weights: Vec<_> = (-20..20).map(|nice| Nice::new(nice).weight()).collect();
    assert_eq!((weights[0], weights[20], weights[39]), (88_761, 1024, 15));
    assert!(weights.windows(2).all(|pair| pair[0] > pair[1]));
    let steps = weights.windows(2).map(|pair| f64::from(pair[0]) / f64::from(pair[1]));
    assert!(steps.into_iter().all(|step| (1.15..1.34).contains(&step)));
    assert_eq!(Nice::new(i8::MIN), Nice::MIN);
    assert_eq!(Nice::new(i8::MAX), Nice::MAX);
    assert_eq!((Nice::default().get(), Nice::new(7).get()), (0, 7));
}
