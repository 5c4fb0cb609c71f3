use crate::bench::{spawn, timer_interrupt};
use crate::common::{Notes, Test};
use sched::CpuId;
use sched::class::Nice;
use sched::thread::Policy;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

#[test]
fn the_order_is_stop_realtime_fair() {
    let mut test = Test::new(1);
    let notes = Notes::default();
    for (note, policy) in [
        (4, Policy::DEFAULT),
        (3, Policy::Realtime { priority: 1 }),
        (2, Policy::Realtime { priority: 2 }),
        (1, Policy::Stop),
    ] {
        let notes = notes.clone();
        drop(spawn(&mut test, 0, policy, move || notes.push(note)));
    }
    test.settle(0);
    assert_eq!(notes.take(), [1, 2, 3, 4]);
    test.finish();
}

#[test]
#[cfg_attr(miri, ignore = "long, or it leaves threads behind")]
fn fair_threads_share_by_weight() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let nices = [-5, 0, 5];
    let served: Arc<[AtomicU64; 3]> = Arc::new([const { AtomicU64::new(0) }; 3]);
    for (which, nice) in nices.into_iter().enumerate() {
        let served = served.clone();
        drop(spawn(&mut test, 0, Policy::fair(Nice::new(nice)), move || {
            loop {
                served[which].fetch_add(1, SeqCst);
                timer_interrupt(scheduler, 500_000);
            }
        }));
    }
    for _ in 0..20_000 {
        test.step(0);
    }
    let total: u64 = served.iter().map(|served| served.load(SeqCst)).sum();
    let weights: u32 = nices.iter().map(|nice| Nice::new(*nice).weight()).sum();
    for (which, nice) in nices.into_iter().enumerate() {
        let share = served[which].load(SeqCst) as f64 / total as f64;
        let due = f64::from(Nice::new(nice).weight()) / f64::from(weights);
        assert!((share / due - 1.0).abs() < 0.03, "nice {nice}: {share} of {due}");
    }
    test.leave();
}

#[test]
fn a_woken_realtime_thread_preempts_a_fair_one() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let (urgent, fair) = (notes.clone(), notes.clone());
    let waker = Arc::new(std::sync::Mutex::new(None));
    let place = waker.clone();
    drop(spawn(&mut test, 0, Policy::Realtime { priority: 1 }, move || {
        *place.lock().unwrap() = scheduler.thread_waker();
        scheduler.park().unwrap();
        urgent.push(2);
    }));
    test.settle(0);
    drop(spawn(&mut test, 0, Policy::DEFAULT, move || {
        fair.push(1);
        waker.lock().unwrap().take().unwrap().wake();
        scheduler.resched_point();
        fair.push(3);
    }));
    test.settle(0);
    assert_eq!(notes.take(), [1, 2, 3]);
    test.finish();
}

/// H7, and what a CPU does that has nothing else to run: it halts, and comes back.
#[test]
#[cfg_attr(miri, ignore = "long, or it leaves threads behind")]
fn a_throttled_class_leaves_the_cpu_to_others_or_idle() {
    let mut settings = sched::Settings::DEFAULT;
    settings.threads.realtime_throttle = sched::class::Throttle::new(3_000_000, 10_000_000);
    let mut test = Test::with(1, settings);
    let scheduler = test.scheduler();
    let served: Arc<[AtomicU64; 2]> = Arc::new([const { AtomicU64::new(0) }; 2]);
    let realtime = served.clone();
    drop(spawn(&mut test, 0, Policy::Realtime { priority: 1 }, move || {
        loop {
            realtime[0].fetch_add(1, SeqCst);
            timer_interrupt(scheduler, 1_000_000);
        }
    }));
    let mut halts = 0;
    while scheduler.machine().now_ns.load(SeqCst) < 1_000_000_000 {
        if test.step(0) == sched::Step::Halted {
            halts += 1;
            let timer_ns = scheduler.machine().timer_ns[0].load(SeqCst);
            assert!(timer_ns < u64::MAX, "nothing brings it back");
            test.advance_to(timer_ns);
        }
    }
    assert!(halts >= 600, "{halts} halts");
    let ran = served[0].load(SeqCst);
    assert!((290..=310).contains(&ran), "{ran} ms of 1000");
    test.leave();
}

#[test]
#[cfg_attr(miri, ignore = "it leaves threads behind")]
fn the_fair_class_shows_its_members() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    for nice in [0, 5] {
        drop(spawn(&mut test, 0, Policy::fair(Nice::new(nice)), move || {
            loop {
                timer_interrupt(scheduler, 500_000);
            }
        }));
    }
    for _ in 0..101 {
        test.step(0);
    }
    let mut members = Vec::new();
    scheduler.check_fair(CpuId::new(0), |member| members.push(member)).unwrap();
    members.retain(|member| member.task.is_some());
    let [one, other] = members[..] else { panic!("{members:?}") };
    assert_ne!(one.task, other.task);
    assert!([one, other].iter().all(|member| member.slice_ns == 3_000_000 && !member.is_asleep));
    assert_ne!(one.lag_ns, 0);
    assert!((one.lag_ns + other.lag_ns).abs() <= 2, "Σ lag = 0: {members:?}");
    scheduler.check_fair(CpuId::new(7), |_| panic!("there is no such CPU")).unwrap();
    test.leave();
}
