//! The self-check: every invariant, over the whole tree.

use core::fmt;

use crate::link::Linked;
use crate::node::Side;
use crate::summary::computed;
use crate::tree::Tree;

/// Which invariant does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A child does not point to its parent, or the root points to one.
    Parent,
    /// The root is red.
    RedRoot,
    /// A red node has a red child.
    RedRed,
    /// Two paths from the root have different numbers of black nodes.
    BlackHeight,
    /// There are more or fewer nodes than counted.
    Length,
    /// A cached end is not the first or the last node.
    End,
    /// A key is less than the one before it.
    Order,
    /// A summary is not that of its subtree.
    Summary,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Parent => "a child does not point to its parent",
            Fault::RedRoot => "the root is red",
            Fault::RedRed => "a red node has a red child",
            Fault::BlackHeight => "two paths have different numbers of black nodes",
            Fault::Length => "the number of nodes is not the length",
            Fault::End => "a cached end is not the end",
            Fault::Order => "a key is less than the one before it",
            Fault::Summary => "a summary is not that of its subtree",
        })
    }
}

impl core::error::Error for Fault {}

impl<T: Linked> Tree<T> {
    /// Checks every invariant. O(n), without recursion; for tests and debugging.
    ///
    /// # Errors
    ///
    /// The first [`Fault`] found: those of the shape first, then of the keys, then of the
    /// summaries. A fault of the shape means that somebody broke the contract of an `unsafe`
    /// function or trait.
    pub fn check(&self) -> Result<(), Fault> {
        self.check_shape()?;
        let mut next = self.end(Side::Left);
        while let Some(node) = next {
            next = node.neighbour(Side::Right);
            if next.is_some_and(|next| next.value().key() < node.value().key()) {
                return Err(Fault::Order);
            }
        }
        let mut next = self.end(Side::Left);
        while let Some(node) = next {
            if computed(node) != node.summary() {
                return Err(Fault::Summary);
            }
            next = node.neighbour(Side::Right);
        }
        Ok(())
    }

    /// R1 to R3, T2 and the parents. Each edge is walked down once and up once.
    fn check_shape(&self) -> Result<(), Fault> {
        let fail_if = |wrong: bool, fault| if wrong { Err(fault) } else { Ok(()) };
        for side in [Side::Left, Side::Right] {
            let end = self.root.map(|root| root.extreme(side));
            fail_if(self.end(side) != end, Fault::End)?;
        }
        let Some(root) = self.root else {
            return fail_if(self.len != 0, Fault::Length);
        };
        fail_if(root.parent().is_some(), Fault::Parent)?;
        fail_if(root.is_red(), Fault::RedRoot)?;

        let (mut node, mut todo) = (root, Some(Side::Left));
        let (mut seen, mut blacks, mut blacks_per_path) = (1, 1_usize, None);
        loop {
            match todo.map(|side| (side, node.child(side))) {
                Some((_, Some(child))) => {
                    fail_if(child.parent() != Some(node), Fault::Parent)?;
                    fail_if(child.is_red() && node.is_red(), Fault::RedRed)?;
                    seen += 1;
                    fail_if(seen > self.len, Fault::Length)?;
                    blacks += usize::from(!child.is_red());
                    (node, todo) = (child, Some(Side::Left));
                }
                Some((side, None)) => {
                    fail_if(*blacks_per_path.get_or_insert(blacks) != blacks, Fault::BlackHeight)?;
                    todo = after(side);
                }
                None => {
                    let Some(parent) = node.parent() else {
                        return fail_if(seen != self.len, Fault::Length);
                    };
                    blacks -= usize::from(!node.is_red());
                    (node, todo) = (parent, after(node.side_under(parent)));
                }
            }
        }
    }
}

/// Which child to visit after that on `side`; `None` for the way up.
fn after(side: Side) -> Option<Side> {
    match side {
        Side::Left => Some(Side::Right),
        Side::Right => None,
    }
}
