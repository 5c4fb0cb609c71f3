//! The entries of exceptions and interrupts.

use super::STOP_SGI;
use crate::handlers::Handlers;
use crate::{MAX_CPUS, SCHEDULER, panic};
use aarch64_cpu::registers::{ELR_EL1, ESR_EL1, FAR_EL1, Readable};
use core::arch::naked_asm;
use core::mem::{offset_of, size_of};
use sched::{CpuId, Machine as _};
use sched_arch::aarch64::Interrupted;

/// What an interrupt saves: all that a Rust function may change. Of v8 to v15 that is the upper halves, so they are saved
/// whole like the others. It lies on the stack of what was interrupted: the handler may switch to another context before it
/// returns, and other interrupts come there, so ELR and SPSR have to be here too. The rest is saved by the switch, FPCR included;
/// SP_EL0 is of user programs, see `user`.
#[repr(C, align(16))]
struct Frame {
    x: [u64; 19],
    x29: u64,
    x30: u64,
    elr: u64,
    spsr: u64,
    fpsr: u64,
    v: [u128; 32],
}

const _: () = assert!(size_of::<Frame>().is_multiple_of(16), "the stack stays aligned");

/// IRQ, from `boot.s`.
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn irq_entry() {
    naked_asm!(
        "sub sp, sp, #{size}",
        "stp x0, x1, [sp, #{x}]",
        "stp x2, x3, [sp, #{x} + 16]",
        "stp x4, x5, [sp, #{x} + 32]",
        "stp x6, x7, [sp, #{x} + 48]",
        "stp x8, x9, [sp, #{x} + 64]",
        "stp x10, x11, [sp, #{x} + 80]",
        "stp x12, x13, [sp, #{x} + 96]",
        "stp x14, x15, [sp, #{x} + 112]",
        "stp x16, x17, [sp, #{x} + 128]",
        "str x18, [sp, #{x} + 144]",
        "stp x29, x30, [sp, #{x29}]",
        "mrs x0, elr_el1",
        "mrs x1, spsr_el1",
        "mrs x2, fpsr",
        "stp x0, x1, [sp, #{elr}]",
        "str x2, [sp, #{fpsr}]",
        "add x0, sp, #{v}",
        "st1 {{v0.2d, v1.2d, v2.2d, v3.2d}}, [x0], #64",
        "st1 {{v4.2d, v5.2d, v6.2d, v7.2d}}, [x0], #64",
        "st1 {{v8.2d, v9.2d, v10.2d, v11.2d}}, [x0], #64",
        "st1 {{v12.2d, v13.2d, v14.2d, v15.2d}}, [x0], #64",
        "st1 {{v16.2d, v17.2d, v18.2d, v19.2d}}, [x0], #64",
        "st1 {{v20.2d, v21.2d, v22.2d, v23.2d}}, [x0], #64",
        "st1 {{v24.2d, v25.2d, v26.2d, v27.2d}}, [x0], #64",
        "st1 {{v28.2d, v29.2d, v30.2d, v31.2d}}, [x0]",
        // A frame for whoever walks the stack.
        "add x29, sp, #{x29}",
        "bl {handler}",
        "add x0, sp, #{v}",
        "ld1 {{v0.2d, v1.2d, v2.2d, v3.2d}}, [x0], #64",
        "ld1 {{v4.2d, v5.2d, v6.2d, v7.2d}}, [x0], #64",
        "ld1 {{v8.2d, v9.2d, v10.2d, v11.2d}}, [x0], #64",
        "ld1 {{v12.2d, v13.2d, v14.2d, v15.2d}}, [x0], #64",
        "ld1 {{v16.2d, v17.2d, v18.2d, v19.2d}}, [x0], #64",
        "ld1 {{v20.2d, v21.2d, v22.2d, v23.2d}}, [x0], #64",
        "ld1 {{v24.2d, v25.2d, v26.2d, v27.2d}}, [x0], #64",
        "ld1 {{v28.2d, v29.2d, v30.2d, v31.2d}}, [x0]",
        "ldp x0, x1, [sp, #{elr}]",
        "ldr x2, [sp, #{fpsr}]",
        "msr elr_el1, x0",
        "msr spsr_el1, x1",
        "msr fpsr, x2",
        "ldp x29, x30, [sp, #{x29}]",
        "ldr x18, [sp, #{x} + 144]",
        "ldp x16, x17, [sp, #{x} + 128]",
        "ldp x14, x15, [sp, #{x} + 112]",
        "ldp x12, x13, [sp, #{x} + 96]",
        "ldp x10, x11, [sp, #{x} + 80]",
        "ldp x8, x9, [sp, #{x} + 64]",
        "ldp x6, x7, [sp, #{x} + 48]",
        "ldp x4, x5, [sp, #{x} + 32]",
        "ldp x2, x3, [sp, #{x} + 16]",
        "ldp x0, x1, [sp, #{x}]",
        "add sp, sp, #{size}",
        "eret",
        size = const size_of::<Frame>(),
        x = const offset_of!(Frame, x),
        x29 = const offset_of!(Frame, x29),
        elr = const offset_of!(Frame, elr),
        fpsr = const offset_of!(Frame, fpsr),
        v = const offset_of!(Frame, v),
        handler = sym on_irq,
    )
}

pub(super) extern "C" fn on_irq() {
    // SAFETY: this is the IRQ handler, and IRQs are unmasked only after the CPU has entered.
    let interrupted = unsafe { SCHEDULER.machine().interrupted(&Handlers) };
    if interrupted == Interrupted::Other(STOP_SGI.into()) && panic::is_panicking() {
        super::park()
    }
    SCHEDULER.preempt();
}

/// A synchronous exception at EL1.
#[unsafe(no_mangle)]
extern "C" fn exception_entry() -> ! {
    panic!(
        "exception, syndrome {:#x}, at {:#x}, address {:#x}",
        ESR_EL1.get(),
        ELR_EL1.get(),
        FAR_EL1.get()
    )
}

/// What nobody asked for.
#[unsafe(no_mangle)]
extern "C" fn unexpected_entry() -> ! {
    panic!("unexpected exception, syndrome {:#x}, at {:#x}", ESR_EL1.get(), ELR_EL1.get())
}

/// Stops every other CPU, as soon as it takes interrupts.
pub(crate) fn stop_others() {
    let machine = SCHEDULER.machine();
    let Some(setup) = machine.setup() else { return };
    let own = machine.cpu();
    for cpu in (0..MAX_CPUS as u32).map(CpuId::new).filter(|&cpu| Some(cpu) != own) {
        if let Some(target) = machine.target(cpu) {
            // SAFETY: it has entered, and its handler stops it.
            unsafe { setup.gic.send_sgi(target, STOP_SGI) }
        }
    }
}
