//! Colours and rotations: how the tree stays balanced.
//!
//! After Guibas and Sedgewick (1978), in the bottom-up form of Cormen et al., chapter 13.
//!
//! - R1. The root is black.
//! - R2. A red node has a black parent.
//! - R3. Every path from the root down to a missing child has the same number of black nodes.
//!
//! So no path is more than twice as long as another, and all work is O(log n).
//!
//! Each case is written once, for a `side`, and drawn for `side` = left; read the drawing in a
//! mirror for right. Capitals are black, small letters red, `(x)` either.
//!
//! S (see `summary`) holds when a rebalance begins. The last step of each makes it true again where
//! a rotation broke it; before that no code from outside the crate runs.

use crate::link::Linked;
use crate::node::{Colour::Black, Colour::Red, Node, Side};
use crate::summary::refresh;
use crate::trace::{Case, hit};
use crate::tree::Tree;

impl<T: Linked> Tree<T> {
    /// Restores R1 and R2 after `node`, red, was attached. At most two rotations.
    ///
    /// Loop invariant: R3 holds; R1 and R2 fail at most at `node`, which is red.
    pub(crate) fn rebalance_inserted(&mut self, mut node: Node<T>) {
        loop {
            // Insert, root: N is the root. Black adds one to every path: R3 holds.
            //
            //     n   ─►   N
            let Some(parent) = node.parent() else {
                hit(Case::InsertRoot, Side::Left);
                return node.paint(Black);
            };

            // Insert, black parent: R2 holds at n. By R1 a red parent is not the root.
            let (true, Some(grandparent)) = (parent.is_red(), parent.parent()) else {
                return hit(Case::InsertBlackParent, Side::Left);
            };
            let side = parent.side_under(grandparent);

            // Insert, red uncle: colours alone; the trouble may be two levels up now.
            //
            //        G               g  ◄─ node
            //       / \             / \
            //      p   u    ─►     P   U
            //     /               /
            //   (n on either     n
            //     side of p)
            if let Some(uncle) = grandparent.child(!side).filter(|uncle| uncle.is_red()) {
                hit(Case::InsertRedUncle, side);
                parent.paint(Black);
                uncle.paint(Black);
                grandparent.paint(Red);
                node = grandparent;
                continue;
            }

            // Insert, inner: n is the inner grandchild. Make it the outer case, with p as its n.
            //
            //       G             G
            //      / \           / \
            //     p   U   ─►    n   U
            //      \           /
            //       n         p
            let is_inner = parent.child(!side) == Some(node);
            if is_inner {
                hit(Case::InsertInner, side);
                self.rotate(parent, side);
            }

            // Insert, outer: one rotation ends it. The top stays black, so do all counts.
            //
            //         G             P
            //        / \           / \
            //       p   U   ─►    n   g
            //      /                   \
            //     n                     U
            hit(Case::InsertOuter, side);
            self.rotate(grandparent, !side);
            if is_inner {
                refresh([parent]);
            }
            return refresh([grandparent]);
        }
    }

    /// Restores R3 after a black node was taken from `place`, where no red node was left to be
    /// painted black in its stead. At most three rotations.
    ///
    /// Loop invariant: paths through `place`, where N stands (perhaps a missing child), have one
    /// black node too few; nothing else is amiss. So the sibling S exists.
    pub(crate) fn rebalance_erased(&mut self, mut place: Option<(Node<T>, Side)>) {
        // Erase, root: every path has one black node less. R3 holds.
        while let Some((top, side)) = place {
            let Some(mut sibling) = top.child(!side) else {
                return debug_assert!(false, "R3: a side that lacks a black node has a sibling");
            };

            // Erase, red sibling: get a black one. Its children are black by R2, and there by R3.
            //
            //       P               S
            //      / \             / \
            //     N   s     ─►    p   D
            //        / \         / \
            //       C   D       N   C  ◄─ sibling
            let red_sibling = sibling.is_red();
            if red_sibling {
                hit(Case::EraseRedSibling, side);
                self.rotate(top, side);
                let Some(nephew) = top.child(!side) else {
                    return debug_assert!(false, "R3: a red sibling has black children");
                };
                sibling = nephew;
            }

            let red_child = |side| sibling.child(side).filter(|nephew| nephew.is_red());

            let mut outer = red_child(!side);
            let is_inner = outer.is_none();

            // Erase, inner nephew: only the inner one is red. Make it the outer case, with c as S.
            //
            //      (p)             (p)
            //      / \             / \
            //     N   S     ─►    N   C  ◄─ sibling
            //        / \               \
            //       c   D               s  ◄─ outer
            //                            \
            //                             D
            if let (None, Some(inner)) = (outer, red_child(side)) {
                hit(Case::EraseInnerNephew, side);
                self.rotate(sibling, !side);
                outer = Some(sibling);
                sibling = inner;
            }

            // Erase, outer nephew: one rotation ends it. S takes the colour of P.
            //
            //      (p)             (s)
            //      / \             / \
            //     N   S     ─►    P   D
            //        / \         / \
            //      (c)  d       N  (c)
            if let Some(outer) = outer {
                hit(Case::EraseOuterNephew, side);
                self.rotate(top, side);
                top.paint(Black);
                outer.paint(Black);
                // D may have gone down as S; and if P went down twice, what it passed on was stale.
                if is_inner {
                    refresh([outer]);
                }
                refresh([top]);
                if red_sibling {
                    refresh([sibling]);
                }
                return;
            }

            // Erase, black nephews: S gives up its black too. A red P makes up for it on both
            // sides; below a black P all paths lack one now, and P is the next N.
            //
            //       p               P            P               P  ◄─ N
            //      / \             / \          / \             / \
            //     N   S     ─►    N   s        N   S     ─►    N   s
            //        / \             / \          / \             / \
            //       C   D           C   D        C   D           C   D
            sibling.paint(Red);
            if top.is_red() {
                hit(Case::EraseBlackNephewsRedParent, side);
                top.paint(Black);
                if red_sibling {
                    refresh([top]);
                }
                return;
            }
            hit(Case::EraseBlackNephewsBlackParent, side);
            place = top.place();
        }
        hit(Case::EraseRoot, Side::Left);
    }

    /// Turns `down` towards `side`; its other child comes up, and takes its place, its colour and
    /// its summary. `down` turns red, and its summary is stale.
    ///
    /// ```text
    ///      │                     │
    ///    (down)                 (up)
    ///     /  \                  /  \
    ///    a    up      ─►     down   c
    ///        /  \            /  \
    ///    middle  c          a  middle
    /// ```
    fn rotate(&mut self, down: Node<T>, side: Side) {
        let Some(up) = down.child(!side) else {
            return debug_assert!(false, "a rotation needs a child to bring up");
        };
        hit(Case::Rotation, side);
        let middle = up.child(side);
        down.set_child(!side, middle);
        if let Some(middle) = middle {
            middle.set_parent(Some(down));
        }
        self.put_in_place_of(down, Some(up));
        down.copy_word_to(up);
        up.set_summary(down.summary());
        up.set_child(side, Some(down));
        down.hang(Some(up), Red);
    }
}
