//! What a run can do wrong.

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// The invariant that was broken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// A few words for it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// V1: a task is in exactly one place.
    TwoPlaces = "a task in two places";
    /// V2: a task is on at most one CPU.
    TwoCpus = "a task on two CPUs";
    /// V3: no runnable task waits on a CPU that sleeps with no kick under way.
    AsleepBesideWork = "a CPU asleep beside a runnable task";
    /// V4: no urgent task waits behind a less urgent poll with no kick under way.
    UnkickedPreemption = "an urgent task waits behind a lesser one, unkicked";
    /// V5: within a tier the oldest task of a CPU runs first; an inbox keeps the order of its pushes.
    Order = "out of order";
    /// V6: tiers take turns as the settings say.
    TierOrder = "a tier out of turn";
    /// V7: Critical and pinned tasks are not stolen, and no task runs where it may not.
    Placement = "a task where it may not be";
    /// V8: what is queued is there, and what was spawned ends; a CPU that has left has nothing.
    Lost = "a task is lost";
    /// V9: each wake of a task that is not over is followed by a poll.
    LostWake = "a wake is lost";
    /// V10: a step does bounded work.
    Unbounded = "a step does too much";
    /// V11: no stealable task waits long beside a CPU that has long been idle.
    NotConserved = "a stealable task waits beside an idle CPU";
    /// V12: no timer fires early, and none is long overdue.
    Timer = "a timer at the wrong time";
    /// V13: left alone, the system comes to rest.
    Restless = "the system does not come to rest";
    /// V14: the machine contract's conditions on its caller.
    Contract = "the machine contract is broken";
    /// V15: the books balance at the end.
    Books = "the books do not balance";
    /// V16: nothing panics.
    Panic = "a panic";
    /// V17: of what is ready on a CPU the highest class runs.
    ClassOrder = "a lower class runs before a higher one";
    /// V18: what the fair class keeps is what its members add up to.
    FairBooks = "the fair class's sums are not those of its members";
    /// V19: nobody is owed more service, or owes more, than EEVDF allows.
    Unfair = "a lag beyond its bound";
    /// What a workload itself found wrong.
    Workload = "the workload's own check";
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A broken invariant: when, and in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub kind: Kind,
    /// What was seen.
    pub what: String,
    /// Steps of the run until then.
    pub step: u64,
    /// The virtual time.
    pub time_ns: u64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, what, step, time_ns } = self;
        write!(f, "{kind}: {what} (step {step}, {time_ns} ns)")
    }
}

impl std::error::Error for Violation {}
