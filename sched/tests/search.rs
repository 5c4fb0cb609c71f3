//! At most half of the CPUs look for work at a time, and no work waits beside one that was turned away.

mod common;

use common::{Bell, Loop, Test, as_cpu};
use sched::{CpuId, Settings, Step, yield_now};
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
        let step = test.step(0);
        let is_over = end_meanwhile(&test);
        let [second, third] = Arc::into_inner(loops).unwrap().into_inner().unwrap();
        test.put_back(second);
        test.put_back(third);
        let is_idle = scheduler.is_idle(CpuId::new(1));
        if !is_over && is_idle && step == Step::Spun {
            turned_away += 1;
            as_cpu(0, || bell.waker().wake());
            assert_eq!(test.step(0), Step::Ran);
            assert_eq!(bell.polls(), 2, "its own work comes first");
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
