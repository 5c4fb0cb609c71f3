//! A class of the kernel's own in the place of the fair one.

use crate::bench::{spawn, stack_for_good};
use crate::common::{Notes, Test};
use sched::class::{Nice, RoundRobin};
use sched::thread::{LentClass, Policy, Tcb};
use sched::{Core, Step};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

const TURN_NS: u64 = 3_000_000;

fn turns() -> LentClass {
    Box::leak(Box::new(RoundRobin::<Tcb>::new(TURN_NS)))
}

#[test]
fn a_lent_class_orders_threads_and_futures_whatever_their_weight() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    // SAFETY: a class of the crate's.
    test.on(0, |core| unsafe { core.lend_class(turns()) }.map_err(drop).unwrap());
    test.on(0, |core| core.lend_stack(stack_for_good()).unwrap());
    let notes = Notes::default();
    for (id, nice) in [(1, -20), (2, 0), (3, 19)] {
        let notes = notes.clone();
        drop(spawn(&mut test, 0, Policy::fair(Nice::new(nice)), move || {
            for _ in 0..3 {
                notes.push(id);
                scheduler.yield_thread();
            }
        }));
    }
    let future = notes.clone();
    test.on(0, |_| drop(scheduler.spawn(async move { future.push(4) })));
    test.settle(0);
    let mut seen = notes.take();
    assert_eq!(seen.iter().filter(|id| **id == 4).count(), 1);
    seen.retain(|id| *id != 4);
    assert_eq!(seen, [1, 2, 3, 1, 2, 3, 1, 2, 3]);
    test.finish();
}

#[test]
fn real_time_goes_before_a_lent_class_and_thieves_take_from_it() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    for cpu in 0..2 {
        // SAFETY: a class of the crate's.
        test.on(cpu, |core| unsafe { core.lend_class(turns()) }.map_err(drop).unwrap());
    }
    test.settle(1);
    let notes = Notes::default();
    for (id, policy) in
        [(1, Policy::DEFAULT), (2, Policy::DEFAULT), (3, Policy::Realtime { priority: 0 })]
    {
        let notes = notes.clone();
        drop(spawn(&mut test, 0, policy, move || notes.push(id)));
    }
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(notes.take(), [3]);
    assert_eq!(test.step(1), Step::Stole);
    test.settle(1);
    test.settle(0);
    let mut rest = notes.take();
    rest.sort_unstable();
    assert_eq!(rest, [1, 2]);
    assert_eq!(scheduler.totals().steals_won, 2, "both: CPU 0 did nothing meanwhile");
    test.finish();
}

#[test]
fn o1_a_class_is_lent_once_and_only_while_nothing_is_in_either() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    // SAFETY: classes of the crate's.
    let lend = |core: &mut Core<_, _, 4>, class| unsafe { core.lend_class(class) }.is_ok();
    let ended: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
    let thread = spawn(&mut test, 0, Policy::DEFAULT, move || {
        while !ended.load(SeqCst) {
            scheduler.yield_thread();
        }
    });
    assert_eq!(test.step(0), Step::Ran);
    assert!(!test.on(0, |core| lend(core, turns())), "a thread is in the fair class");
    ended.store(true, SeqCst);
    drop(thread);
    test.settle(0);
    assert!(test.on(0, |core| lend(core, turns())));
    assert!(!test.on(0, |core| lend(core, turns())), "one was lent");
    let ran: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
    drop(spawn(&mut test, 0, Policy::DEFAULT, || ran.fetch_add(1, SeqCst)));
    test.settle(0);
    assert_eq!(ran.load(SeqCst), 1);
    test.finish();
}
