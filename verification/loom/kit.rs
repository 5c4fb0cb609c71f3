//! Models of what a kernel drives itself: local tasks, and a `Stealer` beside the owner.

use crate::machine::Stepped;
use crate::step::{model, model_of, run_out, spawn};
use sched::{CpuId, Step};
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use verification::exhaustive::Plain;

/// LO1: a local task is woken from another CPU while its own steps. It is polled there, sees what the waker's CPU wrote, and its
/// CPU does not halt beside it.
#[test]
fn a_local_task_is_woken_from_another_cpu() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let written = Arc::new(Plain::new(0));
        let stored: Arc<Mutex<Option<Waker>>> = Arc::default();
        // Not `Send`, nor is the future.
        let polls = Rc::new(Cell::new(0));
        let (seen, store, counted) = (written.clone(), stored.clone(), polls.clone());
        let spawned = core.local_spawner().spawn(poll_fn(move |context| {
            counted.set(counted.get() + 1);
            if counted.get() == 2 {
                return Poll::Ready(seen.read());
            }
            *store.lock().unwrap() = Some(context.waker().clone());
            Poll::Pending
        }));
        let handle = spawned.expect("the loop is there");
        while core.step() != Step::Halted {}
        scheduler.machine().forget_kick(0);
        let waker = stored.lock().unwrap().take().expect("it was polled");
        let other = spawn(move || {
            Stepped::become_cpu(1);
            written.write(1);
            waker.wake();
        });
        let step = core.step();
        other.join().unwrap();
        assert!(step != Step::Halted || scheduler.machine().was_kicked(0), "halted, unkicked");
        while core.step() != Step::Halted {}
        assert_eq!(polls.get(), 2, "the wake was lost");
        assert!(handle.is_complete());
        drop(handle);
        run_out(core);
    });
}

/// Another CPU takes by hand what the owner has published, while the owner goes on: each task runs once, and sees what its spawner
/// wrote.
#[test]
fn a_stealer_beside_the_owner_takes_each_task_once() {
    model_of::<3>(|scheduler| {
        // A third, so that the first is not alone.
        Stepped::become_cpu(2);
        std::mem::forget(scheduler.enter().expect("it is new"));
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let ran: Arc<Mutex<[usize; 4]>> = Arc::default();
        for task in 0..4 {
            let (ran, written) = (ran.clone(), Plain::new(0));
            written.write(task);
            drop(scheduler.spawn(async move {
                ran.lock().unwrap()[written.read()] += 1;
            }));
        }
        // Runs the first, and publishes the others.
        assert_eq!(core.step(), Step::Ran);
        let thief = spawn(move || {
            Stepped::become_cpu(1);
            let mut core = scheduler.enter().expect("it is new");
            let taken = core.try_steal(CpuId::new(0)).map_or(0, |mut stealer| stealer.spawn_n(2));
            assert!(taken <= 2 && core.queued() == taken, "what it says it took");
            for _ in 0..taken {
                assert_eq!(core.step(), Step::Ran);
            }
            std::mem::forget(core);
        });
        assert_eq!(core.step(), Step::Ran);
        thief.join().unwrap();
        run_out(core);
        assert_eq!(*ran.lock().unwrap(), [1; 4], "each ran once");
    });
}
