//! The serial line, one line at a time.

use crate::arch;
use core::fmt::{self, Write};
use sched_arch::Machine as _;
use spin::Mutex;

static UART: Mutex<Option<arch::Uart>> = Mutex::new(None);

/// Opens the line; before anything is printed.
pub(crate) fn open(uart: arch::Uart) {
    *UART.lock() = Some(uart);
}

/// Prints; what came before [`open`] is lost. Interrupts are masked meanwhile, lest a handler that prints wait for the code
/// that it interrupted.
pub(crate) fn print(line: fmt::Arguments<'_>) {
    let machine = crate::SCHEDULER.machine();
    let saved = machine.mask();
    if let Some(uart) = UART.lock().as_mut() {
        let _ = uart.write_fmt(line);
    }
    // SAFETY: of the `mask` above, on this CPU, as nothing in between moves the caller.
    unsafe { machine.restore(saved) }
}

/// Prints though somebody may have stopped in the midst of it: the others are stopped, and do not write.
pub(crate) fn print_at_the_end(line: fmt::Arguments<'_>) {
    const TRIES: u32 = 1_000_000;
    for _ in 0..TRIES {
        if let Some(mut uart) = UART.try_lock() {
            if let Some(uart) = uart.as_mut() {
                let _ = uart.write_fmt(line);
            }
            return;
        }
        core::hint::spin_loop();
    }
    // SAFETY: whoever holds the lock is stopped, or is this CPU, which does not come back to it.
    unsafe { UART.force_unlock() };
    if let Some(uart) = UART.lock().as_mut() {
        let _ = uart.write_fmt(line);
    }
}

macro_rules! println {
    ($($argument:tt)*) => {
        $crate::console::print(format_args!("{}\n", format_args!($($argument)*)))
    };
}
pub(crate) use println;
