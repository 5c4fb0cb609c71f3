//! Models of threads and futures together, on the whole real loop. There are no ticks: what preempts is a kick, or an interrupt that
//! a thread takes.

use crate::scheduler::{Alive, Loop, Mailbox, Sched, on_cpus_that, only, tickless};
use sched::thread::{Policy, Stack};
use sched::{JoinHandle, Tier, yield_now};
use verification::sampled::{pct, random};

const ROUNDS: u64 = 2;

fn stack() -> Stack {
    Stack::new(8192).expect("there is memory")
}

fn lend(core: &mut Loop<3>) {
    // It has one, if it was here before.
    let _ = core.lend_stack(stack());
}

fn thread(
    scheduler: &'static Sched<3>,
    policy: Policy,
    cpu: Option<u32>,
    body: impl FnOnce() + Send + 'static,
) -> JoinHandle<()> {
    let thread = scheduler.thread("thread").policy(policy);
    let thread = match cpu {
        Some(cpu) => thread.affinity(only(cpu)).expect("there is such a CPU"),
        None => thread,
    };
    thread.spawn(stack(), body).expect("the stack is big enough")
}

/// Everything at once on 3 CPUs whose futures are preemptible: a ring of threads (fair, real-time and pinned, and one that may
/// not be preempted now and then) and of tasks (Background, and Critical) that wake each other across CPUs, yield, are preempted
/// and stolen, and wait for children of the other kind; a thread that sleeps, one that is cancelled, and one that nobody can wake.
fn mixture(lends: fn(&mut Loop<3>)) {
    let alive = Alive::default();
    let boxes: [Mailbox; 5] = Default::default();
    let scenario = |scheduler: &'static Sched<3>| {
        let mut handles = Vec::new();
        let kinds = [
            (Policy::DEFAULT, None),
            (Policy::Realtime { priority: 1 }, None),
            (Policy::DEFAULT, Some(1)),
        ];
        for (place, (policy, cpu)) in kinds.into_iter().enumerate() {
            let (mine, next) = (boxes[place].clone(), boxes[place + 1].clone());
            let alive = alive.clone();
            handles.push(thread(scheduler, policy, cpu, move || {
                for round in 1..=ROUNDS {
                    next.send();
                    if place == 0 {
                        let guard = scheduler.no_reschedule();
                        scheduler.machine().interrupt();
                        drop(guard);
                    }
                    scheduler.machine().interrupt();
                    scheduler.wait(mine.receive(round)).expect("it is a thread");
                    scheduler.yield_thread();
                }
                let child = scheduler.spawn(async move {
                    let _alive = alive;
                    scheduler.machine().interrupt();
                    place
                });
                assert_eq!(scheduler.wait(child), Ok(Ok(place)));
            }));
        }
        for (place, tier) in [(3, Tier::Background), (4, Tier::Critical)] {
            let (mine, next) = (boxes[place].clone(), boxes[(place + 1) % 5].clone());
            let alive = alive.clone();
            handles.push(scheduler.task("ring").tier(tier).spawn(async move {
                for round in 1..=ROUNDS {
                    scheduler.machine().interrupt();
                    next.send();
                    mine.receive(round).await;
                    scheduler.machine().interrupt();
                    yield_now().await;
                }
                let child = thread(scheduler, Policy::DEFAULT, None, move || drop(alive));
                assert_eq!(child.await, Ok(()));
            }));
        }
        handles.push(thread(scheduler, Policy::DEFAULT, None, move || {
            scheduler.wait(scheduler.sleep_ns(5_000)).expect("it is a thread");
        }));
        let waiting = alive.clone();
        let waits = thread(scheduler, Policy::DEFAULT, None, move || {
            let _alive = waiting;
            while !scheduler.is_cancelled() {
                scheduler.park().expect("it is a thread");
            }
        });
        handles.push(scheduler.spawn(async move {
            yield_now().await;
            waits.cancel();
            // In time to keep it from beginning, or to be seen by it.
            let _ = waits.await;
        }));
        drop(thread(scheduler, Policy::DEFAULT, None, move || {
            let _ = scheduler.park();
        }));
        handles
    };
    on_cpus_that(lends, tickless(4), scenario, |_| {});
    boxes.iter().for_each(Mailbox::assert_balanced);
    alive.assert_none();
}

/// 500 random schedules.
#[test]
fn mixture_random() {
    random(500, || mixture(lend));
}

/// 500 PCT schedules of depth 4.
#[test]
fn mixture_pct() {
    pct(500, 4, || mixture(lend));
}

/// The same with futures that are polled on the loop: 250 random schedules.
#[test]
fn mixture_on_the_loop() {
    random(250, || mixture(|_| {}));
}
