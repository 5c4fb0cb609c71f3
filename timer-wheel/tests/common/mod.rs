//! Nodes for the tests, and a wheel that is checked against a sorted map at every step.
#![allow(dead_code, reason = "not every test file uses everything")]

use std::collections::BTreeMap;
use std::ptr::NonNull;

use timer_wheel::{Entry, Linked, State, Turn, Wheel};

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: usize,
    pub(crate) entry: Entry<Node>,
}

// SAFETY: one entry, used for nothing else; no reference is made; `Nodes` outlives its wheels.
unsafe impl Linked for Node {
    type Handle = NonNull<Node>;

    unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
        // SAFETY: `node` is live, so the place exists; its address is not null.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
    }
}

/// Nodes on the heap, freed at the end. Declare them before the wheel, so that it drops first.
#[derive(Debug)]
pub(crate) struct Nodes(Vec<NonNull<Node>>);

impl Nodes {
    pub(crate) fn new(len: usize) -> Self {
        let node = |id| NonNull::from(Box::leak(Box::new(Node { id, entry: Entry::new() })));
        Self((0..len).map(node).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn at(&self, id: usize) -> NonNull<Node> {
        self.0[id]
    }

    pub(crate) fn state(&self, id: usize) -> State {
        // SAFETY: the node is live until `self` is dropped, and nobody makes a `&mut` to it.
        unsafe { self.0[id].as_ref() }.entry.state()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for node in &self.0 {
            // SAFETY: made by `Box::leak` in `new`; the wheel was dropped before.
            drop(unsafe { Box::from_raw(node.as_ptr()) });
        }
    }
}

pub(crate) fn id(node: NonNull<Node>) -> usize {
    // SAFETY: only nodes of a live `Nodes` are passed here.
    unsafe { node.as_ref() }.id
}

/// Pops everything that has fired.
pub(crate) fn popped<const LEVELS: usize, const SLOTS: usize, const STRANDS: usize>(
    wheel: &mut Wheel<Node, LEVELS, SLOTS, STRANDS>,
) -> Vec<usize> {
    wheel.fired().map(id).collect()
}

/// What the model knows of an armed or fired node.
#[derive(Clone, Copy, Debug)]
struct Timer {
    id: usize,
    deadline: u64,
    seq: u64,
    /// The tick at which it fires, by its place in the order: between these two. They differ only
    /// if it was armed for the past in mid-drain, where the tick being worked at is not known here.
    tick_min: u64,
    tick_max: u64,
}

impl Timer {
    /// Whether `self` may fire before `other`.
    fn may_precede(&self, other: &Timer) -> bool {
        let exact = self.tick_min == self.tick_max && other.tick_min == other.tick_max;
        let fifo = self.deadline == other.deadline || exact && self.tick_min == other.tick_min;
        self.tick_min <= other.tick_max && (!fifo || self.seq < other.seq)
    }
}

/// A wheel beside its model: a map sorted by deadline, then by order of arming.
#[derive(Debug)]
pub(crate) struct Checked<const LEVELS: usize, const SLOTS: usize, const STRANDS: usize> {
    pub(crate) wheel: Wheel<Node, LEVELS, SLOTS, STRANDS>,
    pub(crate) nodes: Nodes,
    armed: BTreeMap<(u64, u64), Timer>,
    /// One batch per turn, because the order within a batch shows only on popping.
    fired: Vec<Vec<Timer>>,
    seq: u64,
    mid_drain: bool,
}

impl<const LEVELS: usize, const SLOTS: usize, const STRANDS: usize>
    Checked<LEVELS, SLOTS, STRANDS>
{
    pub(crate) fn new(start: u64, nodes: usize) -> Self {
        Self {
            wheel: Wheel::starting_at(start),
            nodes: Nodes::new(nodes),
            armed: BTreeMap::new(),
            fired: Vec::new(),
            seq: 0,
            mid_drain: false,
        }
    }

    pub(crate) fn idle(&self) -> Option<usize> {
        (0..self.nodes.len()).find(|&id| self.nodes.state(id) == State::Idle)
    }

    pub(crate) fn arm(&mut self, id: usize, deadline: u64) {
        let idle = self.nodes.state(id) == State::Idle;
        let result = self.wheel.arm(self.nodes.at(id), deadline);
        assert_eq!(result.is_ok(), idle, "exactly an idle node can be armed");
        match result {
            Ok(()) => {
                self.model_arm(id, deadline);
                let due = deadline <= self.wheel.now() && !self.mid_drain;
                assert!(!due || self.state(id) == State::InFlight, "due, so looked at next");
            }
            Err(refused) => assert_eq!(refused.handle, self.nodes.at(id)),
        }
        self.check();
    }

    pub(crate) fn cancel(&mut self, id: usize) {
        // SAFETY: the node is live and known to this wheel alone.
        let handle = unsafe { self.wheel.cancel(self.nodes.at(id)) };
        let held = self.model_remove(id);
        assert_eq!(handle, held.then(|| self.nodes.at(id)), "cancelled exactly if held");
        self.check();
    }

    pub(crate) fn rearm(&mut self, id: usize, deadline: u64) {
        // SAFETY: the node is live and known to this wheel alone.
        let rearmed = unsafe { self.wheel.rearm(self.nodes.at(id), deadline) };
        assert_eq!(rearmed, self.model_remove(id), "rearmed exactly if held");
        if rearmed {
            self.model_arm(id, deadline);
        }
        self.check();
    }

    pub(crate) fn turn(&mut self, now: u64, budget: usize) -> Turn {
        let before = (self.wheel.now(), self.wheel.next_event());
        let in_flight = self.in_flight();
        let turn = self.wheel.turn(now, budget);
        let now = now.max(before.0);
        assert_eq!(self.wheel.now(), now);
        assert!(turn.touched() <= budget, "over budget: {turn:?}");
        assert!(!turn.more || turn.touched() == budget, "stopped without need: {turn:?}");
        // Until the event nothing is touched; from then on something is.
        let touches = budget > 0 && before.1.is_some_and(|event| event <= now);
        assert_eq!(turn.touched() > 0, touches, "next_event is not exact: {before:?} {turn:?}");
        assert!(turn.slots <= turn.touched(), "slots without entries: {turn:?}");
        // What was in flight is looked at first, and nothing else joins it meanwhile.
        if let Some(left) = in_flight.len().checked_sub(turn.touched()) {
            let still = self.in_flight();
            assert_eq!((still.len(), turn.slots), (left, 0), "in flight: {in_flight:?} {still:?}");
            assert!(still.iter().all(|id| in_flight.contains(id)));
        }
        assert!(turn.more || self.in_flight().is_empty());

        let fired: Vec<Timer> = self
            .armed
            .values()
            .filter(|t| self.nodes.state(t.id) == State::Fired)
            .copied()
            .collect();
        assert_eq!(fired.len(), turn.fired);
        for timer in &fired {
            assert!(timer.deadline <= now, "early: {timer:?} at {now}");
            self.armed.remove(&(timer.deadline, timer.seq));
            for left in self.armed.values().filter(|t| self.nodes.state(t.id) == State::Armed) {
                assert!(timer.may_precede(left), "out of order: {timer:?} before {left:?}");
            }
        }
        self.fired.push(fired);
        if !turn.more {
            let late = self.armed.values().next().filter(|timer| timer.deadline <= now);
            assert!(late.is_none(), "late: {late:?} at {now}");
        }
        assert_eq!(turn.next, self.wheel.next_event(), "the turn told another next event");
        assert_eq!(turn.more, turn.next.is_some_and(|tick| tick <= now));
        self.mid_drain = turn.more;
        self.check();
        turn
    }

    pub(crate) fn pop(&mut self) -> bool {
        self.fired.retain(|batch| !batch.is_empty());
        let Some(handle) = self.wheel.pop_fired() else {
            assert!(self.fired.is_empty(), "lost: {:?}", self.fired);
            return false;
        };
        let batch = self.fired.first_mut().expect("popped what has not fired");
        let at = batch.iter().position(|t| t.id == id(handle)).expect("popped out of turn");
        let timer = batch.swap_remove(at);
        for left in batch {
            assert!(timer.may_precede(left), "out of order: {timer:?} before {left:?}");
        }
        self.check();
        true
    }

    /// Turns far enough for everything below `end` and checks that nothing is left over.
    pub(crate) fn finish(&mut self, end: u64) {
        let turn = self.turn(end, usize::MAX);
        assert!(!turn.more);
        while self.pop() {}
    }

    /// What the wheel says of a node, which must be what the entry says, but for the flight.
    pub(crate) fn state(&self, id: usize) -> State {
        // SAFETY: the node is live until `self` is dropped, and nobody makes a `&mut` to it.
        let told = self.wheel.state(unsafe { self.nodes.at(id).as_ref() });
        let by_entry = if told == State::InFlight { State::Armed } else { told };
        assert_eq!(by_entry, self.nodes.state(id));
        told
    }

    fn in_flight(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|&id| self.state(id) == State::InFlight).collect()
    }

    fn model_arm(&mut self, id: usize, deadline: u64) {
        let now = self.wheel.now();
        let (tick_min, tick_max) = match deadline {
            _ if deadline > now => (deadline, deadline),
            _ if self.mid_drain => (deadline, now),
            _ => (now, now),
        };
        let timer = Timer { id, deadline, seq: self.seq, tick_min, tick_max };
        self.armed.insert((deadline, self.seq), timer);
        self.seq += 1;
    }

    fn model_remove(&mut self, id: usize) -> bool {
        let before = self.armed.len() + self.fired.iter().map(Vec::len).sum::<usize>();
        self.armed.retain(|_, timer| timer.id != id);
        self.fired.iter_mut().for_each(|batch| batch.retain(|timer| timer.id != id));
        before > self.armed.len() + self.fired.iter().map(Vec::len).sum::<usize>()
    }

    fn check(&self) {
        let fired = self.fired.iter().map(Vec::len).sum::<usize>();
        assert_eq!(self.wheel.len(), self.armed.len());
        assert_eq!(self.wheel.is_empty(), self.armed.is_empty());
        assert_eq!(self.wheel.fired_len(), fired);
        let earliest = self.armed.keys().next().map(|&(deadline, _)| deadline);
        let next = self.wheel.next_event();
        assert_eq!(next.is_some(), earliest.is_some(), "an event exactly if something is armed");
        // Work to be done now is work in flight, or a block that starts by now.
        assert!(self.in_flight().is_empty() || next.is_some_and(|next| next <= self.wheel.now()));
        if let (Some(next), Some(earliest)) = (next, earliest) {
            assert!(next <= earliest.max(self.wheel.now()), "next_event late: {next} {earliest}");
        }
        let states = (0..self.nodes.len()).map(|id| self.nodes.state(id));
        let (mut armed_nodes, mut fired_nodes) = (0, 0);
        for state in states {
            armed_nodes += usize::from(state == State::Armed);
            fired_nodes += usize::from(state == State::Fired);
        }
        assert_eq!((armed_nodes, fired_nodes), (self.armed.len(), fired));
    }
}
