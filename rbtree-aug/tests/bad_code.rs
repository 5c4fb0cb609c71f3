//! Comparisons, augmentations and drops that panic or lie: the tree stays whole, no node is lost.

use std::cell::Cell;
use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::rc::Rc;

use proptest::prelude::*;
use rbtree_aug::{Augment, Fault, Handle, Link, Linked, Tree};

/// What goes wrong, and after how many more calls.
#[derive(Default)]
struct Plan {
    compare: Cell<Option<u32>>,
    join: Cell<Option<u32>>,
    measure: Cell<Option<u32>>,
    drop: Cell<Option<u32>>,
    /// Comparisons answer from here, if there is something.
    lies: Cell<u64>,
    alive: Cell<i32>,
}

fn tick(countdown: &Cell<Option<u32>>) {
    if let Some(left) = countdown.get() {
        countdown.set(left.checked_sub(1));
        assert!(left > 0, "planned");
    }
}

thread_local! {
    static PLAN: Rc<Plan> = Rc::default();
}

fn plan() -> Rc<Plan> {
    PLAN.with(Rc::clone)
}

struct Key(u32);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        tick(&plan().compare);
        let lies = plan().lies.get();
        if lies == 0 {
            return self.0.cmp(&other.0);
        }
        // xorshift: as good as any lie.
        let lies = lies ^ (lies << 13);
        let lies = lies ^ (lies >> 7);
        let lies = lies ^ (lies << 17);
        plan().lies.set(lies);
        [Ordering::Less, Ordering::Equal, Ordering::Greater][(lies % 3) as usize]
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

struct Node {
    link: Link<Node>,
    key: Cell<u32>,
}

struct Owned(Box<Node>);

fn node(key: u32) -> Owned {
    plan().alive.set(plan().alive.get() + 1);
    Owned(Box::new(Node { link: Link::new(), key: Cell::new(key) }))
}

impl Drop for Owned {
    fn drop(&mut self) {
        assert!(!self.0.link.is_linked(), "dropped while linked");
        plan().alive.set(plan().alive.get() - 1);
        tick(&plan().drop);
    }
}

// SAFETY: As for a box: the place is stable and owned, and neither function panics.
unsafe impl Handle for Owned {
    type Target = Node;

    fn into_raw(self) -> NonNull<Node> {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: Read once, and never dropped.
        NonNull::from(Box::leak(unsafe { std::ptr::read(&this.0) }))
    }

    unsafe fn from_raw(pointer: NonNull<Node>) -> Self {
        // SAFETY: From a leaked box, once (contract of `from_raw`).
        Owned(unsafe { Box::from_raw(pointer.as_ptr()) })
    }
}

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made.
unsafe impl Linked for Node {
    type Handle = Owned;
    type Key = Key;
    type Augment = Sum;

    fn key(&self) -> Key {
        Key(self.key.get())
    }

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: In bounds of the value that `node` points to.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

struct Sum;

impl Augment<Node> for Sum {
    type Summary = u64;

    fn measure(node: &Node) -> u64 {
        tick(&plan().measure);
        u64::from(node.key.get())
    }

    fn join(left: u64, right: u64) -> u64 {
        tick(&plan().join);
        left + right
    }
}

/// Without a factor in common with 7, so that `filled` makes each key once.
const NODES: u32 = if cfg!(miri) { 6 } else { 20 };

/// After how many calls a panic comes, at most.
const PANICS: u32 = if cfg!(miri) { 2 } else { 6 };

fn filled() -> Tree<Node> {
    let mut tree = Tree::<Node>::new();
    for key in 0..NODES {
        assert!(tree.insert(node(key * 7 % NODES)).is_ok());
    }
    tree
}

fn panics(action: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(action)).is_err()
}

#[test]
fn a_comparison_that_panics_drops_the_newcomer_and_changes_nothing() {
    let mut tree = filled();
    let mut panicked = 0;
    for after in 0..8 {
        plan().compare.set(Some(after));
        let failed = panics(|| assert!(tree.insert(node(NODES / 2)).is_ok()));
        plan().compare.set(None);
        panicked += u32::from(failed);
        assert_eq!(tree.check(), Ok(()));
        assert_eq!(plan().alive.get(), tree.len() as i32, "after {after} comparisons");
    }
    assert!(panicked > 0 && tree.len() == (NODES + 8 - panicked) as usize);
    drop(tree);
    assert_eq!(plan().alive.get(), 0);
}

#[test]
fn an_augmentation_that_panics_leaves_a_sound_tree_and_no_node_lost() {
    let mut stale = 0;
    for (in_join, after) in
        [false, true].into_iter().flat_map(|kind| (0..PANICS).map(move |n| (kind, n)))
    {
        for victim in 0..NODES {
            let mut tree = filled();
            let countdown = |plan: &Plan, to| {
                if in_join { plan.join.set(to) } else { plan.measure.set(to) }
            };
            countdown(&plan(), Some(after));
            if victim % 2 == 0 {
                panics(|| assert!(tree.insert(node(victim)).is_ok()));
            } else {
                let victim = NonNull::from(tree.get(&Key(victim)).expect("there"));
                // SAFETY: In this tree.
                panics(|| assert!(unsafe { tree.remove(victim) }.is_some()));
            }
            countdown(&plan(), None);
            // Every handle is in the tree or was dropped, and nothing but summaries is wrong.
            assert_eq!(plan().alive.get(), tree.len() as i32);
            match tree.check() {
                Ok(()) => {}
                Err(fault) => {
                    assert_eq!(fault, Fault::Summary);
                    stale += 1;
                }
            }
            tree.recompute_all();
            assert_eq!(tree.check(), Ok(()));
        }
    }
    assert!(stale > 0, "no panic came in the middle of an update");
    assert_eq!(plan().alive.get(), 0);
}

/// Every operation that compares: inserts, moves or replaces at about `key`.
fn every_way(tree: &mut Tree<Node>, key: u32) {
    for way in 0..WAYS {
        one_way(tree, way, key);
    }
}

const WAYS: u32 = 8;

fn one_way(tree: &mut Tree<Node>, way: u32, key: u32) {
    match way {
        0 => drop(tree.insert_unique(node(key))),
        1 => drop(tree.append([key, key + 1].map(node))),
        2 => drop(tree.cursor_mut().insert_after(node(key))),
        3 => drop(tree.upper_bound_mut(&Key(key)).insert_before(node(key))),
        4 => drop(tree.lower_bound_mut(&Key(key)).replace(node(key))),
        5 => drop(tree.update_first().map(|first| first.key.set(key))),
        6 => drop(tree.update_last().map(|last| last.key.set(key))),
        _ => drop(tree.lower_bound_mut(&Key(key)).update().map(|node| node.key.set(key / 2))),
    }
}

#[test]
fn a_panic_on_any_way_loses_no_node() {
    let mut panicked = 0;
    for (kind, way) in (0..3).flat_map(|kind| (0..WAYS).map(move |way| (kind, way))) {
        let keys = if cfg!(miri) { &[0][..] } else { &[0, NODES - 3] };
        for (after, key) in (0..PANICS).flat_map(|after| keys.iter().map(move |key| (after, *key)))
        {
            let mut tree = filled();
            let countdown = |to| {
                let plan = plan();
                [&plan.compare, &plan.join, &plan.measure][kind].set(to);
            };
            countdown(Some(after));
            panicked += u32::from(panics(|| one_way(&mut tree, way, key)));
            countdown(None);
            // In the tree, or dropped; and what is wrong is where a key or a summary was left.
            assert_eq!(plan().alive.get(), tree.len() as i32, "way {way}, kind {kind}");
            assert!(matches!(tree.check(), Ok(()) | Err(Fault::Order | Fault::Summary)));
            tree.recompute_all();
            assert!(matches!(tree.check(), Ok(()) | Err(Fault::Order)));
        }
    }
    assert!(panicked > WAYS, "{panicked} panics");
    assert_eq!(plan().alive.get(), 0);
}

#[test]
fn a_drop_that_panics_does_not_keep_the_others() {
    for clear in [false, true] {
        for after in 0..NODES {
            let mut tree = filled();
            plan().drop.set(Some(after));
            let failed = if clear { panics(|| tree.clear()) } else { panics(|| drop(tree)) };
            plan().drop.set(None);
            assert!(failed);
            assert_eq!(plan().alive.get(), 0, "the drop after {after} others panicked");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 1 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_comparison_that_lies_loses_no_node(
        seed in 1..u64::MAX,
        removals in prop::collection::vec(
            any::<prop::sample::Index>(),
            0..if cfg!(miri) { 4 } else { 20 },
        ),
    ) {
        plan().lies.set(seed);
        let mut tree = filled();
        for at in removals {
            let Some(node) = tree.iter().nth(at.index(tree.len().max(1))).map(NonNull::from) else {
                break;
            };
            // SAFETY: In this tree.
            let removed = unsafe { tree.remove(node) };
            prop_assert!(removed.is_some());
            drop(removed);
            prop_assert_eq!(tree.iter().count(), tree.len());
            prop_assert_eq!(tree.iter().rev().count(), tree.len());
            let _ = (tree.lower_bound(&Key(3)).get(), tree.get(&Key(3)));
            every_way(&mut tree, at.index(NODES as usize) as u32);
            let _ = tree.range(Key(3)..Key(9)).count() + tree.range(Key(9)..=Key(3)).rev().count();
            prop_assert_eq!(tree.iter().count(), tree.len());
            prop_assert_eq!(tree.iter().rev().count(), tree.len());
            prop_assert_eq!(plan().alive.get(), tree.len() as i32);
        }
        plan().lies.set(0);
        prop_assert!(matches!(tree.check(), Ok(()) | Err(Fault::Order)));
        prop_assert_eq!(plan().alive.get(), tree.len() as i32);
        drop(tree);
        prop_assert_eq!(plan().alive.get(), 0);
    }
}
