//! A run: parties as coroutines, resumed in the order of their times.
//!
//! # Invariants
//!
//! - **E1** A party is resumed when it is first in line, and at no earlier time than its own.
//! - **E2** A run ends at rest: nobody has anything to wait for. Then every task is over, every loop has ended, the books
//!   balance. Or it ends with a violation, and what it had is left as it was, never touched again.

use crate::check::{Checker, Limits};
use crate::faults::{AWAY_NS, FREEZE_NS, Fault, Faults, Knobs, OFFLINE_BITS, SKEW_NS, STALL_NS};
use crate::machine::{Shared, Suspend, Virtual};
use crate::observer::{History, Observer};
use crate::rng::Rng;
use crate::violation::{Kind, Violation};
use crate::world::{ENGINE, Phase, State, World};
use crate::{Measures, Subject, Workload};
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult};
use sched::{CpuId, Settings};
use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Stack of a party. Pages that are not touched cost nothing.
const STACK_BYTES: usize = 128 << 10;

/// Steps that a run may take to come to rest: so many, and more for each task and each CPU, which all look around while one
/// works.
const STEPS_TO_REST: u64 = 100_000;
const STEPS_TO_REST_OF_A_TASK: u64 = 400;
const STEPS_TO_REST_OF_A_CPU: u64 = 2_000;

/// Turns of parties that may pass without a step of a CPU.
const TURNS_OF_A_STEP: u64 = 100_000;

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// All chance follows from it.
    pub seed: u64,
    /// Virtual CPUs.
    pub cpus: u32,
    /// Steps of all CPUs together until the end begins.
    pub steps: u64,
    /// What may go wrong; the seed draws some of them.
    pub faults: Faults,
    /// Keep the last events, for a timeline.
    pub keep_records: bool,
    /// A plain machine without faults that keeps what it measures, instead of one that the seed draws.
    pub measure: bool,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// `None`: all went well.
    pub violation: Option<Violation>,
    /// Steps of all CPUs.
    pub steps: u64,
    /// Polls of tasks.
    pub polls: u64,
    /// Virtual nanoseconds.
    pub time_ns: u64,
    /// What happened.
    pub history: History,
    /// What was measured.
    pub measures: Measures,
}

/// A machine that waits for a subject and a load.
pub struct Simulation {
    machine: Virtual,
    history: Rc<RefCell<History>>,
    settings: Settings,
}

impl Simulation {
    /// A machine as `plan` has it, and the settings that its seed draws for the scheduler.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self::with_settings(plan, None)
    }

    /// The same, with settings of the caller's: the checks go by them.
    #[must_use]
    pub fn with_settings(plan: &Plan, settings: Option<Settings>) -> Self {
        let mut rng = Rng::new(plan.seed);
        let knobs = if plan.measure { Knobs::plain() } else { Knobs::draw(&mut rng, plan.faults) };
        let settings = settings.unwrap_or_else(|| draw_settings(&mut rng, plan.measure));
        let cpus = plan.cpus.clamp(1, sched::MAX_CPUS as u32) as usize;
        let mut checker = Checker::new(cpus, limits(&knobs, settings));
        checker.measuring = plan.measure;
        let world = World::new(cpus, plan.steps, knobs, rng, checker);
        let machine = Virtual(Box::leak(Box::new(Shared::new(world))));
        let history = History { keep: plan.keep_records, ..History::default() };
        Self { machine, history: Rc::new(RefCell::new(history)), settings }
    }

    /// The machine: for the scheduler's making, and for workloads.
    #[must_use]
    pub fn machine(&self) -> Virtual {
        self.machine
    }

    /// The trace hook through which the checks see: for the scheduler's making.
    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer::new(self.machine, self.history.clone())
    }

    /// The settings that the seed drew.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Runs until all is at rest, or something is wrong.
    pub fn run<S: Subject, W: Workload + 'static>(
        self,
        subject: &'static S,
        workload: W,
    ) -> Outcome {
        let machine = self.machine;
        let workload = Rc::new(workload);
        machine.connect(Some((subject, workload.clone())));
        let mut parties = start(machine, subject, &workload);
        let went_well = drive(machine, &mut parties);
        if went_well {
            let settled = subject.settle().and_then(|()| workload.settle());
            machine.with(|world| world.note(settled.map_err(|what| (Kind::Books, what))));
            machine.connect(None);
        } else {
            // What the tasks share is theirs, and they are left as they are.
            std::mem::forget(workload);
        }
        parties.into_iter().for_each(abandon);
        machine.with(|world| {
            let outcome = Outcome {
                violation: world.violation.take(),
                steps: world.steps,
                polls: world.checker.polls,
                time_ns: world.checker.now_ns,
                history: self.history.take(),
                measures: std::mem::take(&mut world.checker.measures),
            };
            world.clear();
            outcome
        })
    }

    /// The same for a subject in a box, which is freed after a run that went well. After a violation it is leaked with all its
    /// tasks, as nobody knows in what state they are.
    ///
    /// # Safety
    ///
    /// When the run is over, neither the workload nor anybody else uses the reference that `workload` was made with, nor
    /// a task, waker or handle of that subject.
    pub unsafe fn run_boxed<S: Subject, W: Workload + 'static>(
        self,
        subject: Box<S>,
        workload: impl FnOnce(&'static S) -> W,
    ) -> Outcome {
        let subject = Box::into_raw(subject);
        // SAFETY: it is freed below at the earliest, when by the caller's promise nobody uses it.
        let borrowed: &'static S = unsafe { &*subject };
        let workload = workload(borrowed);
        let outcome = self.run(borrowed, workload);
        if outcome.violation.is_none() {
            // SAFETY: every loop has ended and every task is over (E2); the rest is the caller's promise.
            drop(unsafe { Box::from_raw(subject) });
        }
        outcome
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("machine", &self.machine).finish_non_exhaustive()
    }
}

type Party = Coroutine<(), (), (), DefaultStack>;

/// What a subject has promised, given what may go wrong.
fn limits(knobs: &Knobs, settings: Settings) -> Limits {
    let has = |fault, yes| if knobs.faults.has(fault) { yes } else { 0 };
    let slow_ns =
        has(Fault::CpuStall, 50 * STALL_NS) + has(Fault::LongPoll, 8_000_000) + 4 * knobs.late_ns;
    let away_ns = has(Fault::Hotplug, 4 * AWAY_NS);
    Limits {
        settings,
        conserved_ns: 1_000_000 + slow_ns + away_ns + 8 * knobs.ipi_ns,
        late_ns: 2_000_000 + 2 * slow_ns + away_ns + has(Fault::ClockStall, 10 * FREEZE_NS),
        early_ns: has(Fault::ClockSkew, SKEW_NS) + has(Fault::ClockStall, FREEZE_NS),
    }
}

fn draw_settings(rng: &mut Rng, plain: bool) -> Settings {
    let mut settings = Settings::DEFAULT;
    if !plain {
        settings.inbox_budget_nodes = [2, 4, 16, 64][rng.below(4) as usize];
        settings.background_limit_polls = [1, 4, 100, u32::MAX][rng.below(4) as usize];
        settings.critical_limit_polls = [1, 8, 256, u32::MAX][rng.below(4) as usize];
        settings.spin_steps = [0, 0, 1, 8][rng.below(4) as usize];
        settings.steal_cooldown_ns = if settings.spin_steps == 8 { 5_000 } else { 0 };
        settings.slice_ns = [20_000, 100_000, 1_000_000, u64::MAX][rng.below(4) as usize];
    }
    settings
}

fn start<S: Subject, W: Workload + 'static>(
    machine: Virtual,
    subject: &'static S,
    workload: &Rc<W>,
) -> Vec<Party> {
    let cpus = machine.cpus() as usize;
    let stack = || DefaultStack::new(STACK_BYTES).expect("memory for a stack");
    let mut parties: Vec<Party> = (0..cpus)
        .map(|_| {
            Coroutine::with_stack(stack(), move |suspend: &Suspend, ()| {
                machine.run_as(suspend);
                stay::<S>(machine, subject);
            })
        })
        .collect();
    let workload = workload.clone();
    parties.push(Coroutine::with_stack(stack(), move |suspend: &Suspend, ()| {
        machine.run_as(suspend);
        workload.outside(machine);
    }));
    machine.with(|world| {
        for place in 0..=cpus {
            // In any order of coming up.
            let at_ns = world.rng.below(2_000);
            world.parties[place].time_ns = at_ns;
            world.line.set(place, at_ns);
        }
    });
    parties
}

/// Whether it came to rest, and all went well.
fn drive(machine: Virtual, parties: &mut [Party]) -> bool {
    while let Some(place) = machine.with(World::next) {
        let resumed = catch_unwind(AssertUnwindSafe(|| parties[place].resume(())));
        machine.with(|world| {
            match resumed {
                Ok(CoroutineResult::Yield(())) => {}
                Ok(CoroutineResult::Return(())) => {}
                Err(panic) => world.fail(Kind::Panic, words(&*panic)),
            }
            world.checker.now_ns = world.checker.now_ns.max(world.now_ns());
            world.current = ENGINE;
        });
    }
    machine.with(|world| world.violation.is_none())
}

/// A CPU's life: it enters, steps, leaves, and comes back.
fn stay<S: Subject>(machine: Virtual, subject: &'static S) {
    let place = machine.with(|world| world.current);
    loop {
        machine.with(|world| {
            world.parties[place].state = State::Running;
            world.checker.comes_or_goes(place);
            if world.phase == Phase::Lively {
                world.plan_device(place);
            }
        });
        let mut core = subject.enter();
        let cpu = CpuId::new(place as u32);
        while machine.with(World::step_begins) {
            S::step(&mut core);
            if machine.with(World::unplugs) {
                leave::<S>(machine, cpu, &mut core);
            }
            let queued = S::queued(&core);
            if machine.with(|world| world.step_ends(queued)) {
                machine.give_way();
            }
            if subject.has_left(cpu) {
                break;
            }
        }
        let has_left = subject.has_left(cpu);
        if has_left {
            machine.with(|world| {
                let broken = world.checker.has_left(place);
                world.note(broken);
            });
        }
        drop(core);
        let (ends, back_ns) = machine.with(|world| {
            let away_ns = match has_left {
                true => world.rng.magnitude(OFFLINE_BITS),
                false => world.rng.below(AWAY_NS),
            };
            let party = &mut world.parties[place];
            party.state = State::Offline;
            (party.kick_ns, party.timer_ns, party.device_ns) = (u64::MAX, u64::MAX, u64::MAX);
            let lively = world.phase == Phase::Lively;
            let back_ns = world.parties[place].time_ns + if lively { away_ns } else { 0 };
            world.arrange(place);
            world.checker.comes_or_goes(place);
            (world.phase == Phase::Ending, back_ns)
        });
        if ends {
            return;
        }
        machine.suspend_until(back_ns);
    }
}

/// A CPU takes itself offline, if it may.
fn leave<S: Subject>(machine: Virtual, cpu: CpuId, core: &mut S::Core) {
    let was_closing = machine.with(|world| world.checker.is_closing(cpu.index()));
    machine.note_unplug(cpu, false);
    if !S::leave(core) && !was_closing {
        machine.note_stay(cpu);
    }
}

impl World {
    /// Whether the CPU takes itself offline after a step.
    fn unplugs(&mut self) -> bool {
        self.knobs.faults.has(Fault::Unplug) && self.rng.one_in(1_000)
    }

    /// Who goes on, and from when; nobody, if the run is over.
    fn next(&mut self) -> Option<usize> {
        self.turns += 1;
        if self.turns > TURNS_OF_A_STEP {
            self.fail(Kind::Restless, "no CPU takes a step any more".to_owned());
        }
        if self.turns.is_multiple_of(256) {
            let broken = self.checker.examine(&self.parties);
            self.note(broken);
        }
        let asleep = self.line.get(self.line.first()) == u64::MAX;
        if self.violation.is_some() || (asleep && !self.rests()) {
            return None;
        }
        let place = self.line.first();
        let party = &mut self.parties[place];
        party.time_ns = party.time_ns.max(self.line.get(place));
        self.current = place;
        self.line_up(place, u64::MAX);
        Some(place)
    }

    /// Whether the CPU goes on with another step.
    fn step_begins(&mut self) -> bool {
        self.steps += 1;
        self.turns = 0;
        if self.steps == self.steps_lively {
            self.close();
        }
        let of_tasks = STEPS_TO_REST_OF_A_TASK * self.checker.tasks.len() as u64;
        let of_cpus = STEPS_TO_REST_OF_A_CPU * self.cpus() as u64;
        let most = self.steps_lively + STEPS_TO_REST + of_tasks + of_cpus;
        if self.steps > most {
            self.fail(Kind::Restless, format!("{} tasks live on", self.checker.live));
        }
        let leaves = self.knobs.faults.has(Fault::Hotplug) && self.rng.one_in(1_000);
        self.checker.step_begins(self.current, &self.parties);
        self.phase != Phase::Ending && !leaves
    }

    /// The checks of a step, and its time. Whether the CPU has to let another one go first.
    fn step_ends(&mut self, queued: Option<usize>) -> bool {
        let place = self.current;
        let broken = self.checker.step_ends(place, queued);
        self.note(broken);
        if !self.checker.suspects.is_empty() {
            let broken = self.checker.examine(&self.parties);
            self.note(broken);
        }
        if self.steps.is_multiple_of(64.max(self.cpus() as u64)) {
            let broken = self.checker.look_round(&self.parties);
            self.note(broken);
        }
        if self.steps.is_multiple_of(4_096) {
            let broken = self.checker.look_at_all();
            self.note(broken);
        }
        let took_ns = 1 + self.rng.below(self.knobs.step_ns);
        self.parties[place].time_ns += took_ns;
        self.must_switch()
    }

    /// Nobody has anything to wait for: that is right if it is the end. Whether the loops go on, to end.
    fn rests(&mut self) -> bool {
        if self.phase == Phase::Ending {
            return false;
        }
        if self.phase == Phase::Lively {
            self.fail(Kind::Lost, "all is at rest before the end has begun".to_owned());
            return false;
        }
        let broken = self.checker.examine(&self.parties);
        self.note(broken);
        let broken = self.checker.look_at_all().and_then(|()| self.checker.at_rest());
        self.note(broken);
        self.phase = Phase::Ending;
        let now_ns = self.checker.now_ns;
        for place in 0..self.cpus() {
            self.line.set(place, now_ns);
        }
        true
    }
}

/// Gives up a party of a run that went wrong.
fn abandon(mut party: Party) {
    if party.started() && !party.done() {
        // SAFETY: what its stack owns is leaked, and nobody touches it again: the run is over, its subject leaked too.
        unsafe { party.force_reset() };
    } else if !party.done() {
        drop(party);
    }
}

pub(crate) fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
