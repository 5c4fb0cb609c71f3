//! Each invariant fires: histories that break it, event by event.

use super::{Checked, Limits};
use crate::check::Checker;
use crate::faults::Knobs;
use crate::violation::Kind;
use crate::world::{State, World};
use crate::{Outcome, Plan, Rng, Simulation, Subject, Virtual, Workload};
use sched::thread::Policy;
use sched::trace::{Kind as Event, Outcome as End, Record};
use sched::{CpuId, CpuSet, Machine, Settings};
use sched_arch::Interrupts;

const NORMAL: u8 = 1;
const CRITICAL: u8 = 2;

/// A world of two CPUs, to which a test tells what happens.
struct History {
    world: World,
    now_ns: u64,
}

impl History {
    fn new() -> Self {
        let settings = Settings::DEFAULT;
        let limits = Limits { settings, conserved_ns: 1_000, late_ns: 1_000, early_ns: 0 };
        let world = World::new(2, 0, Knobs::plain(), Rng::new(0), Checker::new(2, limits));
        Self { world, now_ns: 0 }
    }

    fn tell(
        &mut self,
        cpu: usize,
        kind: Event,
        task: u64,
        other: Option<u32>,
        detail: u8,
    ) -> Checked {
        self.now_ns += 1;
        let record = Record {
            time_ns: self.now_ns,
            task,
            argument: 0,
            kind,
            detail,
            cpu: Some(CpuId::new(cpu as u32)),
            other: other.map(CpuId::new),
            name: None,
        };
        self.world.checker.event(cpu, self.now_ns, &record, &self.world.parties)
    }

    /// A task of a tier, spawned by CPU 0 and pushed to a CPU's inbox.
    fn pushed(&mut self, serial: u64, tier: u8, target: u32) -> u64 {
        let task = (1 << 48) | serial;
        self.tell(0, Event::Spawn, task, None, tier).unwrap();
        self.tell(0, Event::Wake, task, Some(target), 0).unwrap();
        task
    }

    fn queued(&mut self, serial: u64, tier: u8, cpu: u32) -> u64 {
        let task = self.pushed(serial, tier, cpu);
        self.tell(cpu as usize, Event::Enqueue, task, None, 0).unwrap();
        task
    }

    fn running(&mut self, serial: u64, tier: u8, cpu: u32) -> u64 {
        let task = self.queued(serial, tier, cpu);
        self.tell(cpu as usize, Event::Run, task, None, tier).unwrap();
        self.world.checker.poll_begins(cpu as usize).unwrap();
        task
    }

    fn stop(&mut self, cpu: usize, task: u64, end: End) -> Checked {
        self.world.checker.poll_ends(task);
        self.tell(cpu, Event::Stop, task, None, end as u8)
    }

    /// A CPU halts.
    fn halt(&mut self, cpu: usize) {
        self.world.parties[cpu].state = State::Halted;
        self.world.parties[cpu].time_ns = self.now_ns;
        self.world.checker.halts(cpu, &self.world.parties).unwrap();
    }

    fn examine(&mut self) -> Checked {
        let parties = &self.world.parties;
        self.world.checker.left_section(0, parties)?;
        self.world.checker.examine(parties)?;
        self.world.checker.conserves(parties)?;
        self.world.checker.look_round(parties)?;
        self.world.checker.look_at_all()
    }
}

#[track_caller]
fn fires(kind: Kind, checked: Checked) {
    match checked {
        Err((found, _)) => assert_eq!(found, kind),
        Ok(()) => panic!("{kind} was not noticed"),
    }
}

#[test]
fn two_places() {
    let mut history = History::new();
    let task = history.queued(1, NORMAL, 0);
    fires(Kind::TwoPlaces, history.tell(0, Event::Wake, task, Some(1), 0));
    let other = history.pushed(2, NORMAL, 0);
    fires(Kind::TwoPlaces, history.tell(1, Event::Enqueue, other, None, 0));
    fires(Kind::TwoPlaces, history.tell(1, Event::Run, other, None, 0));
    fires(Kind::TwoPlaces, history.tell(1, Event::Steal, other, Some(0), 0));
}

#[test]
fn a_task_placed_while_it_ran() {
    let mut history = History::new();
    let task = history.running(1, NORMAL, 0);
    history.tell(1, Event::Wake, task, Some(1), 0).unwrap();
    fires(Kind::TwoPlaces, history.stop(0, task, End::Completed));
}

#[test]
fn two_cpus() {
    let mut history = History::new();
    let task = history.running(1, NORMAL, 0);
    fires(Kind::TwoCpus, history.tell(1, Event::Run, task, None, 0));
    fires(Kind::TwoCpus, history.world.checker.poll_begins(0).map(|_| ()));
    fires(Kind::TwoCpus, history.stop(1, task, End::Waits));
}

#[test]
fn asleep_beside_work() {
    let mut history = History::new();
    history.halt(1);
    history.pushed(1, NORMAL, 1);
    // The pusher has not left its masked section: it may still kick.
    history.world.parties[0].masks = 1;
    history.examine().unwrap();
    history.world.parties[0].masks = 0;
    history.world.parties[0].sections += 1;
    // A kick is under way.
    history.world.parties[1].kick_ns = 9;
    history.world.checker.examine(&history.world.parties).unwrap();
    let mut history = History::new();
    history.halt(1);
    history.pushed(1, NORMAL, 1);
    fires(Kind::AsleepBesideWork, history.examine());
}

#[test]
fn an_urgent_task_unkicked() {
    let mut history = History::new();
    history.running(1, NORMAL, 1);
    history.pushed(2, NORMAL, 1);
    history.examine().unwrap();
    history.pushed(3, CRITICAL, 1);
    fires(Kind::UnkickedPreemption, history.examine());
}

#[test]
fn out_of_order() {
    let mut history = History::new();
    let [_, second] = [1, 2].map(|serial| history.pushed(serial, NORMAL, 0));
    fires(Kind::Order, history.tell(0, Event::Enqueue, second, None, 0));
    let mut history = History::new();
    let [_, second] = [1, 2].map(|serial| history.queued(serial, NORMAL, 0));
    fires(Kind::Order, history.tell(0, Event::Run, second, None, 0));
}

#[test]
fn a_tier_out_of_turn() {
    let mut history = History::new();
    history.queued(1, CRITICAL, 0);
    let task = history.queued(2, NORMAL, 0);
    fires(Kind::TierOrder, history.tell(0, Event::Run, task, None, 0));
}

#[test]
fn misplaced() {
    let mut history = History::new();
    let task = history.queued(1, CRITICAL, 0);
    fires(Kind::Placement, history.tell(1, Event::Steal, task, Some(0), 0));
    history.world.checker.next_affinity(0, CpuSet::EMPTY.with(CpuId::new(1)));
    let pinned = history.pushed(2, NORMAL, 0);
    fires(Kind::Placement, history.tell(0, Event::Enqueue, pinned, None, 0));
}

#[test]
fn lost() {
    let mut history = History::new();
    history.queued(1, NORMAL, 0);
    history.world.checker.step_ends(0, Some(1)).unwrap();
    fires(Kind::Lost, history.world.checker.step_ends(0, Some(0)));
    fires(Kind::Lost, history.world.checker.at_rest());
    let mut history = History::new();
    let task = history.running(1, NORMAL, 0);
    fires(Kind::Lost, history.stop(0, task, End::Requeued));
}

#[test]
fn left_behind() {
    let mut history = History::new();
    let [first, second] = [1, 2].map(|serial| history.queued(serial, NORMAL, 1));
    fires(Kind::TwoPlaces, history.tell(1, Event::Wake, first, Some(0), 0));
    history.world.checker.note_unplug(1, false);
    // By others than itself.
    fires(Kind::TwoPlaces, history.tell(0, Event::Wake, first, Some(0), 0));
    fires(Kind::Lost, history.world.checker.has_left(1));
    fires(Kind::Order, history.tell(1, Event::Wake, second, Some(0), 0));
    let mut history = History::new();
    let first = history.queued(1, NORMAL, 1);
    history.pushed(2, NORMAL, 1);
    history.world.checker.note_unplug(1, false);
    history.tell(1, Event::Wake, first, Some(0), 0).unwrap();
    // Its pusher is still in that section, and about to be told that the inbox is closed.
    history.world.checker.has_left(1).unwrap();
    history.examine().unwrap();
    fires(Kind::Lost, history.world.checker.has_left(1));
}

#[test]
fn a_refused_push_is_one_push() {
    let mut history = History::new();
    let task = history.pushed(1, NORMAL, 1);
    fires(Kind::TwoPlaces, history.tell(0, Event::Wake, task, Some(0), 0));
    let mut history = History::new();
    history.world.checker.note_unplug(1, false);
    let task = history.pushed(1, NORMAL, 1);
    history.tell(0, Event::Wake, task, Some(0), 0).unwrap();
    history.tell(0, Event::Enqueue, task, None, 0).unwrap();
    history.world.checker.has_left(1).unwrap();
    history.examine().unwrap();
}

#[test]
fn a_stranded_task_runs_where_it_may() {
    let mut history = History::new();
    history.world.checker.next_affinity(0, CpuSet::EMPTY.with(CpuId::new(1)));
    let task = (1 << 48) | 1;
    history.tell(0, Event::Spawn, task, None, NORMAL).unwrap();
    // It waits beside CPUs that sleep, which is right.
    history.tell(0, Event::Wake, task, None, 0).unwrap();
    history.halt(0);
    history.examine().unwrap();
    history.tell(1, Event::Wake, task, Some(0), 0).unwrap();
    fires(Kind::Placement, history.tell(0, Event::Enqueue, task, None, 0));
    let mut history = History::new();
    history.world.checker.note_unplug(1, true);
    history.world.checker.next_affinity(0, CpuSet::EMPTY.with(CpuId::new(1)));
    let task = history.pushed(1, NORMAL, 0);
    history.tell(0, Event::Enqueue, task, None, 0).unwrap();
}

#[test]
fn a_lost_wake() {
    let mut history = History::new();
    let task = history.running(1, NORMAL, 0);
    let before = history.world.checker.before_wake(task);
    history.world.checker.after_wake(task, before, &history.world.parties).unwrap();
    history.stop(0, task, End::Waits).unwrap();
    fires(Kind::LostWake, history.examine());
}

#[test]
fn unbounded() {
    let mut history = History::new();
    for serial in 1..=402 {
        history.queued(serial, NORMAL, 0);
    }
    fires(Kind::Unbounded, history.world.checker.step_ends(0, None));
    let record =
        |argument| Record { argument, ..Record::new(None, 0, &sched::trace::Event::Tick, None) };
    let mut timers = record(33);
    timers.kind = Event::Timers;
    fires(Kind::Unbounded, history.world.checker.event(0, 0, &timers, &history.world.parties));
}

#[test]
fn not_conserved() {
    let mut history = History::new();
    history.running(1, NORMAL, 0);
    history.queued(2, NORMAL, 0);
    history.world.parties[0].state = State::Running;
    history.halt(1);
    fires(Kind::NotConserved, history.world.checker.conserves(&history.world.parties));
    // Asked by a kick in this step.
    history.world.parties[0].kicks += 1;
    history.world.checker.conserves(&history.world.parties).unwrap();
    history.world.checker.at(5_000);
    fires(Kind::NotConserved, history.world.checker.look_round(&history.world.parties));
}

#[test]
fn an_injected_task_beside_a_sleeper() {
    let mut history = History::new();
    history.tell(0, Event::Spawn, (1 << 48) | 1, None, NORMAL).unwrap();
    history.tell(0, Event::Wake, (1 << 48) | 1, None, 0).unwrap();
    history.halt(1);
    fires(Kind::NotConserved, history.world.checker.conserves(&history.world.parties));
}

#[test]
fn timers() {
    let mut history = History::new();
    let task = history.running(1, NORMAL, 0);
    history.world.checker.falls_asleep(task, 500);
    fires(Kind::Timer, history.world.checker.wakes_up(task, false));
    history.world.checker.falls_asleep(task, 500);
    history.stop(0, task, End::Waits).unwrap();
    history.world.checker.at(1_000);
    history.world.checker.look_at_all().unwrap();
    history.world.checker.at(2_000);
    fires(Kind::Timer, history.world.checker.look_at_all());
}

#[test]
fn books() {
    let mut history = History::new();
    fires(Kind::Books, history.tell(0, Event::Wake, (1 << 48) | 7, Some(0), 0));
    fires(Kind::Books, history.tell(0, Event::Spawn, (1 << 48) | 7, None, NORMAL));
}

/// A subject that does what a test wants in its every step.
struct Odd {
    machine: Virtual,
    step: fn(Virtual),
    settled: Result<(), String>,
}

impl Interrupts for Odd {
    fn on_kick(&self) {}
    fn on_timer(&self) {}
}

impl Subject for Odd {
    type Core = &'static Self;

    fn enter(&'static self) -> &'static Self {
        self
    }

    fn step(core: &mut &'static Self) {
        (core.step)(core.machine);
    }

    fn settle(&self) -> Result<(), String> {
        self.settled.clone()
    }
}

struct Nothing;

impl Workload for Nothing {
    fn outside(&self, machine: Virtual) {
        while !machine.is_closing() {
            machine.rest_ns(1_000);
        }
    }
}

fn run(step: fn(Virtual), settled: Result<(), String>) -> Outcome {
    let plan = Plan {
        seed: 1,
        cpus: 2,
        steps: 100,
        faults: crate::Faults::NONE,
        keep_records: false,
        measure: true,
    };
    let simulation = Simulation::new(&plan);
    let machine = simulation.machine();
    simulation.run(Box::leak(Box::new(Odd { machine, step, settled })), Nothing)
}

fn halts(machine: Virtual) {
    machine.mask();
    machine.set_timer(if machine.is_closing() { u64::MAX } else { machine.now_ns() + 1_000 });
    // SAFETY: masked once.
    unsafe { machine.halt() };
}

#[track_caller]
fn fails(kind: Kind, outcome: Outcome) {
    assert_eq!(outcome.violation.map(|violation| violation.kind), Some(kind));
}

#[test]
fn a_subject_that_behaves_is_left_alone() {
    assert_eq!(run(halts, Ok(())).violation, None);
}

#[test]
fn restless() {
    fails(Kind::Restless, run(|_| {}, Ok(())));
}

#[test]
fn no_step_any_more() {
    let asleep = |machine: Virtual| {
        machine.mask();
        // SAFETY: masked once.
        unsafe { machine.halt() };
    };
    fails(Kind::Restless, run(asleep, Ok(())));
}

#[test]
fn contract() {
    fails(Kind::Contract, run(|machine| machine.kick(CpuId::new(0)), Ok(())));
    fails(Kind::Contract, run(|machine| machine.set_timer(0), Ok(())));
}

#[test]
fn panics() {
    fails(Kind::Panic, run(|_| panic!("odd"), Ok(())));
}

#[test]
fn what_the_subject_and_the_workload_say() {
    fails(Kind::Books, run(halts, Err("odd".to_owned())));
    fails(Kind::Workload, run(|machine| machine.fail(Kind::Workload, "odd"), Ok(())));
}

impl History {
    /// A thread that is queued on a CPU.
    fn thread(&mut self, serial: u64, policy: Policy, cpus: Option<CpuSet>, cpu: u32) -> u64 {
        self.world.checker.next_thread(0, (policy, cpus));
        self.queued(serial, NORMAL, cpu)
    }
}

#[test]
fn v17_the_higher_class_first() {
    let pinned = Some(CpuSet::EMPTY.with(CpuId::new(0)));
    let mut history = History::new();
    let fair = history.thread(1, Policy::DEFAULT, None, 0);
    history.thread(2, Policy::Realtime { priority: 1 }, pinned, 0);
    let told = history.tell(0, Event::Run, fair, None, NORMAL);
    assert_eq!(told.unwrap_err().0, Kind::ClassOrder);
}

#[test]
fn v17_who_is_passed_over_was_perhaps_taken() {
    let urgent = Policy::Realtime { priority: 1 };
    for is_stolen in [true, false] {
        let mut history = History::new();
        let fair = history.thread(1, Policy::DEFAULT, None, 0);
        let first = history.thread(2, urgent, None, 0);
        history.tell(0, Event::Run, fair, None, NORMAL).unwrap();
        history.tell(0, Event::Stop, fair, None, End::Preempted as u8).unwrap();
        if is_stolen {
            history.tell(1, Event::Steal, first, Some(0), 0).unwrap();
            history.tell(1, Event::Enqueue, first, None, 0).unwrap();
            history.tell(1, Event::Run, first, None, NORMAL).unwrap();
        } else {
            let told = history.tell(0, Event::Run, first, None, NORMAL);
            assert_eq!(told.unwrap_err().0, Kind::ClassOrder);
        }
    }
}

#[test]
fn v7_a_thread_runs_where_it_was_asked_to() {
    let only = |cpu| Some(CpuSet::EMPTY.with(CpuId::new(cpu)));
    let mut history = History::new();
    let thread = history.thread(1, Policy::DEFAULT, only(0), 0);
    history.world.checker.note_cpus(thread, only(1));
    // The message is under way.
    history.tell(0, Event::Enqueue, thread, None, 0).unwrap();
    history.now_ns += 2_000;
    let told = history.tell(0, Event::Enqueue, thread, None, 0);
    assert_eq!(told.unwrap_err().0, Kind::Placement);
    let mut history = History::new();
    let thread = history.thread(1, Policy::DEFAULT, only(0), 0);
    let told = history.tell(1, Event::Steal, thread, Some(0), 0);
    assert_eq!(told.unwrap_err().0, Kind::Placement);
}

#[test]
fn v1_a_thread_that_is_on_its_stack_is_not_stolen() {
    let mut history = History::new();
    let thread = history.thread(1, Policy::DEFAULT, None, 0);
    history.tell(0, Event::Run, thread, None, NORMAL).unwrap();
    history.world.checker.switches(0, true);
    let told = history.tell(1, Event::Steal, thread, Some(0), 0);
    assert_eq!(told.unwrap_err().0, Kind::TwoPlaces);
    history.world.checker.switches(0, false);
    history.tell(1, Event::Steal, thread, Some(0), 0).unwrap();
}

#[test]
fn v9_a_park_that_returns_answers_a_wake() {
    for answers in [true, false] {
        let mut history = History::new();
        let thread = history.thread(1, Policy::DEFAULT, None, 0);
        history.tell(0, Event::Run, thread, None, NORMAL).unwrap();
        history.world.checker.switches(0, true);
        let before = history.world.checker.before_wake(thread);
        let History { world, .. } = &mut history;
        world.checker.after_wake(thread, before, &world.parties).unwrap();
        if answers {
            world.checker.answers(thread);
        }
        world.checker.switches(0, false);
        history.tell(0, Event::Stop, thread, None, End::Waits as u8).unwrap();
        let History { world, .. } = &mut history;
        let told = world.checker.examine(&world.parties);
        assert_eq!(
            told.map_err(|(kind, _)| kind),
            if answers { Ok(()) } else { Err(Kind::LostWake) }
        );
    }
}
