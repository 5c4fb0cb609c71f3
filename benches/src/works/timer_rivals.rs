//! Timers of a number each, behind one trait.

use hierarchical_hash_wheel_timer::IdOnlyTimerEntry;
use hierarchical_hash_wheel_timer::wheels::cancellable::QuadWheelWithOverflow as CancellableWheel;
use hierarchical_hash_wheel_timer::wheels::quad_wheel::QuadWheelWithOverflow as PlainWheel;
use hierarchical_hash_wheel_timer::wheels::{Skip, quad_wheel};
use nexus_timer::{TimerHandle, Wheel as NexusWheel};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::hint::black_box;
use std::ptr::NonNull;
use std::time::{Duration, Instant};
use timer_wheel::{Entry, Linked, Wheel};

pub(super) trait Timers: 'static {
    const NAME: &'static str;

    /// With timers `0..count`, none of them armed.
    fn new(count: u32) -> Self;
    fn arm(&mut self, timer: u32, after_ticks: u32);
    /// The same for a timer that will be cancelled.
    fn arm_to_cancel(&mut self, timer: u32, after_ticks: u32) {
        self.arm(timer, after_ticks);
    }
    fn cancel(&mut self, timer: u32);
    /// Lets time pass until nothing is armed, event by event; answers how many fired.
    fn expire_all(&mut self) -> u64;
    /// Lets one tick pass, and hands to `fired` the timers that it makes due, or leaves some for the next.
    fn tick(&mut self, fired: &mut Vec<u32>);
}

/// Ours, of any shape.
pub(super) struct Ours<const LEVELS: usize, const SLOTS: usize, const STRANDS: usize> {
    wheel: Box<Wheel<Node, LEVELS, SLOTS, STRANDS>>,
    nodes: Box<[Node]>,
}

pub(super) struct Node {
    entry: Entry<Node>,
    id: u32,
}

/// Entries that one tick may touch.
const BUDGET_NODES: usize = 128;

// SAFETY: `entry` is the field of that name, used for nothing else, and no reference is made. The handles that are
// given to the wheel point into `Ours::nodes`, which lives as long as the wheel.
unsafe impl Linked for Node {
    type Handle = NonNull<Self>;

    unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
        // SAFETY: `node` is live, so the place exists; its address is not null.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
    }
}

impl<const LEVELS: usize, const SLOTS: usize, const STRANDS: usize> Timers
    for Ours<LEVELS, SLOTS, STRANDS>
{
    const NAME: &'static str = match (SLOTS, STRANDS) {
        (64, 1) => "ours 6×64",
        (_, 1) => "ours 4×256",
        _ => "ours 4×256×8",
    };

    fn new(count: u32) -> Self {
        let nodes = (0..count).map(|id| Node { entry: Entry::new(), id }).collect();
        Self { wheel: Box::default(), nodes }
    }

    #[inline]
    fn arm(&mut self, timer: u32, after_ticks: u32) {
        let node = NonNull::from(&self.nodes[timer as usize]);
        self.wheel.arm(node, self.wheel.now() + u64::from(after_ticks)).expect("idle");
    }

    #[inline]
    fn cancel(&mut self, timer: u32) {
        let node = NonNull::from(&self.nodes[timer as usize]);
        // SAFETY: the node is live, and was armed in this wheel.
        black_box(unsafe { self.wheel.cancel(node) });
    }

    fn expire_all(&mut self) -> u64 {
        let mut fired = 0;
        let mut next = self.wheel.next_event();
        while let Some(tick) = next {
            next = self.wheel.turn(tick, usize::MAX).next;
            for node in self.wheel.fired() {
                black_box(node);
                fired += 1;
            }
        }
        fired
    }

    fn tick(&mut self, fired: &mut Vec<u32>) {
        let _ = self.wheel.turn(self.wheel.after(1), BUDGET_NODES);
        // SAFETY: the nodes are in `nodes`, which lives.
        fired.extend(self.wheel.fired().map(|node| unsafe { node.as_ref() }.id));
    }
}

/// hierarchical_hash_wheel_timer without cancelling: timers lie in the wheel by value.
pub(super) struct HashWheel(PlainWheel<IdOnlyTimerEntry<u32>>);

impl Timers for HashWheel {
    const NAME: &'static str = "hhwt";

    fn new(_: u32) -> Self {
        Self(PlainWheel::new(quad_wheel::no_prune))
    }

    #[inline]
    fn arm(&mut self, timer: u32, after_ticks: u32) {
        let after = Duration::from_millis(after_ticks.into());
        self.0.insert(IdOnlyTimerEntry::new(timer, after)).expect("later");
    }

    fn cancel(&mut self, _: u32) {
        unreachable!("has no such thing");
    }

    fn expire_all(&mut self) -> u64 {
        let mut fired = 0;
        loop {
            match self.0.can_skip() {
                Skip::Empty => return fired,
                Skip::Millis(ticks) => self.0.skip(ticks),
                Skip::None => {}
            }
            for timer in self.0.tick() {
                black_box(timer);
                fired += 1;
            }
        }
    }

    fn tick(&mut self, fired: &mut Vec<u32>) {
        fired.extend(self.0.tick().into_iter().map(|timer| timer.id));
    }
}

/// nexus-timer: no cascade, but a look at each timer of a slot at each of its ticks. In milliseconds of a clock that the
/// bench makes up.
pub(super) struct Nexus {
    wheel: NexusWheel<u32>,
    handles: Vec<Option<TimerHandle<u32>>>,
    start: Instant,
    now: u64,
    fired: Vec<u32>,
}

impl Nexus {
    fn at(&self, tick: u64) -> Instant {
        self.start + Duration::from_millis(tick)
    }
}

impl Timers for Nexus {
    const NAME: &'static str = "nexus-timer";

    fn new(count: u32) -> Self {
        let start = Instant::now();
        let wheel = NexusWheel::unbounded(count.max(1) as usize, start);
        let handles = (0..count).map(|_| None).collect();
        Self { wheel, handles, start, now: 0, fired: vec![] }
    }

    #[inline]
    fn arm(&mut self, timer: u32, after_ticks: u32) {
        let deadline = self.at(self.now + u64::from(after_ticks));
        self.wheel.schedule_forget(deadline, timer);
    }

    #[inline]
    fn arm_to_cancel(&mut self, timer: u32, after_ticks: u32) {
        let deadline = self.at(self.now + u64::from(after_ticks));
        self.handles[timer as usize] = Some(self.wheel.schedule(deadline, timer));
    }

    #[inline]
    fn cancel(&mut self, timer: u32) {
        let handle = self.handles[timer as usize].take().expect("armed");
        black_box(self.wheel.cancel(handle));
    }

    fn expire_all(&mut self) -> u64 {
        let mut fired = 0;
        // Tick by tick: to ask for the next deadline takes it longer still.
        while !self.wheel.is_empty() {
            self.now += 1;
            let now = self.at(self.now);
            self.wheel.poll(now, &mut self.fired);
            for timer in self.fired.drain(..) {
                black_box(timer);
                fired += 1;
            }
        }
        fired
    }

    fn tick(&mut self, fired: &mut Vec<u32>) {
        self.now += 1;
        let now = self.at(self.now);
        self.wheel.poll(now, fired);
    }
}

/// The same with cancelling: a wheel of weak references beside a hash map of the strong ones.
pub(super) struct CancellableHashWheel(CancellableWheel<IdOnlyTimerEntry<u32>>);

impl Timers for CancellableHashWheel {
    const NAME: &'static str = "hhwt";

    fn new(_: u32) -> Self {
        Self(CancellableWheel::new())
    }

    #[inline]
    fn arm(&mut self, timer: u32, after_ticks: u32) {
        let after = Duration::from_millis(after_ticks.into());
        self.0.insert(IdOnlyTimerEntry::new(timer, after)).expect("later");
    }

    #[inline]
    fn cancel(&mut self, timer: u32) {
        self.0.cancel(&timer).expect("armed");
    }

    fn expire_all(&mut self) -> u64 {
        unreachable!("the plain wheel is faster at it");
    }

    fn tick(&mut self, _: &mut Vec<u32>) {
        unreachable!("the plain wheel is faster at it");
    }
}

/// Deadlines in a map, the number behind them; and each timer's deadline, to find it again.
pub(super) struct Map {
    armed: BTreeMap<(u64, u32), ()>,
    deadlines: Vec<u64>,
    now: u64,
}

impl Timers for Map {
    const NAME: &'static str = "BTreeMap";

    fn new(count: u32) -> Self {
        Self { armed: BTreeMap::new(), deadlines: vec![0; count as usize], now: 0 }
    }

    #[inline]
    fn arm(&mut self, timer: u32, after_ticks: u32) {
        let deadline = self.now + u64::from(after_ticks);
        self.deadlines[timer as usize] = deadline;
        self.armed.insert((deadline, timer), ());
    }

    #[inline]
    fn cancel(&mut self, timer: u32) {
        black_box(self.armed.remove(&(self.deadlines[timer as usize], timer)));
    }

    fn expire_all(&mut self) -> u64 {
        let mut fired = 0;
        while let Some(((deadline, timer), ())) = self.armed.pop_first() {
            self.now = deadline;
            black_box(timer);
            fired += 1;
        }
        fired
    }

    fn tick(&mut self, fired: &mut Vec<u32>) {
        self.now += 1;
        while let Some(first) = self.armed.first_entry().filter(|first| first.key().0 <= self.now) {
            fired.push(first.remove_entry().0.1);
        }
    }
}

/// Deadlines in a heap. What is cancelled would have to stay until its time: it is not asked to.
pub(super) struct Heap {
    armed: BinaryHeap<Reverse<(u64, u32)>>,
    now: u64,
}

impl Timers for Heap {
    const NAME: &'static str = "BinaryHeap";

    fn new(_: u32) -> Self {
        Self { armed: BinaryHeap::new(), now: 0 }
    }

    #[inline]
    fn arm(&mut self, timer: u32, after_ticks: u32) {
        self.armed.push(Reverse((self.now + u64::from(after_ticks), timer)));
    }

    fn cancel(&mut self, _: u32) {
        unreachable!("has no such thing");
    }

    fn expire_all(&mut self) -> u64 {
        let mut fired = 0;
        while let Some(Reverse((deadline, timer))) = self.armed.pop() {
            self.now = deadline;
            black_box(timer);
            fired += 1;
        }
        fired
    }

    fn tick(&mut self, fired: &mut Vec<u32>) {
        self.now += 1;
        while let Some(&Reverse((deadline, timer))) = self.armed.peek() {
            if deadline > self.now {
                break;
            }
            self.armed.pop();
            fired.push(timer);
        }
    }
}
