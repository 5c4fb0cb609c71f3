//! The contract: what a machine gives, and what it calls.

use crate::CpuId;

/// What the scheduler needs from a machine, and all it needs to run futures.
///
/// The machine calls back through [`Interrupts`]: from its reschedule interrupt and from its timer interrupt.
///
/// # Safety
///
/// The scheduler's memory safety and its promise to lose no wake rest on these, for every implementation:
///
/// 1. [`cpu`](Self::cpu) gives each CPU an index that no other running CPU has, and gives the same one for as
///    long as the caller stays on that CPU.
/// 2. Between [`mask`](Self::mask) and the matching [`restore`](Self::restore) no interrupt handler runs on
///    the calling CPU, and the caller is not moved to another CPU.
/// 3. A [`kick`](Self::kick) is sticky: [`Interrupts::on_kick`] runs on the target after the call, once at
///    least for any number of kicks, as soon as the target has interrupts unmasked. Memory written by the
///    sender before the kick is visible to that handler.
/// 4. [`halt`](Self::halt) unmasks and halts in one step: an interrupt that became pending at any time after
///    interrupts were masked ends the halt.
pub unsafe trait Machine: Sync {
    /// The interrupt mask as it was before [`mask`](Self::mask).
    type Saved: Copy;

    /// The CPU that the caller runs on; `None` in early boot, or on a thread that is no CPU.
    ///
    /// The answer may be stale as soon as it is given, unless interrupts are masked. Wait-free; any context.
    fn cpu(&self) -> Option<CpuId>;

    /// Nanoseconds on a clock that does not step back on one CPU. Any context.
    ///
    /// A clock that does step back, stands still or differs between CPUs makes timers late, never wrong.
    fn now_ns(&self) -> u64;

    /// Masks interrupts on this CPU and tells how they were. Any context.
    fn mask(&self) -> Self::Saved;

    /// Puts the interrupt mask back.
    ///
    /// # Safety
    ///
    /// `saved` comes from the matching [`mask`](Self::mask) on this CPU; pairs nest.
    unsafe fn restore(&self, saved: Self::Saved);

    /// Sends the reschedule interrupt to `cpu`, which may be the caller's own or one that is not up yet (then
    /// it is delivered when the CPU comes up, or dropped: a CPU looks at everything before it first halts).
    ///
    /// Called with interrupts masked, from any context but NMI.
    fn kick(&self, cpu: CpuId);

    /// Unmasks interrupts and halts until one arrives, as one step; returns with interrupts unmasked.
    ///
    /// May return without an interrupt. A simulator may return at once and step the CPU again only when an
    /// interrupt is due: the scheduler does nothing after the halt but return from its step.
    ///
    /// # Safety
    ///
    /// Interrupts are masked on this CPU, by one call of [`mask`](Self::mask) that will not be restored.
    unsafe fn halt(&self);

    /// Asks for the timer interrupt on this CPU at `at_ns` or as soon after as can be, in place of what was
    /// asked before; [`u64::MAX`] asks for none. Called with interrupts masked.
    fn set_timer(&self, at_ns: u64);

    /// A number that differs between CPUs, for the first victim of stealing. Need not be unpredictable.
    fn seed(&self) -> u64;

    /// How far `victim` is from `thief`, in any unit: work is taken from the nearest CPU that has some to spare, and among
    /// those equally far the search begins with another one each time. All are equally far unless this says otherwise; it
    /// should give the same answer each time.
    ///
    /// Called in a search for work, some times for each CPU that has some; interrupts may be masked.
    #[inline(always)]
    fn steal_distance(&self, thief: CpuId, victim: CpuId) -> u8 {
        let _ = (thief, victim);
        0
    }

    /// Called once in every step of the loop, interrupts unmasked and no lock held.
    ///
    /// A machine whose interrupts cannot arrive by themselves (a thread of an operating system, a simulator)
    /// delivers pending ones here. Hardware leaves it empty.
    #[inline(always)]
    fn checkpoint(&self) {}

    /// Called in the midst of the protocol, between two accesses to what CPUs share; interrupts may be masked, and no lock
    /// is held.
    ///
    /// A simulator lets other CPUs go on here, and delivers interrupts where they are not masked. Hardware, whose CPUs go on
    /// by themselves, leaves it empty: then nothing of it is left in the code.
    #[inline(always)]
    fn interleave(&self) {}
}

/// What a machine calls from its interrupt handlers, with interrupts masked, on the CPU concerned.
///
/// Both only publish (a flag, inbox pushes of at most one timer batch): bounded work, no allocation.
pub trait Interrupts: Sync {
    /// The reschedule interrupt arrived. Signal end-of-interrupt as your controller wants it; order does not
    /// matter to the scheduler.
    fn on_kick(&self);

    /// The timer interrupt arrived, early or late.
    fn on_timer(&self);
}
