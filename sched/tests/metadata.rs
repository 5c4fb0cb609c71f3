//! What is known of tasks: their names, kinds and places; references to them; and which one is polled.

mod common;

use common::{Bell, Notes, Test, as_cpu};
use sched::{CpuId, TaskInfo, TaskRef, Tier};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

#[test]
fn c3_a_builder_gives_name_kind_place_and_tier() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let line = line!() + 1;
    let plain = scheduler.spawn(async {}).task_ref().info();
    assert_eq!((plain.name, plain.kind, plain.tier), ("", "task", Tier::Normal));
    assert_eq!((plain.location.file(), plain.location.line()), (file!(), line));
    let line = line!() + 1;
    let builder = scheduler.task("disk 0").kind("driver").tier(Tier::Critical);
    let built = builder.spawn(async {}).task_ref().info();
    assert_eq!((built.name, built.kind, built.tier), ("disk 0", "driver", Tier::Critical));
    assert_eq!((built.location.file(), built.location.line()), (file!(), line));
    let elsewhere = Location::caller();
    let told = scheduler.task("told").location(elsewhere).spawn(async {}).task_ref().info();
    assert_eq!(told.location, elsewhere);
    let text = built.to_string();
    let expected =
        format!("{} \"disk 0\" (Critical driver, spawned at {}:{line}:", built.id, file!());
    assert!(text.starts_with(&expected), "{text}");
    test.settle(0);
    test.finish();
}

#[test]
fn c4_a_reference_names_wakes_and_cancels() {
    let mut test = Test::new(1);
    let bell = Bell::new();
    let handle = test.scheduler().task("bell").spawn(bell.listen());
    let task = handle.task_ref();
    assert_eq!((task.id(), task.info().name), (handle.id(), "bell"));
    assert!(task == task.clone() && task != test.scheduler().spawn(async {}).task_ref());
    test.settle(0);
    task.wake();
    test.settle(0);
    assert_eq!((bell.polls(), task.is_complete()), (2, false));
    *bell.waker.lock().unwrap() = None;
    drop(handle);
    test.settle(0);
    assert!(!task.is_complete(), "the reference keeps the task, who could still wake it");
    task.cancel();
    test.settle(0);
    assert!(task.is_complete());
    task.wake();
    let memory = Arc::downgrade(&bell);
    drop(bell);
    assert!(memory.upgrade().is_none(), "cancelled: the future is gone");
    drop(task);
    test.settle(0);
    assert_eq!(test.scheduler().totals().cancelled, 1);
    test.finish();
}

#[test]
fn c6_the_current_task_is_known_where_it_is_polled_and_nowhere_else() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let seen: Arc<Mutex<Vec<Option<TaskInfo>>>> = Arc::default();
    let look = {
        let seen = seen.clone();
        move || {
            let info = scheduler.current_task_info();
            assert_eq!(scheduler.current_task().map(|task| task.info()), info);
            seen.lock().unwrap().push(info);
            info.map(|info| info.id)
        }
    };
    assert_eq!(look(), None, "no CPU");
    as_cpu(0, || assert_eq!(look(), None, "no poll"));
    let in_poll = {
        let look = look.clone();
        let see_running = move || [0, 1].map(|cpu| scheduler.running_on(CpuId::new(cpu)));
        async move {
            let id = look();
            assert!(id.is_some());
            assert_eq!(see_running(), [id, None]);
            // What an interrupt handler sees is what it has interrupted.
            std::thread::spawn(move || assert_eq!(see_running(), [id, None])).join().unwrap();
            sched::yield_now().await;
            assert_eq!(look(), id);
        }
    };
    let name = "looks";
    let id = as_cpu(0, || scheduler.task(name).spawn(in_poll).id());
    test.settle(0);
    as_cpu(0, || assert_eq!(look(), None, "the poll is over"));
    assert_eq!(scheduler.running_on(CpuId::new(0)), None);
    assert_eq!(scheduler.running_on(CpuId::new(99)), None);
    let seen: Vec<_> =
        seen.lock().unwrap().iter().map(|info| info.map(|i| (i.id, i.name))).collect();
    assert_eq!(seen, [None, None, Some((id, name)), Some((id, name)), None]);
    test.finish();
}

#[test]
fn c6_destructors_know_the_task_that_they_belong_to() {
    struct Looks(&'static common::Sched, Notes);
    impl Drop for Looks {
        fn drop(&mut self) {
            self.1.push(self.0.current_task().map_or(0, |task| task.id().get()));
        }
    }
    let mut test = Test::new(1);
    let (scheduler, notes) = (test.scheduler(), Notes::default());
    let looks = Looks(scheduler, notes.clone());
    let handle = scheduler.spawn(async move {
        let _looks = looks;
        std::future::pending::<()>().await;
    });
    let id = handle.id().get();
    handle.cancel();
    drop(handle);
    test.settle(0);
    assert_eq!(notes.take(), [id]);
    test.finish();
}

#[test]
#[cfg_attr(miri, ignore = "the task is leaked, as documented")]
fn c6_a_poll_that_panics_is_over() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    // The task is lost by its panic, and so is its memory; this reference keeps it reachable.
    let task: &'static Mutex<Option<TaskRef>> = Box::leak(Box::default());
    let panics = as_cpu(0, || scheduler.spawn(async { panic!("as the test wants it") }));
    *task.lock().unwrap() = Some(panics.task_ref());
    std::mem::forget(panics);
    let step = test.on(0, |core| catch_unwind(AssertUnwindSafe(|| core.step())));
    assert!(step.is_err());
    as_cpu(0, || assert!(scheduler.current_task().is_none()));
    assert_eq!(scheduler.running_on(CpuId::new(0)), None);
    let bell = Bell::new();
    bell.done.store(true, SeqCst);
    drop(as_cpu(0, || scheduler.spawn(bell.listen())));
    test.settle(0);
    assert_eq!(bell.polls(), 1, "the loop goes on");
    test.leave();
}
