//! A guard masks as long as it lives, and halting uses it up.

use sched_arch::{CpuId, Machine, Masked};
use std::cell::RefCell;
use std::sync::Mutex;

/// Notes what is asked of it.
#[derive(Default)]
struct Noting(Mutex<Vec<&'static str>>, Mutex<RefCell<u32>>);

impl Noting {
    fn note(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }

    fn depth(&self) -> u32 {
        *self.1.lock().unwrap().borrow()
    }
}

// SAFETY: there is one CPU and no interrupt handler, so the rules of the contract hold trivially.
unsafe impl Machine for Noting {
    type Saved = u32;

    fn cpu(&self) -> Option<CpuId> {
        Some(CpuId::new(7))
    }

    fn now_ns(&self) -> u64 {
        0
    }

    fn mask(&self) -> u32 {
        self.note("mask");
        self.1.lock().unwrap().replace_with(|depth| *depth + 1)
    }

    unsafe fn restore(&self, saved: u32) {
        self.note("restore");
        self.1.lock().unwrap().replace(saved);
    }

    fn kick(&self, _: CpuId) {}

    unsafe fn halt(&self) {
        self.note("halt");
        self.1.lock().unwrap().replace(0);
    }

    fn set_timer(&self, _: u64) {}

    fn seed(&self) -> u64 {
        0
    }
}

#[test]
fn guards_nest_and_each_restores_what_it_found() {
    let machine = Noting::default();
    // SAFETY: guards are dropped in the reverse order of their making.
    let outer = unsafe { Masked::new(&machine) };
    assert_eq!(outer.cpu(), Some(CpuId::new(7)));
    // SAFETY: as above.
    let inner = unsafe { Masked::new(&machine) };
    assert_eq!(machine.depth(), 2);
    drop(inner);
    assert_eq!(machine.depth(), 1);
    drop(outer);
    assert_eq!(machine.depth(), 0);
    assert_eq!(*machine.0.lock().unwrap(), ["mask", "mask", "restore", "restore"]);
}

#[test]
fn a_halt_uses_the_guard_up_and_restores_nothing() {
    let machine = Noting::default();
    // SAFETY: it is the only guard.
    unsafe { Masked::new(&machine) }.halt();
    assert_eq!(*machine.0.lock().unwrap(), ["mask", "halt"]);
    assert_eq!(machine.depth(), 0);
}

#[test]
fn a_guard_says_which_cpu_it_masks() {
    let machine = Noting::default();
    // SAFETY: it is the only guard.
    let guard = unsafe { Masked::new(&machine) };
    assert_eq!(format!("{guard:?}"), "Masked { cpu: Some(CpuId(7)) }");
}

#[test]
fn a_cpu_is_its_index() {
    let cpu = CpuId::new(3);
    assert_eq!((cpu.index(), cpu.get()), (3, 3));
    assert_eq!(cpu.to_string(), "cpu3");
    assert!(CpuId::new(2) < cpu);
}
