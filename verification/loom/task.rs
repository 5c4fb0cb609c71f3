//! Models of the task word: the real `sched::state::State`, each step taken as the loop, a waker and a handle take it.
//!
//! What a party writes before its transition is plain memory (`Plain`: an unordered access fails the model) or a relaxed
//! atomic (an unordered read may be old). No queue stands between the parties: whoever is told to place the task runs it
//! at once. So the word alone must order everything, and no inbox's ordering hides a weak one.

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use sched::state::{Begin, Completed, DropJoin, End, State, Wake};
use std::sync::Arc;
use verification::exhaustive::{Exclusive, Plain, model};

/// A task whose future reads what its wakers wrote, and finishes in its `last_poll`-th poll.
struct Task {
    state: State,
    /// What wakers write before they wake.
    written: [AtomicUsize; 2],
    last_poll: usize,
    /// The future: what its last poll saw, and the number of polls. The loop's alone while `RUNNING`.
    future: Plain<([usize; 2], usize)>,
    /// The CPU that had it last: written by who holds the task, read by who is told to place it.
    home: Plain<usize>,
    /// Whoever holds the task, from `Place` or a pick to its end.
    holder: Exclusive,
    /// What came of it, counted; invisible to loom.
    outcomes: std::sync::Mutex<Outcomes>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Outcomes {
    completed: usize,
    cancelled: usize,
    freed: usize,
    placed: usize,
    idle: usize,
}

impl Task {
    /// Queued, in the hands of its spawner, who also has the join handle.
    fn new(last_poll: usize) -> Arc<Self> {
        let task = Self {
            state: State::new(),
            written: Default::default(),
            last_poll,
            future: Plain::new(([0; 2], 0)),
            home: Plain::new(0),
            holder: Exclusive::new(),
            outcomes: Default::default(),
        };
        task.holder.enter("new");
        Arc::new(task)
    }

    fn count(&self, change: impl FnOnce(&mut Outcomes)) {
        change(&mut self.outcomes.lock().unwrap());
    }

    fn outcomes(&self) -> Outcomes {
        *self.outcomes.lock().unwrap()
    }

    /// What a loop does with a task that it holds, until it holds it no more.
    fn run(&self, cpu: usize) {
        loop {
            self.home.write(cpu);
            if self.state.begin() == Begin::Cancelled {
                self.count(|outcomes| outcomes.cancelled += 1);
                self.future.write(([0; 2], 0));
                return self.finish();
            }
            // The poll.
            let polls = self.future.read().1 + 1;
            // Ordering: Relaxed; the word must order it.
            let seen = [0, 1].map(|waker| self.written[waker].load(Ordering::Relaxed));
            self.future.write((seen, polls));
            if polls == self.last_poll {
                self.count(|outcomes| outcomes.completed += 1);
                return self.finish();
            }
            // After the end somebody else may hold it at once (PA3).
            self.holder.leave();
            match self.state.end() {
                End::Requeue => self.holder.enter("two hold the task"),
                End::Idle => return self.count(|outcomes| outcomes.idle += 1),
                End::Unreachable => return self.free(),
            }
        }
    }

    fn finish(&self) {
        self.holder.leave();
        let who = self.state.complete();
        if who != Completed::Join {
            // Nobody will take the output.
            self.future.write(([0; 2], 0));
        }
        if who == Completed::Nobody {
            self.free();
        } else {
            self.release();
        }
    }

    fn release(&self) {
        if self.state.release() {
            self.free();
        }
    }

    /// Whoever frees the task must see all that anybody did to it.
    fn free(&self) {
        self.count(|outcomes| outcomes.freed += 1);
        self.home.write(0);
        self.future.write(self.future.read());
    }

    /// What a waker does: place the task if it is told to. Here: run it.
    fn act_on(&self, wake: Wake, cpu: usize) -> bool {
        if wake == Wake::Place {
            self.holder.enter("two hold the task");
            self.count(|outcomes| outcomes.placed += 1);
            assert!(self.home.read() < 3, "the home of the last loop");
            self.run(cpu);
        }
        wake != Wake::Complete
    }

    fn write(&self, waker: usize) {
        // Ordering: Relaxed; the wake must publish it.
        self.written[waker].store(1, Ordering::Relaxed);
    }
}

fn on_thread(task: &Arc<Task>, body: impl FnOnce(&Task) + 'static) -> thread::JoinHandle<()> {
    let task = task.clone();
    thread::spawn(move || body(&task))
}

/// Two wakers, one wake each, against a runner that starts with the task queued. Whatever the order, the last poll sees
/// what both wrote (PA2), the task is in one pair of hands at a time, and is placed once for each time it went idle.
#[test]
fn the_last_poll_sees_what_every_waker_wrote() {
    model(|| {
        let task = Task::new(usize::MAX);
        let wakers = [0, 1].map(|waker| {
            on_thread(&task, move |task| {
                task.write(waker);
                task.act_on(task.state.wake(), 1 + waker);
            })
        });
        task.run(0);
        for waker in wakers {
            waker.join().unwrap();
        }
        let (seen, polls) = task.future.read();
        assert_eq!(seen, [1, 1], "the last poll saw what every waker wrote");
        let Outcomes { placed, idle, .. } = task.outcomes();
        assert_eq!(idle, placed + 1, "placed once for each time it went idle");
        assert!(polls <= 3, "a wake is answered by one poll at most");
    });
}

/// The same with one waker that wakes twice, on a task that is idle: the second wake may be the first one's own run.
#[test]
fn two_wakes_of_an_idle_task() {
    model(|| {
        let task = Task::new(usize::MAX);
        task.run(0);
        let wakers = [0, 1].map(|waker| {
            on_thread(&task, move |task| {
                task.write(waker);
                task.act_on(task.state.wake(), 1 + waker);
            })
        });
        for waker in wakers {
            waker.join().unwrap();
        }
        assert_eq!(task.future.read().0, [1, 1], "the last poll saw what every waker wrote");
    });
}

/// A wake and a cancel against a runner. The cancel is never lost: the future is dropped, once, and the task completes.
#[test]
fn a_cancel_beside_a_wake_is_not_lost() {
    model(|| {
        let task = Task::new(usize::MAX);
        let waker = on_thread(&task, |task| {
            task.write(0);
            task.act_on(task.state.wake(), 1);
        });
        let canceller = on_thread(&task, |task| {
            task.act_on(task.state.cancel(), 2);
        });
        task.run(0);
        waker.join().unwrap();
        canceller.join().unwrap();
        assert!(task.state.is_complete(), "the cancel was lost");
        assert_eq!(task.outcomes().cancelled, 1, "the future is dropped once");
        assert_eq!(task.outcomes().freed, 0, "the handle still has a reference");
    });
}

/// A cancel against the poll that finishes: one of the two outcomes, and nobody holds the task afterwards.
#[test]
fn a_cancel_beside_completion_changes_nothing_or_everything() {
    model(|| {
        let task = Task::new(1);
        let canceller = on_thread(&task, |task| {
            let was_in_time = task.act_on(task.state.cancel(), 2);
            assert!(was_in_time || task.state.is_complete());
        });
        task.run(0);
        canceller.join().unwrap();
        let Outcomes { completed, cancelled, placed, .. } = task.outcomes();
        assert_eq!((completed + cancelled, placed), (1, 0), "one end, and nobody places the task");
        assert!(task.state.is_complete());
    });
}

/// A wake against the poll that finishes: a task that is complete is not run again.
#[test]
fn a_complete_task_is_not_run_again() {
    model(|| {
        let task = Task::new(1);
        let waker = on_thread(&task, |task| {
            task.act_on(task.state.wake(), 1);
        });
        task.run(0);
        waker.join().unwrap();
        task.act_on(task.state.wake(), 2);
        assert_eq!(task.outcomes().placed, 0, "a complete task was placed");
        assert_eq!(task.outcomes().completed, 1, "a complete task was run again");
    });
}

/// The join handle goes while the task completes: the output is dropped by exactly one of the two, who sees what the
/// other one did before.
#[test]
fn the_output_is_dropped_once() {
    struct Joined {
        state: State,
        output: Plain<usize>,
        /// Something that the handle's holder did, which the loop must see if the handle was first.
        note: Plain<usize>,
        drops: std::sync::atomic::AtomicUsize,
    }

    impl Joined {
        fn drop_output(&self) {
            assert_eq!(self.output.read(), 7, "the output is there");
            self.output.write(0);
            self.drops.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    model(|| {
        let task = Arc::new(Joined {
            state: State::new(),
            output: Plain::new(0),
            note: Plain::new(0),
            drops: Default::default(),
        });
        let handle = {
            let task = task.clone();
            thread::spawn(move || {
                task.note.write(1);
                match task.state.drop_join() {
                    DropJoin::Done => false,
                    DropJoin::Unreachable => panic!("the loop has it"),
                    DropJoin::Complete => {
                        task.drop_output();
                        task.state.release()
                    }
                }
            })
        };
        assert_eq!(task.state.begin(), Begin::Poll);
        task.output.write(7);
        let last = match task.state.complete() {
            Completed::Join => task.state.release(),
            Completed::Others => panic!("there is no waker"),
            Completed::Nobody => {
                assert_eq!(task.note.read(), 1, "the handle went first");
                task.drop_output();
                true
            }
        };
        assert!(handle.join().unwrap() != last, "one of the two is the last");
        assert_eq!(
            task.drops.load(std::sync::atomic::Ordering::SeqCst),
            1,
            "the output is dropped once"
        );
    });
}

/// Somebody waits for the output: what `is_complete` says is there.
#[test]
fn a_complete_task_has_its_output() {
    model(|| {
        let task = Task::new(1);
        let reader = on_thread(&task, |task| {
            if task.state.is_complete() {
                assert_eq!(task.future.read().1, 1, "the output is there");
            }
        });
        task.run(0);
        reader.join().unwrap();
    });
}

/// A task as those see it who only count: each party leaves a mark, and whoever frees must see both.
struct Counted {
    state: State,
    marks: [Plain<usize>; 2],
    freed: Exclusive,
}

impl Counted {
    fn new() -> Arc<Self> {
        Arc::new(Self { state: State::new(), marks: Default::default(), freed: Exclusive::new() })
    }

    fn free(&self) {
        self.freed.enter("freed twice");
        assert_eq!([self.marks[0].read(), self.marks[1].read()], [1, 1], "all others are done");
    }

    fn release(&self, party: usize) -> bool {
        self.marks[party].write(1);
        let last = self.state.release();
        if last {
            self.free();
        }
        last
    }
}

/// Two references are given up at once: the task is freed exactly once, by one who sees what the other did with it.
#[test]
fn the_last_reference_frees_once_and_sees_everything() {
    model(|| {
        let task = Counted::new();
        let other = {
            let task = task.clone();
            thread::spawn(move || task.release(1))
        };
        let last = task.release(0);
        assert!(other.join().unwrap() != last, "freed by exactly one");
        assert!(task.state.is_unreferenced());
    });
}

/// A reference that was added counts: the task is freed by the last of three, not by the second.
#[test]
fn an_added_reference_keeps_the_task() {
    model(|| {
        let task = Counted::new();
        task.state.add_reference();
        let other = {
            let task = task.clone();
            thread::spawn(move || task.release(1))
        };
        assert!(!task.state.release(), "freed though this thread has one more");
        let last = task.release(0);
        assert!(other.join().unwrap() != last, "freed by exactly one");
    });
}

/// The last waker is dropped while the run ends (the handle is gone): either the run finds the task unreachable, or it
/// goes idle and the waker was the last. It is freed exactly once, by one who sees what the other did with it.
#[test]
fn the_last_waker_goes_while_the_run_ends() {
    model(|| {
        let task = Counted::new();
        // The waker's.
        task.state.add_reference();
        assert_eq!(task.state.drop_join(), DropJoin::Done);
        let waker = {
            let task = task.clone();
            thread::spawn(move || task.release(1))
        };
        assert_eq!(task.state.begin(), Begin::Poll);
        task.marks[0].write(1);
        let unreachable = match task.state.end() {
            End::Unreachable => true,
            End::Idle => false,
            End::Requeue => panic!("nobody woke it"),
        };
        if unreachable {
            task.free();
        }
        assert!(waker.join().unwrap() != unreachable, "freed by exactly one");
    });
}

/// The same where it is the join handle that goes: either the run finds the task unreachable, or the handle does.
#[test]
fn the_handle_goes_while_the_run_ends() {
    model(|| {
        let task = Counted::new();
        let handle = {
            let task = task.clone();
            thread::spawn(move || {
                task.marks[1].write(1);
                match task.state.drop_join() {
                    DropJoin::Done => false,
                    DropJoin::Unreachable => {
                        task.free();
                        true
                    }
                    DropJoin::Complete => panic!("it never completes"),
                }
            })
        };
        assert_eq!(task.state.begin(), Begin::Poll);
        task.marks[0].write(1);
        let unreachable = task.state.end() == End::Unreachable;
        if unreachable {
            task.free();
        }
        assert!(handle.join().unwrap() != unreachable, "freed by exactly one");
    });
}

/// The join handle and the last waker of a task that waits go at once: whoever is last frees it, and sees what the other did.
#[test]
fn the_handle_goes_beside_the_last_waker() {
    model(|| {
        let task = Counted::new();
        // The waker's.
        task.state.add_reference();
        assert_eq!(task.state.begin(), Begin::Poll);
        assert_eq!(task.state.end(), End::Idle);
        let waker = {
            let task = task.clone();
            thread::spawn(move || task.release(1))
        };
        task.marks[0].write(1);
        let last = task.state.drop_join() == DropJoin::Unreachable;
        if last {
            task.free();
        }
        assert!(waker.join().unwrap() != last, "freed by exactly one");
    });
}

/// The last waker goes while the task completes, whose handle is gone: it is freed exactly once, by one who sees what the other
/// did with it.
#[test]
fn the_last_waker_goes_while_the_task_completes() {
    model(|| {
        let task = Counted::new();
        // The waker's.
        task.state.add_reference();
        assert_eq!(task.state.drop_join(), DropJoin::Done);
        let waker = {
            let task = task.clone();
            thread::spawn(move || task.release(1))
        };
        assert_eq!(task.state.begin(), Begin::Poll);
        task.marks[0].write(1);
        let last = match task.state.complete() {
            Completed::Join => panic!("the handle is gone"),
            Completed::Others => task.state.release(),
            Completed::Nobody => true,
        };
        if last {
            task.free();
        }
        assert!(waker.join().unwrap() != last, "freed by exactly one");
    });
}

/// The last waker wakes by value while the run ends: the task is polled after it, sees what it wrote, is then
/// unreachable, and freed exactly once.
#[test]
fn the_last_waker_is_used_up() {
    model(|| {
        let task = Task::new(usize::MAX);
        // The waker's.
        task.state.add_reference();
        assert_eq!(task.state.drop_join(), DropJoin::Done);
        let waker = on_thread(&task, |task| {
            task.write(0);
            task.act_on(task.state.wake_owned(), 1);
        });
        task.run(0);
        waker.join().unwrap();
        assert_eq!(task.outcomes().freed, 1, "freed exactly once");
        assert_eq!(task.future.read().0, [1, 0], "the last poll saw what every waker wrote");
    });
}

/// A wake beside a thread's run that is preempted, goes on, and blocks. A pick tells of it, or its end, or the waker is to place
/// the thread; and who is told sees what was written (PA1).
#[test]
fn a_preempted_thread_is_told_of_the_wake() {
    model(|| {
        let task = Task::new(usize::MAX);
        let placed = Arc::new(std::sync::Mutex::new(false));
        let by_waker = placed.clone();
        let waker = on_thread(&task, move |task| {
            task.write(0);
            *by_waker.lock().unwrap() = task.state.wake() == Wake::Place;
        });
        let mut is_told = task.state.begin_thread().was_notified;
        task.state.end_runnable();
        is_told |= task.state.begin_thread().was_notified;
        if task.state.end() == End::Requeue {
            is_told |= task.state.begin_thread().was_notified;
        }
        // Ordering: Relaxed; the word must order it.
        let seen = task.written[0].load(Ordering::Relaxed);
        waker.join().unwrap();
        assert!(!is_told || seen == 1, "told of a wake, and did not see what it was for");
        assert!(is_told != *placed.lock().unwrap(), "the wake was lost, or answered twice");
    });
}

/// A wake beside a thread that takes its token, or waits. It takes the wake, or its end is told of it, or the waker is to place the
/// thread; once, and who is told sees what was written (PA1).
#[test]
fn a_thread_that_takes_its_token_is_told_of_the_wake_once() {
    model(|| {
        let task = Task::new(usize::MAX);
        let placed = Arc::new(std::sync::Mutex::new(false));
        let by_waker = placed.clone();
        let waker = on_thread(&task, move |task| {
            task.write(0);
            *by_waker.lock().unwrap() = task.state.wake() == Wake::Place;
        });
        let mut told = usize::from(task.state.begin_thread().was_notified);
        // Ordering: Relaxed; the word must order it.
        let read = || task.written[0].load(Ordering::Relaxed);
        if task.state.take_token() {
            told += 1;
            assert_eq!(read(), 1, "took the token, and did not see what it was for");
        }
        if task.state.end() == End::Requeue {
            told += usize::from(task.state.begin_thread().was_notified);
        }
        let seen = read();
        waker.join().unwrap();
        assert!(told == 0 || seen == 1, "told of a wake, and did not see what it was for");
        assert_eq!(told + usize::from(*placed.lock().unwrap()), 1, "answered once");
    });
}
