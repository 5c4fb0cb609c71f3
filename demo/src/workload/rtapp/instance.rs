//! One instance of a task of the file: its loops, phases and events.

use super::Stage;
use super::timer::Timer;
use crate::rtapp::{Event, Loops, Phase, TaskId, TimerScope};
use crate::workload::Recorder;
use sched::yield_now;

/// An instance while it runs.
struct Instance {
    stage: &'static Stage,
    /// Not 0; no other instance has it.
    id: u64,
    /// Its own ones, by index, from their first use on.
    timers: Vec<(usize, Timer)>,
    started_ns: u64,
    lateness: Recorder,
}

pub(super) async fn run(stage: &'static Stage, task: TaskId, index: u32) {
    let context = stage.context;
    let mut instance = Instance {
        stage,
        id: (task.0 as u64 + 1) << 32 | u64::from(index),
        timers: Vec::new(),
        started_ns: 0,
        lateness: context.recorder("rtapp", stage.names[task.0]),
    };
    let task = stage.task(task);
    if task.delay_ns > 0 {
        context.scheduler.sleep_ns(task.delay_ns).await;
    }
    instance.started_ns = context.now_ns();
    let mut rounds = Rounds(task.loops);
    while rounds.next() {
        for phase in &task.phases {
            instance.run_phase(phase).await;
        }
    }
}

impl Instance {
    async fn run_phase(&mut self, phase: &Phase) {
        let mut rounds = Rounds(phase.loops);
        while rounds.next() {
            for &event in &phase.events {
                self.run_event(event).await;
            }
            // It may be that none of them waits.
            self.stage.context.breathe().await;
        }
    }

    async fn run_event(&mut self, event: Event) {
        let (stage, context) = (self.stage, self.stage.context);
        match event {
            Event::Run { duration_ns } => context.work.run(context, duration_ns).await,
            Event::Runtime { duration_ns } => context.work.run_until(context, duration_ns).await,
            Event::Sleep { duration_ns } => {
                self.sleep_until(context.now_ns().saturating_add(duration_ns)).await;
            }
            Event::Timer { timer, period_ns } => {
                if let Some(deadline_ns) = self.advance(timer.0, period_ns) {
                    self.sleep_until(deadline_ns).await;
                }
            }
            Event::Suspend { condition } => stage.conditions[condition.0].enter().wait().await,
            Event::Resume { condition } | Event::Broadcast { condition } => {
                stage.conditions[condition.0].call_all();
            }
            Event::Signal { condition } => {
                stage.conditions[condition.0].call_one();
            }
            Event::Lock { mutex } => stage.mutexes[mutex.0].lock(self.id).await,
            Event::Unlock { mutex } => stage.mutexes[mutex.0].unlock(self.id),
            Event::Wait { condition, mutex } => {
                self.wait(condition.0, mutex.0).await;
            }
            Event::Sync { condition, mutex } => {
                // The mutex is held: who is called cannot answer before the wait has begun.
                stage.conditions[condition.0].call_one();
                self.wait(condition.0, mutex.0).await;
            }
            Event::Barrier { barrier } => stage.barriers[barrier.0].wait().await,
            Event::SemWait { semaphore } => stage.semaphores[semaphore.0].take().await,
            Event::SemPost { semaphore } => stage.semaphores[semaphore.0].post(),
            Event::Yield => yield_now().await,
            Event::Fork { task } => stage.fork(task),
        }
    }

    /// In line before the mutex is released, so that no call is missed in between.
    async fn wait(&self, condition: usize, mutex: usize) {
        let place = self.stage.conditions[condition].enter();
        self.stage.mutexes[mutex].unlock(self.id);
        place.wait().await;
        self.stage.mutexes[mutex].lock(self.id).await;
    }

    /// When the timer expires next, if that is to be waited for.
    fn advance(&mut self, timer: usize, period_ns: u64) -> Option<u64> {
        let spec = &self.stage.workload.resources.timers[timer];
        let now_ns = self.stage.context.now_ns();
        let advance = |timer: &Timer| timer.advance(spec.mode, period_ns, self.started_ns, now_ns);
        if spec.scope == TimerScope::Shared {
            return advance(&self.stage.timers[timer]);
        }
        if let Some((_, own)) = self.timers.iter().find(|(index, _)| *index == timer) {
            return advance(own);
        }
        let own = Timer::new();
        let deadline_ns = advance(&own);
        self.timers.push((timer, own));
        deadline_ns
    }

    async fn sleep_until(&mut self, deadline_ns: u64) {
        let context = self.stage.context;
        context.scheduler.sleep_until(deadline_ns).await;
        self.lateness.record_ns(context.now_ns().saturating_sub(deadline_ns));
    }
}

/// What is left of a loop.
struct Rounds(Loops);

impl Rounds {
    fn next(&mut self) -> bool {
        match &mut self.0 {
            Loops::Forever => true,
            Loops::Times(left) => {
                let more = *left > 0;
                *left = left.saturating_sub(1);
                more
            }
        }
    }
}
