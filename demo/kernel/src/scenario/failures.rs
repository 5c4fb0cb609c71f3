//! How a kernel fails: not among `all`, and not to pass.

use super::runner::{Found, cpus, pinned};
use crate::options::Options;
use sched_arch::Machine as _;

/// Panics on the last CPU while the others are busy.
pub(super) async fn panic(options: Options) -> Found {
    // Until all of them are there.
    crate::SCHEDULER.sleep_ms(20).await;
    for cpu in cpus(options) {
        let last = cpu.index() + 1 == options.cpus;
        let task = pinned("failing", cpu).spawn(async move {
            assert!(!last, "as it was asked for");
            spin()
        });
        if last {
            let _ = task.await;
        }
    }
    Ok("nothing happened".into())
}

/// Never comes back, and lets nobody in.
pub(super) async fn hang(_: Options) -> Found {
    crate::SCHEDULER.machine().mask();
    spin()
}

fn spin() -> ! {
    loop {
        core::hint::spin_loop();
    }
}
