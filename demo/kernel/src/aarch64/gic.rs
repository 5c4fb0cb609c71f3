//! Setting up the interrupt controller, of either version, as the device tree tells.

use super::{KICK_SGI, STOP_SGI};
use arm_gic::gicv2::GicV2;
use arm_gic::gicv3::{GicCpuInterface, GicV3};
use arm_gic::{IntId, UniqueMmioPointer};
use core::ptr::NonNull;
use fdt::Fdt;
use sched_arch::aarch64::{Gic, timer::VIRTUAL_TIMER_INTID};
use spin::Mutex;

enum Driver {
    V2(GicV2<'static>),
    V3(GicV3<'static>),
}

// SAFETY: device memory can be used by any CPU, and the lock lets one at a time.
unsafe impl Send for Driver {}

static DRIVER: Mutex<Option<Driver>> = Mutex::new(None);

/// The lowest of priorities: all interrupts pass.
const ALL_PRIORITIES: u8 = 0xff;

/// Finds the controller and makes it ready, but for the part of each CPU.
///
/// # Safety
///
/// Once; what the tree says is there is mapped as device memory.
pub(crate) unsafe fn set_up(tree: &Fdt<'_>, cpus: usize) -> Gic {
    let regions = |names: &[&str]| {
        let mut regions = tree.find_compatible(names)?.reg()?.map(|it| it.starting_address.addr());
        Some([regions.next()?, regions.next()?])
    };
    let (driver, gic) = if let Some([distributor, redistributors]) = regions(&["arm,gic-v3"]) {
        // SAFETY: the caller's promise.
        let driver = unsafe {
            let distributor = UniqueMmioPointer::new(pointer(distributor));
            GicV3::new(distributor, pointer(redistributors), cpus)
        };
        let Ok(mut driver) = driver else { panic!("the GICv3 is not as it should be") };
        driver.setup(0);
        (Driver::V3(driver), Gic::V3)
    } else if let Some([distributor, interface]) = regions(&["arm,cortex-a15-gic", "arm,gic-400"]) {
        // SAFETY: the caller's promise.
        let driver =
            unsafe { GicV2::new(pointer(distributor).as_ptr(), pointer(interface).as_ptr()) };
        (Driver::V2(driver), Gic::V2 { distributor, interface })
    } else {
        panic!("there is no GIC in the device tree");
    };
    *DRIVER.lock() = Some(driver);
    gic
}

fn pointer<T>(address: usize) -> NonNull<T> {
    match NonNull::new(core::ptr::with_exposed_provenance_mut(address)) {
        Some(pointer) => pointer,
        None => panic!("a device at address 0"),
    }
}

/// Makes this CPU's part ready, and lets in what the kernel handles.
pub(crate) fn enter_cpu(cpu: usize) {
    let wanted = [
        IntId::sgi(KICK_SGI.into()),
        IntId::sgi(STOP_SGI.into()),
        IntId::ppi(VIRTUAL_TIMER_INTID - 16),
    ];
    match DRIVER.lock().as_mut() {
        Some(Driver::V2(gic)) => {
            gic.setup();
            gic.set_priority_mask(ALL_PRIORITIES);
            let enabled = wanted.into_iter().all(|intid| gic.enable_interrupt(intid, true).is_ok());
            assert!(enabled, "the GICv2 does not enable what cpu{cpu} needs");
        }
        Some(Driver::V3(gic)) => {
            gic.init_cpu(cpu);
            GicCpuInterface::enable_group1(true);
            GicCpuInterface::set_priority_mask(ALL_PRIORITIES);
            let mut wanted = wanted.into_iter();
            let enabled = wanted.all(|intid| gic.enable_interrupt(intid, Some(cpu), true).is_ok());
            assert!(enabled, "the GICv3 does not enable what cpu{cpu} needs");
        }
        None => panic!("the GIC is not set up"),
    }
}
