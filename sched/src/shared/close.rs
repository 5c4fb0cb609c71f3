//! The end of a scheduler that nobody has a handle to (AR3, AR4).

use crate::kit::end;
use crate::run_queue::RunQueue;
use crate::sync::{Ordering, fence};
use crate::task::Queued;
use crate::time::Wakers;
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};
use mpsc_inbox::List;

/// Ends all that is ready or sleeps, and all that comes from now on where it comes.
///
/// Called once, when the last handle goes: there is no loop, and there will be none.
pub(super) fn close<M: Machine, T: Trace, const CPUS: usize>(
    scheduler: &'static Scheduler<M, T, CPUS>,
) {
    // Ordering: Release; as in `shut_down`.
    scheduler.shut_down.store(true, Ordering::Release);
    // Ordering: Relaxed; the fence below publishes it.
    scheduler.closed.store(true, Ordering::Relaxed);
    // Ordering: SeqCst fence, pairs with those in `inject` and `strand`: what was pushed is seen below, or who pushed it sees that
    // the scheduler is closed (AR4).
    fence(Ordering::SeqCst);
    for cpu in &scheduler.cpus {
        for inbox in [&cpu.critical, &cpu.normal] {
            if let Some(mut owner) = inbox.take_owner() {
                let mut left = owner.take_all();
                left.append(&mut owner.close());
                inject_all(scheduler, left);
            }
        }
        let parked = cpu.parked.try_lock().and_then(|mut parked| parked.take());
        let deques = cpu.normal_deque.split().zip(cpu.background_deque.split());
        if let (Some(parked), Some(((normal, _), (background, _)))) = (parked, deques) {
            inject_all(scheduler, parked.arrived);
            inject_all(scheduler, parked.woken);
            inject_all(scheduler, parked.critical);
            for mut queue in
                [RunQueue::new(normal, parked.normal), RunQueue::new(background, parked.background)]
            {
                while let Some(task) = queue.take() {
                    scheduler.inject(task);
                }
            }
        }
    }
    for id in (0..CPUS as u32).map(CpuId::new) {
        while scheduler.fire_all(id) {}
    }
    scheduler.bury();
}

fn inject_all<M: Machine, T: Trace, const CPUS: usize>(
    scheduler: &Scheduler<M, T, CPUS>,
    mut tasks: List<crate::task::Header>,
) {
    while let Some(task) = tasks.pop_front() {
        scheduler.inject(task);
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// AR4: after a task was placed, with interrupts as they were before.
    pub(crate) fn bury_if_closed(&self) {
        // Ordering: Relaxed; ordered by the fence in `inject` and `strand`, where each task goes that finds its inbox closed: one
        // that finds it open is taken out by `close`.
        if self.closed.load(Ordering::Relaxed) {
            self.bury();
        }
    }

    /// AR4: ends what was placed, unless somebody is at it, who will see it.
    ///
    /// Any context in which the futures may be dropped. O(n) in what is there, and in what their destructors give up.
    #[cold]
    fn bury(&self) {
        loop {
            let Some(mut injected) = self.injector.take_owner() else { return };
            loop {
                let mut tasks = injected.take_all();
                if let Some(mut stranded) = self.hotplug.stranded.take_owner() {
                    tasks.append(&mut stranded.take_all());
                }
                if tasks.is_empty() {
                    break;
                }
                while let Some(task) = tasks.pop_front() {
                    self.end_here(task);
                }
            }
            drop(injected);
            // Ordering: SeqCst fence, pairs with those in `inject` and `strand`: who pushed meanwhile, and found the owner taken, is
            // seen by the look that follows.
            fence(Ordering::SeqCst);
            if self.injector.is_empty() && self.hotplug.stranded.is_empty() {
                return;
            }
        }
    }

    fn end_here(&self, task: Queued) {
        let is_over = task.header().state.is_complete();
        let is_unreachable = task.header().state.is_unreferenced() && !is_over;
        {
            let masked = self.masked();
            self.count(&masked, |stats| match (is_unreachable, is_over) {
                (true, _) => &stats.unreachable,
                (false, false) => &stats.cancelled,
                // Freed only.
                (false, true) => &stats.injected,
            });
        }
        end(task);
    }

    /// A batch of the sleepers of `cpu`, whatever they wait for; `false` if there is none left.
    fn fire_all(&self, cpu: CpuId) -> bool {
        let Some(cpu) = self.cpu(cpu) else { return false };
        let mut wakers = Wakers::new();
        let more = {
            let masked = self.masked();
            let mut timers = cpu.timers.lock(&masked);
            timers.expire(u64::MAX, crate::time::BATCH, &mut wakers).more
        };
        let fired = !wakers.is_empty();
        for waker in wakers {
            waker.wake();
        }
        more || fired
    }
}
