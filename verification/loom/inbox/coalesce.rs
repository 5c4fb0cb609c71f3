//! One node that two push and that is in the inbox once (C1 to C3).

use super::{model, owner};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use mpsc_inbox::{
    Coalescing, Handle, Inbox, Link, Linked, NotPushed, Pushed, Queued, QueuedBit, Shared,
};
use std::ptr::NonNull;

/// A node with a counter for which nothing but the queued bit orders anything, and a word that only who has the node
/// touches.
struct Device {
    events: AtomicUsize,
    releases: UnsafeCell<usize>,
    link: Link<Device>,
    queued: QueuedBit,
}

/// A counted reference: loom has `Arc`s of its own. The count is of the standard library, so that it orders nothing here.
#[derive(Clone)]
struct Ref(std::sync::Arc<Device>);

// SAFETY: the node is moved between threads with its inbox; that its word is not touched by two at once is what loom checks.
unsafe impl Send for Ref {}

// SAFETY: `Arc::into_raw` and `from_raw` are inverse, the pointer may write what is interior mutable, and the count of the
// handle is kept meanwhile.
unsafe impl Handle for Ref {
    type Target = Device;

    fn into_raw(self) -> NonNull<Device> {
        NonNull::new(std::sync::Arc::into_raw(self.0).cast_mut()).expect("not null")
    }

    unsafe fn from_raw(raw: NonNull<Device>) -> Self {
        // SAFETY: `raw` carries a handle's count.
        Self(unsafe { std::sync::Arc::from_raw(raw.as_ptr()) })
    }
}

// SAFETY: as above.
unsafe impl Shared for Ref {}

// SAFETY: `link` projects to the one link field, by address.
unsafe impl Linked for Device {
    type Handle = Queued<Ref>;

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

// SAFETY: the one bit of this node.
unsafe impl Coalescing for Device {
    fn queued_bit(&self) -> &QueuedBit {
        &self.queued
    }
}

impl Ref {
    fn new() -> Self {
        Self(std::sync::Arc::new(Device {
            events: AtomicUsize::new(0),
            releases: UnsafeCell::new(0),
            link: Link::new(),
            queued: QueuedBit::new(),
        }))
    }

    /// What an owner does with a node that it has released: it sees the events so far.
    fn events(&self) -> usize {
        self.0.events.load(Ordering::Relaxed)
    }
}

/// Before it releases the node, whoever has it alone touches its word.
fn release(queued: Queued<Ref>, node: &Ref) -> usize {
    // SAFETY: that nobody else has the node is what loom checks here.
    node.0.releases.with_mut(|releases| unsafe { *releases += 1 });
    queued.release().events()
}

/// An event, then the push; answers with the outcome.
fn pusher(inbox: &Arc<Inbox<Device>>, node: &Ref) -> thread::JoinHandle<Option<Pushed>> {
    let (inbox, node) = (inbox.clone(), node.clone());
    thread::spawn(move || {
        node.0.events.fetch_add(1, Ordering::Relaxed);
        match inbox.push_once(node) {
            Ok(pushed) => Some(pushed),
            Err(NotPushed::AlreadyQueued(_)) => None,
            Err(NotPushed::Closed(_)) => panic!("nobody closes it"),
        }
    })
}

/// Two pushers of one node beside an owner that drains twice. However it goes, the last release sees both events, and as
/// often as a push went in, the node comes out.
#[test]
fn two_pushes_of_one_node_beside_a_drain_lose_no_event() {
    model(|| {
        let inbox = Arc::new(Inbox::<Device>::new());
        let node = Ref::new();
        let pushers = [pusher(&inbox, &node), pusher(&inbox, &node)];
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let (mut seen, mut released) = (0, 0);
            for _ in 0..2 {
                for queued in owner.drain(usize::MAX) {
                    (seen, released) = (release(queued, &node), released + 1);
                }
            }
            let beside = released;
            let pushed = pushers.map(|pusher| pusher.join().unwrap()).into_iter().flatten().count();
            for queued in owner.drain(usize::MAX) {
                (seen, released) = (release(queued, &node), released + 1);
            }
            assert_eq!(released, pushed, "as often out as in");
            assert_eq!(seen, 2, "the last release sees every event");
            // One was told that the other's is queued still, and the owner was at work then.
            pushed == 1 && beside == 1
        })
    });
}

/// Two pushers of one node, and an owner that halts when it can: whatever it has not seen when it halts, it is kicked for.
#[test]
fn an_owner_that_halts_is_kicked_for_what_it_has_not_seen() {
    model(|| {
        let inbox = Arc::new(Inbox::<Device>::new());
        let node = Ref::new();
        let pushers = [pusher(&inbox, &node), pusher(&inbox, &node)];
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let mut seen = 0;
            for queued in owner.drain(usize::MAX) {
                seen = release(queued, &node);
            }
            let halts = owner.arm().is_ok();
            let outcomes = pushers.map(|pusher| pusher.join().unwrap());
            let kicked = outcomes.contains(&Some(Pushed::KickOwed));
            assert!(!halts || kicked || seen == 2, "nobody kicks for an event that was not seen");
            halts && kicked && seen == 1
        })
    });
}

/// One pusher beside an owner that closes: a node that is refused is still claimed, and whoever has it sees the event of
/// the other pusher, who was told that it is queued.
#[test]
fn a_refused_node_brings_back_what_others_left_to_it() {
    model(|| {
        let inbox = Arc::new(Inbox::<Device>::new());
        let node = Ref::new();
        let pushers = [(); 2].map(|()| {
            let (inbox, node) = (inbox.clone(), node.clone());
            thread::spawn(move || {
                node.0.events.fetch_add(1, Ordering::Relaxed);
                match inbox.push_once(node.clone()) {
                    Ok(_) | Err(NotPushed::AlreadyQueued(_)) => None,
                    Err(NotPushed::Closed(queued)) => Some(release(queued, &node)),
                }
            })
        });
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let mut seen: Vec<_> =
                owner.close().into_iter().map(|queued| release(queued, &node)).collect();
            let taken = seen.len();
            let refused = pushers.map(|pusher| pusher.join().unwrap());
            seen.extend(refused.into_iter().flatten());
            assert!(seen.contains(&2), "somebody sees both events");
            taken == 0 && seen.len() == 1
        })
    });
}
