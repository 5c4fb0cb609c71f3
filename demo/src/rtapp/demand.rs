//! An estimate of how much CPU a workload asks for, from its text alone.
//!
//! A task goes as fast as its own work, timers and sleeps let it, and no faster than it is woken: a
//! `suspend`, `wait`, `sync` or `sem_wait` follows those that resume, signal or post. The estimate is
//! the steady state on an idle, fast enough machine, and an upper bound of it: tasks that take turns
//! count as if they ran at once. A task that ends counts as if it went on; a forked instance, a mutex
//! and a barrier count for nothing.

use super::model::{Event, Loops, Phase, Task, Workload};

/// Longest chain of followers that is traced; what comes after it counts at its own speed.
const ROUNDS: usize = 16;

/// What one cycle of a task costs, in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Cycle {
    run: f64,
    pace: f64,
}

impl Cycle {
    fn own_speed(self) -> f64 {
        1.0 / self.run.max(self.pace).max(1.0)
    }
}

impl Workload {
    /// A bound of the CPU time asked for, in thousandths of one CPU.
    #[must_use]
    pub fn estimated_demand_permille(&self) -> u64 {
        let cycles: Vec<Cycle> = self.tasks.iter().map(cycle).collect();
        // Cycles per nanosecond and instance: at first each at its own speed, then, round by round,
        // no faster than what wakes it. Rates only fall, so that any number of rounds is a bound.
        let mut rates: Vec<f64> = cycles.iter().map(|cycle| cycle.own_speed()).collect();
        for _ in 0..ROUNDS {
            let wakes = self.wakes(&rates);
            let rated = self.tasks.iter().zip(&cycles);
            rates = rated.map(|(task, cycle)| rate(task, cycle.own_speed(), &wakes)).collect();
        }
        let demand =
            self.tasks.iter().zip(&cycles).zip(&rates).map(|((task, cycle), rate)| {
                f64::from(task.instances) * (cycle.run * rate).min(1.0)
            });
        // Saturates; at most 1000 per instance.
        (demand.sum::<f64>() * 1000.0).round() as u64
    }

    /// Wakes per nanosecond at these rates: of each condition, and of each semaphore.
    fn wakes(&self, rates: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut conditions = vec![0.0; self.resources.conditions.len()];
        let mut semaphores = vec![0.0; self.resources.semaphores.len()];
        for (task, rate) in self.tasks.iter().zip(rates) {
            let rate = rate * f64::from(task.instances);
            for phase in steady(task) {
                for event in &phase.events {
                    match *event {
                        Event::Resume { condition }
                        | Event::Signal { condition }
                        | Event::Broadcast { condition }
                        | Event::Sync { condition, .. } => {
                            conditions[condition.0] += rate * times(phase);
                        }
                        Event::SemPost { semaphore } => {
                            semaphores[semaphore.0] += rate * times(phase);
                        }
                        _ => {}
                    }
                }
            }
        }
        (conditions, semaphores)
    }
}

/// Cycles per nanosecond of one instance.
fn rate(task: &Task, own_speed: f64, (conditions, semaphores): &(Vec<f64>, Vec<f64>)) -> f64 {
    let events = steady(task).iter().flat_map(|phase| phase.events.iter().map(move |e| (phase, e)));
    let slowest = events.filter_map(|(phase, event)| match *event {
        Event::Suspend { condition }
        | Event::Wait { condition, .. }
        | Event::Sync { condition, .. } => Some(conditions[condition.0] / times(phase)),
        // Its posts are shared out among the instances.
        Event::SemWait { semaphore } => {
            Some(semaphores[semaphore.0] / times(phase) / f64::from(task.instances.max(1)))
        }
        _ => None,
    });
    slowest.fold(own_speed, f64::min)
}

/// The phases that repeat: all, or the first that goes on forever.
fn steady(task: &Task) -> &[Phase] {
    match task.phases.iter().position(|phase| phase.loops == Loops::Forever) {
        Some(forever) => &task.phases[forever..=forever],
        None => &task.phases,
    }
}

fn times(phase: &Phase) -> f64 {
    match phase.loops {
        Loops::Forever => 1.0,
        Loops::Times(count) => f64::from(count),
    }
}

fn cycle(task: &Task) -> Cycle {
    let mut cycle = Cycle::default();
    for phase in steady(task) {
        // What a timer's period covers: the work since the timer before it.
        let mut since_timer = 0.0;
        let mut run = 0.0;
        let mut pace = 0.0;
        for event in &phase.events {
            match *event {
                Event::Run { duration_ns } | Event::Runtime { duration_ns } => {
                    run += duration_ns as f64;
                    since_timer += duration_ns as f64;
                }
                Event::Sleep { duration_ns } => since_timer += duration_ns as f64,
                Event::Timer { period_ns, .. } => {
                    pace += (period_ns as f64).max(since_timer);
                    since_timer = 0.0;
                }
                _ => {}
            }
        }
        let sleeps =
            since_timer > 0.0 && phase.events.iter().any(|e| matches!(e, Event::Sleep { .. }));
        let timed = pace > 0.0;
        if sleeps || timed {
            pace += since_timer;
        }
        cycle.run += run * times(phase);
        cycle.pace += pace * times(phase);
    }
    cycle
}
