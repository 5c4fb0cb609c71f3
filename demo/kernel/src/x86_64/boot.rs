//! From assembly to the kernel, and the other CPUs.

use super::{Uart, interrupts};
use crate::options::Options;
use crate::{MAX_CPUS, SCHEDULER, console, cpus};
use core::arch::global_asm;
use core::ffi::{CStr, c_char};
use sched::{CpuId, Machine as _};
use sched_arch::Rate;
use sched_arch::x86_64::{
    Command, CpuLocal, Hardware, LocalApic, Setup, interrupts as flag, tsc, tsc::Measured,
};

/// Where other CPUs begin: a page of the first MiB.
const TRAMPOLINE: usize = 0x8000;

/// Where the local APIC is, unless somebody moved it.
const APIC_PAGE: usize = 0xfee0_0000;

global_asm!(include_str!("boot.s"), TRAMPOLINE = const TRAMPOLINE, options(att_syntax));

unsafe extern "C" {
    static trampoline: u8;
    static trampoline_end: u8;
    static mut next_cpu_stack: u64;
    static mut next_cpu_index: u64;
}

/// What PVH hands over, as far as we read it.
#[repr(C)]
struct StartInfo {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
}

static LOCALS: [CpuLocal; MAX_CPUS] = [const { CpuLocal::new() }; MAX_CPUS];

/// The first CPU, from `boot.s`.
#[unsafe(no_mangle)]
extern "C" fn first_cpu(start_info: usize) -> ! {
    // SAFETY: ring 0, and there is no user mode to change GS.
    unsafe { CpuLocal::install_none() };
    // SAFETY: once, here.
    if let Some(uart) = unsafe { Uart::open() } {
        console::open(uart);
    }
    #[cfg(feature = "alloc")]
    crate::heap::open();
    interrupts::load();
    interrupts::mask_old_controllers();
    // SAFETY: PVH's start information, in the memory below 4 GiB, which is mapped and which nobody has written yet.
    let line = unsafe {
        let info = core::ptr::with_exposed_provenance::<StartInfo>(start_info);
        let line = (*info).command_line as usize;
        CStr::from_ptr(core::ptr::with_exposed_provenance::<c_char>(line))
    };
    let options = Options::parse(line.to_str().unwrap_or(""));
    set_up();
    cpus::start(options)
}

/// Learns what the machine is to know.
fn set_up() {
    let apic = if tsc::has_x2apic() {
        // SAFETY: the CPU says so.
        unsafe { LocalApic::x2apic(Hardware) }
    } else {
        // SAFETY: mapped by `boot.s`, not cached.
        unsafe { LocalApic::xapic(Hardware, APIC_PAGE) }
    };
    // SAFETY: first use on this CPU; the vector has a handler. A PC, and nobody else uses the PIT.
    let measured = unsafe {
        apic.enable(super::VECTORS.spurious);
        tsc::measure(&apic)
    };
    let measured = Measured { tsc_hz: tsc::frequency_hz().unwrap_or(measured.tsc_hz), ..measured };
    SCHEDULER.machine().set_up(Setup {
        apic,
        clock: measured.clock(),
        timer: tsc::timer_mode(),
        apic_timer: Rate::from_hz(measured.apic_timer_hz),
    });
}

/// Starts the CPU whose APIC id is `index`. It calls `cpus::run` on that stack.
pub(crate) fn start_cpu(index: usize, stack_top: *mut u8) {
    let Some(Setup { apic, .. }) = SCHEDULER.machine().setup() else { return };
    let length = (&raw const trampoline_end).addr() - (&raw const trampoline).addr();
    // SAFETY: the page at TRAMPOLINE is memory that nobody else uses. The two words are read by the one CPU that starts.
    unsafe {
        let page = core::ptr::with_exposed_provenance_mut::<u8>(TRAMPOLINE);
        page.copy_from_nonoverlapping(&raw const trampoline, length);
        (&raw mut next_cpu_stack).write_volatile(stack_top.expose_provenance() as u64);
        (&raw mut next_cpu_index).write_volatile(index as u64);
    }
    // As Intel's manual has it: INIT, 10 ms, STARTUP, 200 µs, and once more if nothing happened; a CPU that runs ignores it.
    let startup = Command::Startup((TRAMPOLINE >> 12) as u8);
    for (command, pause_ns) in [(Command::Init, 10_000_000), (startup, 200_000), (startup, 0)] {
        let were_enabled = flag::mask();
        // SAFETY: the CPU has not run anything yet, and finds its beginning at that page.
        unsafe {
            apic.send(index as u32, command);
            flag::restore(were_enabled);
        }
        let machine = SCHEDULER.machine();
        let end_ns = machine.now_ns() + pause_ns;
        while machine.now_ns() < end_ns {
            core::hint::spin_loop();
        }
    }
}

/// Another CPU, from `boot.s`.
#[unsafe(no_mangle)]
extern "C" fn other_cpu(index: usize) -> ! {
    // SAFETY: ring 0, and there is no user mode to change GS.
    unsafe { CpuLocal::install_none() };
    interrupts::load();
    cpus::run(index)
}

/// The caller's CPU is `cpu` from here on, and takes interrupts.
pub(crate) fn enter_cpu(cpu: CpuId) {
    // SAFETY: masked since the beginning; once on each CPU; the handlers are in place.
    let entered = unsafe { SCHEDULER.machine().enter(cpu, &LOCALS[cpu.index()]) };
    assert!(entered, "{cpu} is one too many");
    ::x86_64::instructions::interrupts::enable();
}
