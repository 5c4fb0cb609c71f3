//! A PC, as QEMU's `q35` makes it, entered by PVH.

mod boot;
mod interrupts;
pub(crate) mod user;

pub(crate) use boot::{enter_cpu, start_cpu};
pub(crate) use interrupts::stop_others;

use core::fmt;
use qemu_exit::QEMUExit as _;
use sched_arch::x86_64::{ApicMachine, Vectors};
use uart_16550::backend::PioBackend;
use uart_16550::{Config, Uart16550Tty};

pub(crate) type Machine = ApicMachine<{ crate::MAX_CPUS }>;

pub(crate) const VECTORS: Vectors = Vectors { kick: 0xf0, timer: 0xe0, spurious: 0xff };

/// The machine, for the one static.
pub(crate) const fn machine() -> Machine {
    // SAFETY: ring 0 is all there is, and `first_cpu` and `other_cpu` see to GS first.
    unsafe { ApicMachine::new(VECTORS) }
}

/// The first serial port.
pub(crate) struct Uart(Uart16550Tty<PioBackend>);

impl Uart {
    /// # Safety
    ///
    /// Once.
    unsafe fn open() -> Option<Self> {
        // SAFETY: the port is a PC's, and nobody else's (the caller's promise).
        unsafe { Uart16550Tty::new_port(0x3f8, Config::default()) }.ok().map(Self)
    }
}

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(text)
    }
}

/// Ends the virtual machine.
pub(crate) fn exit(success: bool) -> ! {
    /// What the exit device makes of `exit_success`; 0 is out of its reach.
    const SUCCESS: u32 = 33;
    // SAFETY: the device that `cargo xtask boot` puts there.
    let device = unsafe { qemu_exit::X86::new(0xf4, SUCCESS) };
    if success { device.exit_success() } else { device.exit_failure() }
}

/// A CPU's end.
pub(crate) fn park() -> ! {
    x86_64::instructions::interrupts::disable();
    loop {
        x86_64::instructions::hlt();
    }
}
