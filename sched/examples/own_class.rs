//! A class of one's own, under one that comes with the crate: batch jobs, the shortest first, where a
//! stop task goes before them all.

use sched::class::{AlreadyQueued, Dequeue, Dequeued, Enqueue, ListTask, Node, Pick};
use sched::class::{Policy, Resched, SchedClass, Set, Stop, Tcb};
use std::ptr::NonNull;

struct Job {
    name: &'static str,
    length_ms: u32,
    is_stop: bool,
    node: Node<Job>,
}

impl Tcb for Job {
    type Handle = &'static Job;
}

impl Policy for Job {
    fn rank(&self) -> usize {
        if self.is_stop { 0 } else { 1 }
    }
}

// SAFETY: `node` is the field of that name, of this job alone, and no reference is made.
unsafe impl ListTask for Job {
    unsafe fn node(job: NonNull<Self>) -> NonNull<Node<Self>> {
        // SAFETY: `job` points to a `Job` (contract of `node`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*job.as_ptr()).node) }
    }
}

/// A user may allocate, where the crate does not.
#[derive(Default)]
struct ShortestFirst {
    queued: Vec<&'static Job>,
    current: Option<&'static Job>,
}

impl SchedClass<Job> for ShortestFirst {
    fn enqueue_task(
        &mut self,
        job: &'static Job,
        _: Enqueue,
        _: u64,
    ) -> Result<Resched, AlreadyQueued<&'static Job>> {
        if self.holds(job) {
            return Err(AlreadyQueued(job));
        }
        self.queued.push(job);
        // A job that runs goes on to its end.
        Ok(if self.current.is_none() { Resched::Yes } else { Resched::No })
    }

    unsafe fn dequeue_task(
        &mut self,
        job: NonNull<Job>,
        _: Dequeue,
        _: u64,
    ) -> Dequeued<&'static Job> {
        if let Some(current) = self.current.take_if(|current| NonNull::from(*current) == job) {
            return Dequeued::Out(current);
        }
        match self.queued.iter().position(|queued| NonNull::from(*queued) == job) {
            Some(at) => Dequeued::Out(self.queued.remove(at)),
            None => Dequeued::NotQueued,
        }
    }

    fn pick_next_task(&mut self, _: u64) -> Pick<'_, Job> {
        if self.current.is_none() {
            let shortest = (0..self.queued.len()).min_by_key(|at| self.queued[*at].length_ms);
            self.current = shortest.map(|at| self.queued.remove(at));
        }
        self.current.map_or(Pick::Idle, Pick::Run)
    }

    fn put_prev_task(&mut self, _: u64) {
        self.queued.extend(self.current.take());
    }

    fn task_tick(&mut self, _: u64) -> Resched {
        Resched::No
    }

    fn check_preempt_curr(&mut self, _: &Job, _: u64) -> Resched {
        if self.current.is_none() { Resched::Yes } else { Resched::No }
    }

    fn steal_task(&mut self, may_take: &mut dyn FnMut(&Job) -> bool) -> Option<&'static Job> {
        let at = self.queued.iter().position(|job| may_take(job))?;
        Some(self.queued.remove(at))
    }

    fn current(&self) -> Option<&Job> {
        self.current
    }

    fn holds(&self, job: &Job) -> bool {
        self.queued.iter().chain(&self.current).any(|held| std::ptr::eq(*held, job))
    }

    fn runnable(&self) -> usize {
        self.queued.len() + usize::from(self.current.is_some())
    }

    fn turn_ends_ns(&self) -> Option<u64> {
        None
    }
}

fn job(name: &'static str, length_ms: u32, is_stop: bool) -> &'static Job {
    Box::leak(Box::new(Job { name, length_ms, is_stop, node: Node::new() }))
}

fn main() {
    let mut classes = Set::new(Stop::new(), ShortestFirst::default());
    for job in [job("backup", 900, false), job("index", 50, false), job("mail", 5, false)] {
        let _ = classes.enqueue_task(job, Enqueue::Fork, 0).expect("it is new");
    }
    let mut order = Vec::new();
    while let Pick::Run(running) = classes.pick_next_task(0) {
        let running = NonNull::from(running);
        // SAFETY: Jobs live for ever.
        order.push(unsafe { running.as_ref() }.name);
        if order.len() == 1 {
            let stop = job("stop", 0, true);
            assert_eq!(classes.enqueue_task(stop, Enqueue::Wakeup, 0).expect("new"), Resched::Yes);
            continue;
        }
        // SAFETY: It is the current one.
        let out = unsafe { classes.dequeue_task(running, Dequeue::Exit, 0) };
        assert!(out.out().is_some());
    }
    assert_eq!(order, ["mail", "stop", "mail", "index", "backup"]);
    println!("order: {order:?}");
}
