//! All registers that an interrupt, or a switch, must leave as they are: filled, held for a while, and read back.

use core::arch::{asm, global_asm};
use core::mem::offset_of;

/// rax, rbx, rcx, rdx, rsi, rdi, rbp, r8 to r15.
pub(super) const GENERAL: usize = 15;
/// xmm0 to xmm15. The kernel has no use for them, so that it may leave them alone; it must.
pub(super) const VECTOR: usize = 16;
/// What controls them is left alone with them.
pub(super) const STATUS: usize = 0;

/// What the registers hold.
#[repr(C)]
#[derive(Debug, PartialEq)]
pub(super) struct Registers {
    pub(super) general: [u64; GENERAL],
    pub(super) status: [u64; STATUS],
    pub(super) vector: [u128; VECTOR],
}

/// Nothing.
pub(super) fn status(_: u64) -> [u64; STATUS] {
    []
}

unsafe extern "C" {
    /// Fills the registers from `from`, waits until `hold_left` is 0, and writes them to `to`.
    pub(super) fn hold_registers(from: &Registers, to: &mut Registers);
}

// System V: rdi and rsi are the arguments; rbx, rbp and r12 to r15 are the caller's. The wait compares memory with a constant:
// no register is free for it.
global_asm!(
    ".global hold_registers",
    "hold_registers:",
    "push rbx", "push rbp", "push r12", "push r13", "push r14", "push r15",
    "push rsi",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "movdqu xmm\\n, [rdi + {vector} + 16 * \\n]",
    ".endr",
    "mov rax, [rdi]", "mov rbx, [rdi + 8]", "mov rcx, [rdi + 16]", "mov rdx, [rdi + 24]",
    "mov rsi, [rdi + 32]", "mov rbp, [rdi + 48]", "mov r8, [rdi + 56]", "mov r9, [rdi + 64]",
    "mov r10, [rdi + 72]", "mov r11, [rdi + 80]", "mov r12, [rdi + 88]", "mov r13, [rdi + 96]",
    "mov r14, [rdi + 104]", "mov r15, [rdi + 112]", "mov rdi, [rdi + 40]",
    "2: pause",
    "cmp dword ptr [rip + hold_left], 0",
    "jne 2b",
    "push r15", "push r14", "push r13", "push r12", "push r11", "push r10", "push r9", "push r8",
    "push rbp", "push rdi", "push rsi", "push rdx", "push rcx", "push rbx", "push rax",
    "mov rdx, [rsp + 8 * {general}]",
    "mov rdi, rdx",
    "mov rsi, rsp",
    "mov ecx, {general}",
    "rep movsq",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "movdqu [rdx + {vector} + 16 * \\n], xmm\\n",
    ".endr",
    "add rsp, 8 * {general} + 8",
    "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
    "ret",
    general = const GENERAL,
    vector = const offset_of!(Registers, vector),
);

/// Changes all registers that a function may change.
pub(super) fn scribble() {
    // SAFETY: what it changes is named.
    unsafe {
        asm!(
            ".irp r, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11",
            "mov \\r, -1",
            ".endr",
            clobber_abi("C"),
            options(nomem, nostack)
        )
    }
}
