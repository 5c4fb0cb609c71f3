//! Descriptors, pages and a program for ring 3.

use super::memory::{PAGE, Page};
use crate::{MAX_CPUS, SCHEDULER, arch};
use core::cell::UnsafeCell;
use sched::{CpuId, Machine as _};
use x86_64::instructions::segmentation::{CS, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable};
use x86_64::structures::tss::TaskStateSegment;

/// The second entry of the top table.
pub(super) const USER_BASE: usize = 1 << 39;

/// `1: inc rax; mov [rdi], rax; jmp 1b`
pub(super) const PROGRAM: &[u8] = &[0x48, 0xff, 0xc0, 0x48, 0x89, 0x07, 0xeb, 0xf8];

/// The selectors of ring 3, in the order in which `enter_cpu` appends them.
const USER_DATA: u16 = 3 << 3 | 3;
const USER_CODE: u16 = 4 << 3 | 3;

/// See `arch::user`.
pub(super) struct UserContext([u64; 20]);

impl UserContext {
    /// At the beginning, with the address of its data in rdi.
    pub(super) fn new(code: usize, data: usize) -> Self {
        const RDI: usize = 5;
        const FLAGS_WITH_INTERRUPTS: u64 = 1 << 9 | 2;
        let mut words = [0; 20];
        words[RDI] = data as u64;
        let end_of_data = (data + PAGE) as u64;
        let from_interrupt =
            [code as u64, USER_CODE.into(), FLAGS_WITH_INTERRUPTS, end_of_data, USER_DATA.into()];
        words[15..].copy_from_slice(&from_interrupt);
        Self(words)
    }

    /// What the program has in rax.
    pub(super) fn counted(&self) -> u64 {
        self.0[0]
    }
}

/// A CPU's tables.
struct Tables(UnsafeCell<(TaskStateSegment, GlobalDescriptorTable)>);

// SAFETY: only the CPU they belong to uses them.
unsafe impl Sync for Tables {}

static TABLES: [Tables; MAX_CPUS] =
    [const { Tables(UnsafeCell::new((TaskStateSegment::new(), GlobalDescriptorTable::new()))) };
        MAX_CPUS];

/// Gives the caller's CPU descriptors of ring 3 and a task state.
///
/// # Safety
///
/// Once on each CPU, by itself, interrupts masked.
pub(super) unsafe fn prepare(cpu: CpuId) {
    let tables = TABLES[cpu.index()].0.get();
    // SAFETY: of this CPU (the caller's promise); they live for ever; the kernel's segments are what they were.
    unsafe {
        let mut gdt = GlobalDescriptorTable::new();
        let code = gdt.append(Descriptor::kernel_code_segment());
        let data = gdt.append(Descriptor::kernel_data_segment());
        let user_data = gdt.append(Descriptor::user_data_segment());
        let user_code = gdt.append(Descriptor::user_code_segment());
        let task = gdt.append(Descriptor::tss_segment_unchecked(&raw const (*tables).0));
        assert_eq!((user_data.0, user_code.0), (USER_DATA, USER_CODE));
        (&raw mut (*tables).1).write(gdt);
        (*tables).1.load_unsafe();
        CS::set_reg(code);
        SS::set_reg(data);
        load_tss(task);
    }
}

/// Runs user code until an interrupt has been handled.
///
/// # Safety
///
/// Interrupts are masked, on a CPU that is prepared; the context is that of a program whose pages are mapped.
pub(super) unsafe fn enter_user(context: &mut UserContext) {
    let cpu = SCHEDULER.machine().cpu().map_or(0, CpuId::index);
    // SAFETY: the first stack of this CPU's task state; the caller's promises.
    unsafe {
        let stack = (&raw mut (*TABLES[cpu].0.get()).0.privilege_stack_table).cast();
        arch::user::enter_user(context.0.as_mut_ptr(), stack);
    }
}

unsafe extern "C" {
    /// The top table, from `boot.s`.
    static mut page_root: [u64; 512];
}

/// Maps the pages at [`USER_BASE`], one behind the other.
///
/// # Safety
///
/// Once at a time, while no user code runs.
pub(super) unsafe fn map(code: &Page, data: &[Page]) {
    const PRESENT: u64 = 1;
    const USER: u64 = 4;
    const ALL: u64 = PRESENT | 2 | USER;
    static TABLES: [Page; 3] = [const { Page::new() }; 3];
    let [pointers, directory, table] = &TABLES;
    // SAFETY: the tables are this function's own, and the entry of the top table is nobody else's.
    unsafe {
        table.set(0, code.address() | PRESENT | USER);
        for (index, page) in data.iter().enumerate() {
            table.set(1 + index, page.address() | ALL);
        }
        directory.set(0, table.address() | ALL);
        pointers.set(0, directory.address() | ALL);
        (&raw mut page_root[USER_BASE >> 39]).write_volatile(pointers.address() | ALL);
    }
}
