//! Models of the deque. Each runs under every schedule with at most `LOOM_MAX_PREEMPTIONS` (3) preemptions, on
//! every weak outcome loom knows; the bounds of each are in its comment.
//!
//! The payload of an item is a loom cell behind a pointer: to read it without the writes before it having been
//! published is a failure ("Causality violation"), and so is to lose one or have it twice (the count).

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use loom::thread;
use std::sync::Arc;
use steal_deque::{Item, Owner, Steal, StealDeque, Stealer};

/// A number in a loom cell, behind the pointer that is the word.
struct Payload(Box<UnsafeCell<usize>>);

// SAFETY: the cell is reached through the one `Payload`, by one thread at a time.
unsafe impl Send for Payload {}

// SAFETY: the word is the box's pointer; ownership goes into it and comes out of it.
unsafe impl Item for Payload {
    fn into_word(self) -> *mut () {
        Box::into_raw(self.0).cast()
    }

    unsafe fn from_word(word: *mut ()) -> Self {
        // SAFETY: `word` came out of `into_word`, once, by this function's contract.
        Self(unsafe { Box::from_raw(word.cast()) })
    }
}

impl Payload {
    fn new(number: usize) -> Self {
        let cell = UnsafeCell::new(0);
        // A write that must happen before every read: loom checks the cell, not the box.
        // SAFETY: nobody else has the cell yet.
        cell.with_mut(|slot| unsafe { *slot = number });
        Self(Box::new(cell))
    }

    fn read(self) -> usize {
        // SAFETY: nobody writes an item that is in somebody's hand; loom checks.
        self.0.with(|slot| unsafe { *slot })
    }
}

/// std's `Arc`: its counts are not what is modelled, and every thread is joined before the deque goes.
type Deque<const N: usize> = Arc<StealDeque<Payload, N>>;

/// A deque that starts just before the positions wrap, so that every model crosses the edge.
fn deque<const N: usize>() -> Deque<N> {
    Arc::new(StealDeque::new_at(u64::MAX))
}

/// One attempt to steal.
fn steal<const N: usize>(stealer: &Stealer<'_, Payload, N>) -> Vec<usize> {
    match stealer.steal() {
        Steal::Taken(item) => vec![item.read()],
        Steal::Empty | Steal::Retry => vec![],
    }
}

/// A thread that tries to steal `attempts` times.
fn thief<const N: usize>(deque: &Deque<N>, attempts: usize) -> thread::JoinHandle<Vec<usize>> {
    let deque = deque.clone();
    thread::spawn(move || (0..attempts).flat_map(|_| steal(&deque.stealer())).collect())
}

fn pop<const N: usize>(owner: &mut Owner<'_, Payload, N>) -> Vec<usize> {
    owner.pop().map(Payload::read).into_iter().collect()
}

fn push<const N: usize>(owner: &mut Owner<'_, Payload, N>, number: usize) {
    owner.push(Payload::new(number)).unwrap();
}

/// Joins the thieves, takes what is left, and checks that `0 … items − 1` came out, each exactly once.
fn settle<const N: usize>(
    items: usize,
    mut out: Vec<usize>,
    thieves: impl IntoIterator<Item = thread::JoinHandle<Vec<usize>>>,
    owner: &mut Owner<'_, Payload, N>,
) {
    for thief in thieves {
        out.extend(thief.join().unwrap());
    }
    while let Some(item) = owner.pop() {
        out.push(item.read());
    }
    out.sort_unstable();
    assert!(out.iter().copied().eq(0..items), "each item exactly once, but got {out:?}");
}

/// pop ∥ steal ∥ steal on `ITEMS` items that were there before the thieves.
fn pop_against_two_thieves<const ITEMS: usize>() {
    loom::model(|| {
        let deque = deque::<4>();
        let (mut owner, _) = deque.split().unwrap();
        for number in 0..ITEMS {
            push(&mut owner, number);
        }
        let thieves = [thief(&deque, 1), thief(&deque, 1)];
        let popped = pop(&mut owner);
        settle(ITEMS, popped, thieves, &mut owner);
    });
}

/// One item, three takers: owner and both thieves race for it by compare-and-swap. One pop, one steal each.
#[test]
fn one_item_goes_to_one_of_three() {
    pop_against_two_thieves::<1>();
}

/// Two items: the fence in the pop decides whether the owner may take without compare-and-swap.
#[test]
fn two_items_go_out_once_each() {
    pop_against_two_thieves::<2>();
}

/// Three items: the owner's is never in reach of two steals, but for a stale `bottom`.
#[test]
fn three_items_go_out_once_each() {
    pop_against_two_thieves::<3>();
}

/// Two pops against two thieves of one steal each, two items: the second pop follows the first's claim.
#[test]
fn two_pops_against_two_thieves() {
    loom::model(|| {
        let deque = deque::<2>();
        let (mut owner, _) = deque.split().unwrap();
        push(&mut owner, 0);
        push(&mut owner, 1);
        let thieves = [thief(&deque, 1), thief(&deque, 1)];
        let mut popped = pop(&mut owner);
        popped.extend(pop(&mut owner));
        settle(2, popped, thieves, &mut owner);
    });
}

/// push ∥ steal ∥ steal: a thief that finds an item finds its payload. One push, two thieves of one steal.
#[test]
fn push_publishes_payload() {
    loom::model(|| {
        let deque = deque::<2>();
        let (mut owner, _) = deque.split().unwrap();
        let thieves = [thief(&deque, 1), thief(&deque, 1)];
        push(&mut owner, 0);
        settle(1, vec![], thieves, &mut owner);
    });
}

/// The release-sequence trap, on the deque: a thief that reads `bottom` as *a pop* lowered it needs the
/// payload below it as well. Two pushes and a pop against one thief of one steal.
#[test]
fn a_lowered_bottom_publishes_what_is_below() {
    loom::model(|| {
        let deque = deque::<2>();
        let (mut owner, _) = deque.split().unwrap();
        let thieves = [thief(&deque, 1)];
        push(&mut owner, 0);
        push(&mut owner, 1);
        let popped = pop(&mut owner);
        settle(2, popped, thieves, &mut owner);
    });
}

/// The same when the right to be the owner went to another thread: whatever the push did there, the pop's store
/// must release what is below. Two pushes by the first owner, one pop by the second, if it is quick enough;
/// one thief of one steal.
#[test]
fn the_next_owner_publishes_what_is_below() {
    loom::model(|| {
        let deque = deque::<2>();
        let thief = thief(&deque, 1);
        let next_owner = {
            let deque = deque.clone();
            thread::spawn(move || {
                let Some((mut owner, _)) = deque.split() else { return vec![] };
                pop(&mut owner)
            })
        };
        let (mut owner, _) = loop {
            if let Some(both) = deque.split() {
                break both;
            }
            thread::yield_now();
        };
        push(&mut owner, 0);
        push(&mut owner, 1);
        drop(owner);
        let mut out = next_owner.join().unwrap();
        out.extend(thief.join().unwrap());
        let (mut owner, _) = deque.split().unwrap();
        settle(2, out, [], &mut owner);
    });
}

/// A new owner goes on where the last one stopped: a thief that stalled with the word of an item that the last
/// owner popped must not win its compare-and-swap. One item by each owner, one thief of one steal, one slot.
#[test]
fn positions_are_never_reset() {
    loom::model(|| {
        let deque = deque::<1>();
        let (mut owner, _) = deque.split().unwrap();
        push(&mut owner, 0);
        let thieves = [thief(&deque, 1)];
        let popped = pop(&mut owner);
        drop(owner);
        let (mut owner, _) = deque.split().unwrap();
        let refused = owner.push(Payload::new(1)).err();
        assert!(refused.is_none(), "the deque is empty");
        settle(2, popped, thieves, &mut owner);
    });
}

/// A capacity of one, so that every item goes through the same slot: a thief that was slow has the word of a
/// later item in its hand, and must not get to keep it. Two pushes against two thieves of one steal each; what
/// does not fit stays here.
#[test]
fn a_word_read_too_late_is_thrown_away() {
    loom::model(|| {
        let deque = deque::<1>();
        let (mut owner, _) = deque.split().unwrap();
        let thieves = [thief(&deque, 1), thief(&deque, 1)];
        push(&mut owner, 0);
        let refused = owner.push(Payload::new(1)).err();
        let in_hand = refused.map(|full| full.0.read()).into_iter().collect();
        settle(2, in_hand, thieves, &mut owner);
    });
}

fn refill<const N: usize>(owner: &mut Owner<'_, Payload, N>, items: usize) {
    let taken = owner.refill(&mut (0..items).map(Payload::new)).unwrap();
    assert_eq!(taken, items);
}

/// refill ∥ steal: a thief finds nothing or the newest, with its payload, and never has to retry. Three items, one
/// thief of one steal; the owner pops after it is done, oldest first.
#[test]
fn refill_gives_thieves_the_newest() {
    loom::model(|| {
        let deque = deque::<4>();
        let (mut owner, _) = deque.split().unwrap();
        let thief = {
            let deque = deque.clone();
            thread::spawn(move || match deque.stealer().steal() {
                Steal::Taken(item) => Some(item.read()),
                Steal::Empty => None,
                Steal::Retry => panic!("nobody else takes"),
            })
        };
        refill(&mut owner, 3);
        let stolen = thief.join().unwrap();
        assert!(matches!(stolen, None | Some(2)), "not the newest: {stolen:?}");
        let popped: Vec<_> = std::iter::from_fn(|| owner.pop()).map(Payload::read).collect();
        assert!(
            popped.iter().copied().eq(0..3 - stolen.iter().len()),
            "not oldest first: {popped:?}"
        );
    });
}

/// (refill, pop) ∥ steal ∥ steal: two items, two thieves of one steal each, one pop.
#[test]
fn refill_and_pop_against_two_thieves() {
    loom::model(|| {
        let deque = deque::<2>();
        let (mut owner, _) = deque.split().unwrap();
        let thieves = [thief(&deque, 1), thief(&deque, 1)];
        refill(&mut owner, 2);
        let popped = pop(&mut owner);
        settle(2, popped, thieves, &mut owner);
    });
}

/// Refill after refill: the second writes slots that thieves of the first may still look at. Two items, then as
/// many as were popped; two thieves of one steal each, in a ring of two.
#[test]
fn refill_again_against_two_thieves() {
    loom::model(|| {
        let deque = deque::<2>();
        let (mut owner, _) = deque.split().unwrap();
        refill(&mut owner, 2);
        let thieves = [thief(&deque, 1), thief(&deque, 1)];
        let mut popped = vec![];
        while let Some(item) = owner.pop() {
            popped.push(item.read());
        }
        owner.refill(&mut (2..4).map(Payload::new)).unwrap();
        settle(4, popped, thieves, &mut owner);
    });
}

/// bulk ∥ steal ∥ steal on `ITEMS` items that were there before the thieves.
fn bulk_against_two_thieves<const ITEMS: usize, const MOST: usize>() {
    loom::model(|| {
        let deque = deque::<4>();
        let (mut owner, _) = deque.split().unwrap();
        for number in 0..ITEMS {
            push(&mut owner, number);
        }
        let thieves = [thief(&deque, 1), thief(&deque, 1)];
        let popped: Vec<_> = owner.pop_bulk(MOST).map(Payload::read).collect();
        assert!(popped.is_sorted_by(|left, right| left > right), "not front first: {popped:?}");
        settle(ITEMS, popped, thieves, &mut owner);
    });
}

/// Two of three at once: thieves may leave the claim alone, meet it, or have emptied part of it.
#[test]
fn bulk_of_two_from_three() {
    bulk_against_two_thieves::<3, 2>();
}

/// All of two, and all of three: the owner races for one and has the others.
#[test]
fn bulk_of_all() {
    bulk_against_two_thieves::<2, 2>();
    bulk_against_two_thieves::<3, 3>();
}

/// A bulk that claimed what thieves were after, then a push to the place it gave up: the thief that stalled over it
/// must not take both. Two items, a bulk of two, a push; two thieves of one steal each.
#[test]
fn bulk_then_push_against_two_thieves() {
    loom::model(|| {
        let deque = deque::<2>();
        let (mut owner, _) = deque.split().unwrap();
        push(&mut owner, 0);
        push(&mut owner, 1);
        let thieves = [thief(&deque, 1), thief(&deque, 1)];
        let popped: Vec<_> = owner.pop_bulk(2).map(Payload::read).collect();
        push(&mut owner, 2);
        settle(3, popped, thieves, &mut owner);
    });
}

/// The release-sequence trap, reduced: a payload, then `bottom` raised to 2, then lowered to 1, then a thief that
/// acquires the 1 and reads the payload.
fn litmus(raise: impl Fn(&AtomicUsize) + Sync + Send + Copy + 'static, lower: Ordering) {
    loom::model(move || {
        let payload = Arc::new(UnsafeCell::new(0));
        let bottom = Arc::new(AtomicUsize::new(0));
        let thief = {
            let (payload, bottom) = (payload.clone(), bottom.clone());
            thread::spawn(move || {
                if bottom.load(Ordering::Acquire) == 1 {
                    // SAFETY: what the litmus asks; loom answers.
                    payload.with(|number| assert_eq!(unsafe { *number }, 7));
                }
            })
        };
        // SAFETY: what the litmus asks; loom answers.
        payload.with_mut(|number| unsafe { *number = 7 });
        raise(&bottom);
        bottom.store(1, lower);
        thief.join().unwrap();
    });
}

/// Both stores release: ours.
#[test]
fn litmus_release_then_release_is_sound() {
    litmus(|bottom| bottom.store(2, Ordering::Release), Ordering::Release);
}

/// A fence before the first store carries both: Lê et al. It is sound as long as the thread stays the same.
#[test]
fn litmus_fence_then_relaxed_is_sound() {
    litmus(
        |bottom| {
            fence(Ordering::Release);
            bottom.store(2, Ordering::Relaxed);
        },
        Ordering::Relaxed,
    );
}

/// The trap: the first store releases, the second does not continue its release sequence.
#[test]
#[should_panic(expected = "Causality violation")]
fn litmus_release_then_relaxed_is_a_race() {
    litmus(|bottom| bottom.store(2, Ordering::Release), Ordering::Relaxed);
}
