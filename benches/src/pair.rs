//! Two threads on two CPUs that begin together.

use std::hint;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use core_affinity::CoreId;

/// The first two CPUs that this process may use; none where the system does not say.
fn cores() -> Option<[CoreId; 2]> {
    static CORES: OnceLock<Option<[CoreId; 2]>> = OnceLock::new();
    *CORES.get_or_init(|| core_affinity::get_core_ids()?.get(..2)?.try_into().ok())
}

/// Whether two threads can run at once.
pub(crate) fn can_pair() -> bool {
    thread::available_parallelism().is_ok_and(|cpus| cpus.get() >= 2)
}

/// Whether pairs stay on CPUs of their own. Asked once, by trying.
pub(crate) fn is_pinned() -> bool {
    static PINNED: OnceLock<bool> = OnceLock::new();
    *PINNED.get_or_init(|| {
        let pin = || cores().is_some_and(|cores| core_affinity::set_for_current(cores[0]));
        thread::scope(|scope| scope.spawn(pin).join().unwrap_or(false))
    })
}

/// Pins the calling thread to one of the two, where the system allows it.
pub(crate) fn pin(place: usize) {
    if let Some(cores) = cores() {
        core_affinity::set_for_current(cores[place]);
    }
}

/// Runs both, each on a CPU of its own where the system allows; they begin when both are there.
pub(crate) fn run<A: Send, B: Send>(
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    let arrived = AtomicU32::new(0);
    let meet = |place: usize| {
        pin(place);
        arrived.fetch_add(1, Ordering::AcqRel);
        while arrived.load(Ordering::Acquire) < 2 {
            hint::spin_loop();
        }
    };
    let begin = &meet;
    thread::scope(|scope| {
        let first = scope.spawn(move || {
            begin(0);
            first()
        });
        let second = scope.spawn(move || {
            begin(1);
            second()
        });
        (first.join().expect("first"), second.join().expect("second"))
    })
}
