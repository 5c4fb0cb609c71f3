//! Models of the registry: a walk over all tasks beside what ends them.

use crate::machine::Stepped;
use crate::step::{model, run_out, spawn};
use loom::thread;
use sched::state::{Begin, Completed, End, State};
use std::sync::Arc;
use verification::exhaustive::{self, Exclusive, Plain};

/// What a walk finds in a list: its memory stays for as long as the model does, but nobody may use it once it is freed.
struct Listed {
    state: State,
    /// What the walk did with its reference.
    mark: Plain<usize>,
    freed: Exclusive,
}

impl Listed {
    /// In the hands of its loop, and of nobody else.
    fn running() -> Arc<Self> {
        let task = Self { state: State::new(), mark: Plain::new(0), freed: Exclusive::new() };
        assert_eq!(task.state.drop_join(), sched::state::DropJoin::Done);
        assert_eq!(task.state.begin(), Begin::Poll);
        Arc::new(task)
    }

    fn free(&self) {
        self.freed.enter("freed twice");
        self.mark.write(2);
    }

    /// What a walk does with it; whether it was the last to let it go.
    fn walk(&self) -> bool {
        if !self.state.try_add_reference() {
            return false;
        }
        self.mark.write(1);
        let last = self.state.release();
        if last {
            self.free();
        }
        last
    }
}

/// RG3: the loop finds at the end of a run that nobody is left, or leaves the freeing to the walk.
fn beside(end: fn(&State) -> bool) {
    exhaustive::model(move || {
        let task = Listed::running();
        let walk = {
            let task = task.clone();
            thread::spawn(move || task.walk())
        };
        let is_last = end(&task.state);
        if is_last {
            task.free();
        }
        assert!(walk.join().unwrap() != is_last, "freed by exactly one");
    });
}

#[test]
fn a_walk_beside_completion_has_the_task_or_leaves_it_alone() {
    beside(|state| match state.complete() {
        Completed::Nobody => true,
        Completed::Others => state.release(),
        Completed::Join => panic!("there is no handle"),
    });
}

#[test]
fn a_walk_beside_the_end_of_a_run_has_the_task_or_leaves_it_alone() {
    beside(|state| match state.end() {
        End::Unreachable => true,
        End::Idle => false,
        End::Requeue => panic!("nobody woke it"),
    });
}

/// RG1: a whole walk while the loop's step ends and frees a task, and another one is spawned.
#[test]
fn a_walk_beside_an_end_and_a_spawn_meets_what_stays() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let stays = scheduler.task("stays").listed(true).spawn(std::future::pending::<()>());
        while core.step() != sched::Step::Halted {}
        drop(scheduler.task("ends").listed(true).spawn(async {}));
        let walk = spawn(move || {
            let mut stayed = 0;
            scheduler
                .for_each_task(|task| stayed += usize::from(task.info().name == "stays"))
                .expect("it is the only one");
            stayed
        });
        core.step();
        assert_eq!(walk.join().unwrap(), 1, "what stays is met once");
        drop(stays);
        run_out(core);
        let mut text = String::new();
        scheduler.dump_tasks(&mut text).unwrap();
        assert_eq!(text, "", "what is over is not listed");
    });
}
