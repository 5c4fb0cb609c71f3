//! Rings that grow: what is kept, what is freed, what comes out.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use steal_deque::{Deque, Full, GrowableDeque, NotEmpty, Steal, Storage};

fn grows<S: Storage>(deque: &Deque<usize, S>) {
    let (mut owner, stealer) = deque.split().unwrap();
    assert_eq!((owner.capacity(), owner.pop(), stealer.steal()), (0, None, Steal::Empty));
    owner.push(0).unwrap();
    assert_eq!(owner.capacity(), 32);
    // Out of place by seven, so that what is copied wraps.
    assert_eq!(owner.push_bulk(&mut (1..32)), 31);
    assert!((0..7).all(|item| stealer.steal() == Steal::Taken(item)));
    assert_eq!((owner.push_bulk(&mut (32..39)), owner.capacity()), (7, 32));
    owner.push(39).unwrap();
    assert_eq!(owner.capacity(), 64);
    assert_eq!(owner.push_bulk(&mut (40..200)), 160);
    assert_eq!((owner.capacity(), owner.len()), (256, 193));
    assert_eq!(owner.refill(&mut (0..1)), Err(NotEmpty));
    assert!((7..100).all(|item| stealer.steal() == Steal::Taken(item)));
    assert!((100..200).rev().all(|item| owner.pop() == Some(item)));
    assert!(owner.is_empty() && owner.pop().is_none());
    // A refill fills what there is, and does not grow.
    assert_eq!(owner.refill(&mut (0..400)), Ok(256));
    assert_eq!((owner.pop(), stealer.steal()), (Some(0), Steal::Taken(255)));
}

#[test]
fn a_ring_grows_when_it_is_full() {
    let starts = [u64::MAX - 20, i64::MAX as u64 - 20, 0];
    for start in starts.into_iter().take(if cfg!(miri) { 1 } else { 3 }) {
        grows(&GrowableDeque::new_at(start));
        #[cfg(feature = "epoch")]
        grows(&steal_deque::EpochDeque::new_at(start));
    }
    assert_eq!(GrowableDeque::<usize>::default().stealer().len_hint(), 0);
}

#[test]
fn the_first_refill_takes_the_first_buffer() {
    let deque = GrowableDeque::<usize>::new();
    let (mut owner, _) = deque.split().unwrap();
    assert_eq!(owner.refill(&mut (0..40)), Ok(32));
    assert_eq!(owner.pop(), Some(0));
}

#[test]
fn a_ring_grows_for_what_is_drained_into_it() {
    let (gone, own) = (GrowableDeque::<usize>::new(), GrowableDeque::<usize>::new());
    let (mut adopted, _) = gone.split().unwrap();
    let (mut mine, _) = own.split().unwrap();
    assert_eq!(adopted.push_bulk(&mut (0..70)), 70);
    assert_eq!(adopted.drain_into(&mut mine), 70);
    assert_eq!((mine.capacity(), mine.len(), adopted.len()), (128, 70, 0));
    assert!((0..70).rev().all(|item| mine.pop() == Some(item)));
}

/// Drops are counted here; that buffers go while others look at them is for Miri to see.
fn freed<S: Storage>(deque: Deque<Arc<u8>, S>) {
    let token = Arc::new(0);
    let (mut owner, stealer) = deque.split().unwrap();
    assert_eq!(owner.push_bulk(&mut std::iter::repeat_n(token.clone(), 70)), 70);
    drop((owner.pop(), stealer.steal()));
    assert_eq!(Arc::strong_count(&token), 69);
    drop(owner);
    drop(deque);
    assert_eq!(Arc::strong_count(&token), 1);
}

#[test]
fn a_ring_that_grew_is_freed_with_its_items() {
    let before = BLOCKS.get();
    freed(GrowableDeque::new());
    freed(GrowableDeque::new_at(u64::MAX));
    drop(GrowableDeque::<usize>::new());
    assert_eq!(BLOCKS.get(), before, "memory was kept");
    #[cfg(feature = "epoch")]
    freed(steal_deque::EpochDeque::new());
}

#[test]
#[cfg(feature = "epoch")]
fn a_ring_shrinks_on_request_to_what_holds_its_items() {
    let deque = steal_deque::EpochDeque::<usize>::new_at(u64::MAX - 600);
    let (mut owner, stealer) = deque.split().unwrap();
    owner.shrink_to(0);
    assert_eq!(owner.capacity(), 0);
    assert_eq!(owner.push_bulk(&mut (0..1000)), 1000);
    owner.shrink_to(0);
    assert_eq!(owner.capacity(), 1024);
    assert!((0..850).all(|item| stealer.steal() == Steal::Taken(item)));
    owner.shrink_to(300);
    assert_eq!(owner.capacity(), 512);
    owner.shrink_to(0);
    assert_eq!((owner.capacity(), owner.len()), (256, 150));
    assert!((870..1000).rev().all(|item| owner.pop() == Some(item)));
    owner.shrink_to(0);
    assert_eq!((owner.capacity(), owner.len()), (32, 20));
    assert_eq!(owner.push_bulk(&mut (0..20)), 20);
    assert!((0..20).rev().all(|item| owner.pop() == Some(item)));
    assert!((850..870).all(|item| stealer.steal() == Steal::Taken(item)));
    owner.shrink_to(usize::MAX);
    assert_eq!(owner.capacity(), 64);
}

/// The system's allocator, which has no more where a test says so, and counts what each thread has of it.
struct Failing;

thread_local! {
    static HAS_NO_MORE: Cell<bool> = const { Cell::new(false) };
    static BLOCKS: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: it is the system's, or gives nothing.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if HAS_NO_MORE.get() {
            return std::ptr::null_mut();
        }
        BLOCKS.set(BLOCKS.get() + 1);
        // SAFETY: our caller's promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        BLOCKS.set(BLOCKS.get() - 1);
        // SAFETY: our caller's promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Failing = Failing;

#[test]
fn a_ring_that_cannot_grow_hands_the_item_back() {
    let deque = GrowableDeque::<usize>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    HAS_NO_MORE.set(true);
    let none_at_first = (owner.push(7), owner.push_bulk(&mut (0..3)), owner.refill(&mut (0..3)));
    HAS_NO_MORE.set(false);
    assert_eq!(none_at_first, (Err(Full(7)), 0, Ok(0)));
    assert_eq!(owner.push_bulk(&mut (0..32)), 32);
    HAS_NO_MORE.set(true);
    let none_later = (owner.push(7), owner.push_bulk(&mut (0..3)));
    HAS_NO_MORE.set(false);
    assert_eq!(none_later, (Err(Full(7)), 0));
    assert_eq!((owner.capacity(), owner.pop(), stealer.steal()), (32, Some(31), Steal::Taken(0)));
}
