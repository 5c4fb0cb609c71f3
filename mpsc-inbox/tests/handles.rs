//! Every kind of handle goes in and comes out; one node sits in two structures; a double push is caught.

use mpsc_inbox::{Handle, Inbox, Link, Linked, List, Pushed};
use std::pin::Pin;
use std::ptr::NonNull;

/// A node type whose handle is `$handle`.
macro_rules! node {
    ($name:ident, $handle:ty) => {
        struct $name {
            number: usize,
            link: Link<$name>,
        }

        // SAFETY: `link` projects to the one link field, by address.
        unsafe impl Linked for $name {
            type Handle = $handle;

            unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
                // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
                unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
            }
        }
    };
}

/// Sends handles once through an inbox, then through a list, and once more through the inbox.
///
/// # Safety
///
/// The handles name different nodes, in no structure, that outlive the call.
unsafe fn round_trip<T: Linked>(handles: impl IntoIterator<Item = T::Handle>) -> Vec<T::Handle> {
    let inbox = Inbox::<T>::new();
    let mut owner = inbox.take_owner().unwrap();
    for handle in handles {
        // SAFETY: see above.
        assert!(unsafe { inbox.push_unlinked(handle) }.is_ok());
    }
    let mut list = List::<T>::new();
    for handle in owner.drain(usize::MAX) {
        // SAFETY: the drain has taken it out.
        unsafe { list.push_back_unlinked(handle) };
    }
    while let Some(handle) = list.pop_front() {
        // SAFETY: the list has given it back.
        assert!(unsafe { inbox.push_unlinked(handle) }.is_ok());
    }
    owner.close().into_iter().collect()
}

node!(Shared, &'static Shared);
node!(PinnedShared, Pin<&'static PinnedShared>);
node!(Raw, NonNull<Raw>);
node!(Exclusive, &'static mut Exclusive);
node!(PinnedExclusive, Pin<&'static mut PinnedExclusive>);

static SHARED: [Shared; 2] =
    [Shared { number: 0, link: Link::new() }, Shared { number: 1, link: Link::new() }];
static PINNED: [PinnedShared; 2] =
    [PinnedShared { number: 0, link: Link::new() }, PinnedShared { number: 1, link: Link::new() }];

#[test]
fn shared_references_to_statics() {
    // SAFETY: two statics that no other test touches.
    let back = unsafe { round_trip::<Shared>(&SHARED) };
    assert!(std::ptr::eq(back[0], &SHARED[0]) && std::ptr::eq(back[1], &SHARED[1]));
    assert_eq!((back[0].number, back[1].number), (0, 1));
}

#[test]
fn pinned_shared_references_to_statics() {
    // SAFETY: two statics that no other test touches.
    let back = unsafe { round_trip::<PinnedShared>(PINNED.iter().map(Pin::static_ref)) };
    assert_eq!((back[0].number, back[1].number), (0, 1));
}

#[test]
fn raw_pointers_to_nodes_on_the_stack() {
    let mut nodes = [0, 1, 2].map(|number| Raw { number, link: Link::new() });
    let base = NonNull::from(&mut nodes).cast::<Raw>();
    // SAFETY: three nodes of one array, which outlives the round trip.
    let back = unsafe { round_trip::<Raw>((0..3).map(|index| base.add(index))) };
    // SAFETY: the nodes are live.
    let numbers: Vec<_> = back.iter().map(|node| unsafe { node.as_ref() }.number).collect();
    assert_eq!(numbers, [0, 1, 2]);
}

/// A node that lives as long as the process, and that a leak check can still reach.
fn forever<T: Send>(node: T) -> &'static mut T {
    struct Kept(#[allow(dead_code, reason = "kept, not read")] *const ());
    // SAFETY: the pointer is never read.
    unsafe impl Send for Kept {}
    static KEPT: std::sync::Mutex<Vec<Kept>> = std::sync::Mutex::new(Vec::new());
    let node = Box::into_raw(Box::new(node));
    KEPT.lock().unwrap().push(Kept(node.cast_const().cast()));
    // SAFETY: the box is never freed, and this is the one reference to it.
    unsafe { &mut *node }
}

#[test]
fn exclusive_references_go_through_the_safe_door() {
    static INBOX: Inbox<Exclusive> = Inbox::new();
    let mut owner = INBOX.take_owner().unwrap();
    for number in 0..2 {
        assert!(INBOX.push(forever(Exclusive { number, link: Link::new() })).is_ok());
    }
    for (number, node) in owner.drain(4).enumerate() {
        assert_eq!(node.number, number);
        node.number = 7;
    }
}

#[test]
fn pinned_exclusive_references_go_through_the_safe_door() {
    let inbox: Inbox<PinnedExclusive> = Inbox::new();
    let node = forever(PinnedExclusive { number: 5, link: Link::new() });
    assert_eq!(inbox.push(Pin::static_mut(node)).ok(), Some(Pushed::First));
    let back = inbox.take_owner().unwrap().drain(2).next().expect("it is in");
    assert_eq!(back.number, 5);
}

#[cfg(debug_assertions)]
#[test]
fn a_double_push_is_caught_in_debug_builds() {
    static NODE: Shared = Shared { number: 0, link: Link::new() };
    let inbox = Inbox::<Shared>::new();
    // SAFETY: the node is in no structure.
    assert!(unsafe { inbox.push_unlinked(&NODE) }.is_ok());
    // SAFETY: none; that is the point. A debug build panics before it touches anything.
    let again = std::panic::AssertUnwindSafe(|| unsafe { inbox.push_unlinked(&NODE) }.is_ok());
    assert!(std::panic::catch_unwind(again).is_err());
    let mut list = List::<Shared>::new();
    // SAFETY: as above.
    let elsewhere = std::panic::AssertUnwindSafe(|| unsafe { list.push_back_unlinked(&NODE) });
    assert!(std::panic::catch_unwind(elsewhere).is_err());
    let back: Vec<_> = inbox.take_owner().unwrap().drain(2).collect();
    assert!(back.len() == 1 && std::ptr::eq(back[0], &NODE), "the inbox is whole");
}

/// Two tags for the two links of one node.
struct Ready;
struct All;

struct Twice {
    number: usize,
    ready: Link<Twice, Ready>,
    all: Link<Twice, All>,
}

// SAFETY: projects to the link of this tag.
unsafe impl Linked<Ready> for Twice {
    type Handle = NonNull<Twice>;

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self, Ready>> {
        // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).ready) }
    }
}

// SAFETY: projects to the link of this tag.
unsafe impl Linked<All> for Twice {
    type Handle = NonNull<Twice>;

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self, All>> {
        // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).all) }
    }
}

#[test]
fn one_node_sits_in_two_structures_by_two_links() {
    let mut nodes = [0, 1, 2].map(|number| Twice { number, ready: Link::new(), all: Link::new() });
    let base = NonNull::from(&mut nodes).cast::<Twice>();
    let inbox = Inbox::<Twice, Ready>::new();
    let mut list = List::<Twice, All>::new();
    for index in 0..3 {
        // SAFETY: the nodes outlive both structures; each node is pushed once by each link.
        unsafe {
            assert!(inbox.push_unlinked(base.add(2 - index)).is_ok());
            list.push_back_unlinked(base.add(index));
        }
    }
    // SAFETY: the nodes are live.
    let number = |node: NonNull<Twice>| unsafe { node.as_ref() }.number;
    let ready: Vec<_> = inbox.take_owner().unwrap().drain(6).map(number).collect();
    assert_eq!(ready, [2, 1, 0]);
    assert_eq!(list.into_iter().map(number).collect::<Vec<_>>(), [0, 1, 2]);
}

#[cfg(feature = "alloc")]
mod owning {
    use super::*;
    use std::sync::Arc;

    node!(Boxed, Box<Boxed>);
    node!(PinnedBoxed, Pin<Box<PinnedBoxed>>);
    node!(Counted, Arc<Counted>);
    node!(PinnedCounted, Pin<Arc<PinnedCounted>>);

    #[test]
    fn boxes() {
        let boxes = [0, 1, 2].map(|number| Box::new(Boxed { number, link: Link::new() }));
        // SAFETY: boxes name different nodes.
        let mut back = unsafe { round_trip::<Boxed>(boxes) };
        back[1].number = 8;
        assert_eq!(back.iter().map(|node| node.number).collect::<Vec<_>>(), [0, 8, 2]);
    }

    #[test]
    fn boxes_go_through_the_safe_door_and_are_freed_with_the_inbox() {
        let inbox: Inbox<Boxed> = Inbox::new();
        assert!(inbox.push(Box::new(Boxed { number: 1, link: Link::new() })).is_ok());
        let mut list: List<Boxed> = List::new();
        list.push_back(Box::new(Boxed { number: 2, link: Link::new() }));
    }

    #[test]
    fn pinned_boxes() {
        let boxes = [0, 1].map(|number| Box::pin(PinnedBoxed { number, link: Link::new() }));
        // SAFETY: boxes name different nodes.
        let back = unsafe { round_trip::<PinnedBoxed>(boxes) };
        assert_eq!((back[0].number, back[1].number), (0, 1));
    }

    #[test]
    fn counted_references_keep_their_count_and_their_other_holders() {
        let node = Arc::new(Counted { number: 4, link: Link::new() });
        let inbox = Inbox::<Counted>::new();
        // SAFETY: the node is in no structure.
        assert!(unsafe { inbox.push_unlinked(node.clone()) }.is_ok());
        assert_eq!(Arc::strong_count(&node), 2);
        assert_eq!(node.number, 4, "readable while it is linked");
        drop(inbox);
        assert_eq!(Arc::strong_count(&node), 1);
        // SAFETY: the node is in no structure any more.
        let back = unsafe { round_trip::<Counted>([node.clone()]) };
        assert!(Arc::ptr_eq(&back[0], &node));
    }

    #[test]
    fn pinned_counted_references() {
        let node = Arc::pin(PinnedCounted { number: 6, link: Link::new() });
        // SAFETY: the node is in no structure.
        let back = unsafe { round_trip::<PinnedCounted>([node.clone()]) };
        assert_eq!((back[0].number, node.number), (6, 6));
    }
}

/// The pointer that a handle gives up is the one it takes back.
#[test]
fn a_handle_survives_its_raw_form() {
    let raw = Handle::into_raw(&SHARED[0]);
    // SAFETY: it comes from `into_raw`.
    let back = unsafe { <&'static Shared as Handle>::from_raw(raw) };
    assert!(std::ptr::eq(back, &SHARED[0]));
}
