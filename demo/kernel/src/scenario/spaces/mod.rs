//! Threads with page tables of their own: each finds its own page at the same address, while the timer gives the CPU from one to the
//! next in the midst of it.

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
mod arch;

use super::hog::{spawn, thread_on};
use super::runner::{Fault, Found, cpus, ensure, now_ns};
use crate::attached::{Attached, attachment};
use crate::options::Options;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::ptr;
use sched::CpuId;

/// Threads on each CPU.
const THREADS: usize = 3;

/// How long they run.
const WINDOW_NS: u64 = 40_000_000;

/// A page, or a table of the page table. Where it lies it lies in physical memory, too.
#[repr(C, align(4096))]
struct Page([u64; 512]);

impl Page {
    /// A new one, for good.
    fn leak() -> &'static mut Self {
        Box::leak(Box::new(Self([0; 512])))
    }

    fn address(&mut self) -> u64 {
        ptr::from_mut(self).expose_provenance() as u64
    }
}

pub(super) async fn run(options: Options) -> Found {
    let mut least = u64::MAX;
    for cpu in cpus(options) {
        least = least.min(one_cpu(cpu).await?);
    }
    if least == 0 {
        return Err(Fault::Late("a thread was not preempted".into()));
    }
    Ok(format!("{THREADS} spaces on each CPU, each preempted {least} times or more"))
}

/// How often each thread was preempted, at the least.
async fn one_cpu(cpu: CpuId) -> Result<u64, Fault> {
    let threads = (0..THREADS).map(|number| {
        let data = Page::leak();
        let address = data.address() as usize;
        let space = arch::space(data, 1 + cpu.index() * THREADS + number);
        let attached = Box::leak(Box::new(Attached::new(space)));
        let thread = thread_on("space", [cpu]).attachment(attachment(attached));
        (spawn(thread, move || count(number as u64)), address)
    });
    let mut least = u64::MAX;
    for (handle, address) in threads.collect::<Vec<_>>() {
        let thread = handle.thread();
        let counted = handle.await.map_err(|error| format!("{error:?}"))?;
        let Some(counted) = counted else {
            return Err(format!("a thread saw another's page on {cpu}").into());
        };
        // SAFETY: the page is leaked, and its thread is over.
        let left = unsafe { ptr::with_exposed_provenance::<u64>(address).read_volatile() };
        ensure!(left == counted, "{left} in the page of a thread that counted to {counted}");
        least = least.min(thread.map_or(0, |thread| thread.stats().preempted));
    }
    Ok(least)
}

/// Counts at the address that all have; `None` if it is not where it was left.
fn count(number: u64) -> Option<u64> {
    /// Apart from all others' numbers.
    const APART: u32 = 56;
    let page = ptr::with_exposed_provenance_mut::<u64>(arch::BASE);
    let (mut counted, end_ns) = (number << APART, now_ns() + WINDOW_NS);
    // SAFETY: mapped in this thread's space; volatile, as the compiler does not know of spaces.
    unsafe {
        page.write_volatile(counted);
        while now_ns() < end_ns {
            if page.read_volatile() != counted {
                return None;
            }
            counted += 1;
            page.write_volatile(counted);
        }
    }
    Some(counted)
}
