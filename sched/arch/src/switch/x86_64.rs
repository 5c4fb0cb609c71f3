//! The switch of x86_64, System V ABI (also where the target's own is another one: the compiler then saves the difference).
//!
//! On the stack of a context that does not run, from its stack pointer up:
//!
//! | Offset | What |
//! |---|---|
//! | 0 | MXCSR and the x87 control word, where the target has SSE |
//! | 8 | r15, r14, r13, r12, rbx, rbp |
//! | 56 | where it goes on |
//!
//! All other registers are the caller's to save, by the ABI; the direction flag is clear at every call. A kernel compiled
//! without SSE has no vector registers to save: those of user programs are [`Switch::activate`](super::Switch::activate)'s.
//! Shadow stacks are not switched: they must be off.

use super::{Context, Entry};
use core::arch::naked_asm;
use core::mem::offset_of;
use core::ptr::NonNull;

/// The control words as the ABI wants them at the start of a process: all exceptions masked, round to nearest.
const MXCSR: u32 = 0x1f80;
const X87_CONTROL: u32 = 0x037f;

#[repr(C)]
struct Frame {
    mxcsr: u32,
    x87_control: u32,
    r15: u64,
    r14: u64,
    r13: u64,
    r12: Entry,
    rbx: *mut (),
    rbp: u64,
    rip: unsafe extern "C" fn() -> !,
}

/// What the pushes of a switch leave, and the control words below.
const _: () = assert!(offset_of!(Frame, r15) == 8 && size_of::<Frame>() == 8 * 8);

pub(super) unsafe fn prepare(stack: NonNull<[u8]>, entry: Entry, argument: *mut ()) -> Context {
    let first = Frame {
        mxcsr: MXCSR,
        x87_control: X87_CONTROL,
        r15: 0,
        r14: 0,
        r13: 0,
        r12: entry,
        rbx: argument,
        rbp: 0,
        rip: trampoline,
    };
    // SAFETY: the caller's stack is big enough.
    let frame = unsafe { super::first_frame::<Frame>(stack) };
    // SAFETY: on the caller's stack, and aligned.
    unsafe { frame.write(first) };
    Context(frame.cast())
}

/// Calls the entry with its argument: `r12` and `rbx` of the first frame.
///
/// The stack is empty, and aligned to 16 before the call as the ABI wants it. Both W4: `rbp` is 0, which ends the chain of
/// frames, and for who unwinds by tables there is no caller. The entry does not return; `ud2` if it does. The argument is
/// passed as System V has it and as Microsoft does (UEFI), with the 32 bytes that the latter's callees may write to.
#[unsafe(naked)]
unsafe extern "C" fn trampoline() -> ! {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "sub rsp, 32",
        "mov rdi, rbx",
        "mov rcx, rbx",
        "call r12",
        "ud2",
        ".cfi_endproc"
    )
}

macro_rules! switch {
    (save: [$($save:literal),*], load: [$($load:literal),*]) => {
        /// A call that returns in another context: `from` is in `rdi`, `to` in `rsi`, and both are the callee's to change, as is
        /// all that is not saved.
        ///
        /// The distance from the stack pointer to the caller is the same in both contexts, so that the unwind tables hold at
        /// each instruction, on either side.
        #[unsafe(naked)]
        pub(super) unsafe extern "sysv64" fn switch(from: *mut Context, to: Context) {
            naked_asm!(
                ".cfi_startproc",
                "push rbp", ".cfi_adjust_cfa_offset 8", ".cfi_rel_offset rbp, 0",
                "push rbx", ".cfi_adjust_cfa_offset 8", ".cfi_rel_offset rbx, 0",
                "push r12", ".cfi_adjust_cfa_offset 8", ".cfi_rel_offset r12, 0",
                "push r13", ".cfi_adjust_cfa_offset 8", ".cfi_rel_offset r13, 0",
                "push r14", ".cfi_adjust_cfa_offset 8", ".cfi_rel_offset r14, 0",
                "push r15", ".cfi_adjust_cfa_offset 8", ".cfi_rel_offset r15, 0",
                "sub rsp, 8", ".cfi_adjust_cfa_offset 8",
                $($save,)*
                "mov [rdi], rsp",
                "mov rsp, rsi",
                $($load,)*
                "add rsp, 8", ".cfi_adjust_cfa_offset -8",
                "pop r15", ".cfi_adjust_cfa_offset -8", ".cfi_restore r15",
                "pop r14", ".cfi_adjust_cfa_offset -8", ".cfi_restore r14",
                "pop r13", ".cfi_adjust_cfa_offset -8", ".cfi_restore r13",
                "pop r12", ".cfi_adjust_cfa_offset -8", ".cfi_restore r12",
                "pop rbx", ".cfi_adjust_cfa_offset -8", ".cfi_restore rbx",
                "pop rbp", ".cfi_adjust_cfa_offset -8", ".cfi_restore rbp",
                "ret",
                ".cfi_endproc",
            )
        }
    };
}

#[cfg(target_feature = "sse")]
switch!(save: ["stmxcsr [rsp]", "fnstcw [rsp + 4]"], load: ["ldmxcsr [rsp]", "fldcw [rsp + 4]"]);
#[cfg(not(target_feature = "sse"))]
switch!(save: [], load: []);
