//! Models of schedulers in counted memory: the last handle goes beside what may end a task.

use crate::machine::Stepped;
use crate::step::spawn;
use sched::{Settings, Shared};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use verification::exhaustive;

/// AR3, AR4: the last handle goes while `end` uses the last waker of a task that waits. Its future is dropped by one of the two,
/// and the memory given back.
fn beside(end: fn(Waker)) {
    exhaustive::model(move || {
        let body = move || {
            let mut settings = Settings::DEFAULT;
            settings.slice_ns = u64::MAX;
            let scheduler = Shared::<Stepped, (), 1>::new(Stepped::new(), (), settings);
            Stepped::become_cpu(0);
            let mut core = scheduler.enter().expect("it is new");
            let held = Arc::new(());
            let stored: Arc<Mutex<Option<Waker>>> = Arc::default();
            let (holds, store) = (held.clone(), stored.clone());
            drop(scheduler.spawn(poll_fn(move |context| {
                let _holds = &holds;
                *store.lock().unwrap() = Some(context.waker().clone());
                Poll::<()>::Pending
            })));
            while core.tick().has_remaining {}
            let waker = stored.lock().unwrap().take().expect("it was polled");
            drop(core);
            let ends = spawn(move || end(waker));
            drop(scheduler);
            ends.join().unwrap();
            assert_eq!(Arc::strong_count(&held), 1, "the future is dropped");
        };
        spawn(body).join().unwrap();
    });
}

#[test]
fn the_last_handle_goes_beside_a_wake() {
    beside(Waker::wake);
}

#[test]
fn the_last_handle_goes_beside_the_last_reference() {
    beside(drop);
}
