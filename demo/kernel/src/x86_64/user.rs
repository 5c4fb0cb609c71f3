//! Ring 3: in by `iretq`, out by the next interrupt.
//!
//! A context is twenty words: rax, rbx, rcx, rdx, rsi, rdi, rbp, r8 to r15, and what `iretq` wants: rip, cs, flags, rsp, ss.
//! The kernel uses no vector registers, so a program's stay where they are.

use core::arch::naked_asm;

/// Runs user code until an interrupt has been handled; returns with interrupts masked.
///
/// `stack_for_interrupts` is where this CPU's task state says which stack an interrupt from ring 3 finds: this one.
///
/// # Safety
///
/// Interrupts are masked; the context is that of a program whose pages are mapped, with selectors of ring 3.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn enter_user(context: *mut u64, stack_for_interrupts: *mut u64) {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rdi",
        // Aligned to 16, as the CPU would align it: the interrupt's words stand right below.
        "mov [rsi], rsp",
        "mov rsp, rdi",
        "pop rax",
        "pop rbx",
        "pop rcx",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "pop rbp",
        "pop r8",
        "pop r9",
        "pop r10",
        "pop r11",
        "pop r12",
        "pop r13",
        "pop r14",
        "pop r15",
        "iretq",
    )
}

/// From an interrupt's entry that found ring 3: saves the context, calls the handler whose address is on top of the stack,
/// and returns from `enter_user`.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn leave_user() {
    naked_asm!(
        "push r15",
        "push r14",
        "push r13",
        "push r12",
        "push r11",
        "push r10",
        "push r9",
        "push r8",
        "push rbp",
        "push rdi",
        "push rsi",
        "push rdx",
        "push rcx",
        "push rbx",
        "push rax",
        // From the top: 15 registers, the handler, 5 words of the interrupt, the context's address, 6 registers of
        // `enter_user`, its return address.
        "cld",
        "mov rdi, [rsp + 8 * (15 + 1 + 5)]",
        "mov rsi, rsp",
        "mov ecx, 15",
        "rep movsq",
        "add rsi, 8",
        "mov ecx, 5",
        "rep movsq",
        "mov rax, [rsp + 8 * 15]",
        "lea rsp, [rsp + 8 * (15 + 1 + 5 + 1)]",
        "sub rsp, 8",
        "call rax",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
    )
}
