//! All registers that an interrupt, or a switch, must leave as they are: filled, held for a while, and read back.

use core::arch::{asm, global_asm};
use core::mem::offset_of;

/// x0 to x15, x18 to x30. The wait itself uses x16 and x17, and would go wrong if they changed.
pub(super) const GENERAL: usize = 29;
/// v0 to v31.
pub(super) const VECTOR: usize = 32;
/// FPCR and FPSR.
pub(super) const STATUS: usize = 2;

/// What the registers hold.
#[repr(C)]
#[derive(Debug, PartialEq)]
pub(super) struct Registers {
    pub(super) general: [u64; GENERAL],
    pub(super) status: [u64; STATUS],
    pub(super) vector: [u128; VECTOR],
}

/// A rounding mode, and flags, that say whose they are.
pub(super) fn status(seed: u64) -> [u64; STATUS] {
    const ROUNDING: u64 = 22;
    const NAN_IS_DEFAULT: u64 = 1 << 25;
    const SATURATED: u64 = 1 << 27;
    [(1 + seed % 3) << ROUNDING | NAN_IS_DEFAULT, SATURATED | (1 + seed % 15)]
}

unsafe extern "C" {
    /// Fills the registers from `from`, waits until `hold_left` is 0, and writes them to `to`.
    pub(super) fn hold_registers(from: &Registers, to: &mut Registers);
}

// AAPCS64: x0 and x1 are the arguments; x19 to x30 and the lower halves of v8 to v15 are the caller's.
global_asm!(
    ".global hold_registers",
    "hold_registers:",
    "sub sp, sp, #192",
    "stp x19, x20, [sp]", "stp x21, x22, [sp, #16]", "stp x23, x24, [sp, #32]",
    "stp x25, x26, [sp, #48]", "stp x27, x28, [sp, #64]", "stp x29, x30, [sp, #80]",
    "stp d8, d9, [sp, #96]", "stp d10, d11, [sp, #112]", "stp d12, d13, [sp, #128]",
    "stp d14, d15, [sp, #144]",
    "stp x1, x18, [sp, #160]",
    "mrs x16, fpcr",
    "str x16, [sp, #176]",
    "ldp x16, x17, [x0, #{status}]",
    "msr fpcr, x16",
    "msr fpsr, x17",
    "add x16, x0, #{vector}",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "ldr q\\n, [x16, #16 * \\n]",
    ".endr",
    ".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
    "ldr q\\n, [x16, #16 * \\n]",
    ".endr",
    "ldp x2, x3, [x0, #16]", "ldp x4, x5, [x0, #32]", "ldp x6, x7, [x0, #48]",
    "ldp x8, x9, [x0, #64]", "ldp x10, x11, [x0, #80]", "ldp x12, x13, [x0, #96]",
    "ldp x14, x15, [x0, #112]", "ldp x18, x19, [x0, #128]", "ldp x20, x21, [x0, #144]",
    "ldp x22, x23, [x0, #160]", "ldp x24, x25, [x0, #176]", "ldp x26, x27, [x0, #192]",
    "ldp x28, x29, [x0, #208]", "ldr x30, [x0, #224]",
    "ldp x0, x1, [x0]",
    "2: adrp x16, hold_left",
    "ldr w17, [x16, :lo12:hold_left]",
    "cbnz w17, 2b",
    "ldr x16, [sp, #160]",
    "stp x0, x1, [x16]", "stp x2, x3, [x16, #16]", "stp x4, x5, [x16, #32]",
    "stp x6, x7, [x16, #48]", "stp x8, x9, [x16, #64]", "stp x10, x11, [x16, #80]",
    "stp x12, x13, [x16, #96]", "stp x14, x15, [x16, #112]", "stp x18, x19, [x16, #128]",
    "stp x20, x21, [x16, #144]", "stp x22, x23, [x16, #160]", "stp x24, x25, [x16, #176]",
    "stp x26, x27, [x16, #192]", "stp x28, x29, [x16, #208]", "str x30, [x16, #224]",
    "add x16, x16, #{vector}",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "str q\\n, [x16, #16 * \\n]",
    ".endr",
    ".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
    "str q\\n, [x16, #16 * \\n]",
    ".endr",
    "ldp x17, x18, [sp, #160]",
    "mrs x0, fpcr",
    "mrs x1, fpsr",
    "stp x0, x1, [x17, #{status}]",
    "ldr x0, [sp, #176]",
    "msr fpcr, x0",
    "ldp d14, d15, [sp, #144]", "ldp d12, d13, [sp, #128]", "ldp d10, d11, [sp, #112]",
    "ldp d8, d9, [sp, #96]",
    "ldp x29, x30, [sp, #80]", "ldp x27, x28, [sp, #64]", "ldp x25, x26, [sp, #48]",
    "ldp x23, x24, [sp, #32]", "ldp x21, x22, [sp, #16]", "ldp x19, x20, [sp]",
    "add sp, sp, #192",
    "ret",
    status = const offset_of!(Registers, status),
    vector = const offset_of!(Registers, vector),
);

/// Changes all registers that a function may change, and the upper halves of the vectors that it may change in part.
pub(super) fn scribble() {
    // SAFETY: what it changes is named; the compiler saves what it must.
    unsafe {
        asm!(
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17",
            "mov x\\n, #-1",
            ".endr",
            ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
            "movi v\\n\\().2d, #0",
            ".endr",
            ".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
            "movi v\\n\\().2d, #0",
            ".endr",
            "msr fpsr, xzr",
            clobber_abi("C"),
            options(nomem, nostack)
        )
    }
}
