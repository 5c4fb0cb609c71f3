//! Driven from outside: so many polls at a time, and what came of them (row C1).

mod common;

use common::{Bell, Test};
use sched::{Step, Tick, yield_now};

const MS: u64 = 1_000_000;

/// The numbers of a tick, in the order in which its fields stand.
fn numbers(tick: Tick) -> ([usize; 5], bool) {
    let Tick { polled, completed, spawned, woken_external, woken_internal, .. } = tick;
    ([polled, completed, spawned, woken_external, woken_internal], tick.has_remaining)
}

#[test]
fn c1_a_tick_says_what_it_did() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    // From a thread that is no CPU: external.
    for _ in 0..3 {
        drop(scheduler.spawn(async {}));
    }
    let tick = test.on(0, |core| core.tick());
    assert_eq!(numbers(tick), ([3, 3, 0, 3, 0], false));
    assert_eq!(tick.woken(), 3);
    // From a task: internal. The child is spawned and polled in the same tick.
    drop(scheduler.spawn(async move { drop(scheduler.spawn(async {})) }));
    assert_eq!(numbers(test.on(0, |core| core.tick())), ([2, 2, 1, 1, 1], false));
    // Running again at once is internal.
    drop(scheduler.spawn(yield_now()));
    assert_eq!(numbers(test.on(0, |core| core.tick())), ([2, 1, 0, 1, 1], false));
    assert_eq!(test.on(0, |core| core.tick()), Tick::default());
    test.finish();
}

#[test]
fn c1_a_tick_ends_after_so_many_polls_and_says_that_there_is_more() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    for _ in 0..600 {
        drop(scheduler.spawn(async {}));
    }
    let mut tick_n = |polls| {
        let tick = test.on(0, |core| core.tick_n(polls));
        assert!(tick.polled <= polls && tick.has_remaining, "{polls}: {tick:?}");
        tick.polled
    };
    assert_eq!(tick_n(0), 0);
    // A long list is put in order first, in bounded steps: so one tick of few may not get to a poll.
    while tick_n(1) == 0 {}
    assert_eq!(tick_n(7), 7);
    let tick = test.on(0, |core| core.tick());
    assert_eq!((tick.polled, tick.has_remaining), (256, true), "the default");
    let tick = test.on(0, |core| core.tick_n(usize::MAX));
    assert_eq!((tick.polled, tick.has_remaining), (600 - 264, false));
    test.finish();
}

/// A task that never rests does not keep a tick from ending.
#[test]
fn c1_a_tick_ends_beside_tasks_that_always_yield() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let restless = scheduler.spawn(async {
        loop {
            yield_now().await;
        }
    });
    let tick = test.on(0, |core| core.tick_n(100));
    assert_eq!(numbers(tick), ([100, 0, 0, 1, 100], true));
    restless.cancel();
    test.settle(0);
    drop(restless);
    test.settle(0);
    test.finish();
}

/// A wake by an interrupt handler or a task of this CPU is internal, one of another CPU external.
#[test]
fn c1_who_woke_whom_is_told_by_the_cpu() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let bell = Bell::new();
    drop(scheduler.spawn(bell.listen()));
    assert_eq!(test.on(0, |core| core.tick()).woken_external, 1);
    let waker = bell.waker();
    test.on(1, |_| waker.wake_by_ref());
    assert_eq!(numbers(test.on(0, |core| core.tick())), ([1, 0, 0, 1, 0], false));
    test.on(0, |_| waker.wake_by_ref());
    assert_eq!(numbers(test.on(0, |core| core.tick())), ([1, 0, 0, 0, 1], false));
    bell.done.store(true, std::sync::atomic::Ordering::SeqCst);
    test.on(0, |_| waker.wake());
    assert_eq!(test.on(0, |core| core.tick()).completed, 1);
    test.finish();
}

/// After a tick a push finds nobody who wants to be kicked; a step that halts says that it does.
#[test]
fn a_tick_never_halts_and_a_step_after_it_does_so_by_the_rules() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let bell = Bell::new();
    drop(scheduler.spawn(bell.listen()));
    assert_eq!(test.on(0, |core| core.tick()).polled, 1);
    assert_eq!(scheduler.totals().halts, 0);
    test.on(1, |_| bell.waker().wake());
    assert!(!test.is_kicked(0), "it comes back by itself");
    assert_eq!(test.on(0, |core| core.tick()).polled, 1);
    assert_eq!(test.step(0), Step::Halted);
    bell.done.store(true, std::sync::atomic::Ordering::SeqCst);
    test.on(1, |_| bell.waker().wake());
    assert!(test.is_kicked(0), "it halts");
    assert_eq!(test.on(0, |core| core.tick()).completed, 1);
    test.finish();
}

#[test]
fn a_tick_of_a_paused_cpu_does_nothing_and_does_not_halt() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let cpu = sched::CpuId::new(0);
    drop(scheduler.spawn(async {}));
    scheduler.pause(cpu);
    let tick = test.on(0, |core| core.tick());
    assert_eq!((tick.polled, tick.has_remaining), (0, false), "nothing that it may do");
    assert!(scheduler.is_paused(cpu));
    scheduler.resume(cpu);
    assert_eq!(test.on(0, |core| core.tick()).completed, 1);
    assert!(!scheduler.is_paused(cpu));
    test.finish();
}

/// Timers that the interrupt left are something to do; so a kernel knows when to come back.
#[test]
fn timers_that_are_left_count_as_remaining() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    for _ in 0..40 {
        drop(scheduler.spawn(async move { scheduler.sleep_ms(1).await }));
    }
    assert_eq!(test.on(0, |core| core.tick()).polled, 40);
    test.advance_to(MS);
    test.on(0, |_| sched::Interrupts::on_timer(scheduler));
    let tick = test.on(0, |core| core.tick_n(0));
    assert!(tick.has_remaining);
    let tick = test.on(0, |core| core.tick());
    assert_eq!((tick.completed, tick.woken(), tick.has_remaining), (40, 40, false));
    test.finish();
}

/// CPU 1 is woken for work of CPU 0, which is quicker. What is there later is not what it was woken for.
#[test]
fn a_claim_is_settled_by_the_look_before_a_halt() {
    let mut test = Test::new(3);
    let scheduler = test.scheduler();
    let bell = Bell::new();
    test.on(1, |_| drop(scheduler.spawn(bell.listen())));
    test.settle(1);
    test.settle(2);
    test.on(0, |_| (0..2).for_each(|_| drop(scheduler.spawn(async {}))));
    assert_eq!(test.step(0), Step::Ran);
    assert!(test.is_kicked(1) && !test.is_kicked(2), "one is woken for the second task");
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(test.on(1, |core| core.tick()), Tick::default());
    assert!(!test.is_kicked(2), "nothing is left");
    test.settle(1);
    test.settle(0);
    drop(scheduler.spawn(async {}));
    assert!(test.is_kicked(0) && !test.is_kicked(1));
    bell.done.store(true, std::sync::atomic::Ordering::SeqCst);
    test.on(1, |_| bell.waker().wake());
    assert_eq!(test.step(1), Step::Ran);
    assert!(!test.is_kicked(2), "two are woken for one task");
    (0..3).for_each(|cpu| test.settle(cpu));
    test.finish();
}
