//! Timers of a number each, behind one trait.

use hierarchical_hash_wheel_timer::IdOnlyTimerEntry;
use hierarchical_hash_wheel_timer::wheels::cancellable::QuadWheelWithOverflow as CancellableWheel;
use hierarchical_hash_wheel_timer::wheels::quad_wheel::QuadWheelWithOverflow as PlainWheel;
use hierarchical_hash_wheel_timer::wheels::{Skip, quad_wheel};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::ptr::NonNull;
use std::time::Duration;
use timer_wheel::{Entry, Linked, Wheel};

pub(super) trait Timers: 'static {
    const NAME: &'static str;

    /// With timers `0..count`, none of them armed.
    fn new(count: u32) -> Self;
    fn arm(&mut self, timer: u32, after_ticks: u32);
    fn cancel(&mut self, timer: u32);
    /// Lets time pass until nothing is armed, event by event; answers how many fired.
    fn expire_all(&mut self) -> u64;
}

pub(super) struct Ours {
    wheel: Wheel<Node>,
    nodes: Box<[Node]>,
}

pub(super) struct Node {
    entry: Entry<Node>,
    _id: u32,
}

// SAFETY: `entry` is the field of that name, used for nothing else, and no reference is made. The handles that are
// given to the wheel point into `Ours::nodes`, which lives as long as the wheel.
unsafe impl Linked for Node {
    type Handle = NonNull<Self>;

    unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
        // SAFETY: `node` is live, so the place exists; its address is not null.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
    }
}

impl Timers for Ours {
    const NAME: &'static str = crate::work::OURS;

    fn new(count: u32) -> Self {
        let nodes = (0..count).map(|id| Node { entry: Entry::new(), _id: id }).collect();
        Self { wheel: Wheel::new(), nodes }
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
        while let Some(tick) = self.wheel.next_event() {
            let _ = self.wheel.turn(tick, usize::MAX);
            while let Some(node) = self.wheel.pop_fired() {
                black_box(node);
                fired += 1;
            }
        }
        fired
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
}
