//! A panic on any CPU stops all, says what is known, and ends in failure.

use crate::console::print_at_the_end;
use crate::{SCHEDULER, arch};
use core::fmt;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};
use sched::Machine as _;

/// Somebody panics: all others stop.
static PANICKING: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let machine = SCHEDULER.machine();
    machine.mask();
    if PANICKING.swap(true, Ordering::AcqRel) {
        // A second one, here or elsewhere, has nothing to add.
        arch::park()
    }
    arch::stop_others();
    match machine.cpu() {
        Some(cpu) => print_at_the_end(format_args!("\nPANIC on {cpu}: {info}\n")),
        None => print_at_the_end(format_args!("\nPANIC on no CPU: {info}\n")),
    }
    dump();
    arch::exit(false)
}

/// Whether a CPU that was told to stop should.
pub(crate) fn is_panicking() -> bool {
    PANICKING.load(Ordering::Acquire)
}

/// What each CPU that was ever there is at.
fn dump() {
    struct AtTheEnd;
    impl fmt::Write for AtTheEnd {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            print_at_the_end(format_args!("{text}"));
            Ok(())
        }
    }
    let _ = SCHEDULER.dump(&mut AtTheEnd);
}
