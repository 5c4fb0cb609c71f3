//! Models of `mpsc-inbox`: more threads and longer runs than loom can bear, under random, PCT and uniform schedules. Shuttle sees
//! interleavings, not weak memory; that is loom's part. Delivered items are kept until the model ends: a node freed and
//! allocated anew at its old address would make a schedule depend on the allocator, and its replay with it.

use mpsc_inbox::{
    Batch, Closed, Coalescing, Inbox, Link, Linked, NotPushed, Pushed, Queued, QueuedBit,
};
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::thread;
use std::ptr::NonNull;
use verification::sampled;

const PRODUCERS: usize = 8;
const EACH: usize = 6;
const SCHEDULES: usize = 4_000;
/// PCT finds every bug of at most this many ordered preemptions with a known probability per schedule.
const PCT_DEPTH: usize = 4;

struct Item {
    number: usize,
    link: Link<Item>,
}

// SAFETY: `link` projects to the one link field, by address.
unsafe impl Linked for Item {
    type Handle = Box<Item>;

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

fn explore(body: fn()) {
    sampled::random(SCHEDULES, body);
    sampled::pct(SCHEDULES, PCT_DEPTH, body);
    sampled::urw(SCHEDULES, body);
}

/// Each producer's numbers are there once, in order.
fn assert_complete(items: &[Box<Item>]) {
    let numbers: Vec<_> = items.iter().map(|item| item.number).collect();
    for producer in 0..PRODUCERS {
        let of_one = numbers.iter().copied().filter(|number| number / EACH == producer);
        assert!(
            of_one.eq(producer * EACH..(producer + 1) * EACH),
            "each item once, in its producer's order"
        );
    }
    assert_eq!(numbers.len(), PRODUCERS * EACH);
}

/// Eight producers against an owner that drains three touches at a time and halts whenever it can arm. Only the owed
/// kick wakes it: a lost one is a deadlock, and shuttle reports it.
#[test]
fn an_owner_that_halts_sees_everything() {
    explore(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let owner_thread = {
            let inbox = inbox.clone();
            thread::spawn(move || {
                let mut owner = inbox.take_owner().expect("nobody else takes it");
                let mut items = Vec::new();
                while items.len() < PRODUCERS * EACH {
                    items.extend(owner.drain(3));
                    if items.len() < PRODUCERS * EACH && owner.arm().is_ok() {
                        thread::park();
                    }
                }
                items
            })
        };
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let (inbox, owner) = (inbox.clone(), owner_thread.thread().clone());
                thread::spawn(move || {
                    for number in producer * EACH..(producer + 1) * EACH {
                        match inbox.push(Box::new(Item { number, link: Link::new() })) {
                            Ok(Pushed::KickOwed) => owner.unpark(),
                            Ok(Pushed::First | Pushed::Joined) => {}
                            Err(closed) => panic!("{closed}"),
                        }
                    }
                })
            })
            .collect();
        for producer in producers {
            producer.join().unwrap();
        }
        assert_complete(&owner_thread.join().unwrap());
    });
}

/// Eight producers against an owner that drains, closes in the middle, and reopens: a refused item is pushed again until
/// it goes in, so in the end each is there once, in order.
#[test]
fn closing_and_reopening_beside_pushers_loses_nothing() {
    explore(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let inbox = inbox.clone();
                thread::spawn(move || {
                    for number in producer * EACH..(producer + 1) * EACH {
                        let mut item = Box::new(Item { number, link: Link::new() });
                        while let Err(Closed(refused)) = inbox.push(item) {
                            item = refused;
                            thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        let mut owner = inbox.take_owner().expect("nobody else takes it");
        let mut items = Vec::new();
        while items.len() < PRODUCERS * EACH {
            items.extend(owner.drain(5));
            items.extend(owner.close());
            thread::yield_now();
            assert!(owner.reopen(), "only the owner leaves CLOSED");
            thread::yield_now();
        }
        for producer in producers {
            producer.join().unwrap();
        }
        assert_complete(&items);
    });
}

/// Every thread pushes its items and drains a little whenever it can be the owner: the remainder passes from hand to
/// hand, and the items come out once, in order.
#[test]
fn ownership_passes_from_hand_to_hand() {
    explore(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let delivered = Arc::new(shuttle::sync::Mutex::new(Vec::new()));
        let threads: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let (inbox, delivered) = (inbox.clone(), delivered.clone());
                thread::spawn(move || {
                    for number in producer * EACH..(producer + 1) * EACH {
                        let pushed = inbox.push(Box::new(Item { number, link: Link::new() }));
                        assert!(pushed.is_ok(), "nobody closes it");
                        if let Some(mut owner) = inbox.take_owner() {
                            delivered.lock().unwrap().extend(owner.drain(3));
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let mut items = std::mem::take(&mut *delivered.lock().unwrap());
        let mut owner = inbox.take_owner().expect("all others are gone");
        items.extend(owner.drain(usize::MAX));
        assert_complete(&items);
    });
}

/// Eight producers of batches of two against an owner that takes the newest first, takes all, and halts whenever it can arm.
/// Each item is there once, and the two of a batch in one list.
#[test]
fn batches_come_out_whole_whatever_takes_them_out() {
    explore(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let owner_thread = {
            let inbox = inbox.clone();
            thread::spawn(move || {
                let mut owner = inbox.take_owner().expect("nobody else takes it");
                let mut items = Vec::new();
                while items.len() < PRODUCERS * EACH {
                    items.extend(owner.drain_lifo(3));
                    items.extend(owner.take_all());
                    assert_eq!(items.len() % 2, 0, "a batch is in one list");
                    if items.len() < PRODUCERS * EACH && owner.arm().is_ok() {
                        thread::park();
                    }
                }
                items
            })
        };
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let (inbox, owner) = (inbox.clone(), owner_thread.thread().clone());
                thread::spawn(move || {
                    for number in (producer * EACH..(producer + 1) * EACH).step_by(2) {
                        let mut batch = Batch::new();
                        for number in number..number + 2 {
                            batch.push(Box::new(Item { number, link: Link::new() }));
                        }
                        match inbox.push_batch(batch) {
                            Ok(Pushed::KickOwed) => owner.unpark(),
                            Ok(Pushed::First | Pushed::Joined) => {}
                            Err(closed) => panic!("{closed}"),
                        }
                    }
                })
            })
            .collect();
        for producer in producers {
            producer.join().unwrap();
        }
        let mut items = owner_thread.join().unwrap();
        items.sort_by_key(|item| item.number);
        assert_complete(&items);
    });
}

struct Device {
    events: AtomicUsize,
    link: Link<Device>,
    queued: QueuedBit,
}

// SAFETY: `link` projects to the one link field, by address.
unsafe impl Linked for Device {
    type Handle = Queued<std::sync::Arc<Device>>;

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

/// Eight producers of events of two devices against an owner that drains one touch at a time and halts whenever it can arm:
/// it sees every event.
#[test]
fn coalesced_pushes_lose_no_event() {
    explore(|| {
        let inbox = Arc::new(Inbox::<Device>::new());
        let devices = [(); 2].map(|()| {
            std::sync::Arc::new(Device {
                events: AtomicUsize::new(0),
                link: Link::new(),
                queued: QueuedBit::new(),
            })
        });
        let owner_thread = {
            let inbox = inbox.clone();
            thread::spawn(move || {
                let mut owner = inbox.take_owner().expect("nobody else takes it");
                let mut seen = 0;
                while seen < PRODUCERS * EACH {
                    for queued in owner.drain(1) {
                        seen += queued.release().events.swap(0, Ordering::Relaxed);
                    }
                    if seen < PRODUCERS * EACH && owner.arm().is_ok() {
                        thread::park();
                    }
                }
            })
        };
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let (inbox, owner) = (inbox.clone(), owner_thread.thread().clone());
                let device = devices[producer % 2].clone();
                thread::spawn(move || {
                    for _ in 0..EACH {
                        device.events.fetch_add(1, Ordering::Relaxed);
                        match inbox.push_once(device.clone()) {
                            Ok(Pushed::KickOwed) => owner.unpark(),
                            Ok(Pushed::First | Pushed::Joined)
                            | Err(NotPushed::AlreadyQueued(_)) => {}
                            Err(NotPushed::Closed(_)) => panic!("nobody closes it"),
                        }
                    }
                })
            })
            .collect();
        for producer in producers {
            producer.join().unwrap();
        }
        owner_thread.join().unwrap();
    });
}
