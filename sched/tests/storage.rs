//! The memory of tasks: boxes, `Arc`s, and handles of one's own (row C3).

mod common;

use common::{Bell, Test, poll_once};
use sched::{Storage, TaskMemory};
use std::future::{Future, Ready, ready};
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;

#[test]
fn c3_a_task_in_an_arc_can_be_spawned_again_and_again_by_whoever_has_one() {
    let mut test = Test::new(1);
    let memory = Arc::new(TaskMemory::<Ready<u32>>::new());
    for round in 0..3 {
        let task = test.scheduler().task("arc");
        let mut handle = task.spawn_in(memory.clone(), ready(round)).unwrap();
        assert_eq!(Arc::strong_count(&memory), 2);
        let refused = test.scheduler().task("arc").spawn_in(memory.clone(), ready(99)).unwrap_err();
        assert!(Arc::ptr_eq(&refused.storage, &memory));
        let mut future = refused.future;
        assert_eq!(poll_once(&mut future), Poll::Ready(99));
        drop(refused.storage);
        test.settle(0);
        assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(round)));
        assert!(memory.is_in_use(), "the handle still leads there");
        drop(handle);
        test.settle(0);
        assert_eq!((memory.is_in_use(), Arc::strong_count(&memory)), (false, 1));
    }
    test.finish();
}

#[test]
fn c3_the_last_arc_may_be_the_tasks() {
    let mut test = Test::new(1);
    let held = Arc::new(());
    let future = ready(held.clone());
    let memory = Arc::new(TaskMemory::new());
    let weak = Arc::downgrade(&memory);
    drop(test.scheduler().task("arc").spawn_in(memory, future).unwrap());
    assert!(weak.upgrade().is_some());
    test.settle(0);
    assert!(weak.upgrade().is_none());
    assert_eq!(Arc::strong_count(&held), 1);
    test.finish();
}

#[test]
fn c3_a_box_is_freed_whatever_becomes_of_the_task() {
    let mut test = Test::new(1);
    let held = Arc::new(());
    for end in ["completed", "cancelled", "unreachable"] {
        let bell = Bell::new();
        let (held, listen) = (held.clone(), bell.listen());
        let future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            let _held = held;
            listen.await;
        });
        let memory = Box::new(TaskMemory::new());
        let handle = test.scheduler().task(end).spawn_in(memory, future).unwrap();
        test.settle(0);
        match end {
            "completed" => {
                bell.done.store(true, SeqCst);
                bell.waker().wake();
            }
            "cancelled" => handle.cancel(),
            _ => {}
        }
        *bell.waker.lock().unwrap() = None;
        drop(handle);
        test.settle(0);
    }
    assert_eq!(Arc::strong_count(&held), 1);
    let totals = test.scheduler().totals();
    assert_eq!((totals.completed, totals.cancelled, totals.unreachable), (1, 1, 1));
    test.finish();
}

static PLACES: [TaskMemory<Ready<usize>>; 3] = [const { TaskMemory::new() }; 3];
static FREE: Mutex<Vec<usize>> = Mutex::new(Vec::new());
static GIVEN_BACK: AtomicUsize = AtomicUsize::new(0);

/// One of the places; back into the pool when it is dropped.
struct Place(usize);

impl Place {
    fn take() -> Option<Self> {
        FREE.lock().unwrap().pop().map(Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        assert!(!PLACES[self.0].is_in_use(), "in use when it came back");
        GIVEN_BACK.fetch_add(1, SeqCst);
        FREE.lock().unwrap().push(self.0);
    }
}

// SAFETY: the memory is static and shared only; the place is found again by its address.
unsafe impl Storage<Ready<usize>> for Place {
    fn into_raw(self) -> NonNull<TaskMemory<Ready<usize>>> {
        NonNull::from(&PLACES[ManuallyDrop::new(self).0])
    }

    unsafe fn from_raw(memory: NonNull<TaskMemory<Ready<usize>>>) -> Self {
        let is_it = |place: &TaskMemory<_>| std::ptr::eq(place, memory.as_ptr());
        Self(PLACES.iter().position(is_it).unwrap())
    }
}

#[test]
fn c3_a_storage_of_ones_own_has_its_memory_back_after_the_task_and_before_the_next() {
    let mut test = Test::new(2);
    *FREE.lock().unwrap() = vec![0, 1, 2];
    for round in 0..4 {
        let spawn = |output| {
            let place = Place::take().expect("handles given back");
            test.scheduler().task("pooled").spawn_in(place, ready(output)).unwrap()
        };
        let mut handles = [1, 2, 3].map(spawn);
        assert!(Place::take().is_none());
        test.settle(0);
        test.settle(1);
        let outputs = handles.each_mut().map(poll_once);
        assert_eq!(outputs, [1, 2, 3].map(|output| Poll::Ready(Ok(output))));
        drop(handles);
        test.settle(0);
        test.settle(1);
        assert_eq!(GIVEN_BACK.load(SeqCst), 3 * (round + 1), "handles given back");
    }
    test.finish();
}
