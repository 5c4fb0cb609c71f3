//! Files of rt-app, by the demo's parser and with its locks, conditions, semaphores, barriers and timers.

use super::stage::{Stage, compute, sleep_until};
use demo::rtapp::{Event, Loops, Task, TimerScope, Workload};
use demo::workload::rtapp::{Barrier, Mutex, Semaphore, Timer};
use demo::workload::wait_list::WaitList;
use sched::{CpuId, Machine, Tier, yield_now};
use sched_sim::{Simulated, Virtual};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// A workload and what its tasks share.
struct Scene<const CPUS: usize> {
    machine: Virtual,
    scheduler: &'static Simulated<CPUS>,
    workload: Workload,
    mutexes: Vec<Mutex>,
    conditions: Vec<WaitList>,
    semaphores: Vec<Semaphore>,
    barriers: Vec<Barrier>,
    timers: Vec<Timer>,
    instances: AtomicU64,
}

/// Spawns the tasks of the file. What it forks is left out: tasks that come and go are the shapes' affair.
pub(super) fn begin<const CPUS: usize>(stage: &Stage<CPUS>, workload: &Workload) {
    let resources = &workload.resources;
    let scene = Arc::new(Scene {
        machine: stage.machine,
        scheduler: stage.scheduler,
        mutexes: resources.mutexes.iter().map(|_| Mutex::default()).collect(),
        conditions: resources.conditions.iter().map(|_| WaitList::default()).collect(),
        semaphores: resources.semaphores.iter().map(|_| Semaphore::default()).collect(),
        barriers: resources.barriers.iter().map(|barrier| Barrier::new(barrier.parties)).collect(),
        timers: resources.timers.iter().map(|_| Timer::new()).collect(),
        workload: workload.clone(),
        instances: AtomicU64::new(1),
    });
    for (number, task) in workload.tasks.iter().enumerate() {
        let tier = match task.tier {
            demo::rtapp::Tier::Critical => Tier::Critical,
            demo::rtapp::Tier::Normal => Tier::Normal,
            demo::rtapp::Tier::Background => Tier::Background,
        };
        let cpus = task.cpus.as_ref().and_then(|set| set.on_machine(stage.machine.cpus()));
        let cpus = cpus.map(|set| set.iter().map(CpuId::new).collect());
        for _ in 0..task.instances {
            let scene = scene.clone();
            // Names live as long as the program: there are as many as the file has tasks.
            let name: &'static str = task.name.clone().leak();
            stage.spawn_endless(name, tier, cpus, async move { scene.run(number).await });
        }
    }
}

impl<const CPUS: usize> Scene<CPUS> {
    async fn run(&self, number: usize) {
        let task: &Task = &self.workload.tasks[number];
        let me = self.instances.fetch_add(1, SeqCst);
        let own: Vec<Timer> = self.timers.iter().map(|_| Timer::new()).collect();
        if task.delay_ns > 0 {
            self.sleep(self.now_ns() + task.delay_ns).await;
        }
        let started_ns = self.now_ns();
        let mut rounds = rounds(task.loops);
        while rounds.next().is_some() && !self.machine.is_closing() {
            for phase in &task.phases {
                let mut rounds = self::rounds(phase.loops);
                while rounds.next().is_some() && !self.machine.is_closing() {
                    for &event in &phase.events {
                        self.act(event, me, &own, started_ns).await;
                    }
                    // It may be that none of them waits.
                    yield_now().await;
                }
            }
        }
    }

    async fn act(&self, event: Event, me: u64, own: &[Timer], started_ns: u64) {
        match event {
            Event::Run { duration_ns } | Event::Runtime { duration_ns } => {
                compute(self.machine, self.scheduler, duration_ns).await;
            }
            Event::Sleep { duration_ns } => self.sleep(self.now_ns() + duration_ns).await,
            Event::Timer { timer, period_ns } => {
                let spec = &self.workload.resources.timers[timer.0];
                let timers = if spec.scope == TimerScope::Shared { &self.timers } else { own };
                let next_ns =
                    timers[timer.0].advance(spec.mode, period_ns, started_ns, self.now_ns());
                if let Some(next_ns) = next_ns {
                    self.sleep(next_ns).await;
                }
            }
            Event::Suspend { condition } => self.conditions[condition.0].enter().wait().await,
            Event::Resume { condition } | Event::Broadcast { condition } => {
                self.conditions[condition.0].call_all()
            }
            Event::Signal { condition } => drop(self.conditions[condition.0].call_one()),
            Event::Lock { mutex } => self.mutexes[mutex.0].lock(me).await,
            Event::Unlock { mutex } => self.mutexes[mutex.0].unlock(me),
            Event::Wait { condition, mutex } => self.wait(condition.0, mutex.0, me).await,
            Event::Sync { condition, mutex } => {
                self.conditions[condition.0].call_one();
                self.wait(condition.0, mutex.0, me).await;
            }
            Event::Barrier { barrier } => self.barriers[barrier.0].wait().await,
            Event::SemWait { semaphore } => self.semaphores[semaphore.0].take().await,
            Event::SemPost { semaphore } => self.semaphores[semaphore.0].post(),
            Event::Yield => yield_now().await,
            Event::Fork { .. } => {}
        }
    }

    async fn wait(&self, condition: usize, mutex: usize, me: u64) {
        let place = self.conditions[condition].enter();
        self.mutexes[mutex].unlock(me);
        place.wait().await;
        self.mutexes[mutex].lock(me).await;
    }

    async fn sleep(&self, clock_ns: u64) {
        sleep_until(self.machine, self.scheduler, clock_ns).await;
    }

    fn now_ns(&self) -> u64 {
        self.scheduler.machine().now_ns()
    }
}

fn rounds(loops: Loops) -> std::ops::Range<u64> {
    match loops {
        Loops::Forever => 0..u64::MAX,
        Loops::Times(times) => 0..u64::from(times),
    }
}
