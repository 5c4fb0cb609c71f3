//! Which cases of the rebalance ran, and which nodes were touched: recorded in this crate's own
//! tests, nothing otherwise.

use core::ptr::NonNull;

use crate::node::Side;

/// The one step, and the cases, named as they are drawn in `rebalance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Case {
    Rotation,
    InsertRoot,
    InsertBlackParent,
    InsertRedUncle,
    InsertInner,
    InsertOuter,
    EraseRoot,
    EraseRedSibling,
    EraseBlackNephewsBlackParent,
    EraseBlackNephewsRedParent,
    EraseInnerNephew,
    EraseOuterNephew,
}

/// Notes that `case` ran, drawn as for `side`.
#[inline(always)]
pub(crate) fn hit(case: Case, side: Side) {
    #[cfg(test)]
    recorded::record(case, side);
    #[cfg(not(test))]
    let _ = (case, side);
}

/// Notes that the node at `pointer` was looked at or written.
#[inline(always)]
pub(crate) fn touch<T>(pointer: NonNull<T>) {
    #[cfg(test)]
    recorded::record_touch(pointer.addr().get());
    #[cfg(not(test))]
    let _ = pointer;
}

#[cfg(test)]
pub(crate) mod recorded {
    use super::{Case, Side};
    use core::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    std::thread_local! {
        static HITS: RefCell<BTreeMap<(Case, bool), u64>> = const { RefCell::new(BTreeMap::new()) };
    }

    std::thread_local! {
        static TOUCHED: RefCell<Option<BTreeSet<usize>>> = const { RefCell::new(None) };
    }

    pub(super) fn record_touch(address: usize) {
        TOUCHED.with_borrow_mut(|touched| touched.as_mut().map(|set| set.insert(address)));
    }

    /// How many different nodes `action` touched on this thread.
    pub(crate) fn touches(action: impl FnOnce()) -> usize {
        TOUCHED.set(Some(BTreeSet::new()));
        action();
        TOUCHED.take().map_or(0, |touched| touched.len())
    }

    pub(super) fn record(case: Case, side: Side) {
        HITS.with_borrow_mut(|hits| *hits.entry((case, side == Side::Right)).or_default() += 1);
    }

    /// How often `case` ran on this thread.
    pub(crate) fn hits(case: Case, side: Side) -> u64 {
        HITS.with_borrow(|hits| hits.get(&(case, side == Side::Right)).copied().unwrap_or(0))
    }
}
