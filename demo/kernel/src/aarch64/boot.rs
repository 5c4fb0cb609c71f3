//! From assembly to the kernel, and the other CPUs.

use super::{Uart, gic};
use crate::options::Options;
use crate::{MAX_CPUS, SCHEDULER, console, cpus};
use core::arch::global_asm;
use core::sync::atomic::{AtomicU64, Ordering};
use fdt::Fdt;
use sched::CpuId;
use sched_arch::aarch64::{CpuLocal, Setup, interrupts, timer};
use smccc::Hvc;

/// Where QEMU leaves the device tree: at the beginning of memory.
const DEVICE_TREE: usize = 0x4000_0000;

global_asm!(include_str!("boot.s"));

unsafe extern "C" {
    static other_entry: u8;
}

static LOCALS: [CpuLocal; MAX_CPUS] = [const { CpuLocal::new() }; MAX_CPUS];

/// Each CPU as PSCI names it.
static AFFINITIES: [AtomicU64; MAX_CPUS] = [const { AtomicU64::new(0) }; MAX_CPUS];

/// The first CPU, from `boot.s`.
#[unsafe(no_mangle)]
extern "C" fn first_cpu() -> ! {
    // SAFETY: EL1, and the register is the machine's from here on.
    unsafe { CpuLocal::install_none() };
    // SAFETY: QEMU has put it there, it is mapped, and nobody writes it.
    let tree = unsafe { Fdt::from_ptr(core::ptr::with_exposed_provenance(DEVICE_TREE)) };
    let Ok(tree) = tree else { super::exit(false) };
    let uart = tree.find_compatible(&["arm,pl011"]);
    let address = uart.and_then(|node| node.reg()?.next()).map(|region| region.starting_address);
    // SAFETY: once, here; devices are mapped as such.
    if let Some(uart) = address.and_then(|address| unsafe { Uart::open(address.addr()) }) {
        console::open(uart);
    }
    #[cfg(feature = "alloc")]
    crate::heap::open();
    for (affinity, cpu) in AFFINITIES.iter().zip(tree.cpus()) {
        // Ordering: Relaxed; read on this CPU only.
        affinity.store(cpu.ids().first() as u64, Ordering::Relaxed);
    }
    let options = Options::parse(tree.chosen().bootargs().unwrap_or(""));
    // SAFETY: once, here; the tree tells the truth about the machine.
    let gic = unsafe { gic::set_up(&tree, options.cpus) };
    let clock = timer::clock();
    // SAFETY: as the tree says, and devices are mapped as such.
    unsafe {
        SCHEDULER.machine().set_up(Setup { gic, clock, timer_intid: timer::VIRTUAL_TIMER_INTID });
    }
    cpus::start(options)
}

/// Starts the CPU whose index is `index`. It calls `cpus::run` on that stack.
pub(crate) fn start_cpu(index: usize, stack_top: *mut u8) {
    // SAFETY: the end of a stack that nobody uses yet: `boot.s` reads the word below it.
    unsafe { stack_top.cast::<u64>().sub(2).write_volatile(index as u64) };
    // Ordering: Relaxed; written on this CPU.
    let affinity = AFFINITIES[index].load(Ordering::Relaxed);
    let entry = (&raw const other_entry).expose_provenance() as u64;
    // SGIs and PSCI are ordered after what was written by PSCI's own barriers.
    let started = smccc::psci::cpu_on::<Hvc>(affinity, entry, stack_top.expose_provenance() as u64);
    if let Err(error) = started {
        panic!("PSCI does not start cpu{index}: {error}");
    }
}

/// Another CPU, from `boot.s`.
#[unsafe(no_mangle)]
extern "C" fn other_cpu(index: usize) -> ! {
    // SAFETY: EL1, and the register is the machine's from here on.
    unsafe { CpuLocal::install_none() };
    cpus::run(index)
}

/// The caller's CPU is `cpu` from here on, and takes interrupts.
pub(crate) fn enter_cpu(cpu: CpuId) {
    gic::enter_cpu(cpu.index());
    // SAFETY: masked since the beginning; once on each CPU, whose part of the controller is ready; the handlers are in place.
    let entered = unsafe { SCHEDULER.machine().enter(cpu, &LOCALS[cpu.index()]) };
    assert!(entered, "{cpu} is one too many");
    // SAFETY: masked by `boot.s`, to be unmasked here.
    unsafe { interrupts::restore(true) }
}
