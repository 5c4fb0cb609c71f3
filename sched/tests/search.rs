//! Who looks for work of others, when and where: at most half of the CPUs at a time, the nearest victim first, and not too often.

mod common;

use common::{Bell, Loop, Test, as_cpu};
use sched::trace::Event;
use sched::{CpuId, Settings, Step, Tick, yield_now};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

/// Runs `act` at the first place in the next step at which `is_time`, with interrupts unmasked.
fn meanwhile(
    test: &Test,
    mut is_time: impl FnMut() -> bool + Send + 'static,
    mut act: impl FnMut() + Send + 'static,
) {
    let machine = test.scheduler().machine();
    let hook = move || {
        let now = machine.masked.load(SeqCst) == 0 && is_time();
        if now {
            act();
        }
        now
    };
    *machine.meanwhile.lock().unwrap() = Some(Box::new(hook));
}

/// Whether it has not come to that.
fn end_meanwhile(test: &Test) -> bool {
    test.scheduler().machine().meanwhile.lock().unwrap().take().is_some()
}

#[test]
fn one_of_three_searches_and_with_work_in_hand_wakes_who_was_turned_away() {
    let mut test = Test::new(3);
    let scheduler = test.scheduler();
    test.on(2, |_| {
        for _ in 0..4 {
            drop(scheduler.spawn(async { yield_now().await }));
        }
    });
    assert_eq!(test.step(2), Step::Ran);
    let tried = || scheduler.cpu_stats(CpuId::new(0)).unwrap().steals_tried;
    let before = tried();
    let other: Arc<Mutex<Loop>> = Arc::new(Mutex::new(test.lend(1)));
    let turned_away = other.clone();
    let act = move || {
        let step = turned_away.lock().unwrap().step();
        assert_eq!(step, Step::Halted, "one of three searches, and there is work");
    };
    meanwhile(&test, move || tried() > before, act);
    assert_eq!(test.step(0), Step::Stole);
    assert!(!end_meanwhile(&test), "it was in its round");
    test.put_back(Arc::into_inner(other).unwrap().into_inner().unwrap());
    assert!(test.is_kicked(1), "work waits beside who was turned away");
    assert_eq!(test.step(1), Step::Stole, "the place is free again");
    test.settle_all();
    test.finish();
}

#[test]
fn who_searched_in_vain_and_has_work_of_its_own_then_wakes_who_was_turned_away() {
    let mut settings = Settings::DEFAULT;
    settings.spin_steps = 1;
    for ticks in [false, true] {
        searches_in_vain(settings, ticks);
    }
}

/// The first CPU steps, or its kernel ticks once and goes about its other business.
fn searches_in_vain(settings: Settings, ticks: bool) {
    let mut turned_away = 0;
    // In each place of a step of the first CPU, the third one makes work takeable, and the second one comes by.
    for place in 0.. {
        let mut test = Test::with(3, settings);
        let scheduler = test.scheduler();
        let bell = Bell::new();
        test.on(0, |_| drop(scheduler.spawn(bell.listen())));
        test.settle(0);
        test.on(2, |_| (0..2).for_each(|_| drop(scheduler.spawn(async { yield_now().await }))));
        let loops = Arc::new(Mutex::new([test.lend(1), test.lend(2)]));
        let (mut left, in_hook) = (place, loops.clone());
        let act = move || {
            let [second, third] = &mut *in_hook.lock().unwrap();
            assert_eq!(third.step(), Step::Ran);
            while !matches!(second.step(), Step::Halted | Step::Ran) {}
        };
        let is_time = move || {
            left -= 1;
            left < 0
        };
        meanwhile(&test, is_time, act);
        let in_vain = if ticks {
            test.on(0, |core| core.tick()) == Tick::default()
        } else {
            test.step(0) == Step::Spun
        };
        let is_over = end_meanwhile(&test);
        let [second, third] = Arc::into_inner(loops).unwrap().into_inner().unwrap();
        test.put_back(second);
        test.put_back(third);
        let is_idle = scheduler.is_idle(CpuId::new(1)) || test.is_kicked(1);
        if !is_over && is_idle && in_vain {
            turned_away += 1;
            if !ticks {
                as_cpu(0, || bell.waker().wake());
                assert_eq!(test.step(0), Step::Ran);
                assert_eq!(bell.polls(), 2, "its own work comes first");
            }
            assert!(test.is_kicked(1), "work waits beside who was turned away, place {place}");
        }
        bell.done.store(true, SeqCst);
        bell.waker().wake();
        test.settle_all();
        test.finish();
        if is_over {
            break;
        }
    }
    assert!(turned_away > 0, "nobody was turned away by a round that brought nothing");
}

#[test]
fn a_lone_cpu_does_not_search() {
    let mut test = Test::new(1);
    test.settle(0);
    assert_eq!(test.scheduler().totals().steals_tried, 0);
    test.finish();
}

/// CPUs with two tasks to spare each, but for the first, which has nothing.
fn busy_but_the_first(settings: Settings, cpus: usize) -> Test {
    let mut test = Test::with(cpus, settings);
    let scheduler = test.scheduler();
    for cpu in 1..cpus {
        test.on(cpu, |_| (0..3).for_each(|_| drop(scheduler.spawn(async { yield_now().await }))));
        assert_eq!(test.step(cpu), Step::Ran);
    }
    test
}

/// From whom CPU 0 takes in its next four searches.
fn victims(test: &mut Test) -> [usize; 4] {
    [(); 4].map(|()| {
        while test.step(0) != Step::Stole {}
        let log = test.scheduler().trace().0.lock().unwrap();
        let stolen = log.iter().rev().find_map(|(_, event)| match event {
            Event::Steal { victim, .. } => Some(victim.index()),
            _ => None,
        });
        stolen.unwrap()
    })
}

#[test]
fn victims_rotate_and_the_nearest_come_first() {
    for (distance, expected) in [([0, 7, 7, 7], [1, 1, 2, 3]), ([0, 9, 200, 9], [1, 1, 3, 3])] {
        let mut test = busy_but_the_first(Settings::DEFAULT, 4);
        for (cpu, at) in distance.into_iter().enumerate() {
            test.scheduler().machine().distance[cpu].store(at, SeqCst);
        }
        // The search begins at CPU 0, 1, 2 and 3.
        assert_eq!(victims(&mut test), expected, "the nearest first, {distance:?}");
        test.settle_all();
        test.finish();
    }
}

/// CPU 0 has searched in vain, spins, and has a cooldown of 1 000 ns; then there is work.
fn in_cooldown(spin_steps: u32) -> Test {
    let mut settings = Settings::DEFAULT;
    (settings.spin_steps, settings.steal_cooldown_ns) = (spin_steps, 1_000);
    let mut test = Test::with(2, settings);
    test.advance_to(500);
    assert_eq!(test.step(0), Step::Spun);
    let scheduler = test.scheduler();
    test.on(1, |_| (0..3).for_each(|_| drop(scheduler.spawn(async { yield_now().await }))));
    assert_eq!(test.step(1), Step::Ran);
    test
}

fn end(mut test: Test) {
    test.settle_all();
    test.finish();
}

#[test]
fn who_searched_in_vain_leaves_others_alone_for_a_while() {
    let mut test = in_cooldown(100);
    test.advance_to(1_499);
    assert_eq!([test.step(0), test.step(0)], [Step::Spun; 2]);
    assert_eq!(test.scheduler().totals().steals_tried, 1);
    test.advance_to(1_500);
    assert_eq!(test.step(0), Step::Stole);
    end(test);
}

#[test]
fn a_kick_ends_a_cooldown_and_so_does_a_clock_that_steps_back() {
    let mut test = in_cooldown(100);
    test.scheduler().machine().kicked[0].store(true, SeqCst);
    assert_eq!(test.step(0), Step::Stole);
    end(test);
    let mut test = in_cooldown(100);
    test.advance_to(499);
    assert_eq!(test.step(0), Step::Stole);
    end(test);
}

#[test]
fn nobody_halts_on_a_cooldown_beside_work() {
    let mut test = in_cooldown(1);
    assert_eq!(test.step(0), Step::Undone, "the look before a halt");
    assert_eq!(test.step(0), Step::Stole);
    end(test);
}
