//! QEMU's `virt` machine, entered at EL1.

mod boot;
mod gic;
mod interrupts;
pub(crate) mod user;

pub(crate) use boot::{enter_cpu, start_cpu};
pub(crate) use interrupts::stop_others;

use arm_pl011_uart::{PL011Registers, UniqueMmioPointer};
use core::fmt;
use core::ptr::NonNull;
use qemu_exit::QEMUExit as _;
use sched_arch::aarch64::GicMachine;

pub(crate) type Machine = GicMachine<{ crate::MAX_CPUS }>;

/// The SGIs: a kick, and the end of a panic.
pub(crate) const KICK_SGI: u8 = 0;
pub(crate) const STOP_SGI: u8 = 1;

/// The machine, for the one static.
pub(crate) const fn machine() -> Machine {
    // SAFETY: EL1 is all there is, and `first_cpu` and `other_cpu` see to `TPIDR_EL1` first.
    unsafe { GicMachine::new(KICK_SGI) }
}

/// The first serial port.
pub(crate) struct Uart(arm_pl011_uart::Uart<'static>);

impl Uart {
    /// # Safety
    ///
    /// Once, with a PL011 mapped at `address` as device memory.
    unsafe fn open(address: usize) -> Option<Self> {
        let registers = core::ptr::with_exposed_provenance_mut::<PL011Registers>(address);
        // SAFETY: the caller's promise. The loader has set the line up.
        let registers = unsafe { UniqueMmioPointer::new(NonNull::new(registers)?) };
        Some(Self(arm_pl011_uart::Uart::new(registers)))
    }
}

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(text)
    }
}

/// Ends the virtual machine.
pub(crate) fn exit(success: bool) -> ! {
    let device = qemu_exit::AArch64::new();
    if success { device.exit_success() } else { device.exit_failure() }
}

/// A CPU's end.
pub(crate) fn park() -> ! {
    sched_arch::aarch64::interrupts::mask();
    loop {
        aarch64_cpu::asm::wfe();
    }
}
