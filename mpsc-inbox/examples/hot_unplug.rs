//! CPU hot-unplug: one CPU after the other goes away and comes back while others push work to all of them. No job is lost
//! and none runs twice.
//!
//! Going away is `close`: its list holds every job that a pusher was told is in, and goes to a survivor as one batch; every
//! pusher that comes later has its job back in hand and takes it to the next CPU. Coming back is `reopen`.

use mpsc_inbox::{Batch, Closed, Inbox, Link, Linked, Owner};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

struct Job {
    runs: u32,
    link: Link<Job>,
}

// SAFETY: `link` projects to the one link field, by address.
unsafe impl Linked for Job {
    type Handle = &'static mut Job;

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

const CPUS: usize = 3;
const JOBS_OF_ONE_PUSHER: usize = if cfg!(miri) { 30 } else { 3_000 };
/// Two touches for every job: a closed inbox's list is put in order anew where it goes, so a CPU that went away before it got
/// anything done would only move jobs around.
const TURNS_BETWEEN_UNPLUGS: usize = 4 * JOBS_OF_ONE_PUSHER / BUDGET_NODES + 1;
const BUDGET_NODES: usize = 64;

static INBOXES: [Inbox<Job>; CPUS] = [const { Inbox::new() }; CPUS];
static PUSHING: AtomicBool = AtomicBool::new(true);

/// Pushes a job to `cpu`, or to the next one that takes it.
fn push(mut cpu: usize, mut job: &'static mut Job) {
    while let Err(Closed(back)) = INBOXES[cpu].push(job) {
        job = back;
        cpu = (cpu + 1) % CPUS;
    }
}

/// The same for many.
fn push_batch(mut cpu: usize, mut batch: Batch<Job>) {
    while let Err(Closed(back)) = INBOXES[cpu].push_batch(batch) {
        batch = back;
        cpu = (cpu + 1) % CPUS;
    }
}

/// What a CPU does in one step. The job is out of every inbox, and ours.
fn step(inbox: &mut Owner<'static, Job>, done: &mut Vec<&'static mut Job>) {
    for job in inbox.drain(BUDGET_NODES) {
        job.runs += 1;
        done.push(job);
    }
}

/// Takes a CPU away and brings it back, in that CPU's own loop. Unplugs are one after the other, so a survivor is there.
fn unplug_and_return(cpu: usize, inbox: &mut Owner<'static, Job>) -> usize {
    let left = inbox.close();
    let moved = left.len();
    push_batch((cpu + 1) % CPUS, left.into());
    thread::yield_now();
    assert!(inbox.is_empty(), "nothing goes into a closed inbox");
    assert!(inbox.reopen());
    moved
}

fn run_cpus() -> (Vec<&'static mut Job>, usize) {
    // One thread plays all CPUs in turn; the pushers are others.
    let mut owners: Vec<_> =
        INBOXES.iter().map(|inbox| inbox.take_owner().expect("each has one")).collect();
    let (mut done, mut moved, mut turn) = (Vec::new(), 0, 0);
    while PUSHING.load(Ordering::Acquire) || owners.iter().any(|inbox| !inbox.is_empty()) {
        let unplugged =
            (turn % TURNS_BETWEEN_UNPLUGS == 0).then_some(turn / TURNS_BETWEEN_UNPLUGS % CPUS);
        for (cpu, inbox) in owners.iter_mut().enumerate() {
            if unplugged == Some(cpu) {
                moved += unplug_and_return(cpu, inbox);
            } else {
                step(inbox, &mut done);
            }
        }
        turn += 1;
    }
    (done, moved)
}

fn main() {
    let cpus = thread::spawn(run_cpus);
    thread::scope(|scope| {
        for pusher in 0..2 {
            scope.spawn(move || {
                for number in 0..JOBS_OF_ONE_PUSHER {
                    let job = Box::new(Job { runs: 0, link: Link::new() });
                    push((pusher + number) % CPUS, Box::leak(job));
                }
            });
        }
    });
    PUSHING.store(false, Ordering::Release);
    let (done, moved) = cpus.join().expect("the CPUs do not panic");
    println!("{} jobs ran once each, {moved} of them moved to a survivor", done.len());
    assert_eq!(done.len(), 2 * JOBS_OF_ONE_PUSHER, "no job is lost");
    for job in done {
        assert_eq!(job.runs, 1, "none runs twice");
        // SAFETY: the job was a box, and nobody else has it.
        drop(unsafe { Box::from_raw(job) });
    }
}

#[test]
fn it_runs() {
    main();
}
