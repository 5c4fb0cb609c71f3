//! The switch of aarch64, AAPCS64.
//!
//! On the stack of a context that does not run, from its stack pointer up:
//!
//! | Offset | What |
//! |---|---|
//! | 0 | x19 to x28 |
//! | 80 | x29, and x30: where it goes on |
//! | 96 | FPCR, and a word of padding, where the target has FP |
//! | 112 | d8 to d15, where the target has FP |
//!
//! All other registers are the caller's to save, by the ABI: of the vector registers it preserves only the low halves of v8 to
//! v15. FPCR is no register that a call preserves, but its control bits are to be the same after one. x18 is left alone: where
//! it is the platform's, it names the CPU or the kernel, not the thread; as a shadow call stack it must be off.

use super::{Context, Entry};
use core::arch::naked_asm;
use core::mem::offset_of;
use core::ptr::NonNull;

#[repr(C)]
struct Frame {
    x19: *mut (),
    x20: Entry,
    x21_to_x28: [u64; 8],
    x29: u64,
    x30: unsafe extern "C" fn() -> !,
    #[cfg(target_feature = "neon")]
    fpcr: [u64; 2],
    #[cfg(target_feature = "neon")]
    d8_to_d15: [u64; 8],
}

pub(super) unsafe fn prepare(stack: NonNull<[u8]>, entry: Entry, argument: *mut ()) -> Context {
    let first = Frame {
        x19: argument,
        x20: entry,
        x21_to_x28: [0; 8],
        x29: 0,
        x30: trampoline,
        #[cfg(target_feature = "neon")]
        fpcr: [0; 2],
        #[cfg(target_feature = "neon")]
        d8_to_d15: [0; 8],
    };
    // SAFETY: the caller's stack is big enough.
    let frame = unsafe { super::first_frame::<Frame>(stack) };
    // SAFETY: on the caller's stack, and aligned.
    unsafe { frame.write(first) };
    Context(frame.cast())
}

/// Calls the entry with its argument: `x20` and `x19` of the first frame.
///
/// The stack is empty, and aligned to 16 as the hardware wants it. Both W4: `x29` is 0, which ends the chain of frames, and for
/// who unwinds by tables there is no caller. The entry does not return; `brk` if it does.
#[unsafe(naked)]
unsafe extern "C" fn trampoline() -> ! {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "mov x0, x19",
        "blr x20",
        "brk #1",
        ".cfi_endproc",
    )
}

macro_rules! switch {
    (save: [$($save:literal),*], load: [$($load:literal),*], $($operands:tt)*) => {
        /// A call that returns in another context: `from` is in x0, `to` in x1; x9 and x10 are scratch, the caller saves them.
        ///
        /// The distance from the stack pointer to the caller, and where its registers are from there, is the same in both
        /// contexts, so that the unwind tables hold at each instruction, on either side.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn switch(from: *mut Context, to: Context) {
            naked_asm!(
                ".cfi_startproc",
                "sub sp, sp, #{size}",
                ".cfi_def_cfa_offset {size}",
                "stp x19, x20, [sp]",
                "stp x21, x22, [sp, #{x21}]",
                "stp x23, x24, [sp, #{x21} + 16]",
                "stp x25, x26, [sp, #{x21} + 32]",
                "stp x27, x28, [sp, #{x21} + 48]",
                "stp x29, x30, [sp, #{x29}]",
                ".cfi_rel_offset x19, 0", ".cfi_rel_offset x20, 8",
                ".cfi_rel_offset x21, {x21}", ".cfi_rel_offset x22, {x21} + 8",
                ".cfi_rel_offset x23, {x21} + 16", ".cfi_rel_offset x24, {x21} + 24",
                ".cfi_rel_offset x25, {x21} + 32", ".cfi_rel_offset x26, {x21} + 40",
                ".cfi_rel_offset x27, {x21} + 48", ".cfi_rel_offset x28, {x21} + 56",
                ".cfi_rel_offset x29, {x29}", ".cfi_rel_offset x30, {x29} + 8",
                $($save,)*
                "mov x10, sp",
                "str x10, [x0]",
                "mov sp, x1",
                $($load,)*
                "ldp x19, x20, [sp]",
                "ldp x21, x22, [sp, #{x21}]",
                "ldp x23, x24, [sp, #{x21} + 16]",
                "ldp x25, x26, [sp, #{x21} + 32]",
                "ldp x27, x28, [sp, #{x21} + 48]",
                "ldp x29, x30, [sp, #{x29}]",
                "add sp, sp, #{size}",
                ".cfi_def_cfa_offset 0",
                ".irp r, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30",
                ".cfi_restore \\r",
                ".endr",
                "ret",
                ".cfi_endproc",
                size = const size_of::<Frame>(),
                x21 = const offset_of!(Frame, x21_to_x28),
                x29 = const offset_of!(Frame, x29),
                $($operands)*
            )
        }
    };
}

#[cfg(target_feature = "neon")]
switch!(
    save: [
        "mrs x9, fpcr",
        "str x9, [sp, #{fpcr}]",
        "stp d8, d9, [sp, #{d8}]",
        "stp d10, d11, [sp, #{d8} + 16]",
        "stp d12, d13, [sp, #{d8} + 32]",
        "stp d14, d15, [sp, #{d8} + 48]"
    ],
    load: [
        "ldr x9, [sp, #{fpcr}]",
        "msr fpcr, x9",
        "ldp d8, d9, [sp, #{d8}]",
        "ldp d10, d11, [sp, #{d8} + 16]",
        "ldp d12, d13, [sp, #{d8} + 32]",
        "ldp d14, d15, [sp, #{d8} + 48]"
    ],
    fpcr = const offset_of!(Frame, fpcr),
    d8 = const offset_of!(Frame, d8_to_d15),
);
#[cfg(not(target_feature = "neon"))]
switch!(save: [], load: [],);
