//! Turning the wheel: time goes on, the due fire, and no call does more than it was allowed.
//!
//! Work is done in the order of ticks. The block that starts next is taken into flight whole, without
//! a word to its entries, and `cursor` goes to its first tick; then its entries are looked at one by
//! one, each at the price of one unit of budget: an entry due by `cursor` fires, any other goes where
//! it belongs as seen from there. When the budget is spent, the flight simply stays as it is.
//!
//! - **D1** A block is taken only with nothing in flight and no block left that starts earlier, so
//!   `cursor` passes no entry.
//! - **D2** An entry looked at and not fired goes to a lower level than it came from, or was beyond
//!   the horizon. So it is looked at at most once per level, and once each time it was in flight from
//!   beyond the horizon.
//! - **D3** With nothing left that starts by `now`, `cursor` is `now`.
//!
//! Only occupied blocks are visited, so a jump of time costs what it makes due, however far it goes.

use core::ptr::NonNull;

use crate::entry::{Linked, Place, fields};
use crate::fired::Fired;
use crate::wheel::Wheel;

/// What a [`turn`](Wheel::turn) did, and what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "`more` says whether the budget sufficed, `next` when to turn again"]
#[non_exhaustive]
pub struct Turn {
    /// Entries fired: that many wait for [`pop_fired`](Wheel::pop_fired) in addition.
    pub fired: usize,
    /// Entries moved to a lower level.
    pub moved: usize,
    /// Entries looked at and left beyond the horizon.
    pub skipped: usize,
    /// Slots taken into flight. Only occupied ones are, each for an entry touched: never more than
    /// the budget either.
    pub slots: usize,
    /// Whether the budget ran out with something still to do by `now`. The next turn resumes there.
    pub more: bool,
    /// [`next_event`](Wheel::next_event) after the turn.
    pub next: Option<u64>,
    /// By how many ticks the given time lay before the wheel's own; 0 if time did not step back.
    pub stepped_back_ticks: u64,
}

impl Turn {
    /// How many entries were touched: never more than the budget.
    pub const fn touched(&self) -> usize {
        self.fired + self.moved + self.skipped
    }
}

impl<T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize>
    Wheel<T, LEVELS, SLOTS, STRANDS>
{
    /// Advances to `now_tick` and fires what is due, touching at most `budget_nodes` entries.
    ///
    /// Each entry touched is charged, whether it fires, moves to a lower level or stays beyond the
    /// horizon. If the budget runs out, [`Turn::more`] is set and the next turn resumes exactly there;
    /// entries can be armed and cancelled meanwhile. With a budget of 0 only the time is noted.
    ///
    /// The fired go to a list, from which [`pop_fired`](Self::pop_fired) hands them out: in the order
    /// of their deadlines, first armed first among equal ones. An entry armed for a tick already
    /// worked off fires as if armed for the tick that the wheel works at.
    ///
    /// Time that stands still is no error. Time that steps back is taken as standing still, and
    /// reported in [`Turn::stepped_back_ticks`].
    ///
    /// Worst case: O(`budget_nodes`), however far the time jumps: each unit of budget touches one entry,
    /// the links of at most four others, and takes at most one slot (`STRANDS` lists) into flight. An
    /// entry is touched at most `LEVELS` + 1 times between being armed within the horizon and having
    /// fired.
    pub fn turn(&mut self, now_tick: u64, budget_nodes: usize) -> Turn {
        let mut turn =
            Turn { stepped_back_ticks: self.now.saturating_sub(now_tick), ..Turn::default() };
        self.now = self.now.max(now_tick);
        let mut budget = budget_nodes;
        loop {
            if self.flight.is_empty() {
                let next = self.next_block();
                turn.next = next.map(|(_, block)| block.first);
                match next {
                    Some((place, block)) if block.first <= self.now => {
                        if budget == 0 {
                            break;
                        }
                        self.take_into_flight(place, block);
                        turn.slots += 1;
                    }
                    _ => {
                        self.cursor = self.now;
                        break;
                    }
                }
            }
            while budget > 0 {
                let Some(node) = self.flight.pop_front() else { break };
                // SAFETY: it was in flight, and is on no list now.
                unsafe { self.settle(node, &mut turn) };
                budget -= 1;
            }
            if !self.flight.is_empty() {
                turn.next = Some(self.cursor);
                break;
            }
        }
        turn.more = turn.next.is_some_and(|tick| tick <= self.now);
        self.armed_len -= turn.fired;
        self.fired.len += turn.fired;
        turn
    }

    /// Hands out the handle of the entry that fired first, in O(1). From then on the wheel does not
    /// touch the node, and [`cancel`](Self::cancel) finds it "already firing".
    #[must_use = "the handle is out of the wheel"]
    pub fn pop_fired(&mut self) -> Option<T::Handle> {
        self.fired().next()
    }

    /// Hands out the handles of all that have fired, in that order, as an iterator: O(1) each, as by
    /// [`pop_fired`](Self::pop_fired). What is not taken stays in the wheel.
    pub fn fired(&mut self) -> Fired<'_, T> {
        Fired { waiting: &mut self.fired }
    }

    /// Looks at one entry, which has left the flight: one unit of budget.
    ///
    /// # Safety
    ///
    /// `node` was in flight a moment ago and is on no list now.
    unsafe fn settle(&mut self, node: NonNull<T>, turn: &mut Turn) {
        // SAFETY: what was in flight is live, ours, made of a handle; by contract it is on no list;
        // and where `place` is called, its deadline is after `cursor`.
        unsafe {
            let deadline_tick = (*fields(node)).deadline_tick;
            if deadline_tick <= self.cursor {
                (*fields(node)).place = Place::Fired;
                self.fired.list.push_back(node);
                turn.fired += 1;
            } else if self.place(node, deadline_tick) {
                turn.moved += 1;
            } else {
                turn.skipped += 1;
            }
        }
    }
}
