//! Updates travel up only while summaries change.

use std::cell::Cell;
use std::ptr::NonNull;

use rbtree_aug::{Augment, Link, Linked, Tree};

struct Node {
    link: Link<Node>,
    key: u32,
    value: Cell<u32>,
}

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made. Pointers
// come from one vector, which outlives the tree.
unsafe impl Linked for Node {
    type Handle = NonNull<Node>;
    type Key = u32;
    type Augment = Min;

    fn key(&self) -> u32 {
        self.key
    }

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: In bounds of the value that `node` points to.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

thread_local! {
    static MEASURED: Cell<u32> = const { Cell::new(0) };
}

struct Min;

impl Augment<Node> for Min {
    type Summary = u32;

    fn measure(node: &Node) -> u32 {
        MEASURED.set(MEASURED.get() + 1);
        node.value.get()
    }

    fn join(left: u32, right: u32) -> u32 {
        left.min(right)
    }
}

fn measured(action: impl FnOnce()) -> u32 {
    let before = MEASURED.get();
    action();
    MEASURED.get() - before
}

const NODES: u32 = if cfg!(miri) { 31 } else { 4095 };

/// Nodes touched by an update that changes no summary above them: the newcomer, its parent, and
/// two each time that one of at most three rotations names a node.
const UNCHANGED_MAX: u32 = 2 + 3 * 3 + 1;

#[test]
fn an_update_stops_where_nothing_changes_and_goes_to_the_root_where_it_does() {
    let value = |key: u32| Node { link: Link::new(), key, value: Cell::new(5) };
    let mut nodes: Vec<Node> = (0..NODES).map(value).collect();
    let base: *mut Node = nodes.as_mut_ptr();
    let at = |index: u32| {
        // SAFETY: In bounds, and of the vector's own provenance; the vector is not touched below.
        unsafe { NonNull::new_unchecked(base.add(index as usize)) }
    };
    let mut tree = Tree::<Node>::new();

    for index in 0..NODES {
        let calls = measured(|| assert!(tree.insert(at(index)).is_ok()));
        assert!(calls <= UNCHANGED_MAX, "{calls} nodes measured by an insertion");
    }
    for index in (0..NODES).step_by(3) {
        // SAFETY: In this tree.
        let calls = measured(|| assert!(unsafe { tree.remove(at(index)) }.is_some()));
        assert!(calls <= UNCHANGED_MAX, "{calls} nodes measured by a removal");
    }
    assert_eq!(tree.check(), Ok(()));

    // A new minimum at the first leaf changes every summary up to the root, and only those.
    let first = NonNull::from(tree.first().expect("not empty"));
    // SAFETY: Live, and in this tree.
    let calls = measured(|| unsafe {
        first.as_ref().value.set(1);
        tree.update_summary(first);
    });
    assert_eq!(tree.summary(), Some(1));
    let height_max = 2 * NODES.ilog2() + 2;
    let height_min = if cfg!(miri) { 2 } else { 8 };
    assert!((height_min..=height_max).contains(&calls), "{calls} nodes measured up to the root");
    assert_eq!(tree.check(), Ok(()));

    // The same value again changes nothing: the node alone is measured.
    // SAFETY: Live, and in this tree.
    assert_eq!(measured(|| unsafe { tree.update_summary(first) }), 1);
    tree.clear();
}
