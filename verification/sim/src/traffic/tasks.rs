//! What tasks do.

use super::{Held, Shared, Traffic};
use crate::{Fault, Virtual};
use sched::trace::Trace;
use sched::{CpuId, CpuSet, JoinHandle, Machine, Scheduler, Tier, yield_now};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// The longest computation without a look up.
const LONG_POLL_NS: u64 = 1_000_000;
/// Children of a task that it knows.
const MOST_CHILDREN: usize = 8;

impl Shared {
    pub(super) fn send_to_any(&self) {
        let slot = self.machine.draw(|rng| rng.below(self.slots.len() as u64)) as usize;
        self.send(slot);
    }

    /// One letter more, and a wake.
    pub(super) fn send(&self, slot: usize) {
        let slot = &self.slots[slot];
        slot.sent.set(slot.sent.get() + 1);
        let reader = slot.reader.borrow().clone();
        if let Some((task, waker)) = reader {
            self.machine.wake(task, &waker);
        }
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Traffic<M, T, CPUS> {
    pub(super) fn spawn_reader(&self, slot: usize) -> JoinHandle<()> {
        spawn(self.scheduler, "reader", Held::new(&self.shared), Some(slot), None)
    }

    pub(super) fn spawn_children(&self, count: u64) {
        for _ in 0..count {
            drop(spawn(self.scheduler, "guest", Held::new(&self.shared), None, None));
        }
    }
}

/// Spawns a task of any tier and, sometimes, for some CPUs only.
fn spawn<M: Machine, T: Trace, const CPUS: usize>(
    scheduler: &'static Scheduler<M, T, CPUS>,
    name: &'static str,
    held: Held,
    slot: Option<usize>,
    alarm_ns: Option<u64>,
) -> JoinHandle<()> {
    let machine = held.0.machine;
    let cpus = machine.cpus() as u64;
    let (tier, pinned) = machine.draw(|rng| {
        let tier =
            [Tier::Critical, Tier::Normal, Tier::Normal, Tier::Background][rng.below(4) as usize];
        let pinned: Option<CpuSet> = (rng.one_in(8) && cpus < CPUS as u64)
            .then(|| (0..1 + rng.below(3)).map(|_| CpuId::new(rng.below(cpus) as u32)).collect());
        (tier, pinned)
    });
    let builder = scheduler.task(name).tier(tier);
    let builder = match pinned {
        Some(cpus) => {
            let builder = builder.affinity(cpus).expect("CPUs that there are");
            machine.note_affinity(cpus);
            builder
        }
        None => builder,
    };
    builder.spawn(machine.tracked(live(scheduler, held, slot, alarm_ns)))
}

/// The life of a task, with a slot of its own or without; with an alarm it sleeps until then, and that is all.
async fn live<M: Machine, T: Trace, const CPUS: usize>(
    scheduler: &'static Scheduler<M, T, CPUS>,
    held: Held,
    slot: Option<usize>,
    alarm_ns: Option<u64>,
) {
    let machine = held.0.machine;
    if let Some(clock_ns) = alarm_ns {
        let now_ns = scheduler.machine().now_ns();
        machine.note_sleep(clock_ns.saturating_sub(now_ns));
        scheduler.sleep_until(clock_ns).await;
        machine.note_awake(false);
        return;
    }
    let rounds = machine.draw(|rng| 1 + rng.below(if slot.is_some() { 30 } else { 3 }));
    let mut children = Vec::new();
    for _ in 0..rounds {
        if machine.is_closing() {
            break;
        }
        let drawn = machine.draw(|rng| rng.below(256));
        match held.0.bounds.iter().position(|&bound| drawn < bound).unwrap_or(0) {
            0 => compute(scheduler, machine).await,
            1 => yield_now().await,
            2 => sleep(scheduler, machine).await,
            3 => held.0.send_to_any(),
            4 | 5 if slot.is_some() => read(&held, slot.unwrap_or(0)).await,
            6 => fork(scheduler, &held, slot, &mut children),
            7 => join(machine, &mut children).await,
            _ => compute(scheduler, machine).await,
        }
    }
}

async fn compute<M: Machine, T: Trace, const CPUS: usize>(
    scheduler: &'static Scheduler<M, T, CPUS>,
    machine: Virtual,
) {
    let long_polls = machine.faults().has(Fault::LongPoll);
    let (mut left_ns, looks_up) = machine.draw(|rng| match rng.below(16) {
        0 if long_polls => (rng.below(LONG_POLL_NS), false),
        1 => (rng.below(200_000), true),
        _ => (rng.magnitude(13), false),
    });
    while left_ns > 0 {
        left_ns = machine.compute_ns(left_ns);
        if looks_up && scheduler.should_yield() {
            yield_now().await;
        }
    }
}

/// Sleeps, or gives up after a first look.
async fn sleep<M: Machine, T: Trace, const CPUS: usize>(
    scheduler: &'static Scheduler<M, T, CPUS>,
    machine: Virtual,
) {
    let (duration_ns, gives_up) = machine.draw(|rng| (rng.magnitude(18), rng.one_in(5)));
    machine.note_sleep(duration_ns);
    let mut sleep = pin!(scheduler.sleep_ns(duration_ns));
    let mut looks = 0;
    poll_fn(|context| {
        looks += 1;
        if gives_up && looks > 1 {
            return Poll::Ready(());
        }
        let polled = sleep.as_mut().poll(context);
        if gives_up && polled.is_pending() {
            context.waker().wake_by_ref();
        }
        polled
    })
    .await;
    machine.note_awake(gives_up);
}

/// Waits for letters.
fn read(held: &Held, slot: usize) -> impl Future<Output = ()> + Send {
    poll_fn(move |context| {
        let machine = held.0.machine;
        let slot = &held.0.slots[slot];
        let me = machine.current_task().unwrap_or(0);
        let before = slot.reader.replace(Some((me, context.waker().clone())));
        drop(before);
        if slot.sent.get() == slot.seen.get() && !machine.is_closing() {
            return Poll::Pending;
        }
        slot.seen.set(slot.sent.get());
        let mine = slot.reader.take();
        drop(mine);
        Poll::Ready(())
    })
}

fn fork<M: Machine, T: Trace, const CPUS: usize>(
    scheduler: &'static Scheduler<M, T, CPUS>,
    held: &Held,
    slot: Option<usize>,
    children: &mut Vec<JoinHandle<()>>,
) {
    // Children have none.
    if slot.is_none() {
        return;
    }
    let machine = held.0.machine;
    let storms = machine.faults().has(Fault::Storm);
    let (count, alarm, apart_ns) = machine.draw(|rng| {
        let count = if storms && rng.one_in(8) { held.0.storm } else { rng.below(4) };
        let alarm = rng.one_in(2).then(|| 20_000 + rng.below(200_000));
        (count, alarm, [0, 4_000][rng.below(2) as usize])
    });
    // Those of one storm wake at the same time, or one after the other: more than a batch of timers holds.
    let alarm_ns = alarm.map(|duration_ns| scheduler.machine().now_ns() + duration_ns);
    for number in 0..count {
        let alarm_ns = alarm_ns.map(|alarm_ns| alarm_ns + number * apart_ns);
        let child = spawn(scheduler, "child", Held::new(&held.0), None, alarm_ns);
        if children.len() < MOST_CHILDREN {
            children.push(child);
        }
    }
}

/// Awaits a child, or cancels it and does not.
async fn join(machine: Virtual, children: &mut Vec<JoinHandle<()>>) {
    let Some(child) = children.pop() else { return };
    if machine.faults().has(Fault::Cancel) && machine.draw(|rng| rng.one_in(3)) {
        machine.expect_run(child.id().get(), || child.cancel());
    } else {
        // Whether it was cancelled does not matter here.
        let _ = child.await;
    }
}
