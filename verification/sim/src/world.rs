//! The state of a run: who is where in virtual time, what interrupts are under way, and how far the run has come.
//!
//! # Invariants
//!
//! - **W1** One party runs at a time: `current`, or the engine. All others are suspended at a yield point.
//! - **W2** The party with the earliest time runs. So whatever one sees happened before, and nothing that comes later can
//!   have an effect before its time.
//! - **W3** No reference into the world lives across a yield point or a call out of this crate.

use crate::check::Checker;
use crate::faults::{FREEZE_NS, Fault, Knobs, SKEW_NS, STALL_NS};
use crate::line::Line;
use crate::rng::Rng;
use crate::switch::Contexts;
use crate::violation::{Kind, Violation};

/// Nobody but the engine runs.
pub(crate) const ENGINE: usize = usize::MAX;

/// Clocks begin here, so that none is negative.
const EPOCH_NS: u64 = 1_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not in the scheduler.
    Offline,
    Running,
    Halted,
}

/// What a run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Faults and load.
    Lively,
    /// No more faults; what runs comes to its end.
    Closing,
    /// All is at rest: the loops end.
    Ending,
}

/// A party: a CPU, or the thread outside that is none.
#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) time_ns: u64,
    pub(crate) state: State,
    pub(crate) is_cpu: bool,
    /// Depth of the interrupt mask.
    pub(crate) masks: u32,
    /// Masked sections left so far.
    pub(crate) sections: u64,
    /// When the next interrupt of each kind arrives; `u64::MAX`: none is under way.
    pub(crate) kick_ns: u64,
    pub(crate) timer_ns: u64,
    pub(crate) device_ns: u64,
    /// The earliest of the three.
    pub(crate) irq_ns: u64,
    /// Suspended where an interrupt ends the wait.
    pub(crate) listens: bool,
    clock_ahead_ns: u64,
    frozen_until_ns: u64,
    frozen_at_ns: u64,
    /// Reschedule interrupts handled.
    pub(crate) kicks: u64,
}

/// An interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Irq {
    Kick,
    Timer,
    Device,
}

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) knobs: Knobs,
    /// CPUs, then the thread outside.
    pub(crate) parties: Vec<Party>,
    /// When each party goes on that is suspended; the one that runs has no place in it (W2).
    pub(crate) line: Line,
    /// When the first of them goes on: until then whoever runs may run.
    pub(crate) horizon_ns: u64,
    pub(crate) current: usize,
    /// Yield points left to pass by.
    skip: u64,
    pub(crate) phase: Phase,
    pub(crate) steps: u64,
    /// Parties resumed since the last step began.
    pub(crate) turns: u64,
    /// The step with which the end begins.
    pub(crate) steps_lively: u64,
    pub(crate) checker: Checker,
    pub(crate) violation: Option<Violation>,
    pub(crate) contexts: Contexts,
}

impl World {
    pub(crate) fn new(
        cpus: usize,
        steps: u64,
        knobs: Knobs,
        mut rng: Rng,
        checker: Checker,
    ) -> Self {
        let skewed = knobs.faults.has(Fault::ClockSkew);
        let mut party = |is_cpu| Party {
            time_ns: 0,
            state: State::Offline,
            is_cpu,
            masks: 0,
            sections: 0,
            kick_ns: u64::MAX,
            timer_ns: u64::MAX,
            device_ns: u64::MAX,
            irq_ns: u64::MAX,
            listens: false,
            clock_ahead_ns: EPOCH_NS + if skewed { rng.below(SKEW_NS) } else { 0 },
            frozen_until_ns: 0,
            frozen_at_ns: 0,
            kicks: 0,
        };
        let mut parties: Vec<_> = (0..cpus).map(|_| party(true)).collect();
        parties.push(party(false));
        Self {
            knobs,
            line: Line::new(parties.len()),
            parties,
            horizon_ns: 0,
            current: ENGINE,
            skip: 0,
            phase: Phase::Lively,
            steps: 0,
            turns: 0,
            steps_lively: steps,
            checker,
            violation: None,
            contexts: Contexts::default(),
            rng,
        }
    }

    /// Gives up what it holds: handles to the machine stay valid, and mean a machine without CPUs.
    pub(crate) fn clear(&mut self) {
        let checker = Checker::new(0, self.checker.limits);
        *self = Self::new(0, 0, self.knobs.clone(), self.rng.clone(), checker);
    }

    pub(crate) fn cpus(&self) -> usize {
        self.parties.len() - 1
    }

    pub(crate) fn me(&mut self) -> Option<&mut Party> {
        self.parties.get_mut(self.current)
    }

    /// The virtual time of whoever runs.
    pub(crate) fn now_ns(&self) -> u64 {
        self.parties.get(self.current).map_or(self.checker.now_ns, |party| party.time_ns)
    }

    /// What the clock of whoever runs reads.
    pub(crate) fn clock_ns(&mut self) -> u64 {
        let stalls = self.knobs.faults.has(Fault::ClockStall);
        let Some(party) = self.parties.get_mut(self.current) else {
            return EPOCH_NS + self.checker.now_ns;
        };
        if stalls && party.frozen_until_ns <= party.time_ns && self.rng.one_in(256) {
            party.frozen_at_ns = party.time_ns;
            party.frozen_until_ns = party.time_ns + self.rng.below(FREEZE_NS);
        }
        let frozen = party.time_ns < party.frozen_until_ns;
        party.clock_ahead_ns + if frozen { party.frozen_at_ns } else { party.time_ns }
    }

    pub(crate) fn fail(&mut self, kind: Kind, what: String) {
        if self.violation.is_none() {
            let (step, time_ns) = (self.steps, self.now_ns());
            self.violation = Some(Violation { kind, what, step, time_ns });
        }
    }

    /// Whether the run is over, or whoever runs has to let another one go first.
    pub(crate) fn must_switch(&self) -> bool {
        self.now_ns() > self.horizon_ns || self.violation.is_some()
    }

    /// Who goes on is resumed, or a suspended one goes on at another time.
    pub(crate) fn line_up(&mut self, place: usize, at_ns: u64) {
        self.line.set(place, at_ns);
        self.horizon_ns = self.line.get(self.line.first());
    }

    /// A yield point: `false` if it is passed by.
    #[inline]
    pub(crate) fn counts(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.takes_time()
    }

    /// A yield point counts: it takes its time, and something may come of it.
    fn takes_time(&mut self) -> bool {
        let Some(party) = self.parties.get_mut(self.current) else { return false };
        party.time_ns += 1 + self.rng.magnitude(self.knobs.point_bits);
        self.skip = self.rng.below(self.knobs.skip + 1);
        if self.rng.one_in(self.knobs.stall_one_in) {
            party.time_ns += self.rng.below(STALL_NS);
        }
        if self.knobs.faults.has(Fault::Spurious) && party.is_cpu && self.rng.one_in(500) {
            let at_ns = party.time_ns + self.rng.below(2_000);
            if self.rng.one_in(2) {
                party.kick_ns = party.kick_ns.min(at_ns);
            } else {
                party.timer_ns = party.timer_ns.min(at_ns);
            }
            party.hear();
        }
        true
    }

    /// A reschedule interrupt sets out.
    pub(crate) fn send_kick(&mut self, target: usize) {
        let now_ns = self.now_ns();
        let delay_ns = 1 + self.rng.below(self.knobs.ipi_ns);
        // The contract leaves open what becomes of it while the target is away.
        let dropped = self.parties[target].state == State::Offline && self.rng.one_in(2);
        if dropped {
            return;
        }
        let party = &mut self.parties[target];
        party.kick_ns = party.kick_ns.min(now_ns + delay_ns);
        self.arrange(target);
    }

    /// The timer of whoever runs is set to `at_ns` of its clock.
    pub(crate) fn set_timer(&mut self, at_ns: u64) {
        let late_ns = self.rng.below(self.knobs.late_ns + 1);
        let current = self.current;
        let Some(party) = self.me().filter(|party| party.is_cpu) else { return };
        party.timer_ns = if at_ns == u64::MAX {
            u64::MAX
        } else {
            // A clock that stands still asks again and again for a time that has passed.
            at_ns
                .saturating_sub(party.clock_ahead_ns)
                .max(party.time_ns + 500)
                .saturating_add(late_ns)
        };
        self.arrange(current);
    }

    /// After a change of what is under way to a party: if it waits for that, it is called in time.
    pub(crate) fn arrange(&mut self, place: usize) {
        let party = &mut self.parties[place];
        party.hear();
        if party.listens && place != self.current {
            let at_ns = party.irq_ns.max(party.time_ns);
            if at_ns < self.line.get(place) {
                self.line_up(place, at_ns);
            }
        }
    }

    /// Whether an interrupt is due here and may be handled.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.parties.get(self.current).is_some_and(|party| {
            party.is_cpu
                && party.masks == 0
                && party.state != State::Offline
                && party.irq_ns <= party.time_ns
        })
    }

    /// Takes the next interrupt that is due here and may be handled, and masks.
    pub(crate) fn take_irq(&mut self) -> Option<Irq> {
        let place = self.current;
        if !self.is_interrupted() {
            return None;
        }
        let party = &mut self.parties[place];
        party.masks = 1;
        let irq = if party.kick_ns <= party.time_ns {
            party.kick_ns = u64::MAX;
            party.kicks += 1;
            if self.knobs.faults.has(Fault::IpiDuplicate) && self.rng.one_in(4) {
                party.kick_ns = party.time_ns + 1 + self.rng.below(self.knobs.ipi_ns);
            }
            Irq::Kick
        } else if party.timer_ns <= party.time_ns {
            party.timer_ns = u64::MAX;
            Irq::Timer
        } else {
            party.device_ns = u64::MAX;
            Irq::Device
        };
        party.time_ns += 100;
        if irq == Irq::Device {
            self.plan_device(place);
        }
        self.parties[place].hear();
        Some(irq)
    }

    /// Draws when the next device interrupt comes to a CPU.
    pub(crate) fn plan_device(&mut self, place: usize) {
        let party = &mut self.parties[place];
        party.device_ns = match self.knobs.device_ns {
            0 => u64::MAX,
            mean_ns => party.time_ns + 1 + self.rng.below(2 * mean_ns),
        };
        party.hear();
    }

    /// The mask of whoever runs is gone: others may rely on what the section did.
    pub(crate) fn left_section(&mut self) {
        let place = self.current;
        if let Some(party) = self.me() {
            party.sections += 1;
            if self.checker.has_pushed(place) {
                let broken = self.checker.left_section(place, &self.parties);
                self.note(broken);
            }
        }
    }

    pub(crate) fn note(&mut self, broken: Result<(), (Kind, String)>) {
        if let Err((kind, what)) = broken {
            self.fail(kind, what);
        }
    }

    /// The end begins: no more faults, and whoever is away comes back.
    pub(crate) fn close(&mut self) {
        self.phase = Phase::Closing;
        self.knobs.faults = crate::Faults::NONE;
        self.knobs.stall_one_in = 0;
        self.knobs.device_ns = 0;
        let now_ns = self.now_ns();
        for place in 0..self.parties.len() {
            let party = &mut self.parties[place];
            party.device_ns = u64::MAX;
            party.hear();
            if place != self.current && party.state == State::Offline && party.is_cpu {
                self.line_up(place, now_ns.max(self.parties[place].time_ns));
            }
        }
    }
}

impl Party {
    fn hear(&mut self) {
        self.irq_ns = self.kick_ns.min(self.timer_ns).min(self.device_ns);
    }

    /// It sleeps, and no kick will wake it.
    pub(crate) fn sleeps(&self) -> bool {
        self.state == State::Halted && self.kick_ns == u64::MAX
    }
}
