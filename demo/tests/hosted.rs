//! The hosted machine under the real loop.

use demo::hosted::{CpuThread, Hosted};
use sched::{CpuId, CpuSet, Scheduler, Settings, Tier, yield_now};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

type Sched = Scheduler<Hosted, (), 64>;

/// A scheduler with `cpus` CPUs up; `test` runs on a thread that is none.
fn with_cpus(cpus: u32, test: impl FnOnce(&'static Sched)) {
    let machine = Hosted::new(cpus as usize, 1);
    let scheduler: &'static Sched =
        Box::leak(Box::new(Scheduler::new(machine, (), Settings::DEFAULT)));
    scheduler.machine().set_handlers(scheduler);
    let threads: Vec<_> = (0..cpus).map(|cpu| CpuThread::start(scheduler, cpu).unwrap()).collect();
    test(scheduler);
    scheduler.stop();
    assert!(threads.into_iter().all(CpuThread::join));
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited too long until {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn tasks_spawned_from_outside_run_on_any_number_of_cpus() {
    for cpus in [1, 2, 8, 64] {
        with_cpus(cpus, |scheduler| {
            let done = Arc::new(AtomicUsize::new(0));
            for _ in 0..1_000 {
                let done = done.clone();
                drop(scheduler.spawn(async move {
                    for _ in 0..10 {
                        yield_now().await;
                    }
                    done.fetch_add(1, SeqCst);
                }));
            }
            wait_until("all tasks are done", || done.load(SeqCst) == 1_000);
            wait_until("all are counted", || scheduler.totals().completed == 1_000);
            assert_eq!(scheduler.totals().spawned, 1_000);
        });
    }
}

#[test]
fn a_sleep_is_not_early_and_its_task_wakes_on_an_idle_machine() {
    with_cpus(2, |scheduler| {
        let late_ns = Arc::new(AtomicU64::new(0));
        let seen = late_ns.clone();
        let handle = scheduler.spawn(async move {
            for sleep_us in [0, 1, 50, 1_000, 20_000] {
                let start = Instant::now();
                scheduler.sleep_ns(sleep_us * 1_000).await;
                let slept = start.elapsed();
                assert!(slept >= Duration::from_micros(sleep_us), "early: {slept:?}");
                seen.fetch_max((slept - Duration::from_micros(sleep_us)).as_nanos() as u64, SeqCst);
            }
        });
        wait_until("the sleeper is done", || handle.is_complete());
        assert!(late_ns.load(SeqCst) < 1_000_000_000);
    });
}

#[test]
fn a_join_handle_brings_the_output_and_cancel_drops_the_future() {
    with_cpus(2, |scheduler| {
        let guard = Arc::new(());
        let held = guard.clone();
        let never = scheduler.spawn(async move {
            let _held = held;
            core::future::pending::<()>().await;
        });
        let outer = scheduler.spawn(async move {
            let answer = scheduler.spawn(async { 6 * 7 }).await;
            never.cancel();
            (answer, never.await)
        });
        wait_until("the outer task is done", || outer.is_complete());
        assert_eq!(Arc::strong_count(&guard), 1, "the cancelled future was dropped");
        wait_until("counted", || scheduler.totals().cancelled == 1);
    });
}

#[test]
fn any_cpu_pauses_and_resumes_the_first_included() {
    with_cpus(3, |scheduler| {
        for cpu in (0..3).map(CpuId::new) {
            let counter = Arc::new(AtomicU64::new(0));
            let count = counter.clone();
            let handle = scheduler.task("pinned").affinity(CpuSet::EMPTY.with(cpu)).unwrap().spawn(
                async move {
                    loop {
                        count.fetch_add(1, SeqCst);
                        yield_now().await;
                    }
                },
            );
            wait_until("the pinned task runs", || counter.load(SeqCst) > 0);
            assert!(scheduler.pause(cpu));
            wait_until("the CPU is paused", || scheduler.is_paused(cpu));
            std::thread::sleep(Duration::from_millis(2));
            let at_pause = counter.load(SeqCst);
            std::thread::sleep(Duration::from_millis(20));
            assert_eq!(counter.load(SeqCst), at_pause, "{cpu} ran while it was paused");
            assert!(scheduler.resume(cpu));
            wait_until("it goes on", || counter.load(SeqCst) > at_pause);
            handle.cancel();
            wait_until("it is cancelled", || handle.is_complete());
        }
        assert!(!scheduler.pause(CpuId::new(64)), "no such CPU");
    });
}

#[test]
fn work_of_one_cpu_is_stolen_by_idle_ones() {
    with_cpus(2, |scheduler| {
        let cpus = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let seen = cpus.clone();
        let parent = scheduler.spawn(async move {
            let children: Vec<_> = (0..200)
                .map(|_| {
                    let seen = seen.clone();
                    scheduler.spawn(async move {
                        let start = Instant::now();
                        while start.elapsed() < Duration::from_micros(200) {
                            std::hint::spin_loop();
                        }
                        let cpu = sched::Machine::cpu(scheduler.machine()).unwrap();
                        seen[cpu.index()].fetch_add(1, SeqCst);
                    })
                })
                .collect();
            for child in children {
                child.await.unwrap();
            }
        });
        wait_until("the parent is done", || parent.is_complete());
        assert!(cpus.iter().all(|cpu| cpu.load(SeqCst) > 0), "{cpus:?}");
        assert!(scheduler.totals().steals_won > 0);
    });
}

#[test]
fn critical_goes_first_and_background_is_not_starved() {
    with_cpus(1, |scheduler| {
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let parent = {
            let order = order.clone();
            scheduler.spawn(async move {
                let task = |tier, name| {
                    let order = order.clone();
                    scheduler
                        .task(name)
                        .tier(tier)
                        .spawn(async move { order.lock().unwrap().push(name) })
                };
                let tasks = [
                    task(Tier::Background, "background"),
                    task(Tier::Normal, "normal"),
                    task(Tier::Critical, "critical"),
                ];
                for task in tasks {
                    task.await.unwrap();
                }
            })
        };
        wait_until("all are done", || parent.is_complete());
        assert_eq!(*order.lock().unwrap(), ["critical", "normal", "background"]);
    });
}
