//! A thief that stalls in the middle of a steal, between reading the word and its compare-and-swap, while the world goes
//! on: `steal_if` calls us there.

use std::cell::RefCell;
use steal_deque::{Deque, Steal, StealDeque, Storage};

/// Stalls a thief over the back of a deque with `resident` items while `meanwhile` happens, and tells what came of it.
fn stalled<S: Storage>(
    deque: &Deque<usize, S>,
    resident: usize,
    meanwhile: impl FnOnce(&mut steal_deque::Owner<'_, usize, S>),
) -> Steal<usize> {
    let (mut owner, stealer) = deque.split().unwrap();
    assert_eq!(owner.push_bulk(&mut (0..resident)), resident);
    let owner = RefCell::new(owner);
    stealer.steal_if(|word| {
        assert_eq!(word.addr(), 0);
        meanwhile(&mut owner.borrow_mut());
        true
    })
}

/// The slot under the thief is used again, `laps` times over, and at the end there is an item in it: another one.
fn a_lap<const N: usize>(start: u64, laps: usize) {
    let deque = StealDeque::<usize, N>::new_at(start);
    let told = stalled(&deque, N, |owner| {
        let other = deque.stealer();
        for lap in 1..=laps {
            assert!((0..N).all(|_| other.steal().taken().is_some()));
            assert_eq!(owner.push_bulk(&mut (lap * N..(lap + 1) * N)), N);
        }
    });
    assert_eq!(told, Steal::Retry, "capacity {N}, {laps} laps from {start}");
    let left: Vec<_> = std::iter::from_fn(|| deque.stealer().steal().taken()).collect();
    assert_eq!(left, Vec::from_iter(laps * N..(laps + 1) * N), "it took one all the same");
}

#[test]
fn a_thief_that_stalls_for_whole_laps_takes_nothing() {
    for start in [0, u64::MAX - 3, i64::MAX as u64 - 3] {
        for laps in 1..4 {
            a_lap::<1>(start, laps);
            a_lap::<2>(start, laps);
            a_lap::<8>(start, laps);
        }
    }
}

/// By pops alone, which lower `bottom` and bring `top` nowhere but at the last item.
#[test]
fn a_thief_that_stalls_while_the_owner_pops_all_and_pushes_again_takes_nothing() {
    for resident in 1..=4 {
        let deque = StealDeque::<usize, 4>::new_at(u64::MAX - 1);
        let told = stalled(&deque, resident, |owner| {
            assert!((0..resident).rev().all(|item| owner.pop() == Some(item)));
            assert_eq!(owner.push_bulk(&mut (10..14)), 4);
        });
        assert_eq!((told, deque.stealer().len_hint()), (Steal::Retry, 4));
    }
}

/// As long as its item is untouched it gets it, whatever happens to the others.
#[test]
fn a_thief_that_stalls_while_others_come_and_go_gets_its_item() {
    let deque = StealDeque::<usize, 4>::new_at(u64::MAX - 1);
    let told = stalled(&deque, 4, |owner| {
        assert!(owner.pop_bulk(3).eq([3, 2, 1]));
        assert_eq!(owner.push_bulk(&mut (10..14)), 3);
    });
    assert_eq!(told, Steal::Taken(0));
    assert!(std::iter::from_fn(|| deque.stealer().steal().taken()).eq(10..13));
}

#[test]
fn a_thief_that_stalls_over_a_bulk_of_all_takes_nothing() {
    let deque = StealDeque::<usize, 4>::new();
    let told = stalled(&deque, 3, |owner| assert!(owner.pop_bulk(9).eq([2, 1, 0])));
    assert_eq!(told, Steal::Retry);
}

#[test]
fn tries_are_bounded_and_retries_are_told_from_empty() {
    let deque = StealDeque::<usize, 4>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    assert_eq!(stealer.steal_within(5), Steal::Empty);
    owner.push(7).unwrap();
    assert_eq!(stealer.steal_within(0), Steal::Taken(7));
    owner.push(8).unwrap();
    assert_eq!(stealer.steal_within(5), Steal::Taken(8));
    assert_eq!(Steal::<u8>::Retry.taken(), None);
}

/// The old buffer in hand, the new one in use.
#[test]
#[cfg(feature = "alloc")]
fn a_thief_that_stalls_while_the_ring_grows_gets_its_item() {
    let deque = steal_deque::GrowableDeque::<usize>::new_at(u64::MAX - 9);
    let told = stalled(&deque, 20, |owner| {
        assert_eq!(owner.push_bulk(&mut (20..70)), 50);
        assert_eq!(owner.capacity(), 128);
    });
    assert_eq!(told, Steal::Taken(0));
    assert!(std::iter::from_fn(|| deque.stealer().steal().taken()).eq(1..70));
}
