//! The local APIC's registers: which, in what order, and with which fences, in both of its modes. Emulators have no
//! x2APIC, or ignore what it needs: here the accesses themselves are looked at.
#![cfg(all(feature = "hardware", target_arch = "x86_64"))]

use sched_arch::x86_64::{Bus, Command, LocalApic, TimerMode};
use std::sync::Mutex;

/// What was asked of the hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read(usize),
    Write(usize, u32),
    ReadRegister(u32),
    WriteRegister(u32, u64),
    Fence,
}
use Access::{Fence, Read, ReadRegister, Write, WriteRegister};

/// Answers reads from a list, and notes everything.
struct Notes {
    log: Mutex<Vec<Access>>,
    answers: Mutex<Vec<u64>>,
}

impl Notes {
    fn new(answers: &[u64]) -> &'static Self {
        let answers = Mutex::new(answers.iter().rev().copied().collect());
        Box::leak(Box::new(Self { log: Mutex::default(), answers }))
    }

    fn note(&self, access: Access) {
        self.log.lock().unwrap().push(access);
    }

    fn answer(&self) -> u64 {
        self.answers.lock().unwrap().pop().unwrap_or(0)
    }

    fn taken(&self) -> Vec<Access> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

// SAFETY: it is no hardware.
unsafe impl Bus for &'static Notes {
    unsafe fn read(self, address: usize) -> u32 {
        self.note(Read(address));
        self.answer() as u32
    }

    unsafe fn write(self, address: usize, value: u32) {
        self.note(Write(address, value));
    }

    unsafe fn read_msr(self, register: u32) -> u64 {
        self.note(ReadRegister(register));
        self.answer()
    }

    unsafe fn write_msr(self, register: u32, value: u64) {
        self.note(WriteRegister(register, value));
    }

    fn fence(self) {
        self.note(Fence);
    }
}

const PAGE: usize = 0xfee0_0000;

fn xapic(notes: &'static Notes) -> LocalApic<&'static Notes> {
    // SAFETY: there is no hardware behind it.
    unsafe { LocalApic::xapic(notes, PAGE) }
}

fn x2apic(notes: &'static Notes) -> LocalApic<&'static Notes> {
    // SAFETY: there is no hardware behind it.
    unsafe { LocalApic::x2apic(notes) }
}

#[test]
fn an_xapic_sends_by_two_writes_once_the_last_command_has_left() {
    let pending = 1 << 12;
    let notes = Notes::new(&[pending, pending, 0]);
    // SAFETY: there is no hardware behind it.
    unsafe { xapic(notes).send(5, Command::Interrupt(0xf0)) };
    let low = PAGE + 0x300;
    let expected =
        [Read(low), Read(low), Read(low), Write(PAGE + 0x310, 5 << 24), Write(low, 0x40f0)];
    assert_eq!(notes.taken(), expected);
}

#[test]
fn an_x2apic_sends_by_one_write_behind_a_fence() {
    let notes = Notes::new(&[]);
    // SAFETY: there is no hardware behind it.
    unsafe { x2apic(notes).send(0x1_0005, Command::Interrupt(0xf0)) };
    assert_eq!(notes.taken(), [Fence, WriteRegister(0x830, 0x1_0005 << 32 | 0x40f0)], "X1");
}

#[test]
fn commands_are_those_of_the_manual() {
    for (command, low) in [
        (Command::Interrupt(0x20), 0x4020),
        (Command::NonMaskable, 0x4400),
        (Command::Init, 0x4500),
        (Command::Startup(8), 0x4608),
    ] {
        let notes = Notes::new(&[]);
        // SAFETY: there is no hardware behind it.
        unsafe { x2apic(notes).send(0, command) };
        assert_eq!(notes.taken()[1], WriteRegister(0x830, low), "{command:?}");
    }
}

#[test]
fn enabling_chooses_the_mode() {
    let notes = Notes::new(&[0xfee0_0100, 0xfee0_0100]);
    // SAFETY: there is no hardware behind it.
    unsafe {
        xapic(notes).enable(0xff);
        x2apic(notes).enable(0xff);
    }
    let expected = [
        ReadRegister(0x1b),
        WriteRegister(0x1b, 0xfee0_0900),
        Write(PAGE + 0xf0, 0x1ff),
        ReadRegister(0x1b),
        WriteRegister(0x1b, 0xfee0_0d00),
        WriteRegister(0x80f, 0x1ff),
    ];
    assert_eq!(notes.taken(), expected);
}

#[test]
fn an_id_has_eight_bits_in_one_mode_and_all_in_the_other() {
    assert_eq!(xapic(Notes::new(&[7 << 24])).id(), 7);
    assert_eq!(x2apic(Notes::new(&[0x1_0007])).id(), 0x1_0007);
}

#[test]
fn the_end_of_an_interrupt_is_one_write() {
    let notes = Notes::new(&[]);
    xapic(notes).end_interrupt();
    x2apic(notes).end_interrupt();
    assert_eq!(notes.taken(), [Write(PAGE + 0xb0, 0), WriteRegister(0x80b, 0)]);
}

#[test]
fn a_deadline_is_not_written_before_the_mode() {
    let notes = Notes::new(&[]);
    // SAFETY: there is no hardware behind it.
    unsafe {
        xapic(notes).enable_timer(0xe0, TimerMode::TscDeadline);
        xapic(notes).set_deadline(99);
    }
    let log = notes.taken();
    assert_eq!(log[2..], [Write(PAGE + 0x320, 1 << 18 | 0xe0), Fence, WriteRegister(0x6e0, 99)]);
}

#[test]
fn a_one_shot_timer_counts_undivided() {
    let notes = Notes::new(&[]);
    // SAFETY: there is no hardware behind it.
    unsafe { x2apic(notes).enable_timer(0xe0, TimerMode::OneShot) };
    x2apic(notes).set_count(1_000);
    let expected = [
        WriteRegister(0x83e, 0b1011),
        WriteRegister(0x838, 0),
        WriteRegister(0x832, 0xe0),
        WriteRegister(0x838, 1_000),
    ];
    assert_eq!(notes.taken(), expected);
}

#[test]
fn counting_for_calibration_tells_what_is_gone() {
    let notes = Notes::new(&[0xe0, u64::from(u32::MAX) - 62_500]);
    let mut waited = false;
    assert_eq!(xapic(notes).counts_during(|| waited = true), 62_500);
    assert!(waited);
    let log = notes.taken();
    assert_eq!(log[2..4], [Write(PAGE + 0x320, 1 << 16), Write(PAGE + 0x380, u32::MAX)]);
    assert_eq!(log.last(), Some(&Write(PAGE + 0x320, 0xe0)), "the timer is as it was");
}
