//! Models of `mpsc-inbox`: every interleaving with at most three preemptions, unless `LOOM_MAX_PREEMPTIONS` says otherwise.
//!
//! Delivered items are kept until the model ends: a node that is freed and allocated anew at the same address would make
//! executions depend on the allocator, which loom cannot replay.

mod batch;
mod coalesce;
mod interrupt;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use loom::thread;
use mpsc_inbox::{Closed, Inbox, Link, Linked, Owner, Pushed};
use std::ptr::NonNull;

/// An item with a payload that is written without synchronisation before the push and read so after the drain: loom
/// fails the model if the inbox does not order the two.
struct Item {
    producer: usize,
    number: usize,
    payload: UnsafeCell<usize>,
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

impl Item {
    fn new(producer: usize, number: usize) -> Box<Self> {
        let item = Self { producer, number, payload: UnsafeCell::new(0), link: Link::new() };
        let item = Box::new(item);
        // SAFETY: the item is ours alone.
        item.payload.with_mut(|payload| unsafe { *payload = 10 * producer + number });
        item
    }

    /// Reads the payload, for loom to judge, and says who and which this is.
    fn name(&self) -> (usize, usize) {
        // SAFETY: whoever has the box has the item; that this is so is what loom checks here.
        let payload = self.payload.with(|payload| unsafe { *payload });
        assert_eq!(payload, 10 * self.producer + self.number, "payload is the one written");
        (self.producer, self.number)
    }
}

/// The end of an item reads the payload too: whoever drops it must have been handed it.
impl Drop for Item {
    fn drop(&mut self) {
        self.name();
    }
}

/// Checks `body` in every execution, and that what it is about did happen: `body` answers whether this execution showed
/// it, and one must. A model in which nothing ever meets checks nothing.
///
/// Loom remembers one last access to an atomic, not one for each thread: a pusher's own load hides from its
/// compare-and-swap that the owner had loaded before, and the other order is never tried. So the owner is always spawned
/// *last* ([`owner`]): its loads meet the pushes as their last access.
fn model(body: impl Fn() -> bool + Sync + Send + 'static) {
    let shown = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = shown.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(move || {
        seen.fetch_or(body(), std::sync::atomic::Ordering::Relaxed);
    });
    assert!(shown.load(std::sync::atomic::Ordering::Relaxed), "no execution showed what to check");
}

/// Runs the owner's part in a thread after all others, and answers with its result.
fn owner<R: 'static>(body: impl FnOnce() -> R + 'static) -> R {
    thread::spawn(body).join().unwrap()
}

/// Starts a producer of `count` items; it answers with the kicks that it owed.
fn producer(inbox: &Arc<Inbox<Item>>, producer: usize, count: usize) -> thread::JoinHandle<usize> {
    let inbox = inbox.clone();
    thread::spawn(move || {
        let outcomes = (0..count).map(|number| inbox.push(Item::new(producer, number)));
        outcomes.filter(|outcome| matches!(outcome, Ok(Pushed::KickOwed))).count()
    })
}

/// Every item of producer 1 and 2 is there once, each producer's in order.
#[track_caller]
fn assert_complete(items: &[Box<Item>], counts: [usize; 2]) {
    for (index, count) in counts.into_iter().enumerate() {
        let of_one = items.iter().map(|item| item.name()).filter(|name| name.0 == index + 1);
        let numbers: Vec<_> = of_one.map(|name| name.1).collect();
        assert_eq!(numbers, Vec::from_iter(0..count), "each item once, in its producer's order");
    }
}

/// Two producers (two items and one), an owner that drains twice beside them with a budget that splits the reversal.
fn push_against_drain(budget_nodes: usize) {
    model(move || {
        let inbox = Arc::new(Inbox::<Item>::new());
        let producers = [producer(&inbox, 1, 2), producer(&inbox, 2, 1)];
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let mut items: Vec<Box<Item>> = Vec::new();
            for _ in 0..2 {
                // Names are read at once: after the join below no race would be left to see.
                items.extend(owner.drain(budget_nodes).inspect(|item| assert!(item.name().0 > 0)));
            }
            let beside = items.len();
            let kicks: usize = producers.map(|producer| producer.join().unwrap()).iter().sum();
            assert_eq!(kicks, 0, "nobody armed it");
            items.extend(owner.drain(usize::MAX));
            assert!(owner.is_empty());
            assert_complete(&items, [2, 1]);
            // Some, not all, were delivered while producers were at work.
            (1..3).contains(&beside)
        })
    });
}

#[test]
fn push_publishes_payload() {
    push_against_drain(usize::MAX);
}

#[test]
fn partial_drains_keep_every_item_in_order() {
    push_against_drain(3);
}

/// An owner that prepares to halt: drains all, arms, looks once more.
struct Halting<'a> {
    owner: Owner<'a, Item>,
    items: Vec<Box<Item>>,
    /// Kicks that came before the halt: an armed inbox had a list in the last look.
    early_kicks: usize,
}

impl Halting<'_> {
    /// `true` if the owner may halt now.
    fn prepare(&mut self) -> bool {
        self.items.extend(self.owner.drain(usize::MAX));
        if self.owner.arm().is_err() {
            return false;
        }
        fence(Ordering::SeqCst);
        if self.owner.is_empty() {
            return true;
        }
        assert!(!self.owner.disarm(), "an armed inbox with a list is no such thing");
        self.early_kicks += 1;
        false
    }
}

/// Two producers of one item each; the owner prepares to halt at most twice. If it halts while an item is still to come,
/// it is kicked exactly once for that; if it does not halt, or has everything, not at all.
#[test]
fn no_wake_is_lost() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let producers = [producer(&inbox, 1, 1), producer(&inbox, 2, 1)];
        owner(move || {
            let owner = inbox.take_owner().expect("it is new");
            let mut cpu = Halting { owner, items: Vec::new(), early_kicks: 0 };
            let halted = cpu.prepare() || cpu.prepare();
            let sleeps_on_work = halted && cpu.items.len() < 2;
            let kicks: usize = producers.map(|producer| producer.join().unwrap()).iter().sum();
            assert_eq!(
                kicks,
                cpu.early_kicks + usize::from(sleeps_on_work),
                "one kick for one halt"
            );
            cpu.items.extend(cpu.owner.drain(usize::MAX));
            assert_complete(&cpu.items, [1, 1]);
            sleeps_on_work
        })
    });
}

/// One producer; the owner is woken by an interrupt that pushed nothing, and halts again. The second arming fails only
/// if an item is there; and the item, if it came after either arming, is kicked for once.
#[test]
fn arming_again_after_a_spurious_wake_succeeds() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let producer = producer(&inbox, 1, 1);
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let armed = owner.arm().is_ok();
            let armed_again = owner.arm().is_ok();
            assert!(armed_again || !owner.is_empty(), "ARMED left behind does not refuse");
            assert!(armed || !armed_again, "an item that is there stays there");
            assert_eq!(producer.join().unwrap(), usize::from(armed), "one kick for one arming");
            let items: Vec<_> = owner.drain(usize::MAX).collect();
            assert_complete(&items, [1, 0]);
            armed && !armed_again
        })
    });
}

/// One producer against an owner that arms and takes it back: a disarm that succeeds means that nobody kicks, one that
/// fails that somebody does.
#[test]
fn a_disarm_and_a_kick_exclude_each_other() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let producer = producer(&inbox, 1, 1);
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let kick_due = owner.arm().is_ok() && !owner.disarm();
            assert_eq!(producer.join().unwrap() == 1, kick_due, "either disarmed or kicked");
            let items: Vec<_> = owner.drain(usize::MAX).collect();
            assert_complete(&items, [1, 0]);
            kick_due
        })
    });
}

/// Work outside the inbox, published by relaxed accesses and the two fences that the callers owe each other. Arming and
/// looking need no ordering of their own for it; without either fence this model fails.
#[test]
fn the_callers_fences_make_halting_safe_for_other_work() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let other_work = Arc::new(AtomicBool::new(false));
        let publisher = {
            let (inbox, other_work) = (inbox.clone(), other_work.clone());
            thread::spawn(move || {
                other_work.store(true, Ordering::Relaxed);
                fence(Ordering::SeqCst);
                inbox.is_armed()
            })
        };
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            assert!(owner.arm().is_ok());
            fence(Ordering::SeqCst);
            let halts = !other_work.load(Ordering::Relaxed);
            let kicks = publisher.join().unwrap();
            assert!(kicks || !halts, "the owner saw the work or the publisher saw the owner");
            halts
        })
    });
}

/// Two producers (two items and one) against an owner that drains a little, then closes. Each item is delivered or
/// refused, once; what one producer got in is a prefix of what it pushed.
#[test]
fn closing_loses_nothing_and_doubles_nothing() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let producers = [(1, 2), (2, 1)].map(|(producer, count)| {
            let inbox = inbox.clone();
            thread::spawn(move || {
                let outcomes = (0..count).map(|number| inbox.push(Item::new(producer, number)));
                let refused = outcomes.filter_map(|outcome| outcome.err());
                refused.map(|Closed(item)| item).collect::<Vec<_>>()
            })
        });
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let mut items: Vec<Box<Item>> = owner.drain(1).collect();
            items.extend(owner.close());
            for item in &items {
                item.name();
            }
            assert!(inbox.is_closed() && owner.is_empty(), "closed is closed, and empty");
            let went_in = items.len();
            // In order: the refused ones of a producer come after those that went in.
            items.extend(producers.into_iter().flat_map(|producer| producer.join().unwrap()));
            assert_complete(&items, [2, 1]);
            (1..3).contains(&went_in)
        })
    });
}

/// One producer of two items against an owner that closes and reopens: what is not refused is found after reopening.
#[test]
fn reopening_lets_items_in_again() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        let pusher = {
            let inbox = inbox.clone();
            thread::spawn(move || {
                let outcomes = [0, 1].map(|number| inbox.push(Item::new(1, number)));
                outcomes.into_iter().filter_map(Result::err).map(|Closed(item)| item).collect()
            })
        };
        owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            let mut items: Vec<Box<Item>> = owner.close().into_iter().collect();
            assert!(owner.reopen());
            let refused: Vec<Box<Item>> = pusher.join().unwrap();
            items.extend(owner.drain(usize::MAX));
            let refused_first =
                refused.first().is_some_and(|item| item.number == 0) && refused.len() == 1;
            items.extend(refused);
            items.sort_by_key(|item| item.number);
            assert_complete(&items, [2, 0]);
            refused_first
        })
    });
}

/// Ownership passes from one thread to the other with a half reversed remainder of two items (I3).
#[test]
fn a_new_owner_finds_the_remainder() {
    model(|| {
        let inbox = Arc::new(Inbox::<Item>::new());
        for number in 0..2 {
            assert!(inbox.push(Item::new(1, number)).is_ok());
        }
        let take_some = |inbox: &Inbox<Item>| match inbox.take_owner() {
            Some(mut owner) => owner.drain(2).collect(),
            None => Vec::new(),
        };
        let other = {
            let inbox = inbox.clone();
            thread::spawn(move || take_some(&inbox))
        };
        let mut items = take_some(&inbox);
        let by_other = other.join().unwrap();
        let both = !items.is_empty() && !by_other.is_empty();
        items.extend(by_other);
        let mut owner = inbox.take_owner().expect("both are gone");
        items.extend(owner.drain(usize::MAX));
        items.sort_by_key(|item| item.number);
        assert_complete(&items, [2, 0]);
        both
    });
}

/// Two producers of one item each share the inbox with an owner that drains one touch; whoever is last drops it, with
/// whatever is inside.
#[test]
fn dropping_the_inbox_drops_what_others_pushed() {
    model(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        struct Counted {
            _item: Box<Item>,
            drops: Arc<AtomicUsize>,
            link: Link<Counted>,
        }
        impl Drop for Counted {
            fn drop(&mut self) {
                self.drops.fetch_add(1, Ordering::Relaxed);
            }
        }
        // SAFETY: `link` projects to the one link field, by address.
        unsafe impl Linked for Counted {
            type Handle = Box<Counted>;

            unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
                // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
                unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
            }
        }
        let inbox = Arc::new(Inbox::<Counted>::new());
        let producers = [1, 2].map(|producer| {
            let (inbox, drops) = (inbox.clone(), drops.clone());
            thread::spawn(move || {
                let _item = Item::new(producer, 0);
                assert!(inbox.push(Box::new(Counted { _item, drops, link: Link::new() })).is_ok());
            })
        });
        let remainder = owner(move || {
            let mut owner = inbox.take_owner().expect("it is new");
            owner.drain(1).for_each(drop);
            owner.has_remainder()
        });
        for producer in producers {
            producer.join().unwrap();
        }
        assert_eq!(drops.load(Ordering::Relaxed), 2, "each item is dropped once");
        remainder
    });
}
