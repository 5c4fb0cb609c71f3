//! The interrupt table and its entries.

use super::VECTORS;
use crate::handlers::Handlers;
use crate::{SCHEDULER, panic};
use core::arch::naked_asm;
use core::fmt;
use sched_arch::x86_64::{Command, Setup};
use spin::Once;
use x86_64::VirtAddr;
use x86_64::instructions::port::Port;
use x86_64::structures::idt::InterruptDescriptorTable;

/// The same for all CPUs.
static TABLE: Once<InterruptDescriptorTable> = Once::new();

/// Says on this CPU who handles interrupts.
pub(crate) fn load() {
    TABLE.call_once(table).load();
}

/// Silences the two old interrupt controllers, whose vectors are those of exceptions.
pub(crate) fn mask_old_controllers() {
    for port in [0x21, 0xa1] {
        // SAFETY: the controllers' mask registers, on a PC.
        unsafe { Port::<u8>::new(port).write(0xff) }
    }
}

/// An entry that saves what a Rust function may change and calls `$handler`, on the stack of what it interrupts: the handler may
/// switch to another context before it returns, and what is saved here then waits with that stack. So the vector has no stack
/// of its own (no IST). All other registers are saved by the switch, and the flag that masks interrupts by the CPU, which
/// `iretq` puts back.
///
/// An interrupt leaves 40 bytes on a stack aligned to 16; nine more words make 112, so the call finds it aligned. The kernel
/// is compiled without vector registers, so there are none to save.
macro_rules! interrupt_entry {
    ($name:ident, $handler:path) => {
        #[unsafe(naked)]
        extern "C" fn $name() {
            naked_asm!(
                // From ring 3: all registers are a program's, and the way back is another.
                "test byte ptr [rsp + 8], 3",
                "jnz 2f",
                "push rax", "push rcx", "push rdx", "push rsi", "push rdi",
                "push r8", "push r9", "push r10", "push r11",
                "cld",
                "call {handler}",
                "pop r11", "pop r10", "pop r9", "pop r8",
                "pop rdi", "pop rsi", "pop rdx", "pop rcx", "pop rax",
                "iretq",
                "2:",
                "push rax",
                "lea rax, [rip + {handler}]",
                "xchg [rsp], rax",
                "jmp {leave_user}",
                handler = sym $handler,
                leave_user = sym super::user::leave_user,
            )
        }
    };
}

interrupt_entry!(kick_entry, on_kick);
interrupt_entry!(timer_entry, on_timer);
interrupt_entry!(nmi_entry, on_nmi);

extern "C" fn on_kick() {
    SCHEDULER.machine().kicked(&Handlers);
    SCHEDULER.preempt();
}

extern "C" fn on_timer() {
    SCHEDULER.machine().timer_fired(&Handlers);
    SCHEDULER.preempt();
}

/// Only a panic sends one.
extern "C" fn on_nmi() {
    if panic::is_panicking() {
        super::park()
    }
}

#[unsafe(naked)]
extern "C" fn spurious_entry() {
    naked_asm!("iretq")
}

/// What an exception finds on the stack.
#[repr(C)]
struct Frame {
    vector: u64,
    error: u64,
    rip: u64,
    cs: u64,
    flags: u64,
    rsp: u64,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vector, error, rip, flags, rsp, .. } = self;
        let address = x86_64::registers::control::Cr2::read_raw();
        write!(
            f,
            "exception {vector}, error {error:#x}, at {rip:#x}, flags {flags:#x}, stack {rsp:#x}, address {address:#x}"
        )
    }
}

extern "C" fn on_exception(frame: &Frame) -> ! {
    panic!("{frame}")
}

/// The entry of an exception that pushes no error code, or of one that does. They do not come back.
#[unsafe(naked)]
extern "C" fn exception_entry<const VECTOR: u8, const HAS_ERROR: bool>() {
    naked_asm!(
        ".if {has_error} == 0",
        "push 0",
        ".endif",
        "push {vector}",
        "mov rdi, rsp",
        "cld",
        "and rsp, -16",
        "call {handler}",
        "ud2",
        has_error = const HAS_ERROR as u8,
        vector = const VECTOR,
        handler = sym on_exception,
    )
}

fn address(entry: extern "C" fn()) -> VirtAddr {
    VirtAddr::from_ptr(entry as *const ())
}

fn table() -> InterruptDescriptorTable {
    let mut table = InterruptDescriptorTable::new();
    macro_rules! exceptions {
        ($($field:ident: $vector:literal, $has_error:literal;)*) => {
            // SAFETY: each entry is of its own vector, and knows whether there is an error code.
            unsafe { $(table.$field.set_handler_addr(address(exception_entry::<$vector, $has_error>));)* }
        };
    }
    exceptions! {
        divide_error: 0, false;
        debug: 1, false;
        breakpoint: 3, false;
        overflow: 4, false;
        bound_range_exceeded: 5, false;
        invalid_opcode: 6, false;
        device_not_available: 7, false;
        double_fault: 8, true;
        invalid_tss: 10, true;
        segment_not_present: 11, true;
        stack_segment_fault: 12, true;
        general_protection_fault: 13, true;
        page_fault: 14, true;
        x87_floating_point: 16, false;
        alignment_check: 17, true;
        machine_check: 18, false;
        simd_floating_point: 19, false;
    }
    // SAFETY: the entries save all that they change, and end with `iretq`.
    unsafe {
        table.non_maskable_interrupt.set_handler_addr(address(nmi_entry));
        table[VECTORS.kick].set_handler_addr(address(kick_entry));
        table[VECTORS.timer].set_handler_addr(address(timer_entry));
        table[VECTORS.spurious].set_handler_addr(address(spurious_entry));
    }
    table
}

/// Stops every other CPU, whatever it does.
pub(crate) fn stop_others() {
    let machine = SCHEDULER.machine();
    let Some(Setup { apic, .. }) = machine.setup() else { return };
    let own = sched::Machine::cpu(machine);
    for cpu in (0..crate::MAX_CPUS as u32).map(sched::CpuId::new) {
        if let Some(id) = machine.apic_id(cpu).filter(|_| Some(cpu) != own) {
            // SAFETY: masked, as a panic is; its handler stops the CPU.
            unsafe { apic.send(id, Command::NonMaskable) }
        }
    }
}
