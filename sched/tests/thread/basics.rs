use crate::bench::{spawn, stack, timer_interrupt};
use crate::common::{Notes, Test, poll_once};
use sched::thread::{NotAThread, Policy, Stack, StackMemory};
use sched::{JoinError, Machine as _, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

#[test]
fn a_thread_runs_and_its_output_is_joined() {
    let mut test = Test::new(1);
    let mut handle = spawn(&mut test, 0, Policy::DEFAULT, || 6 * 7);
    assert_eq!(poll_once(&mut handle), Poll::Pending);
    test.settle(0);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(42)));
    drop(handle);
    test.settle(0);
    test.finish();
}

#[test]
fn its_closure_and_output_are_dropped_once() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let drops = Arc::new(AtomicUsize::new(0));
    let mut test = Test::new(1);
    let counted = Counted(drops.clone());
    // Nobody takes the output.
    drop(spawn(&mut test, 0, Policy::DEFAULT, move || counted));
    test.settle(0);
    assert_eq!(drops.load(SeqCst), 1);
    // Nobody runs the closure.
    let counted = Counted(drops.clone());
    let mut handle = spawn(&mut test, 0, Policy::DEFAULT, move || drop(counted));
    handle.cancel();
    test.settle(0);
    assert_eq!(drops.load(SeqCst), 2);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Err(JoinError::Cancelled)));
    drop(handle);
    test.settle(0);
    test.finish();
}

#[test]
fn threads_that_yield_take_turns() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    for name in [1, 2] {
        let notes = notes.clone();
        drop(spawn(&mut test, 0, Policy::Realtime { priority: 1 }, move || {
            for _ in 0..3 {
                notes.push(name);
                scheduler.yield_thread();
            }
        }));
    }
    test.settle(0);
    assert_eq!(notes.take(), [1, 2, 1, 2, 1, 2]);
    test.finish();
}

#[test]
fn a_thread_parks_until_it_is_woken() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let (waker, seen) = (Arc::new(std::sync::Mutex::new(None)), notes.clone());
    let place = waker.clone();
    drop(spawn(&mut test, 0, Policy::DEFAULT, move || {
        *place.lock().unwrap() = scheduler.thread_waker();
        seen.push(1);
        scheduler.park().unwrap();
        seen.push(2);
        // A wake that comes while it runs is for its next park.
        let waker = place.lock().unwrap().take().unwrap();
        waker.wake_by_ref();
        scheduler.park().unwrap();
        seen.push(3);
        *place.lock().unwrap() = Some(waker);
        scheduler.park().unwrap();
        seen.push(4);
    }));
    test.settle(0);
    assert_eq!(notes.take(), [1]);
    let first = waker.lock().unwrap().clone().unwrap();
    first.wake_by_ref();
    first.wake();
    test.settle(0);
    // The second wake came before the pick: the park that returned answered both.
    assert_eq!(notes.take(), [2, 3]);
    // The park that found its token did not leave the CPU.
    assert_eq!(scheduler.totals().thread_runs, 2);
    waker.lock().unwrap().take().unwrap().wake();
    test.settle(0);
    assert_eq!(notes.take(), [4]);
    test.finish();
}

/// PA1: the wake comes between the thread's look at its condition and its park, and a preemption as well.
#[test]
fn a_wake_before_a_preemption_is_not_lost() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let mut handle = spawn(&mut test, 0, Policy::DEFAULT, move || {
        let waker = scheduler.thread_waker().unwrap();
        waker.wake();
        timer_interrupt(scheduler, 10_000_000);
        scheduler.park().unwrap();
    });
    test.settle(0);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(())));
    drop(handle);
    test.settle(0);
    test.finish();
}

/// The same, with the wake while the preempted thread is queued.
#[test]
fn a_wake_of_a_preempted_thread_is_not_lost() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let place = Arc::new(std::sync::Mutex::new(None));
    let waker = place.clone();
    let mut handle = spawn(&mut test, 0, Policy::DEFAULT, move || {
        *waker.lock().unwrap() = scheduler.thread_waker();
        timer_interrupt(scheduler, 1);
        scheduler.park().unwrap();
    });
    assert_eq!(test.step(0), Step::Ran);
    place.lock().unwrap().take().unwrap().wake();
    test.settle(0);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(())));
    drop(handle);
    test.settle(0);
    test.finish();
}

#[test]
fn a_thread_waits_for_futures_as_tasks_do() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let mut handle = spawn(&mut test, 0, Policy::DEFAULT, move || {
        let child = scheduler.spawn(async { 5 });
        let five = scheduler.wait(child).unwrap().unwrap();
        scheduler.wait(scheduler.sleep(std::time::Duration::from_micros(50))).unwrap();
        five + 1
    });
    test.settle(0);
    assert_eq!(poll_once(&mut handle), Poll::Pending);
    test.advance_to(60_000);
    test.settle(0);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(6)));
    drop(handle);
    test.settle(0);
    test.finish();
}

#[test]
fn only_a_thread_can_wait() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    assert_eq!(scheduler.park(), Err(NotAThread));
    assert_eq!(scheduler.wait(async {}), Err(NotAThread));
    assert!(scheduler.thread_waker().is_none());
    scheduler.yield_thread();
    scheduler.resched_point();
    scheduler.preempt();
    drop(scheduler.no_reschedule());
    let mut task = test.on(0, |_| {
        scheduler.spawn(async move {
            scheduler.yield_thread();
            scheduler.park()
        })
    });
    test.settle(0);
    assert_eq!(poll_once(&mut task), Poll::Ready(Ok(Err(NotAThread))));
    drop(task);
    test.settle(0);
    test.finish();
}

#[test]
fn no_reschedule_keeps_off_what_was_asked_for_until_it_ends() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let seen = notes.clone();
    drop(spawn(&mut test, 0, Policy::DEFAULT, move || {
        let outer = scheduler.no_reschedule();
        let inner = scheduler.no_reschedule();
        timer_interrupt(scheduler, 10_000_000);
        assert_eq!(scheduler.park(), Err(NotAThread));
        seen.push(1);
        drop(inner);
        seen.push(2);
        drop(outer);
        seen.push(3);
    }));
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(notes.take(), [1, 2]);
    test.settle(0);
    assert_eq!(notes.take(), [3]);
    test.finish();
}

/// H3.
#[test]
fn a_thread_that_must_not_wait_is_told_and_named() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let told = || scheduler.machine().slept_in_atomic.load(SeqCst);
    drop(spawn(&mut test, 0, Policy::DEFAULT, move || {
        let machine = scheduler.machine();
        let saved = machine.mask();
        assert_eq!(scheduler.park(), Err(NotAThread));
        // SAFETY: of the `mask` above.
        unsafe { machine.restore(saved) };
        assert_eq!(told(), 1);
        let guard = scheduler.no_reschedule();
        assert_eq!(scheduler.wait(std::future::pending::<()>()), Err(NotAThread));
        drop(guard);
        assert_eq!(told(), 2);
    }));
    test.settle(0);
    assert_eq!((told(), scheduler.totals().completed), (2, 1));
    test.finish();
}

#[test]
fn a_cancelled_thread_that_has_begun_is_asked() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let mut handle = spawn(&mut test, 0, Policy::DEFAULT, move || {
        while !scheduler.is_cancelled() {
            scheduler.park().unwrap();
        }
        "asked"
    });
    test.settle(0);
    handle.cancel();
    test.settle(0);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok("asked")));
    drop(handle);
    test.settle(0);
    test.finish();
}

#[test]
fn a_stack_in_a_static_is_used_again() {
    static MEMORY: StackMemory<16_384> = StackMemory::new();
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    for round in 0..3 {
        let stack = MEMORY.claim().unwrap();
        assert!(MEMORY.claim().is_none());
        let mut handle =
            test.on(0, |_| scheduler.thread("static").spawn(stack, move || round).unwrap());
        test.settle(0);
        assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(round)));
        drop(handle);
        test.settle(0);
    }
    drop(MEMORY.claim().unwrap());
    test.finish();
}

#[test]
fn a_stack_that_is_too_small_comes_back_with_the_closure() {
    let test = Test::new(1);
    let big = [7_u8; 4096];
    let small = Stack::new(Stack::MIN_BYTES + 4096).unwrap();
    let error = test.scheduler().thread("big").spawn(small, move || big).unwrap_err();
    assert_eq!(error.stack.bytes(), Stack::MIN_BYTES + 4096);
    assert_eq!((error.closure)(), big);
    drop(error.stack);
    test.finish();
}

/// D2: what is on its stack stays as it is.
#[test]
#[cfg_attr(miri, ignore = "long, or it leaves threads behind")]
fn a_thread_that_nobody_can_wake_is_counted_and_kept() {
    static GIVEN_BACK: AtomicUsize = AtomicUsize::new(0);
    unsafe fn given_back(_: std::ptr::NonNull<[u8]>) {
        GIVEN_BACK.fetch_add(1, SeqCst);
    }
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let memory = Box::leak(vec![0_u128; 4096].into_boxed_slice());
    let memory = std::ptr::NonNull::slice_from_raw_parts(
        std::ptr::NonNull::from(memory).cast::<u8>(),
        4096 * 16,
    );
    // SAFETY: leaked.
    let stack = unsafe { Stack::from_raw(memory, Some(given_back)) };
    let handle =
        test.on(0, |_| scheduler.thread("lost").spawn(stack, || scheduler.park()).unwrap());
    drop(handle);
    test.settle(0);
    assert_eq!(scheduler.totals().unreachable, 1);
    assert_eq!(GIVEN_BACK.load(SeqCst), 0);
    test.finish();
}

#[test]
fn a_thread_survives_a_change_of_stacks_with_its_floats() {
    const ROUNDS: usize = if cfg!(miri) { 3 } else { 100 };
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let mut handles: Vec<_> = (0..4)
        .map(|seed| {
            spawn(&mut test, 0, Policy::DEFAULT, move || {
                let mut x = f64::from(seed) + 0.5;
                for _ in 0..ROUNDS {
                    x = x * 1.25 + 0.25;
                    scheduler.yield_thread();
                }
                x
            })
        })
        .collect();
    test.settle(0);
    for (seed, handle) in handles.iter_mut().enumerate() {
        let mut x = seed as f64 + 0.5;
        for _ in 0..ROUNDS {
            x = x * 1.25 + 0.25;
        }
        assert_eq!(poll_once(handle), Poll::Ready(Ok(x)));
    }
    drop(handles);
    test.settle(0);
    drop(stack());
    test.finish();
}
