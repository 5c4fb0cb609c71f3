//! Handles that own memory: each is dropped exactly once, whatever way it goes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use steal_deque::{Item, Steal, StealDeque};

/// How many handles of `token` there are besides it.
fn others(token: &Arc<u8>) -> usize {
    Arc::strong_count(token) - 1
}

#[test]
fn a_dropped_deque_drops_what_is_left_once() {
    let token = Arc::new(0);
    for start in [0, u64::MAX - 1] {
        let deque = StealDeque::<Arc<u8>, 4>::new_at(start);
        let (mut owner, stealer) = deque.split().unwrap();
        for _ in 0..4 {
            owner.push(token.clone()).unwrap();
        }
        drop(owner.pop());
        drop(stealer.steal().taken());
        drop(owner);
        assert_eq!(others(&token), 2);
        drop(deque);
        assert_eq!(others(&token), 0);
    }
}

#[test]
fn a_refused_item_comes_back_alive() {
    let token = Arc::new(0);
    let deque = StealDeque::<Arc<u8>, 1>::new();
    let (mut owner, _) = deque.split().unwrap();
    owner.push(token.clone()).unwrap();
    let refused = owner.push(token.clone()).unwrap_err();
    assert_eq!(others(&token), 2);
    drop(refused);
    assert_eq!(others(&token), 1);
}

#[test]
fn items_outlive_their_owner() {
    let deque = StealDeque::<Box<u8>, 4>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    owner.push(Box::new(1)).unwrap();
    owner.push(Box::new(2)).unwrap();
    assert!(deque.split().is_none());
    drop(owner);
    assert_eq!(stealer.steal(), Steal::Taken(Box::new(1)));
    let (mut owner, _) = deque.split().unwrap();
    assert_eq!(owner.pop(), Some(Box::new(2)));
    assert_eq!(owner.pop(), None);
}

#[test]
fn a_dropped_bulk_drops_what_was_not_taken() {
    let token = Arc::new(0);
    let deque = StealDeque::<Arc<u8>, 4>::new();
    let (mut owner, _) = deque.split().unwrap();
    for _ in 0..4 {
        owner.push(token.clone()).unwrap();
    }
    let mut bulk = owner.pop_bulk(3);
    let first = bulk.next();
    drop(bulk);
    assert_eq!(others(&token), 2);
    drop(first);
    assert_eq!(owner.len(), 1);
}

#[test]
fn an_iterator_that_panics_gives_what_it_gave() {
    let token = Arc::new(0);
    let deque = StealDeque::<Arc<u8>, 4>::new();
    let (mut owner, _) = deque.split().unwrap();
    let mut items = (0..4).map(|number| if number < 2 { token.clone() } else { panic!("out") });
    assert!(catch_unwind(AssertUnwindSafe(|| owner.refill(&mut items))).is_err());
    assert_eq!((owner.len(), others(&token)), (2, 2));
    assert_eq!(owner.pop().iter().chain(&owner.pop()).count(), 2);
    assert!(owner.is_empty());
}

#[test]
fn a_drop_that_panics_drops_nothing_twice() {
    struct Bomb(Arc<u8>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert_eq!(*self.0, 0, "bang");
        }
    }
    let (dud, live) = (Arc::new(0), Arc::new(1));
    let deque = StealDeque::<Box<Bomb>, 4>::new();
    let (mut owner, _) = deque.split().unwrap();
    owner.push(Box::new(Bomb(dud.clone()))).unwrap();
    owner.push(Box::new(Bomb(live.clone()))).unwrap();
    drop(owner);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(deque))).is_err());
    assert_eq!((others(&dud), others(&live)), (0, 0));
}

/// What goes in comes out, also by a thief.
fn goes_round<T: Item + PartialEq + std::fmt::Debug>(make: impl Fn() -> T) {
    let deque = StealDeque::<T, 2>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    owner.push(make()).ok().unwrap();
    owner.push(make()).ok().unwrap();
    assert_eq!(owner.pop(), Some(make()));
    assert_eq!(stealer.steal(), Steal::Taken(make()));
}

#[test]
fn every_ready_made_handle_goes_round() {
    static NUMBER: u64 = 5;
    goes_round(|| 0_usize);
    goes_round(|| usize::MAX);
    goes_round(|| &NUMBER);
    goes_round(|| NonNull::from(&NUMBER));
    goes_round(|| Box::new(5_u64));
    goes_round(|| Box::new(()));
    goes_round(|| Arc::new(5_u64));
    goes_round(|| Box::pin(5_u64));
    goes_round(|| Pin::new(Arc::new(5_u64)));
}
