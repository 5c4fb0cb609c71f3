//! The switch of x86_64, System V ABI.
//!
//! On the stack of a context that does not run, from its stack pointer up:
//!
//! | Offset | What |
//! |---|---|
//! | 0 | MXCSR and the x87 control word, where the target has SSE |
//! | 8 | r15, r14, r13, r12, rbx, rbp |
//! | 56 | where it goes on |
//!
//! All other registers are the caller's to save, by the ABI; the direction flag is clear at every call. Shadow stacks are not
//! switched: they must be off.

use super::{Context, Entry};
use core::arch::naked_asm;
use core::ptr::NonNull;

const ALIGN: usize = 16;

/// The control words as the ABI wants them at the start of a process: all exceptions masked, round to nearest.
const MXCSR: u64 = 0x1f80;
const X87_CONTROL: u64 = 0x037f;

#[repr(C)]
struct Frame {
    control: u64,
    r15: u64,
    r14: u64,
    r13: u64,
    r12: Entry,
    rbx: *mut (),
    rbp: u64,
    rip: unsafe extern "C" fn() -> !,
}

pub(super) unsafe fn prepare(stack: NonNull<[u8]>, entry: Entry, argument: *mut ()) -> Context {
    let bottom = stack.cast::<u8>().as_ptr();
    // SAFETY: one past the end of the caller's stack.
    let end = unsafe { bottom.add(stack.len()) };
    let top = end.map_addr(|end| end & !(ALIGN - 1)).cast::<Frame>();
    // SAFETY: the caller's stack is big enough.
    let frame = unsafe { top.sub(1) };
    let first = Frame {
        control: MXCSR | (X87_CONTROL << 32),
        r15: 0,
        r14: 0,
        r13: 0,
        r12: entry,
        rbx: argument,
        rbp: 0,
        rip: trampoline,
    };
    // SAFETY: on the caller's stack, aligned by `top`.
    unsafe { frame.write(first) };
    Context(frame.cast())
}

/// Calls the entry. `rbp` is 0, which ends the chain of frames for who walks it.
#[unsafe(naked)]
unsafe extern "C" fn trampoline() -> ! {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined rip",
        "mov rdi, rbx",
        "call r12",
        "ud2",
        ".cfi_endproc"
    )
}

macro_rules! switch {
    (save: [$($save:literal),*], load: [$($load:literal),*]) => {
        /// A call that returns in another context.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn switch(from: *mut Context, to: Context) {
            naked_asm!(
                "push rbp",
                "push rbx",
                "push r12",
                "push r13",
                "push r14",
                "push r15",
                "sub rsp, 8",
                $($save,)*
                "mov [rdi], rsp",
                "mov rsp, rsi",
                $($load,)*
                "add rsp, 8",
                "pop r15",
                "pop r14",
                "pop r13",
                "pop r12",
                "pop rbx",
                "pop rbp",
                "ret",
            )
        }
    };
}

#[cfg(target_feature = "sse")]
switch!(save: ["stmxcsr [rsp]", "fnstcw [rsp + 4]"], load: ["ldmxcsr [rsp]", "fldcw [rsp + 4]"]);
#[cfg(not(target_feature = "sse"))]
switch!(save: [], load: []);
