//! What the tasks of each shape do.

use super::Shape;
use super::rtapp;
use super::stage::{Stage, compute, sleep_until};
use demo::rtapp::Workload;
use sched::{Machine, yield_now};
use std::sync::Arc;

/// What is run.
#[derive(Clone)]
pub(crate) enum Load {
    Shape(Shape),
    File(Workload),
}

impl<const CPUS: usize> Stage<CPUS> {
    fn cpus(&self) -> u32 {
        self.machine.cpus()
    }
}

/// Spawns the tasks that a load begins with.
pub(crate) fn begin<const CPUS: usize>(stage: &Stage<CPUS>) {
    match stage.load() {
        Load::Shape(Shape::Hackbench) => hackbench(stage),
        Load::Shape(Shape::Schbench) => schbench(stage),
        Load::Shape(Shape::Cyclictest) => cyclictest(stage),
        Load::Shape(Shape::ForkStorm) => fork_storm(stage, stage.cpus() * 10, 500_000),
        Load::Shape(Shape::YieldMany) => yield_many(stage),
        Load::Shape(Shape::SixtyHertz) => {
            sixty_hertz(stage);
            fork_storm(stage, stage.cpus() * 2, 1_000_000);
        }
        Load::File(workload) => rtapp::begin(stage, workload),
    }
}

/// Each of a pair answers each message with one.
fn hackbench<const CPUS: usize>(stage: &Stage<CPUS>) {
    let (machine, scheduler) = (stage.machine, stage.scheduler);
    for _ in 0..4 * stage.cpus() {
        let gates = [stage.gate(), stage.gate()];
        for me in 0..2 {
            let gates = gates.clone();
            stage.spawn("messenger", async move {
                while !machine.is_closing() {
                    compute(machine, scheduler, 1_000).await;
                    gates[1 - me].ring();
                    gates[me].wait(machine).await;
                }
            });
        }
    }
}

fn schbench<const CPUS: usize>(stage: &Stage<CPUS>) {
    let (machine, scheduler) = (stage.machine, stage.scheduler);
    for _ in 0..stage.cpus().div_ceil(16) {
        let done = stage.gate();
        let workers: Vec<_> = (0..16).map(|_| stage.gate()).collect();
        for gate in &workers {
            let (gate, done) = (gate.clone(), done.clone());
            stage.spawn("worker", async move {
                while !machine.is_closing() {
                    gate.wait(machine).await;
                    compute(machine, scheduler, 30_000).await;
                    done.ring();
                }
            });
        }
        stage.spawn("message", async move {
            while !machine.is_closing() {
                workers.iter().for_each(|gate| gate.ring());
                for _ in 0..16 {
                    done.wait(machine).await;
                }
                // The CPUs go to sleep in between, as they would.
                let clock_ns = scheduler.machine().now_ns() + 100_000;
                sleep_until(machine, scheduler, clock_ns).await;
            }
        });
    }
}

fn cyclictest<const CPUS: usize>(stage: &Stage<CPUS>) {
    let (machine, scheduler) = (stage.machine, stage.scheduler);
    for cpu in 0..stage.cpus() {
        stage.spawn_on(cpu, "cyclic", async move {
            let mut next_ns = scheduler.machine().now_ns() + 1_000_000;
            while !machine.is_closing() {
                sleep_until(machine, scheduler, next_ns).await;
                compute(machine, scheduler, 2_000).await;
                next_ns += 1_000_000;
            }
        });
    }
}

fn fork_storm<const CPUS: usize>(stage: &Stage<CPUS>, children: u32, period_ns: u64) {
    let (machine, scheduler) = (stage.machine, stage.scheduler);
    stage.spawn("storm", async move {
        while !machine.is_closing() {
            for _ in 0..children {
                let child = async move { compute(machine, scheduler, 5_000).await };
                drop(scheduler.task("child").spawn(machine.tracked(child)));
            }
            let clock_ns = scheduler.machine().now_ns() + period_ns;
            sleep_until(machine, scheduler, clock_ns).await;
        }
    });
}

fn yield_many<const CPUS: usize>(stage: &Stage<CPUS>) {
    let (machine, scheduler) = (stage.machine, stage.scheduler);
    for _ in 0..8 * stage.cpus() {
        stage.spawn("yielder", async move {
            while !machine.is_closing() {
                compute(machine, scheduler, 500).await;
                yield_now().await;
            }
        });
    }
}

/// A task on each CPU, woken by one on the next CPU; missing a period is a violation.
fn sixty_hertz<const CPUS: usize>(stage: &Stage<CPUS>) {
    const PERIOD_NS: u64 = 16_666_667;
    let (machine, scheduler) = (stage.machine, stage.scheduler);
    for cpu in 0..stage.cpus() {
        let frame = stage.gate();
        let drawn = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let (rung, done) = (frame.clone(), drawn.clone());
        stage.spawn_on((cpu + 1) % stage.cpus(), "vsync", async move {
            let mut next_ns = scheduler.machine().now_ns() + 1_000_000 * u64::from(cpu % 16);
            let mut frames = 0;
            while !machine.is_closing() {
                sleep_until(machine, scheduler, next_ns).await;
                if done.load(std::sync::atomic::Ordering::SeqCst) < frames && !machine.is_closing()
                {
                    machine
                        .fail(sched_sim::Kind::Workload, format!("cpu{cpu} missed frame {frames}"));
                }
                frames += 1;
                rung.ring();
                next_ns += PERIOD_NS;
            }
        });
        stage.spawn_on(cpu, "60 Hz", async move {
            while !machine.is_closing() {
                frame.wait(machine).await;
                compute(machine, scheduler, 2_000_000).await;
                drawn.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        });
    }
}
