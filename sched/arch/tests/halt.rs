//! The code of unmask-and-halt, as the compiler left it: X3 and A2 hold for the instructions, not for the source.
#![cfg(all(feature = "hardware", any(target_arch = "aarch64", target_arch = "x86_64")))]

/// Bytes of the function looked at: more than it has.
const LENGTH: usize = 64;

fn code(function: unsafe fn()) -> [u8; LENGTH] {
    let start = function as *const [u8; LENGTH];
    // SAFETY: code is readable, and the test program has more code than this behind every function of a library.
    unsafe { start.read_unaligned() }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn nothing_stands_between_unmasking_and_the_halt() {
    const STI: u8 = 0xfb;
    const HLT: u8 = 0xf4;
    let code = code(sched_arch::x86_64::interrupts::unmask_and_halt);
    let unmasked = code.iter().position(|&byte| byte == STI).expect("interrupts are unmasked");
    assert_eq!(code[unmasked + 1], HLT, "X3: an interrupt may come before the halt: {code:x?}");
}

#[cfg(target_arch = "aarch64")]
#[test]
fn the_halt_ends_before_unmasking() {
    const WFI: u32 = 0xd503_207f;
    const DSB_SY: u32 = 0xd503_3f9f;
    const UNMASK: u32 = 0xd503_42ff;
    let code = code(sched_arch::aarch64::interrupts::unmask_and_halt);
    let words: Vec<_> =
        code.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
    let halt = words.iter().position(|&word| word == WFI).expect("it halts");
    assert_eq!(words[halt - 1], DSB_SY, "A2: {words:x?}");
    assert_eq!(words[halt + 1], UNMASK, "A2: an interrupt may come before the halt: {words:x?}");
}
