//! Fixed priorities, round-robin, stop, and sets of classes.

use crate::common::{Rng, size};
use sched::class::fair::Entity;
use sched::class::{
    Deadline, Dequeue, Enqueue, Fair, FairSettings, FairTask, ListTask, Node, Pick, Policy,
    Priority, Realtime, Resched, RoundRobin, SchedClass, Set, Stop, Tcb, Throttle, Weight,
};
use std::cell::Cell;
use std::collections::VecDeque;
use std::ptr::NonNull;

/// A task for every class.
struct Task {
    id: usize,
    rank: Cell<usize>,
    priority: Cell<u8>,
    node: Node<Task>,
    entity: Entity<Task>,
}

impl Tcb for Task {
    type Handle = NonNull<Task>;
}

impl Weight for Task {}

impl Deadline for Task {}

impl Priority for Task {
    fn priority(&self) -> u8 {
        self.priority.get()
    }
}

impl Policy for Task {
    fn rank(&self) -> usize {
        self.rank.get()
    }
}

// SAFETY: `node` is the field of that name, of this task alone, and no reference is made. `Tasks` keeps
// every task live and in place until after the classes of the test.
unsafe impl ListTask for Task {
    unsafe fn node(task: NonNull<Self>) -> NonNull<Node<Self>> {
        // SAFETY: `task` points to a `Task` (contract of `node`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*task.as_ptr()).node) }
    }
}

// SAFETY: As above, for `entity`.
unsafe impl FairTask for Task {
    unsafe fn entity(task: NonNull<Self>) -> NonNull<Entity<Self>> {
        // SAFETY: `task` points to a `Task` (contract of `entity`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*task.as_ptr()).entity) }
    }
}

/// To be declared before the classes that use them.
struct Tasks(Vec<NonNull<Task>>);

impl Tasks {
    /// One task for each rank and priority.
    fn new(of: impl IntoIterator<Item = (usize, u8)>) -> Self {
        let task = |(id, (rank, priority))| {
            let (rank, priority) = (Cell::new(rank), Cell::new(priority));
            let (node, entity) = (Node::new(), Entity::new());
            NonNull::from(Box::leak(Box::new(Task { id, rank, priority, node, entity })))
        };
        Tasks(of.into_iter().enumerate().map(task).collect())
    }

    fn get(&self, id: usize) -> &Task {
        // SAFETY: Live until `self` goes, and never borrowed as `&mut`.
        unsafe { self.0[id].as_ref() }
    }

    fn enqueue(&self, class: &mut impl SchedClass<Task>, id: usize, now_ns: u64) -> Resched {
        class.enqueue_task(self.0[id], Enqueue::Wakeup, now_ns).expect("in no class")
    }

    fn dequeue(&self, class: &mut impl SchedClass<Task>, id: usize, why: Dequeue) -> bool {
        // SAFETY: The tests have no class besides.
        unsafe { class.dequeue_task(self.0[id], why, 0) }.out().is_some()
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

fn pick(class: &mut impl SchedClass<Task>, now_ns: u64) -> Option<usize> {
    loop {
        match class.pick_next_task(now_ns) {
            Pick::Run(task) => return Some(task.id),
            Pick::Asleep(_) => {}
            Pick::Idle => return None,
        }
    }
}

/// Every history against queues that are looked through.
#[test]
fn levels_do_what_a_vector_of_queues_does() {
    const TURN_NS: u64 = 10;
    let mut rng = Rng::new(1);
    let tasks = Tasks::new((0..24).map(|id| (0, [0, 1, 63, 99, 200][id % 5])));
    let mut class = Realtime::<Task>::new(TURN_NS, Throttle::OFF);
    let mut queues = vec![VecDeque::new(); 100];
    let mut left_ns = vec![0_u64; 24];
    let mut current: Option<usize> = None;
    let level = |id: usize| usize::from(tasks.get(id).priority.get().min(99));
    let (mut now_ns, mut charged_ns) = (0, 0);
    for _ in 0..size("CLASS_LEVELS", 100_000) {
        now_ns += rng.below(6);
        if let Some(id) = current {
            left_ns[id] = left_ns[id].saturating_sub(now_ns - charged_ns);
        }
        charged_ns = now_ns;
        let id = rng.below(24) as usize;
        let is_held = current == Some(id) || queues[level(id)].contains(&id);
        assert_eq!(class.holds(tasks.get(id)), is_held);
        let put_back =
            |queues: &mut Vec<VecDeque<usize>>, left_ns: &mut Vec<u64>, id: usize, last| {
                if last || left_ns[id] == 0 {
                    left_ns[id] = TURN_NS;
                    queues[level(id)].push_back(id);
                } else {
                    queues[level(id)].push_front(id);
                }
            };
        match rng.below(8) {
            0 | 1 => {
                let taken = class.enqueue_task(tasks.0[id], Enqueue::Wakeup, now_ns).is_ok();
                assert_eq!(taken, !is_held);
                if taken {
                    put_back(&mut queues, &mut left_ns, id, true);
                }
            }
            2 => {
                // SAFETY: It is in the class, or in none.
                let out = unsafe { class.dequeue_task(tasks.0[id], Dequeue::Sleep, now_ns) };
                assert_eq!(out.out(), is_held.then_some(tasks.0[id]));
                queues[level(id)].retain(|other| *other != id);
                current = current.filter(|other| *other != id);
            }
            3 => {
                class.put_prev_task(now_ns);
                if let Some(id) = current.take() {
                    put_back(&mut queues, &mut left_ns, id, false);
                }
            }
            4 => {
                class.yield_task(now_ns);
                if let Some(id) = current.take() {
                    put_back(&mut queues, &mut left_ns, id, true);
                }
            }
            5 => {
                let stolen = class.steal_task(&mut |task| task.id % 3 == 0);
                let last = queues.iter().flat_map(|queue| queue.iter().rev());
                let expected = last.take(8).copied().find(|id| id % 3 == 0);
                assert_eq!(stolen, expected.map(|id| tasks.0[id]));
                queues.iter_mut().for_each(|queue| queue.retain(|other| Some(*other) != expected));
            }
            _ => {
                let top = queues.iter().rposition(|queue| !queue.is_empty());
                let changes = match (current, top) {
                    (Some(id), Some(top)) => {
                        top > level(id) || top == level(id) && left_ns[id] == 0
                    }
                    (None, top) => top.is_some(),
                    (Some(_), None) => false,
                };
                assert_eq!(
                    class.task_tick(now_ns),
                    if changes { Resched::Yes } else { Resched::No }
                );
                if changes {
                    if let Some(id) = current.take() {
                        put_back(&mut queues, &mut left_ns, id, false);
                    }
                    let top = queues.iter().rposition(|queue| !queue.is_empty());
                    current = queues[top.expect("some")].pop_front();
                } else if let Some(id) = current.filter(|id| left_ns[*id] == 0) {
                    left_ns[id] = TURN_NS;
                }
                assert_eq!(pick(&mut class, now_ns), current);
                assert_eq!(class.turn_ends_ns(), current.map(|id| now_ns + left_ns[id]));
            }
        }
        let runnable = queues.iter().map(VecDeque::len).sum::<usize>() + current.iter().count();
        assert_eq!(class.runnable(), runnable);
        assert_eq!(class.current().map(|task| task.id), current);
    }
}

#[test]
fn a_throttled_class_leaves_a_share_of_each_period() {
    let tasks = Tasks::new([(0, 10), (1, 0)]);
    let throttle = Throttle::new(950, 1_000);
    let mut set =
        Set::new(Realtime::<Task>::new(u64::MAX, throttle), Fair::new(FairSettings::DEFAULT));
    for id in 0..2 {
        let _ = tasks.enqueue(&mut set, id, 0);
    }
    let mut ran = [0; 2];
    let periods = size("CLASS_PERIODS", 1_000);
    for now_ns in (0..1_000 * periods).step_by(10) {
        ran[pick(&mut set, now_ns).expect("two")] += 10;
    }
    let shares = [950 * periods, 50 * periods];
    assert_eq!(ran, shares, "95 %, and the rest for the class below");
    // One long run is charged to the periods that follow.
    let tasks = Tasks::new([(0, 10), (1, 0)]);
    let mut set = Set::new(Realtime::<Task>::new(u64::MAX, throttle), RoundRobin::new(1));
    for id in 0..2 {
        let _ = tasks.enqueue(&mut set, id, 0);
    }
    assert_eq!(pick(&mut set, 0), Some(0));
    assert_eq!(set.turn_ends_ns(), Some(950), "when a tick is due");
    assert_eq!(pick(&mut set, 2_900), Some(1), "3 times 950 are less");
    assert!(set.upper().throttle().is_throttled());
    assert_eq!(set.upper().throttle().next_period_ns(), 3_000);
    assert_eq!(pick(&mut set, 3_000), Some(0), "and in the next it goes on");
    assert_eq!(set.upper().throttle().left_ns(), 900);
}

type Kernel = Set<Set<Stop<Task>, Realtime<Task>>, Fair<Task>>;

fn kernel() -> Kernel {
    let realtime = Realtime::new(1_000_000, Throttle::OFF);
    Set::new(Set::new(Stop::new(), realtime), Fair::new(FairSettings::DEFAULT))
}

#[test]
fn a_set_runs_its_upper_classes_first_and_knows_where_each_task_is() {
    let tasks = Tasks::new([(2, 0), (1, 5), (1, 7), (0, 0), (9, 0)]);
    let mut set = kernel();
    assert_eq!(Kernel::CLASSES, 3);
    assert_eq!(pick(&mut set, 0), None);
    // From the lowest up, each preempts.
    for id in 0..4 {
        assert_eq!(tasks.enqueue(&mut set, id, 0), Resched::Yes, "{id} preempts");
        assert_eq!(set.check_preempt_curr(tasks.get(id), 0), Resched::Yes);
        assert_eq!(pick(&mut set, 0), Some(id));
        assert_eq!(set.current().map(|task| task.id), Some(id));
    }
    assert_eq!(tasks.enqueue(&mut set, 4, 0), Resched::No, "a fair task preempts no stop task");
    assert_eq!(set.check_preempt_curr(tasks.get(4), 0), Resched::No);
    assert_eq!(set.lower().runnable(), 2, "what is beyond the last class is in it");
    assert_eq!((set.runnable(), set.task_tick(1)), (5, Resched::No));
    // Its rank changes while it is in a class: it is still found, and not taken in twice.
    tasks.get(3).rank.set(2);
    assert!(set.enqueue_task(tasks.0[3], Enqueue::Wakeup, 1).is_err());
    assert!(tasks.dequeue(&mut set, 3, Dequeue::Sleep));
    assert!(!tasks.dequeue(&mut set, 3, Dequeue::Sleep), "it is out");
    for id in [2, 1] {
        assert_eq!(pick(&mut set, 1), Some(id));
        assert!(tasks.dequeue(&mut set, id, Dequeue::Exit));
    }
    assert!([0, 4].contains(&pick(&mut set, 1).expect("two fair ones")));
    set.put_prev_task(2);
    assert_eq!(set.current().map(|task| task.id), None);
}

#[test]
fn a_dropped_class_hands_its_tasks_back() {
    let tasks = Tasks::new([(0, 0), (1, 1), (1, 1), (2, 0), (2, 0)]);
    for _ in 0..3 {
        for running in [0, 1, 3] {
            let mut set = kernel();
            for id in running..5 {
                let _ = tasks.enqueue(&mut set, id, 0);
            }
            assert_eq!(pick(&mut set, 0), Some(running));
            drop(set);
        }
    }
}

#[test]
fn a_thief_takes_what_would_run_last() {
    let tasks = Tasks::new([(0, 9), (0, 9), (0, 3), (0, 3)]);
    let mut class = Realtime::<Task>::new(u64::MAX, Throttle::OFF);
    for id in 0..4 {
        let _ = tasks.enqueue(&mut class, id, 0);
    }
    assert_eq!(pick(&mut class, 0), Some(0));
    let order = [3, 2, 1].map(|id| Some(tasks.0[id]));
    assert_eq!([(); 3].map(|()| class.steal_task(&mut |_| true)), order);
    assert_eq!(class.steal_task(&mut |_| true), None, "the current one stays");
}
