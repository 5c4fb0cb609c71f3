//! What the trace is told, and when.

mod common;

use common::{Bell, Test, as_cpu};
use sched::trace::{Event, Outcome};
use sched::{CpuId, Tier, yield_now};
use std::sync::atomic::Ordering::SeqCst;

/// What was told since the last call, without what happens all the time.
fn told(test: &Test) -> Vec<(u32, Event)> {
    let events = std::mem::take(&mut *test.scheduler().trace().0.lock().unwrap());
    events.into_iter().map(|(cpu, event)| (cpu.map_or(u32::MAX, CpuId::get), event)).collect()
}

#[test]
fn a_task_is_followed_from_its_spawn_to_its_end() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    test.on(0, |_| drop(scheduler.task("one").spawn(async { yield_now().await })));
    test.settle(0);
    let events = told(&test);
    let Event::Spawn { task, tier: Tier::Normal, name: "one" } = events[0].1 else {
        panic!("{events:?}")
    };
    let cpu = CpuId::new(0);
    let run = Event::Run { task, tier: Tier::Normal, name: "one" };
    let expected = [
        Event::Spawn { task, tier: Tier::Normal, name: "one" },
        Event::Wake { task, target: Some(cpu) },
        Event::Enqueue { task },
        run,
        Event::Enqueue { task },
        Event::Stop { task, outcome: Outcome::Requeued },
        run,
        Event::Stop { task, outcome: Outcome::Completed },
        Event::Halt,
    ];
    assert_eq!(events, expected.map(|event| (0, event)));
    test.finish();
}

#[test]
fn a_wake_from_another_cpu_tells_of_the_kick_and_its_arrival() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let bell = Bell::new();
    test.on(1, |_| drop(scheduler.task("waiting").spawn(bell.listen())));
    test.settle(1);
    let Some((_, Event::Spawn { task, .. })) = told(&test).first().copied() else { panic!() };
    bell.done.store(true, SeqCst);
    as_cpu(0, || bell.waker().wake());
    let target = CpuId::new(1);
    assert_eq!(
        told(&test),
        [(0, Event::Wake { task, target: Some(target) }), (0, Event::Kick { target })]
    );
    test.step(1);
    let events = told(&test);
    assert_eq!(events[..3], [(1, Event::Kicked), (1, Event::Resume), (1, Event::Enqueue { task })]);
    test.settle(1);
    test.finish();
}

#[test]
fn a_stolen_task_tells_whose_it_was_and_that_it_moved() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    for _ in 0..3 {
        test.on(0, |_| drop(scheduler.spawn(async { yield_now().await })));
    }
    // The first runs; what stands behind it is there for others.
    test.step(0);
    told(&test);
    let mut events = Vec::new();
    for _ in 0..3 {
        test.step(1);
        events.extend(told(&test));
    }
    let victim = CpuId::new(0);
    let steal = events.iter().find_map(|&(cpu, event)| match event {
        Event::Steal { task, victim } => Some((cpu, task, victim)),
        _ => None,
    });
    let Some((1, task, from)) = steal else { panic!("{events:?}") };
    assert_eq!(from, victim);
    assert!(events.contains(&(1, Event::Migrate { task, from: victim })), "{events:?}");
    test.settle(0);
    test.settle(1);
    test.finish();
}

#[test]
fn a_timer_tells_of_its_interrupt_and_of_what_fired() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    test.on(0, |_| drop(scheduler.spawn(scheduler.sleep_until(50_000))));
    test.settle(0);
    told(&test);
    test.advance_to(60_000);
    test.step(0);
    let events = told(&test);
    let tick = events.iter().position(|&event| event == (0, Event::Tick));
    let fired = events.iter().position(|&event| event == (0, Event::Timers { fired: 1 }));
    assert!(tick.is_some() && tick < fired, "{events:?}");
    test.settle(0);
    test.finish();
}
