//! A scheduler that is not `sched`: round-robin over threads, one queue, a time slice from the timer.

use sched::{CpuId, Machine};
use sched_arch::Interrupts;
use sched_sim::{Kind, Outcome, Plan, Simulation, Subject, Virtual, Workload};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

const THREADS: usize = 5;
const SLICE_NS: u64 = 5_000;

/// The class: which thread is next. Pure, and all that is the kernel author's.
struct RoundRobin {
    ready: VecDeque<usize>,
    /// Loses every fortieth thread that is put back.
    forgetful: bool,
    put: u64,
}

impl RoundRobin {
    fn put_back(&mut self, thread: usize) {
        self.put += 1;
        if !(self.forgetful && self.put.is_multiple_of(40)) {
            self.ready.push_back(thread);
        }
    }
}

struct Kernel {
    machine: Virtual,
    class: RefCell<RoundRobin>,
    /// Threads that run, and how long each has.
    running: [Cell<bool>; THREADS],
    ran_ns: [Cell<u64>; THREADS],
}

// SAFETY: a simulated kernel is on one thread.
unsafe impl Sync for Kernel {}

impl Interrupts for Kernel {
    fn on_kick(&self) {}
    fn on_timer(&self) {}
}

impl Subject for Kernel {
    type Core = &'static Self;

    fn enter(&'static self) -> &'static Self {
        self
    }

    fn step(kernel: &mut &'static Self) {
        let machine = kernel.machine;
        let next =
            if machine.is_closing() { None } else { kernel.class.borrow_mut().ready.pop_front() };
        let Some(thread) = next else {
            machine.mask();
            machine.set_timer(if machine.is_closing() {
                u64::MAX
            } else {
                machine.now_ns() + SLICE_NS
            });
            // SAFETY: masked once, just now.
            return unsafe { machine.halt() };
        };
        if kernel.running[thread].replace(true) {
            machine.fail(Kind::TwoCpus, format!("thread {thread} on two CPUs"));
        }
        let left_ns = machine.compute_ns(SLICE_NS);
        kernel.ran_ns[thread].set(kernel.ran_ns[thread].get() + SLICE_NS - left_ns);
        kernel.running[thread].set(false);
        machine.interleave();
        kernel.class.borrow_mut().put_back(thread);
    }

    fn settle(&self) -> Result<(), String> {
        match self.class.borrow().ready.len() {
            THREADS => Ok(()),
            ready => Err(format!("{ready} of {THREADS} threads are left")),
        }
    }
}

/// Fairness, as this class promises it: looked at now and then.
struct Watch(&'static Kernel);

impl Workload for Watch {
    fn outside(&self, machine: Virtual) {
        while !machine.is_closing() {
            machine.rest_ns(200_000);
            let ran = || self.0.ran_ns.iter().map(Cell::get);
            let (least, most) = (ran().min().unwrap_or(0), ran().max().unwrap_or(0));
            if most > least + 3_000_000 {
                machine.fail(
                    Kind::Workload,
                    format!("one thread has run {most} ns, another one {least} ns"),
                );
            }
        }
    }

    fn interrupt(&self, machine: Virtual, _: CpuId) {
        machine.compute_ns(500);
    }
}

fn run_class(plan: &Plan, forgetful: bool) -> Outcome {
    let simulation = Simulation::new(plan);
    let class = RoundRobin { ready: (0..THREADS).collect(), forgetful, put: 0 };
    let kernel = Kernel {
        machine: simulation.machine(),
        class: RefCell::new(class),
        running: Default::default(),
        ran_ns: Default::default(),
    };
    let kernel: &'static Kernel = Box::leak(Box::new(kernel));
    simulation.run(kernel, Watch(kernel))
}

pub fn run(plan: &Plan) -> Outcome {
    run_class(plan, false)
}

pub fn run_forgetful(plan: &Plan) -> Outcome {
    run_class(plan, true)
}
