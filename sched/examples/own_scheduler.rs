//! A scheduler of one's own, of one queue, on the parts of a task from `sched::kit`: first in, first out, on any number of threads
//! of the host, which sleep when there is nothing to do.
//!
//! `cargo run -p sched --features alloc --example own_scheduler`

use sched::kit::{Builder, Ran, Runnable, Schedule, TaskIds};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

struct Single {
    ids: TaskIds,
    /// The tasks that are ready, and how many are still to finish.
    queue: Mutex<(VecDeque<Runnable>, usize)>,
    came: Condvar,
}

impl Schedule for Single {
    fn ids(&self) -> &TaskIds {
        &self.ids
    }

    /// A woken task goes to the back of the one queue; that is all there is to this scheduler.
    fn schedule(&self, task: Runnable) {
        self.queue.lock().unwrap().0.push_back(task);
        self.came.notify_one();
    }
}

impl Single {
    /// Runs tasks until `main` ones have finished.
    fn run(&self) {
        let mut queue = self.queue.lock().unwrap();
        while queue.1 > 0 {
            let Some(task) = queue.0.pop_front() else {
                queue = self.came.wait(queue).unwrap();
                continue;
            };
            drop(queue);
            if let Ran::Again(task) = task.run() {
                self.schedule(task);
            }
            queue = self.queue.lock().unwrap();
        }
        self.came.notify_all();
    }
}

static SINGLE: Single =
    Single { ids: TaskIds::new(), queue: Mutex::new((VecDeque::new(), 1)), came: Condvar::new() };

fn main() {
    let _main = Builder::new(&SINGLE, "main").spawn(async {
        let children: Vec<_> = (0..1_000_u64)
            .map(|child| {
                Builder::new(&SINGLE, "child").spawn(async move {
                    sched::yield_now().await;
                    child
                })
            })
            .collect();
        let mut sum = 0;
        for child in children {
            sum += child.await.unwrap_or(0);
        }
        println!("1000 tasks on one queue: their sum is {sum}");
        assert_eq!(sum, 499_500);
        SINGLE.queue.lock().unwrap().1 -= 1;
    });
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| SINGLE.run());
        }
    });
}
