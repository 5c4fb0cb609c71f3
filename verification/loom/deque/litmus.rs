//! Why every store of `bottom` releases: the release-sequence trap, reduced to two stores and a load.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use loom::thread;

/// A payload is written, then `bottom` goes up to 2 as by a push, then down to 1 as by a pop; a thief acquires the 1
/// and reads the payload.
fn litmus(push: fn(&AtomicUsize), pop: Ordering, does_owner_move: bool) {
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
        push(&bottom);
        if does_owner_move {
            thread::spawn(move || bottom.store(1, pop)).join().unwrap();
        } else {
            bottom.store(1, pop);
        }
        thief.join().unwrap();
    });
}

fn push_by_store(bottom: &AtomicUsize) {
    bottom.store(2, Ordering::Release);
}

fn push_by_fence(bottom: &AtomicUsize) {
    fence(Ordering::Release);
    bottom.store(2, Ordering::Relaxed);
}

/// Ours: both stores release.
#[test]
fn store_then_store_is_sound() {
    litmus(push_by_store, Ordering::Release, false);
    litmus(push_by_store, Ordering::Release, true);
}

/// Lê et al.: the push's fence serves the pop's relaxed store too.
#[test]
fn fence_then_relaxed_is_sound() {
    litmus(push_by_fence, Ordering::Relaxed, false);
}

/// But not when the owner moves to another thread in between.
#[test]
#[should_panic(expected = "Causality violation")]
fn fence_then_relaxed_elsewhere_is_a_race() {
    litmus(push_by_fence, Ordering::Relaxed, true);
}

/// The trap: the first store releases, the second does not continue its release sequence.
#[test]
#[should_panic(expected = "Causality violation")]
fn store_then_relaxed_is_a_race() {
    litmus(push_by_store, Ordering::Relaxed, false);
}
