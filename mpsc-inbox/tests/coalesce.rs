//! A node that many push and that is queued once.

mod common;

use common::Drops;
use mpsc_inbox::{
    Batch, Coalescing, Handle, Inbox, Link, Linked, List, NotPushed, Pushed, Queued, QueuedBit,
    Shared,
};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A counted reference of our own, so that these tests need no feature.
#[derive(Clone)]
struct Ref(Arc<Device>);

struct Device {
    events: AtomicUsize,
    _drops: Counted,
    link: Link<Device>,
    queued: QueuedBit,
}

struct Counted(Drops);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.add(1);
    }
}

// SAFETY: `Arc::into_raw` and `from_raw` are inverse, the pointer may write what is interior mutable, and the count of the
// handle is kept meanwhile.
unsafe impl Handle for Ref {
    type Target = Device;

    fn into_raw(self) -> NonNull<Device> {
        NonNull::new(Arc::into_raw(self.0).cast_mut()).expect("an `Arc` is not null")
    }

    unsafe fn from_raw(raw: NonNull<Device>) -> Self {
        // SAFETY: `raw` carries a handle's count.
        Self(unsafe { Arc::from_raw(raw.as_ptr()) })
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
    fn new(drops: &Drops) -> Self {
        Self(Arc::new(Device {
            events: AtomicUsize::new(0),
            _drops: Counted(drops.clone()),
            link: Link::new(),
            queued: QueuedBit::default(),
        }))
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn count(&self) -> usize {
        Arc::strong_count(&self.0)
    }
}

#[test]
fn a_second_push_of_a_queued_node_says_so_and_hands_the_handle_back() {
    let drops = Drops::default();
    let (one, other) = (Ref::new(&drops), Ref::new(&drops));
    let inbox: Inbox<Device> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    assert_eq!(inbox.push_once(one.clone()).ok(), Some(Pushed::First));
    assert_eq!(inbox.push_once(other.clone()).ok(), Some(Pushed::Joined));
    let Err(NotPushed::AlreadyQueued(back)) = inbox.push_once(one.clone()) else {
        panic!("it is queued")
    };
    assert!(back.is(&one));
    drop(back);
    assert_eq!((one.count(), other.count()), (2, 2));
    let mut drain = owner.drain(usize::MAX);
    assert!(drain.next().expect("in").release().is(&one));
    assert!(drain.next().expect("in").release().is(&other));
    assert!(drain.next().is_none(), "each is in once");
}

#[test]
fn a_node_is_queued_until_it_is_released_wherever_it_is() {
    let node = Ref::new(&Drops::default());
    let inbox: Inbox<Device> = Inbox::new();
    let elsewhere: Inbox<Device> = Inbox::new();
    let is_queued = || match elsewhere.push_once(node.clone()) {
        Err(NotPushed::AlreadyQueued(_)) => true,
        _ => panic!("the bit is the node's, not the inbox's"),
    };
    let mut owner = inbox.take_owner().unwrap();
    assert!(inbox.push_once(node.clone()).is_ok());
    assert!(is_queued(), "in the head's list");
    assert!(inbox.push_once(Ref::new(&Drops::default())).is_ok());
    assert_eq!(owner.drain(1).count(), 0);
    assert!(is_queued(), "in the remainder");
    let mut list: List<Device> = owner.take_all();
    assert!(is_queued(), "in a list");
    let queued = list.pop_front().expect("it went in first");
    assert!(is_queued(), "in hand");
    let released = queued.release();
    assert!(released.is(&node));
    assert_eq!(elsewhere.push_once(released).ok(), Some(Pushed::First));
}

#[test]
fn a_dropped_queued_node_is_not_queued_and_its_handle_is_dropped() {
    let node = Ref::new(&Drops::default());
    let Ok(queued) = Queued::claim(node.clone()) else { panic!("it is not queued") };
    assert!(Queued::claim(node.clone()).is_err());
    assert_eq!((node.count(), format!("{queued:?}")), (2, "Queued { .. }".into()));
    drop(queued);
    assert_eq!(node.count(), 1);
    assert!(Queued::claim(node.clone()).is_ok());
}

#[test]
fn dropping_the_inbox_releases_what_is_in_it() {
    let drops = Drops::default();
    let node = Ref::new(&drops);
    let inbox: Inbox<Device> = Inbox::new();
    assert!(inbox.push_once(node.clone()).is_ok());
    assert!(inbox.push_once(Ref::new(&drops)).is_ok());
    drop(inbox);
    assert_eq!((drops.count(), node.count()), (1, 1));
    assert!(Queued::claim(node).is_ok());
}

#[test]
fn a_closed_inbox_hands_the_node_back_claimed() {
    let node = Ref::new(&Drops::default());
    let (closed, survivor): (Inbox<Device>, Inbox<Device>) = (Inbox::new(), Inbox::new());
    drop(closed.take_owner().unwrap().close());
    let refused = closed.push_once(node.clone()).expect_err("it is closed");
    assert_eq!(
        (refused.to_string(), format!("{refused:?}")),
        ("the inbox is closed".into(), "Closed(..)".into())
    );
    let again = closed.push_once(node.clone()).expect_err("somebody has it");
    assert_eq!(
        (again.to_string(), format!("{again:?}")),
        ("the node is queued already".into(), "AlreadyQueued(..)".into())
    );
    let NotPushed::Closed(queued) = refused else { panic!("it is closed") };
    assert_eq!(survivor.push(queued).ok(), Some(Pushed::First));
    let back = survivor.take_owner().unwrap().take_all().pop_front().expect("in");
    assert!(back.release().is(&node));
}

#[test]
fn claimed_nodes_go_through_batches_and_lists() {
    let nodes = [(); 3].map(|()| Ref::new(&Drops::default()));
    let inbox: Inbox<Device> = Inbox::new();
    let mut batch: Batch<Device> = Batch::new();
    for node in nodes.iter().chain(&nodes) {
        if let Ok(queued) = Queued::claim(node.clone()) {
            batch.push(queued);
        }
    }
    assert_eq!(batch.len(), 3, "each is in once");
    assert!(inbox.push_batch(batch).is_ok());
    let list = inbox.take_owner().unwrap().take_all();
    assert!(list.into_iter().zip(&nodes).all(|(queued, node)| queued.release().is(node)));
}

/// Every producer counts an event and pushes the one node. Whatever the owner has not seen when it comes to rest would be a
/// lost wake.
#[test]
fn every_event_is_seen_by_who_releases_the_node() {
    const PRODUCERS: usize = 4;
    let each: usize = if cfg!(miri) { 10 } else { 50_000 };
    let node = Ref::new(&Drops::default());
    let inbox: Inbox<Device> = Inbox::new();
    thread::scope(|scope| {
        let owner = scope.spawn(|| {
            let mut owner = inbox.take_owner().unwrap();
            let mut seen = 0;
            while seen < PRODUCERS * each {
                for queued in owner.drain(16) {
                    seen += queued.release().0.events.swap(0, Ordering::Relaxed);
                }
                if seen < PRODUCERS * each && owner.arm().is_ok() {
                    thread::park();
                }
            }
            seen
        });
        for _ in 0..PRODUCERS {
            let (inbox, node, owner) = (&inbox, node.clone(), owner.thread().clone());
            scope.spawn(move || {
                for _ in 0..each {
                    node.0.events.fetch_add(1, Ordering::Relaxed);
                    match inbox.push_once(node.clone()) {
                        Ok(Pushed::KickOwed) => owner.unpark(),
                        Ok(Pushed::First | Pushed::Joined) | Err(NotPushed::AlreadyQueued(_)) => {}
                        Err(NotPushed::Closed(_)) => panic!("nobody closes it"),
                    }
                }
            });
        }
        assert_eq!(owner.join().unwrap(), PRODUCERS * each);
    });
    // The owner may see an event before its push: then the node comes again, for nothing, and may be inside still.
    drop(inbox);
    assert_eq!(node.count(), 1);
}

#[cfg(feature = "alloc")]
#[test]
fn references_of_the_standard_library_coalesce_too() {
    use std::pin::Pin;

    struct Plain {
        link: Link<Plain>,
        queued: QueuedBit,
    }

    // SAFETY: `link` projects to the one link field, by address.
    unsafe impl Linked for Plain {
        type Handle = Queued<Pin<Arc<Plain>>>;

        unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
            // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
            unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
        }
    }

    // SAFETY: the one bit of this node.
    unsafe impl Coalescing for Plain {
        fn queued_bit(&self) -> &QueuedBit {
            &self.queued
        }
    }

    static PLAIN: Plain = Plain { link: Link::new(), queued: QueuedBit::new() };
    assert!(Queued::claim(Pin::static_ref(&PLAIN)).is_ok_and(|queued| {
        let twice = Queued::claim(&PLAIN).is_err();
        std::ptr::eq(queued.release().get_ref(), &PLAIN) && twice
    }));
    let inbox: Inbox<Plain> = Inbox::new();
    let node = Arc::new(Plain { link: Link::new(), queued: QueuedBit::new() });
    assert!(Queued::claim(node).is_ok());
    let node = Arc::pin(Plain { link: Link::new(), queued: QueuedBit::new() });
    assert!(inbox.push_once(node.clone()).is_ok());
    assert!(inbox.push_once(node).is_err());
}
