//! Two orders of one queue: the class keeps it by virtual runtime with the least deadline of each
//! subtree; a shadow keeps it by deadline with the least virtual runtime. At each pick both must find
//! the same deadline.

use crate::common::{Rng, Task, Tasks, size};
use rbtree_aug::{Link, Linked, MinVruntime, Tree, Vruntime};
use sched::class::fair::{FairSettings, VirtualTime};
use sched::class::{Dequeue, Enqueue, Fair, Pick, SchedClass};
use std::ptr::NonNull;

struct Shadow {
    link: Link<Shadow>,
    deadline: VirtualTime,
    vruntime: VirtualTime,
}

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made.
unsafe impl Linked for Shadow {
    type Handle = &'static mut Shadow;
    type Key = VirtualTime;
    type Augment = MinVruntime;

    fn key(&self) -> VirtualTime {
        self.deadline
    }

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: `node` points to a `Shadow` (contract of `link`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

impl Vruntime for Shadow {
    type Vruntime = VirtualTime;

    fn vruntime(&self) -> VirtualTime {
        self.vruntime
    }
}

/// The shadow of a queue.
struct Shadows {
    tree: Tree<Shadow>,
    nodes: Vec<NonNull<Shadow>>,
}

impl Shadows {
    fn add(&mut self) {
        let [deadline, vruntime] = [VirtualTime::ZERO; 2];
        let node = Box::leak(Box::new(Shadow { link: Link::new(), deadline, vruntime }));
        self.nodes.push(NonNull::from(node));
    }

    /// Follows what happened to a task: it stands in the shadow while it stands in the timeline.
    fn follow(&mut self, tasks: &Tasks, id: usize, current: Option<usize>) {
        let entity = tasks.entity(id);
        // SAFETY: The node lives for ever.
        let out = unsafe { self.tree.remove(self.nodes[id]) };
        // SAFETY: As above, and it is in no tree.
        let node = out.unwrap_or_else(|| unsafe { &mut *self.nodes[id].as_ptr() });
        if entity.is_held() && current != Some(id) {
            (node.deadline, node.vruntime) = (entity.deadline(), entity.vruntime());
            self.nodes[id] = NonNull::from(&mut *node);
            self.tree.insert(node).expect("out");
        } else {
            self.nodes[id] = NonNull::from(node);
        }
    }
}

/// Whether v is eligible, from scratch.
fn average(tasks: &Tasks) -> impl Fn(VirtualTime) -> bool + use<> {
    let held = (0..tasks.len()).map(|id| tasks.entity(id)).filter(|entity| entity.is_held());
    let (mut zero, mut sum, mut weight) = (VirtualTime::ZERO, 0, 0);
    for entity in held {
        if weight == 0 {
            zero = entity.vruntime();
        }
        weight += i128::from(entity.weight());
        sum += i128::from(entity.vruntime().since(zero)) * i128::from(entity.weight());
    }
    move |v| i128::from(v.since(zero)) * weight <= sum
}

struct Test {
    fair: Fair<Task>,
    shadows: Shadows,
    now_ns: u64,
}

impl Test {
    fn current(&self) -> Option<usize> {
        self.fair.current().map(|task| task.id)
    }

    /// Picks, and compares.
    fn pick(&mut self, tasks: &Tasks) {
        let _ = self.fair.task_tick(self.now_ns);
        let is_eligible = average(tasks);
        let before = self.current();
        let running = before.map(|id| tasks.entity(id)).filter(|e| is_eligible(e.vruntime()));
        let queued = self.shadows.tree.first_eligible(is_eligible).map(|node| node.deadline);
        let expected = running.map(|e| e.deadline()).into_iter().chain(queued).min();
        let picked = match self.fair.pick_next_task(self.now_ns) {
            Pick::Run(task) => Some(task.id),
            // SAFETY: Live.
            Pick::Asleep(task) => Some(unsafe { task.as_ref() }.id),
            Pick::Idle => None,
        };
        let found = picked.map(|id| tasks.entity(id).deadline());
        assert_eq!(found, expected, "both orders find the same deadline");
        for id in before.into_iter().chain(picked) {
            self.shadows.follow(tasks, id, self.current());
        }
    }

    fn change(&mut self, tasks: &Tasks, id: usize, rng: &mut Rng) {
        let (task, now_ns) = (tasks.handle(id), self.now_ns);
        let before = self.current();
        let mut changed = vec![id];
        match rng.below(16) {
            0..6 => {
                let why = rng.of(&[Enqueue::Wakeup, Enqueue::Fork, Enqueue::Move]);
                let _ = self.fair.enqueue_task(task, why, now_ns).map_err(drop);
                // SAFETY: It is in the class, or in none.
                let _ = unsafe { self.fair.wake_delayed(task, now_ns) };
            }
            6..10 => {
                let why = rng.of(&[Dequeue::Sleep, Dequeue::Sleep, Dequeue::Move, Dequeue::Exit]);
                // SAFETY: As above.
                let _ = unsafe { self.fair.dequeue_task(task, why, now_ns) };
            }
            10..12 => {
                let weight = 1 << rng.below(21);
                tasks.get(id).weight.set(weight);
                // SAFETY: As above.
                let _ = unsafe { self.fair.set_weight(task, weight, now_ns) };
            }
            12 => self.fair.yield_task(now_ns),
            13 => self.fair.put_prev_task(now_ns),
            14 => {
                let stolen = self.fair.steal_task(&mut |task| task.id % 3 != 0);
                // SAFETY: Live.
                changed.extend(stolen.map(|task| unsafe { task.as_ref() }.id));
            }
            _ => tasks.get(id).slice_ns.set(100_000 * rng.below(1_000)),
        }
        changed.extend(before);
        for id in changed {
            self.shadows.follow(tasks, id, self.current());
        }
    }
}

#[test]
fn both_orders_pick_the_same_deadline() {
    let mut rng = Rng::new(1);
    let mut tasks = Tasks::new();
    let start = VirtualTime::from_bits((i64::MAX as u64) - (1 << 30));
    let fair = Fair::starting_at(start, FairSettings::DEFAULT);
    let shadows = Shadows { tree: Tree::new(), nodes: Vec::new() };
    let mut test = Test { fair, shadows, now_ns: 0 };
    for _ in 0..40 {
        tasks.add(1 << rng.below(21), 100_000 * rng.below(1_000));
        test.shadows.add();
    }
    for operation in 0..size("CLASS_OPERATIONS", 1_000_000) {
        let at_most_ns = 1 << rng.below(24);
        test.now_ns += rng.below(at_most_ns);
        if operation % 2 == 0 {
            let id = rng.below(40) as usize;
            test.change(&tasks, id, &mut rng);
        } else {
            test.pick(&tasks);
        }
        if operation % 100 == 0 {
            test.fair.check().expect("every invariant");
        }
    }
}
