//! What belongs to a task goes with its stack.

use crate::bench::{spawn, stack_for_good, timer_interrupt};
use crate::common::{Test, here, poll_once};
use sched::thread::Policy;
use sched::{CpuId, CpuSet, TaskLocal, Tier};
use std::task::Poll;

static KEY: TaskLocal<u64> = TaskLocal::new();

#[test]
fn a_preempted_poll_keeps_its_scopes_and_shows_them_to_nobody() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    test.on(0, |core| core.lend_stack(stack_for_good()).unwrap());
    let (name, value) = (|| scheduler.current_task_info().unwrap().name, || KEY.get(scheduler));
    test.on(0, |_| {
        let long = scheduler.task("long").spawn(KEY.scope(scheduler, 1, async move {
            assert_eq!((name(), value()), ("long", Some(1)));
            timer_interrupt(scheduler, 1);
            assert_eq!((name(), value()), ("long", Some(1)));
        }));
        drop(long);
    });
    test.step(0);
    assert_eq!(scheduler.totals().preempted, 1);
    test.on(0, |_| {
        assert!(scheduler.current_task().is_none());
        assert_eq!(value(), None);
        let critical = scheduler.task("critical").tier(Tier::Critical);
        drop(critical.spawn(async move { assert_eq!((name(), value()), ("critical", None)) }));
    });
    drop(spawn(&mut test, 0, Policy::Realtime { priority: 1 }, move || {
        assert_eq!((name(), value()), ("thread", None));
    }));
    test.settle(0);
    assert_eq!(scheduler.totals().completed, 3);
    test.finish();
}

#[test]
fn a_threads_scope_goes_with_it_from_cpu_to_cpu() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let mut handle = spawn(&mut test, 0, Policy::DEFAULT, move || {
        let inner = async move {
            assert_eq!((here(), KEY.get(scheduler)), (0, Some(5)));
            let me = scheduler.current_thread().unwrap();
            me.set_affinity(CpuSet::EMPTY.with(CpuId::new(1))).unwrap();
            // In the midst of the poll.
            scheduler.resched_point();
            assert_eq!((here(), KEY.get(scheduler)), (1, Some(5)));
        };
        scheduler.wait(KEY.scope(scheduler, 5, inner)).unwrap();
        KEY.get(scheduler)
    });
    test.settle(0);
    test.on(0, |_| assert_eq!(KEY.get(scheduler), None));
    test.settle(1);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(None)));
    drop(handle);
    test.settle(1);
    test.settle(0);
    test.finish();
}
