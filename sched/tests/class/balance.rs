//! The load-balancing wrapper: kept sums, and moves that never overshoot.

use crate::common::{Rng, size};
use sched::class::fair::Entity;
use sched::class::{
    Deadline, Dequeue, Dequeued, Enqueue, Fair, FairSettings, FairTask, Load, LoadBalanced,
    LoadInfo, Nice, Pick, QueueLoad, SchedClass, Tcb, Weight,
};
use std::cell::Cell;
use std::ptr::NonNull;

struct Task {
    id: usize,
    weight: Cell<u32>,
    entity: Entity<Task>,
    load: LoadInfo,
}

impl Tcb for Task {
    type Handle = NonNull<Task>;
}

impl Weight for Task {
    fn weight(&self) -> u32 {
        self.weight.get()
    }
}

impl Deadline for Task {}

impl Load for Task {
    fn load(&self) -> u32 {
        self.weight.get()
    }

    fn load_info(&self) -> &LoadInfo {
        &self.load
    }
}

// SAFETY: `entity` is the field of that name, of this task alone, and no reference is made. `Tasks` keeps
// every task live and in place until after the classes of the test.
unsafe impl FairTask for Task {
    unsafe fn entity(task: NonNull<Self>) -> NonNull<Entity<Self>> {
        // SAFETY: `task` points to a `Task` (contract of `entity`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*task.as_ptr()).entity) }
    }
}

/// To be declared before the classes that use them.
struct Tasks(Vec<NonNull<Task>>);

impl Tasks {
    fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let task = |(id, weight)| {
            let (weight, entity, load) = (Cell::new(weight), Entity::new(), LoadInfo::new());
            NonNull::from(Box::leak(Box::new(Task { id, weight, entity, load })))
        };
        Tasks(weights.into_iter().enumerate().map(task).collect())
    }

    fn get(&self, id: usize) -> &Task {
        // SAFETY: Live until `self` goes, and never borrowed as `&mut`.
        unsafe { self.0[id].as_ref() }
    }

    /// The loads of those that are in the queue `at` and do not sleep, added up.
    fn sum(&self, at: usize, places: &[Option<usize>], loads: &[u32]) -> QueueLoad {
        let runnable = (0..self.0.len())
            .filter(|id| places[*id] == Some(at) && !Entity::of(self.get(*id)).is_delayed());
        runnable.fold(QueueLoad::default(), |sum, id| QueueLoad {
            load: sum.load + u64::from(loads[id]),
            tasks: sum.tasks + 1,
        })
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            // SAFETY: From `Box::leak`, once; the classes are gone (see the type).
            drop(unsafe { Box::from_raw(task.as_ptr()) });
        }
    }
}

type Queue = LoadBalanced<Fair<Task>>;

fn queue() -> Queue {
    LoadBalanced::new(Fair::new(FairSettings::DEFAULT))
}

/// B1, over random histories on two queues, with sleepers that stay, reweights, and loads that change
/// unseen.
#[test]
fn the_kept_load_is_the_sum_from_scratch() {
    let mut rng = Rng::new(3);
    let tasks = Tasks::new((0..12).map(|id| 15 + 300 * id));
    let mut queues = [queue(), queue()];
    let mut loads: Vec<u32> = (0..12).map(|id| tasks.get(id).weight.get()).collect();
    let mut places: [Option<usize>; 12] = [None; 12];
    let (mut now_ns, mut delayed, mut woken) = (0, 0, 0);
    for _ in 0..size("CLASS_BALANCE", 50_000) {
        now_ns += rng.below(2_000_000);
        let id = rng.below(12) as usize;
        let at = rng.below(2) as usize;
        let (task, raw) = (tasks.get(id), tasks.0[id]);
        let holder = places[id];
        match rng.below(7) {
            0 | 1 => {
                let before = task.load.counted();
                // The load may have changed since the last time; it counts from here on.
                let load = task.weight.get();
                // SAFETY: In that queue, or in none.
                let woke = holder.and_then(|at| unsafe { queues[at].wake_delayed(raw, now_ns) });
                if woke.is_some() {
                    woken += 1;
                    loads[id] = load;
                } else if queues[at].enqueue_task(raw, Enqueue::Wakeup, now_ns).is_ok() {
                    assert_eq!(holder, None);
                    loads[id] = load;
                    places[id] = Some(at);
                } else {
                    assert_eq!(task.load.counted(), before, "an error changes nothing");
                }
            }
            2 | 3 => {
                let why = rng.of(&[Dequeue::Sleep, Dequeue::Sleep, Dequeue::Move, Dequeue::Exit]);
                // SAFETY: In that queue, or in none.
                let out = unsafe { queues[holder.unwrap_or(at)].dequeue_task(raw, why, now_ns) };
                if matches!(out, Dequeued::Delayed) {
                    delayed += 1;
                } else {
                    places[id] = None;
                }
                assert_eq!(task.load.counted(), None);
            }
            4 => {
                let nice = Nice::new(rng.below(40) as i8 - 20);
                task.weight.set(nice.weight());
                if let Some(at) = holder {
                    // SAFETY: In that queue.
                    let _ = unsafe { queues[at].set_nice(raw, nice, now_ns) };
                    loads[id] = nice.weight();
                }
            }
            5 => {
                if let Some(raw) = queues[at].steal_task(&mut |task| task.id % 2 == 0) {
                    // SAFETY: Live.
                    let stolen = unsafe { raw.as_ref() };
                    let other = &mut queues[1 - at];
                    let _ = other.enqueue_task(raw, Enqueue::Move, now_ns).expect("it is out");
                    loads[stolen.id] = stolen.weight.get();
                    places[stolen.id] = Some(1 - at);
                }
            }
            _ => {
                if let Pick::Asleep(raw) = queues[at].pick_next_task(now_ns) {
                    // SAFETY: Live.
                    places[unsafe { raw.as_ref() }.id] = None;
                }
            }
        }
        for (at, queue) in queues.iter().enumerate() {
            assert_eq!(queue.queue_load(), tasks.sum(at, &places, &loads));
            assert_eq!(queue.queue_load().tasks, queue.runnable());
        }
    }
    assert!(delayed > 50 && woken > 10, "{delayed} slept on, {woken} of them were woken so");
}

/// B2: each move makes the two less apart, so a round ends, and what is left cannot be made better by
/// moving one of the candidates.
#[test]
fn a_pull_evens_out_and_never_overshoots() {
    let mut rng = Rng::new(4);
    for _ in 0..size("CLASS_BALANCE", 50_000) / 100 {
        let count = 1 + rng.below(8) as usize;
        let tasks = Tasks::new((0..count).map(|_| 1 + rng.below(3_000) as u32));
        let (mut busy, mut idle) = (queue(), queue());
        let mut is_idles = vec![false; count];
        for id in 0..count {
            is_idles[id] = rng.below(4) == 0;
            let into = if is_idles[id] { &mut idle } else { &mut busy };
            let _ = into.enqueue_task(tasks.0[id], Enqueue::Fork, 0).expect("it is new");
        }
        let _ = busy.pick_next_task(0);
        let apart = |a: &Queue, b: &Queue| a.queue_load().load.abs_diff(b.queue_load().load);
        let mut before = apart(&busy, &idle);
        while let Some(task) = busy.pull_task(idle.queue_load(), &mut |_: &Task| true) {
            // SAFETY: Live.
            is_idles[unsafe { task.as_ref() }.id] = true;
            let _ = idle.enqueue_task(task, Enqueue::Move, 0).expect("it is out");
            assert!(apart(&busy, &idle) < before, "no move but one that helps");
            before = apart(&busy, &idle);
        }
        let (from, to) = (busy.queue_load(), idle.queue_load());
        let running = busy.current().map(|task| task.id);
        for id in (0..count).filter(|id| Some(*id) != running) {
            let task = tasks.get(id);
            assert!(is_idles[id] || !from.may_give(&to, task.weight.get()), "it could go");
        }
        // Nor does anything come back.
        assert!(idle.pull_task(from, &mut |_: &Task| true).is_none() || to.load > from.load);
    }
}

#[test]
fn what_may_not_go_or_weighs_nothing_stays() {
    let tasks = Tasks::new([1024, 1024, 0]);
    let mut busy = queue();
    for task in &tasks.0 {
        let _ = busy.enqueue_task(*task, Enqueue::Fork, 0).expect("it is new");
    }
    let idle = QueueLoad::default();
    assert!(!busy.queue_load().may_give(&idle, 0));
    assert!(busy.queue_load().may_give(&idle, 2047) && !busy.queue_load().may_give(&idle, 2048));
    assert!(busy.pull_task(idle, &mut |_: &Task| false).is_none());
    assert!(busy.pull_task(busy.queue_load(), &mut |_: &Task| true).is_none());
    let pulled = busy.pull_task(idle, &mut |_: &Task| true).expect("one of the two");
    // SAFETY: Live.
    assert_ne!(unsafe { pulled.as_ref() }.id, 2);
    assert_eq!(busy.class().runnable(), 2);
    // The last one that weighs anything would only change places with nothing.
    assert!(busy.pull_task(idle, &mut |_: &Task| true).is_none());
    // Placement: the least loaded, and of equals the one with fewer tasks.
    let queues = [(5, 1), (3, 2), (3, 1)].map(|(load, tasks)| QueueLoad { load, tasks });
    assert_eq!(queues.iter().min(), Some(&queues[2]));
    assert!(matches!(busy.pick_next_task(0), Pick::Run(_)));
}
