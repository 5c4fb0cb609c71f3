//! H5: all tasks, by name, state and place.

mod common;

use common::{Bell, CPUS, Test, as_cpu};
use sched::{
    CpuId, Enumerating, Machine, RunState, Scheduler, Settings, TaskId, TaskMemory, TaskRef, Tier,
};
use std::cell::Cell;
use std::future::{Ready, pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{LazyLock, Mutex};

fn listing() -> Settings {
    let mut settings = Settings::DEFAULT;
    settings.list_tasks = true;
    settings
}

fn tasks(test: &Test) -> Vec<TaskRef> {
    let mut tasks = Vec::new();
    test.scheduler().for_each_task(|task| tasks.push(task.clone())).unwrap();
    tasks
}

fn names(test: &Test) -> Vec<&'static str> {
    tasks(test).iter().map(|task| task.info().name).collect()
}

fn dump(test: &Test) -> String {
    let mut text = String::new();
    test.scheduler().dump_tasks(&mut text).unwrap();
    text
}

#[test]
fn h5_every_task_is_listed_with_name_state_place_and_cpu() {
    static MEMORY: TaskMemory<Ready<()>> = TaskMemory::new();
    let mut test = Test::with(3, listing());
    let scheduler = test.scheduler();
    let line = line!() + 1;
    let foreign = scheduler.task("foreign").spawn(pending::<()>());
    let (waits, queued) = test.on(1, |_| {
        let waits = scheduler.task("waits").tier(Tier::Critical).spawn(pending::<()>());
        let queued = scheduler.task("queued").spawn_in(&MEMORY, ready(())).unwrap();
        (waits, queued)
    });
    let local = test.on(2, |core| {
        let not_send = Rc::new(());
        let spawner = core.local_spawner();
        let future = async move { drop(not_send) };
        scheduler.task("local").spawn_local(&spawner, future).map_err(|_| "refused").unwrap()
    });
    test.on(1, |core| _ = core.step());
    let all = tasks(&test);
    let ids: Vec<TaskId> = all.iter().map(TaskRef::id).collect();
    assert_eq!(ids, [foreign.id(), waits.id(), queued.id(), local.id()]);
    let place = all[0].info().location;
    assert_eq!((place.file(), place.line()), (file!(), line));
    assert_eq!(all.iter().map(TaskRef::run_state).collect::<Vec<_>>(), {
        use RunState::{Queued, Waiting};
        [Queued, Waiting, Queued, Queued]
    });
    let cpus: Vec<_> = all.iter().map(|task| task.last_cpu().map(|cpu| cpu.get())).collect();
    assert_eq!(cpus, [None, Some(1), Some(1), Some(2)]);
    waits.cancel();
    let text = dump(&test);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[0], format!("{}: Queued, no CPU yet", all[0].info()));
    assert_eq!(lines[1], format!("{}: Queued, cancelled, cpu1", all[1].info()));
    drop((all, foreign, waits, queued, local));
    (0..3).for_each(|cpu| test.settle(cpu));
    assert_eq!(names(&test), [""; 0], "over, or out of reach");
    assert_eq!(dump(&test), "");
    test.finish();
}

#[test]
fn h5_a_task_is_listed_by_its_builder_or_the_settings_alone() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    drop(scheduler.task("quiet").spawn(async {}));
    drop(scheduler.task("listed").listed(true).spawn(async {}));
    assert_eq!(names(&test), ["listed"]);
    test.settle(0);
    test.finish();
    let mut test = Test::with(1, listing());
    drop(test.scheduler().task("hidden").listed(false).spawn(async {}));
    assert_eq!(names(&test), [""; 0]);
    test.settle(0);
    test.finish();
}

#[test]
fn h5_a_running_task_sees_itself_run_and_one_that_is_over_is_dumped_only() {
    let mut test = Test::with(1, listing());
    let scheduler = test.scheduler();
    let handle = test.on(0, |_| {
        scheduler.task("looks").spawn(async move {
            let mut seen = Vec::new();
            scheduler
                .for_each_task(|task| seen.push((task.id(), task.run_state(), task.last_cpu())))
                .unwrap();
            let me = scheduler.current_task_info().unwrap().id;
            assert_eq!(seen.len(), 1);
            assert_eq!((seen[0].0, seen[0].1), (me, RunState::Running));
            assert_eq!(seen[0].2.map(|cpu| cpu.get()), Some(0));
        })
    });
    test.settle(0);
    assert!(handle.is_complete());
    assert_eq!(names(&test), [""; 0]);
    assert!(dump(&test).ends_with(": Complete, cpu0\n"), "{}", dump(&test));
    drop(handle);
    test.settle(0);
    assert_eq!(dump(&test), "");
    test.finish();
}

/// RG4: in the midst of a walk tasks end, before and after its place, and others come.
#[test]
fn h5_a_walk_meets_each_task_that_stays_once_whatever_comes_and_goes() {
    const NAMES: [&str; 6] = ["0", "1", "2", "3", "4", "5"];
    for at in 0..NAMES.len() {
        for gone in 0..NAMES.len() {
            let mut test = Test::with(1, listing());
            let scheduler = test.scheduler();
            let bells = NAMES.map(|_| Bell::new());
            let spawn = |name, bell: &std::sync::Arc<Bell>| {
                scheduler.task(name).spawn(bell.listen()).cancel_on_drop()
            };
            let mut handles: Vec<_> = (0..NAMES.len())
                .map(|task| Some(as_cpu(0, || spawn(NAMES[task], &bells[task]))))
                .collect();
            test.settle(0);
            let mut seen = Vec::new();
            let (mut met, mut more) = (0, Vec::new());
            scheduler
                .for_each_task(|task| {
                    let is_last_reference = task.info().name == NAMES[gone];
                    seen.push(task.info().name);
                    met += 1;
                    if met == at + 1 && !is_last_reference {
                        // Its waker would keep the task's memory.
                        *bells[gone].waker.lock().unwrap() = None;
                        handles[gone] = None;
                        test.settle(0);
                        more.push(as_cpu(0, || spawn("more", &bells[0])));
                    }
                })
                .unwrap();
            let expected: Vec<_> = (0..NAMES.len())
                .filter(|&task| task != gone || gone <= at)
                .map(|task| NAMES[task])
                .collect();
            assert_eq!(seen.get(..expected.len()), Some(&*expected), "{gone} went at {at}");
            assert!(seen.len() <= NAMES.len(), "as many turns as there were tasks");
            drop((handles, more, bells));
            test.settle(0);
            assert_eq!(names(&test), [""; 0]);
            test.finish();
        }
    }
}

#[test]
fn h5_tasks_can_be_cancelled_and_spawned_in_a_walk_of_which_there_is_one() {
    let mut test = Test::with(CPUS, listing());
    let scheduler = test.scheduler();
    for cpu in 0..CPUS {
        as_cpu(cpu as u32, || drop(scheduler.task("old").spawn(pending::<()>())));
    }
    let mut cancelled = 0;
    as_cpu(0, || {
        scheduler
            .for_each_task(|task| {
                assert_eq!(scheduler.for_each_task(|_| ()), Err(Enumerating));
                task.cancel();
                cancelled += usize::from(task.is_cancelled());
                drop(scheduler.task("new").spawn(async {}));
            })
            .unwrap();
    });
    assert_eq!(cancelled, CPUS);
    (0..CPUS).for_each(|cpu| test.settle(cpu));
    assert_eq!(scheduler.totals().cancelled, CPUS as u64);
    let caught = catch_unwind(AssertUnwindSafe(|| {
        drop(scheduler.task("last").spawn(async {}));
        scheduler.for_each_task(|_| panic!("in the walk"))
    }));
    assert!(caught.is_err());
    assert_eq!(names(&test), ["last"], "a walk that panicked is over");
    (0..CPUS).for_each(|cpu| test.settle(cpu));
    test.finish();
}

/// RG3: nobody else has a reference, and it waits to be freed.
#[test]
fn h5_a_task_on_its_way_to_be_freed_is_not_met() {
    let mut test = Test::with(1, listing());
    let bell = Bell::new();
    drop(as_cpu(0, || test.scheduler().task("bell").spawn(bell.listen())));
    test.settle(0);
    let all = tasks(&test);
    assert_eq!(all.len(), 1);
    *bell.waker.lock().unwrap() = None;
    drop(all);
    assert_eq!(names(&test), [""; 0]);
    assert!(dump(&test).contains("Waiting"), "{}", dump(&test));
    test.settle(0);
    assert_eq!((dump(&test).as_str(), test.scheduler().totals().unreachable), ("", 1));
    test.finish();
}

/// A machine for one loop and threads that are none: nothing interrupts it, and its loop is stepped by hand.
struct Plain;

// SAFETY: 1. One thread is a CPU, and it stays so. 2. to 4. Nothing interrupts, and a halt returns at once.
unsafe impl Machine for Plain {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        IS_CPU.get().then_some(CpuId::new(0))
    }

    fn now_ns(&self) -> u64 {
        0
    }

    fn mask(&self) {}
    unsafe fn restore(&self, (): ()) {}
    fn kick(&self, _: CpuId) {}
    unsafe fn halt(&self) {}
    fn set_timer(&self, _: u64) {}

    fn seed(&self) -> u64 {
        0
    }
}

thread_local!(static IS_CPU: Cell<bool> = const { Cell::new(false) });

#[test]
fn h5_walks_beside_spawns_and_ends_on_other_threads() {
    static SCHEDULER: LazyLock<Scheduler<Plain, (), 1>> =
        LazyLock::new(|| Scheduler::new(Plain, (), listing()));
    let (scheduler, rounds) = (&*SCHEDULER, if cfg!(miri) { 24 } else { 3_000 });
    IS_CPU.set(true);
    let mut core = scheduler.enter().unwrap();
    let handles = Mutex::new(Vec::new());
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                for round in 0..rounds {
                    let handle = scheduler.task("storm").spawn(async {});
                    if round % 3 == 0 {
                        handle.cancel();
                    }
                    if round % 8 == 0 {
                        handles.lock().unwrap().push(handle);
                    }
                }
            });
        }
        let walker = threads.spawn(|| {
            for _ in 0..rounds / 12 {
                let check = |task: &TaskRef| assert_eq!(task.info().name, "storm");
                scheduler.for_each_task(check).unwrap();
                scheduler.dump_tasks(&mut String::new()).unwrap();
            }
        });
        while !walker.is_finished() || scheduler.totals().spawned < 2 * rounds {
            let _ = core.tick();
            std::thread::yield_now();
        }
        walker.join().unwrap();
    });
    drop(handles);
    while core.tick().has_remaining {}
    scheduler.for_each_task(|task| panic!("{task:?} is left")).unwrap();
    let mut text = String::new();
    scheduler.dump_tasks(&mut text).unwrap();
    assert_eq!(text, "");
    let totals = scheduler.totals();
    assert_eq!(totals.completed + totals.cancelled, 2 * rounds);
    IS_CPU.set(false);
}
