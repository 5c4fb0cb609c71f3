//! The switch on a host: what a context finds when it goes on is what it left.
#![cfg(all(not(miri), any(target_arch = "x86_64", target_arch = "aarch64")))]

use core::arch::naked_asm;
use core::cell::Cell;
use core::ptr::NonNull;
use sched_arch::{Context, CpuId, Machine, Switch};

struct Host;

// SAFETY: no CPU, no interrupts.
unsafe impl Machine for Host {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        None
    }

    fn now_ns(&self) -> u64 {
        0
    }

    fn mask(&self) {}

    unsafe fn restore(&self, (): ()) {}

    fn kick(&self, _: CpuId) {}

    unsafe fn halt(&self) {}

    fn set_timer(&self, _: u64) {}

    fn seed(&self) -> u64 {
        0
    }
}

// SAFETY: the architecture's switch; nothing is masked.
unsafe impl Switch for Host {
    unsafe fn begin(&self) {}
}

/// A context on a stack of its own, and whoever it goes back to.
struct Pair {
    here: Cell<Context>,
    there: Cell<Context>,
    rounds: Cell<u64>,
    /// What the context looks for is as it should be: its alignment, for most.
    is_right: Cell<bool>,
}

impl Pair {
    /// Runs the other context until it comes back.
    fn go(&self) {
        // SAFETY: prepared, or saved by `back`; each waits while the other runs.
        unsafe { Host.switch(self.here.as_ptr(), self.there.get()) }
    }

    fn back(&self) {
        // SAFETY: saved by `go`.
        unsafe { Host.switch(self.there.as_ptr(), self.here.get()) }
    }
}

fn pair(stack: &mut [u8], entry: unsafe extern "C-unwind" fn(*mut ()) -> !) -> Box<Pair> {
    let pair = Box::new(Pair {
        here: Cell::new(Context::EMPTY),
        there: Cell::new(Context::EMPTY),
        rounds: Cell::new(0),
        is_right: Cell::new(false),
    });
    let argument = (&raw const *pair).cast_mut().cast();
    // SAFETY: the stack outlives the test's switches.
    pair.there.set(unsafe { Host.prepare(NonNull::from(stack), entry, argument) });
    pair
}

unsafe extern "C-unwind" fn count(argument: *mut ()) -> ! {
    // SAFETY: `pair` passed it, and lives as long as anybody switches here.
    let pair = unsafe { &*argument.cast::<Pair>() };
    let local = 0_u128;
    pair.is_right.set((&raw const local).addr().is_multiple_of(align_of::<u128>()));
    loop {
        pair.rounds.set(pair.rounds.get() + 1);
        pair.back();
    }
}

#[test]
fn two_contexts_take_turns() {
    let mut stack = vec![0; 64 * 1024];
    let pair = pair(&mut stack, count);
    for round in 1..=1_000_000 {
        pair.go();
        assert_eq!(pair.rounds.get(), round);
    }
    assert!(pair.is_right.get());
}

#[test]
fn a_stack_may_begin_and_end_anywhere() {
    let mut memory = vec![0; 64 * 1024];
    for (begin, end) in [(0, 0), (1, 0), (7, 9), (15, 1), (8, 8)] {
        let length = memory.len();
        let pair = pair(&mut memory[begin..length - end], count);
        pair.go();
        pair.go();
        assert!(pair.is_right.get());
        assert_eq!(pair.rounds.get(), 2);
    }
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "a stack of 255 bytes")]
fn a_stack_below_the_least_is_refused() {
    let mut memory = [0; sched_arch::FIRST_FRAME_BYTES - 1];
    pair(&mut memory, count);
}

#[test]
fn the_first_frame_stays_within_its_bound() {
    const BOUND: usize = sched_arch::FIRST_FRAME_BYTES;
    let mut memory = vec![0x5a_u8; 4 * BOUND];
    for end in 0..16 {
        memory.fill(0x5a);
        let pair = pair(&mut memory[BOUND..3 * BOUND + end], count);
        assert!(!pair.there.get().into_raw().is_null());
        let (below, above) = (&memory[..2 * BOUND + end], &memory[3 * BOUND + end..]);
        assert!(below.iter().chain(above).all(|&byte| byte == 0x5a), "written beyond the frame");
    }
}

/// A context's backtrace.
unsafe extern "C-unwind" fn look_back(argument: *mut ()) -> ! {
    // SAFETY: as in `count`.
    let pair = unsafe { &*argument.cast::<Pair>() };
    loop {
        let backtrace = std::backtrace::Backtrace::force_capture().to_string();
        // Frames are numbered lines; the places below them are not.
        let names = backtrace.lines().filter_map(|line| line.trim().split_once(": "));
        let (mut is_here, mut last) = (false, "nothing");
        for (_, name) in
            names.filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
        {
            is_here |= name.contains("look_back");
            last = name;
        }
        pair.is_right.set(is_here && last.contains("trampoline"));
        pair.rounds.set(pair.rounds.get() + 1);
        pair.back();
    }
}

#[test]
fn a_backtrace_ends_where_its_context_began() {
    // What lies above a stack, and on it before it is used, may well look like return addresses.
    let within = (count as *const ()).addr() as u64 + 4;
    let mut memory = vec![within; 128 * 1024];
    let (stack, _above) = memory.split_at_mut(127 * 1024);
    // SAFETY: as bytes, all of it.
    let stack = unsafe { stack.align_to_mut::<u8>().1 };
    let pair = pair(stack, look_back);
    for _ in 0..2 {
        pair.go();
        assert!(pair.is_right.get(), "a backtrace does not end at its beginning");
    }
    assert_eq!(pair.rounds.get(), 2);
}

#[test]
fn a_context_goes_on_on_another_thread() {
    struct Sent(Box<Pair>);
    // SAFETY: handed over whole, and nobody else has it.
    unsafe impl Send for Sent {}

    let mut stack = vec![0; 64 * 1024];
    let mut sent = Sent(pair(&mut stack, count));
    for round in 1..=10 {
        sent = std::thread::spawn(move || {
            let sent = sent;
            sent.0.go();
            assert_eq!(sent.0.rounds.get(), round);
            sent
        })
        .join()
        .unwrap();
    }
}

/// Spoils every register that a switch has to preserve, and goes back.
unsafe extern "C-unwind" fn spoil(argument: *mut ()) -> ! {
    // SAFETY: as in `count`.
    let pair = unsafe { &*argument.cast::<Pair>() };
    let mut pattern = 0x5555;
    loop {
        let patterns: [u64; REGISTERS] = core::array::from_fn(|register| pattern + register as u64);
        let mut found = [0; REGISTERS];
        // SAFETY: both arrays are long enough.
        unsafe { hold(&raw const patterns, &raw mut found, pair_back, argument) };
        assert_eq!(found, patterns);
        pair.rounds.set(pair.rounds.get() + 1);
        pattern += 0x1_0000;
    }
}

extern "C" fn pair_go(argument: *mut ()) {
    // SAFETY: as in `count`.
    unsafe { &*argument.cast::<Pair>() }.go();
}

extern "C" fn pair_back(argument: *mut ()) {
    // SAFETY: as in `count`.
    unsafe { &*argument.cast::<Pair>() }.back();
}

#[test]
fn preserved_registers_are_preserved() {
    let mut stack = vec![0; 64 * 1024];
    let pair = pair(&mut stack, spoil);
    for round in 0..1000 {
        let patterns: [u64; REGISTERS] =
            core::array::from_fn(|register| 0xaaaa_0000_0000 + round * 0x100 + register as u64);
        let mut found = [0; REGISTERS];
        let argument = (&raw const *pair).cast_mut().cast();
        // SAFETY: both arrays are long enough.
        unsafe { hold(&raw const patterns, &raw mut found, pair_go, argument) };
        assert_eq!(found, patterns);
    }
    assert_eq!(pair.rounds.get(), 999);
}

/// Those that the ABI preserves: rbx, rbp, r12 to r15.
#[cfg(target_arch = "x86_64")]
const REGISTERS: usize = 6;

/// Those that the ABI preserves: x19 to x29, d8 to d15.
#[cfg(target_arch = "aarch64")]
const REGISTERS: usize = 19;

type Patterns = [u64; REGISTERS];

/// Calls `f(argument)` with the patterns in all preserved registers, and tells what is in them then.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
unsafe extern "C" fn hold(
    patterns: *const Patterns,
    found: *mut Patterns,
    f: extern "C" fn(*mut ()),
    argument: *mut (),
) {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rsi",
        "mov rbx, [rdi]",
        "mov rbp, [rdi + 8]",
        "mov r12, [rdi + 16]",
        "mov r13, [rdi + 24]",
        "mov r14, [rdi + 32]",
        "mov r15, [rdi + 40]",
        "mov rdi, rcx",
        "call rdx",
        "pop rsi",
        "mov [rsi], rbx",
        "mov [rsi + 8], rbp",
        "mov [rsi + 16], r12",
        "mov [rsi + 24], r13",
        "mov [rsi + 32], r14",
        "mov [rsi + 40], r15",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
    )
}

#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
unsafe extern "C" fn hold(
    patterns: *const Patterns,
    found: *mut Patterns,
    f: extern "C" fn(*mut ()),
    argument: *mut (),
) {
    naked_asm!(
        "sub sp, sp, #176",
        "stp x19, x20, [sp]",
        "stp x21, x22, [sp, #16]",
        "stp x23, x24, [sp, #32]",
        "stp x25, x26, [sp, #48]",
        "stp x27, x28, [sp, #64]",
        "stp x29, x30, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        "str x1, [sp, #160]",
        "ldp x19, x20, [x0]",
        "ldp x21, x22, [x0, #16]",
        "ldp x23, x24, [x0, #32]",
        "ldp x25, x26, [x0, #48]",
        "ldp x27, x28, [x0, #64]",
        "ldr x29, [x0, #80]",
        "ldp d8, d9, [x0, #88]",
        "ldp d10, d11, [x0, #104]",
        "ldp d12, d13, [x0, #120]",
        "ldp d14, d15, [x0, #136]",
        "mov x0, x3",
        "blr x2",
        "ldr x1, [sp, #160]",
        "stp x19, x20, [x1]",
        "stp x21, x22, [x1, #16]",
        "stp x23, x24, [x1, #32]",
        "stp x25, x26, [x1, #48]",
        "stp x27, x28, [x1, #64]",
        "str x29, [x1, #80]",
        "stp d8, d9, [x1, #88]",
        "stp d10, d11, [x1, #104]",
        "stp d12, d13, [x1, #120]",
        "stp d14, d15, [x1, #136]",
        "ldp x19, x20, [sp]",
        "ldp x21, x22, [sp, #16]",
        "ldp x23, x24, [sp, #32]",
        "ldp x25, x26, [sp, #48]",
        "ldp x27, x28, [sp, #64]",
        "ldp x29, x30, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "add sp, sp, #176",
        "ret",
    )
}

/// The rounding modes belong to the context, on x86_64 that of the x87 too.
mod control {
    use super::{Pair, pair};

    #[cfg(target_arch = "x86_64")]
    fn round_up(up: bool) {
        let word: u32 = if up { 0x5f80 } else { 0x1f80 };
        let x87: u16 = if up { 0x0b7f } else { 0x037f };
        // SAFETY: rounding modes, no exception unmasked; back to normal before anybody else counts.
        unsafe {
            core::arch::asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack));
            core::arch::asm!("fldcw [{}]", in(reg) &raw const x87, options(nostack));
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn rounds_up() -> bool {
        let mut word: u32 = 0;
        let mut x87: u16 = 0;
        // SAFETY: they only read.
        unsafe {
            core::arch::asm!("stmxcsr [{}]", in(reg) &raw mut word, options(nostack));
            core::arch::asm!("fnstcw [{}]", in(reg) &raw mut x87, options(nostack));
        }
        let modes = [word & 0x6000 == 0x4000, x87 & 0x0c00 == 0x0800];
        assert_eq!(modes[0], modes[1], "one of two rounding modes was left behind");
        modes[0]
    }

    #[cfg(target_arch = "aarch64")]
    fn round_up(up: bool) {
        let word: u64 = if up { 1 << 22 } else { 0 };
        // SAFETY: a rounding mode; back to normal before anybody else counts.
        unsafe { core::arch::asm!("msr fpcr, {}", in(reg) word, options(nostack, nomem)) }
    }

    #[cfg(target_arch = "aarch64")]
    fn rounds_up() -> bool {
        let word: u64;
        // SAFETY: it only reads.
        unsafe { core::arch::asm!("mrs {}, fpcr", out(reg) word, options(nostack, nomem)) }
        word & (3 << 22) == 1 << 22
    }

    unsafe extern "C-unwind" fn look(argument: *mut ()) -> ! {
        // SAFETY: as in `count`.
        let pair = unsafe { &*argument.cast::<Pair>() };
        // A new context has the ABI's mode, whatever its maker has.
        pair.is_right.set(!rounds_up());
        round_up(true);
        loop {
            pair.back();
            pair.rounds.set(u64::from(rounds_up()));
        }
    }

    #[test]
    fn the_rounding_mode_is_the_contexts_own() {
        let mut stack = vec![0; 64 * 1024];
        let pair = pair(&mut stack, look);
        pair.go();
        assert!(pair.is_right.get());
        assert!(!rounds_up(), "the other context's mode came along");
        pair.go();
        assert_eq!(pair.rounds.get(), 1, "a context has lost its mode");
        assert!(!rounds_up());
    }
}
