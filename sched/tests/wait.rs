//! Waiting: order, gifts, batches, and what becomes of the wakes of those who go.

mod common;

use common::{CountingWaker, Test, Virtual, as_cpu};
use sched::wait::{Completion, Notify, Wait, WaitQueue};
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, Waker};

/// A future in a box, and the count of its wakes.
struct Waiting<'a> {
    future: Pin<Box<dyn Future<Output = ()> + 'a>>,
    wakes: Arc<CountingWaker>,
}

impl<'a> Waiting<'a> {
    fn new(future: impl Future<Output = ()> + 'a) -> Self {
        Self { future: Box::pin(future), wakes: Arc::default() }
    }

    /// One that waits.
    fn queued(future: impl Future<Output = ()> + 'a) -> Self {
        let mut waiting = Self::new(future);
        assert!(waiting.poll().is_pending());
        waiting
    }

    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(self.wakes.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn wakes(&self) -> usize {
        self.wakes.0.load(SeqCst)
    }
}

fn wakes(all: &[Waiting<'_>]) -> Vec<usize> {
    all.iter().map(Waiting::wakes).collect()
}

#[test]
fn one_at_a_time_is_woken_in_the_order_of_coming() {
    let (machine, notify) = (Virtual::default(), Notify::new());
    let mut all: Vec<_> = (0..3).map(|_| Waiting::queued(notify.wait(&machine))).collect();
    for expected in [[1, 0, 0], [1, 1, 0], [1, 1, 1]] {
        assert!(notify.notify_one(&machine));
        assert_eq!(wakes(&all), expected);
    }
    assert!(all.iter_mut().all(|waiting| waiting.poll().is_ready()));
    // Polled again it waits anew.
    assert!(all[0].poll().is_pending());
    assert!(notify.notify_one(&machine) && all[0].poll().is_ready());
    assert_eq!(machine.masked.load(SeqCst), 0);
}

#[test]
fn a_wake_of_one_is_kept_once_and_of_all_never() {
    let (machine, notify) = (Virtual::default(), Notify::default());
    assert_eq!((notify.notify_one(&machine), notify.notify_one(&machine)), (false, false));
    assert!(Waiting::new(notify.wait(&machine)).poll().is_ready());
    assert_eq!(notify.notify_all(&machine), 0);
    let mut waiting = Waiting::queued(notify.wait(&machine));
    assert_eq!((notify.notify_all(&machine), waiting.wakes()), (1, 1));
    assert!(waiting.poll().is_ready());
}

#[test]
fn who_goes_leaves_the_others_their_places() {
    let (machine, notify) = (Virtual::default(), Notify::new());
    for gone in 0..3 {
        let mut all: Vec<_> = (0..3).map(|_| Waiting::queued(notify.wait(&machine))).collect();
        drop(all.remove(gone));
        assert!(notify.notify_one(&machine));
        assert_eq!(wakes(&all), [1, 0]);
        assert!(notify.notify_one(&machine));
        assert_eq!(wakes(&all), [1, 1]);
        assert!(all.iter_mut().all(|waiting| waiting.poll().is_ready()));
    }
    // One that never was polled leaves nothing.
    drop(Waiting::new(notify.wait(&machine)));
    assert!(!notify.notify_one(&machine));
}

/// Chosen, and gone before it saw that: the next one has the wake, or it is kept.
#[test]
fn the_wake_of_one_who_goes_is_passed_on_or_kept() {
    let (machine, notify) = (Virtual::default(), Notify::new());
    let first = Waiting::queued(notify.wait(&machine));
    let mut second = Waiting::queued(notify.wait(&machine));
    assert!(notify.notify_one(&machine));
    drop(first);
    assert_eq!((second.wakes(), second.poll()), (1, Poll::Ready(())));
    let only = Waiting::queued(notify.wait(&machine));
    assert!(notify.notify_one(&machine));
    drop(only);
    assert!(Waiting::new(notify.wait(&machine)).poll().is_ready(), "the wake was kept");
    // One of those woken together has nothing to pass on.
    let (first, second) =
        (Waiting::queued(notify.wait(&machine)), Waiting::queued(notify.wait(&machine)));
    assert_eq!(notify.notify_all(&machine), 2);
    drop((first, second));
    drop(Waiting::queued(notify.wait(&machine)));
}

/// More than a batch; and one who waits again at once is not woken twice.
#[test]
fn all_who_wait_are_woken_and_nobody_who_comes_meanwhile() {
    const MANY: usize = 100;
    let (machine, notify) = (Virtual::default(), Notify::new());
    let mut all: Vec<_> = (0..MANY).map(|_| Waiting::queued(notify.wait(&machine))).collect();
    assert_eq!(notify.notify_all(&machine), MANY);
    assert_eq!(wakes(&all), vec![1; MANY]);
    assert!(all.iter_mut().all(|waiting| waiting.poll().is_ready()));
    assert!(all.iter_mut().all(|waiting| waiting.poll().is_pending()));
    assert_eq!(notify.notify_all(&machine), MANY);
}

/// A waker that, called, waits anew: the call that woke it ends all the same.
#[test]
fn a_waker_that_waits_again_does_not_keep_the_waking_side() {
    static NOTIFY: Notify = Notify::new();
    static MACHINE: LazyLock<Virtual> = LazyLock::new(Virtual::default);
    static WAITING: Mutex<Vec<Pin<Box<Wait<'static, Virtual>>>>> = Mutex::new(Vec::new());
    #[derive(Default)]
    struct Again(AtomicUsize);
    impl std::task::Wake for Again {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
            let mut wait = Box::pin(NOTIFY.wait(&*MACHINE));
            let waker = Waker::from(self);
            assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            WAITING.lock().unwrap().push(wait);
        }
    }
    let again = Arc::<Again>::default();
    Waker::from(again.clone()).wake();
    for calls in 2..4 {
        assert_eq!(NOTIFY.notify_all(&*MACHINE), 1);
        assert_eq!(again.0.load(SeqCst), calls);
    }
    WAITING.lock().unwrap().clear();
}

#[test]
fn a_completion_lets_everybody_go_before_and_after() {
    let (machine, done) = (Virtual::default(), Completion::default());
    let mut all: Vec<_> = (0..2).map(|_| Waiting::queued(done.wait(&machine))).collect();
    assert!(!done.is_complete(&machine));
    assert_eq!(done.complete(&machine), 2);
    assert_eq!(wakes(&all), [1, 1]);
    assert!(all.iter_mut().all(|waiting| waiting.poll().is_ready()));
    for _ in 0..2 {
        assert!(Waiting::new(done.wait(&machine)).poll().is_ready());
    }
    assert_eq!((done.complete(&machine), done.is_complete(&machine)), (0, true));
    done.reset(&machine);
    assert!(!done.is_complete(&machine));
    drop(Waiting::queued(done.wait(&machine)));
}

#[test]
fn a_condition_is_looked_at_first_and_after_each_wake() {
    let (machine, queue) = (Virtual::default(), WaitQueue::default());
    let (value, looks) = (Cell::new(0), Cell::new(0));
    let wait_for = |least: u32| {
        let (value, looks) = (&value, &looks);
        queue.wait_until(&machine, move || {
            looks.set(looks.get() + 1);
            (value.get() >= least).then_some(())
        })
    };
    assert!(Waiting::new(wait_for(0)).poll().is_ready());
    assert!(!queue.wake_one(&machine), "it left nothing behind");
    let mut all: Vec<_> = [1, 2].map(|least| Waiting::queued(wait_for(least))).into();
    assert_eq!(looks.replace(0), 3);
    // Not woken, it looks all the same: a poll for another reason.
    assert!(all[0].poll().is_pending());
    value.set(1);
    assert_eq!(queue.wake_all(&machine), 2);
    assert_eq!(wakes(&all), [1, 1]);
    assert!(all[0].poll().is_ready() && all[1].poll().is_pending());
    value.set(2);
    assert!(queue.wake_one(&machine));
    assert_eq!((all[1].wakes(), all[1].poll()), (2, Poll::Ready(())));
    assert!(format!("{queue:?} {:?}", wait_for(3)).starts_with("WaitQueue { .. } WaitUntil"));
}

/// In statics, across CPUs, tasks on one side and an interrupt handler on the other.
#[test]
fn tasks_wait_and_an_interrupt_wakes_them() {
    static NOTIFY: Notify = Notify::new();
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    for _ in 0..3 {
        drop(scheduler.spawn(async move { NOTIFY.wait(scheduler.machine()).await }));
    }
    (0..2).for_each(|cpu| test.settle(cpu));
    assert_eq!(scheduler.totals().completed, 0);
    assert_eq!(as_cpu(1, || NOTIFY.notify_all(scheduler.machine())), 3);
    (0..2).for_each(|cpu| test.settle(cpu));
    assert_eq!(scheduler.totals().completed, 3);
    test.finish();
}

#[test]
fn a_waiter_can_be_sent_and_its_waker_replaced() {
    fn is_send<T: Send>(_: &T) {}
    let (machine, notify) = (Virtual::default(), Notify::new());
    let mut wait = pin!(notify.wait(&machine));
    is_send(&wait);
    let [first, second] = [Arc::<CountingWaker>::default(), Arc::default()];
    for counting in [&first, &second] {
        let waker = Waker::from(counting.clone());
        assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(Arc::strong_count(&first), 1, "the waker that was replaced is gone");
    assert!(notify.notify_one(&machine));
    assert_eq!((first.0.load(SeqCst), second.0.load(SeqCst)), (0, 1));
}

/// A condition panics after its waiter was chosen: the next one looks in its stead, and the one that panicked is out.
#[test]
fn the_wake_of_one_whose_condition_panics_is_passed_on() {
    let (machine, queue) = (Virtual::default(), WaitQueue::new());
    let value = Cell::new(0);
    let mut first = Waiting::queued(queue.wait_until(&machine, || {
        assert_eq!(value.get(), 0, "a condition that does not like it");
        None
    }));
    let mut second =
        Waiting::queued(queue.wait_until(&machine, || (value.get() > 0).then_some(())));
    value.set(1);
    assert!(queue.wake_one(&machine));
    assert!(catch_unwind(AssertUnwindSafe(|| first.poll())).is_err());
    assert_eq!(
        (second.wakes(), second.poll()),
        (1, Poll::Ready(())),
        "the wake went with the panic"
    );
    drop(first);
    assert!(!queue.wake_one(&machine), "nobody waits");
    // One that was not woken has nothing to pass on.
    let mut looks = 0;
    let mut restless = Waiting::new(queue.wait_until(&machine, || {
        looks += 1;
        assert!(looks < 2, "once is enough");
        None
    }));
    assert!(restless.poll().is_pending());
    let mut third = Waiting::queued(queue.wait_until(&machine, || (value.get() > 1).then_some(())));
    assert!(catch_unwind(AssertUnwindSafe(|| restless.poll())).is_err());
    assert_eq!(third.wakes(), 0);
    assert!(third.poll().is_pending());
    assert_eq!(machine.masked.load(SeqCst), 0);
}

/// A waker panics in the midst of a completion: the others, of its batch or behind it, are ready when they are polled.
#[test]
fn a_waker_that_panics_leaves_a_completion_complete() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a waker that does not like it");
        }
    }
    const MANY: usize = 40;
    let (machine, done) = (Virtual::default(), Completion::new());
    let mut bad = Box::pin(done.wait(&machine));
    let waker = Waker::from(Arc::new(Panics));
    assert!(bad.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let mut all: Vec<_> = (0..MANY).map(|_| Waiting::queued(done.wait(&machine))).collect();
    assert!(catch_unwind(AssertUnwindSafe(|| done.complete(&machine))).is_err());
    assert!(done.is_complete(&machine));
    assert!(all.iter_mut().all(|waiting| waiting.poll().is_ready()), "one waits for ever");
    let wakers = all.iter().map(|waiting| Arc::strong_count(&waiting.wakes)).collect::<Vec<_>>();
    assert_eq!(wakers, [1; MANY], "no waker is left behind");
    assert_eq!((done.complete(&machine), wakes(&all)), (0, vec![0; MANY]), "nobody is queued");
    assert_eq!(machine.masked.load(SeqCst), 0);
}
