//! C4 and B8: what handles say when a scheduler ends, and the short ways to spawn.

mod common;

use common::{Bell, Test, as_cpu, poll_once};
use sched::{CpuId, CpuSet, JoinError, NotSpawned, Settings, Step, TaskMeta, Tier, yield_now};
use std::future::{Future, pending};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};

/// Counts the drops of futures.
#[derive(Clone, Default)]
struct Drops(Arc<AtomicUsize>);

impl Drop for Drops {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn listing() -> Settings {
    let mut settings = Settings::DEFAULT;
    settings.list_tasks = true;
    settings
}

#[test]
fn b8_a_tier_is_spawned_by_name_and_a_struct_says_the_rest() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let order = common::Notes::default();
    let note = |number| {
        let order = order.clone();
        async move { order.push(number) }
    };
    let on_first = Some(CpuSet::EMPTY.with(CpuId::new(0)));
    let meta = TaskMeta { name: "with", priority: Tier::Normal, affinity: on_first };
    let place = Location::caller();
    let tasks = as_cpu(0, || {
        [
            scheduler.spawn_background("back", note(3)),
            scheduler.spawn_with(meta, note(2)).unwrap(),
            scheduler.spawn_critical("first", note(1)),
        ]
    });
    let infos = tasks.map(|task| task.task_ref().info());
    assert_eq!(infos.map(|info| info.name), ["back", "with", "first"]);
    assert_eq!(infos.map(|info| info.tier), [Tier::Background, Tier::Normal, Tier::Critical]);
    assert!(infos.iter().all(|info| info.location.file() == place.file()), "{infos:?}");
    test.settle_all();
    assert_eq!(order.take(), [1, 2, 3]);
    // One that the first CPU alone may run is not stolen by the second.
    let on_second = TaskMeta { affinity: Some(CpuSet::EMPTY.with(CpuId::new(1))), ..meta };
    let at = as_cpu(0, || scheduler.spawn_with(on_second, async { common::here() })).unwrap();
    test.settle_all();
    let mut at = at;
    assert_eq!(poll_once(&mut at), Poll::Ready(Ok(1)));
    let nowhere = TaskMeta { affinity: Some(CpuSet::EMPTY), ..meta };
    let NotSpawned(future) = scheduler.spawn_with(nowhere, note(4)).unwrap_err();
    drop(future);
    assert_eq!(scheduler.spawn_with(TaskMeta::default(), async {}).unwrap().name(), "");
    test.settle_all();
    test.finish();
}

#[test]
fn c4_a_handle_tells_cancelled_from_shut_down_and_gives_the_output_where_there_is_one() {
    let mut test = Test::with(1, listing());
    let scheduler = test.scheduler();
    let drops = Drops::default();
    let holding = || {
        let drops = drops.clone();
        async move {
            let _drops = drops;
            pending::<()>().await;
        }
    };
    let (mut waits, mut cancelled) = (scheduler.spawn(holding()), scheduler.spawn(holding()));
    let mut done = scheduler.spawn(async { 7 });
    test.settle(0);
    cancelled.cancel();
    let (mut queued, mut both) =
        as_cpu(0, || (scheduler.spawn(holding()), scheduler.spawn(holding())));
    both.cancel();
    assert!(poll_once(&mut waits).is_pending() && poll_once(&mut queued).is_pending());
    assert!(!scheduler.is_shut_down());
    scheduler.shut_down();
    assert!(scheduler.is_shut_down());
    test.on(0, |core| core.run());
    assert_eq!(drops.0.load(SeqCst), 4, "what was queued, and what waited and was listed");
    assert_eq!(poll_once(&mut done), Poll::Ready(Ok(7)));
    let why = [&mut waits, &mut cancelled, &mut queued, &mut both].map(poll_once);
    use JoinError::{Cancelled, Shutdown, Taken};
    assert_eq!(why, [Shutdown, Cancelled, Shutdown, Cancelled].map(|why| Poll::Ready(Err(why))));
    assert_eq!(poll_once(&mut waits), Poll::Ready(Err(Taken)));
    let late = as_cpu(0, || scheduler.spawn(holding()));
    let mut late = late;
    assert_eq!(poll_once(&mut late), Poll::Ready(Err(Shutdown)), "no loop will come by");
    test.on(0, |core| core.run());
    assert_eq!(drops.0.load(SeqCst), 5, "one did");
    drop((waits, cancelled, done, queued, both, late));
    test.settle(0);
    test.finish();
}

#[test]
fn c4_who_waits_for_a_handle_hears_of_the_end() {
    let mut test = Test::with(2, listing());
    let scheduler = test.scheduler();
    // On the other CPU, and in no task: a hosted thread, say.
    let mut waited = as_cpu(1, || scheduler.spawn(pending::<()>()));
    test.settle_all();
    let heard = Arc::new(common::CountingWaker::default());
    let waker = Waker::from(heard.clone());
    assert!(Pin::new(&mut waited).poll(&mut Context::from_waker(&waker)).is_pending());
    scheduler.shut_down();
    test.on(0, |core| core.run());
    assert_eq!(heard.0.load(SeqCst), 0, "its own loop ends it");
    test.on(1, |core| core.run());
    assert_eq!(heard.0.load(SeqCst), 1);
    drop((waited, waker));
    test.settle_all();
    test.finish();
}

#[test]
fn c4_a_task_that_is_not_listed_ends_when_it_is_woken() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let bell = Bell::new();
    let mut waits = scheduler.spawn(bell.listen());
    test.settle(0);
    scheduler.shut_down();
    test.on(0, |core| core.run());
    assert_eq!(poll_once(&mut waits), Poll::Ready(Err(JoinError::Shutdown)));
    assert_eq!(Arc::strong_count(&bell), 2, "the future is there");
    bell.waker.lock().unwrap().take().unwrap().wake();
    assert_eq!(test.on(0, |core| core.end_tasks()), 1);
    assert_eq!((Arc::strong_count(&bell), bell.polls()), (1, 1), "dropped, not polled");
    drop(waits);
    test.settle(0);
    test.finish();
}

/// SD3: what a destructor wakes or spawns ends too, and the injector's tasks with it.
#[test]
fn c4_the_end_goes_on_until_nothing_is_ready() {
    struct Spawns(&'static common::Sched, usize);
    impl Drop for Spawns {
        fn drop(&mut self) {
            if let Some(left) = self.1.checked_sub(1) {
                let more = Spawns(self.0, left);
                drop(self.0.task("more").injected().spawn(async move { drop(more) }));
            }
        }
    }
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let first = Spawns(scheduler, 5);
    drop(scheduler.spawn(async move {
        yield_now().await;
        drop(first);
    }));
    assert_eq!(test.step(0), Step::Injected);
    scheduler.shut_down();
    assert_eq!(test.on(0, |core| core.end_tasks()), 6);
    assert_eq!((scheduler.totals().cancelled, scheduler.totals().polls), (6, 6));
    assert_eq!(scheduler.totals().completed, 0, "none was polled");
    test.finish();
}

/// Nothing changes for a scheduler that is stopped only: who steps goes on.
#[test]
fn c4_a_handle_waits_on_beside_a_stop() {
    let mut test = Test::new(1);
    let mut handle = test.scheduler().spawn(async { 3 });
    test.scheduler().stop();
    test.on(0, |core| core.run());
    assert!(poll_once(&mut handle).is_pending());
    test.settle(0);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(3)));
    drop(handle);
    test.settle(0);
    test.finish();
}
