//! Round-robin over threads of one's own, with a turn of 10 ms each.

use sched::class::{Dequeue, Enqueue, ListTask, Node, Pick, RoundRobin, SchedClass, Tcb};
use std::cell::Cell;
use std::ptr::NonNull;

struct Thread {
    name: &'static str,
    work_left_ms: Cell<u64>,
    node: Node<Thread>,
}

impl Tcb for Thread {
    type Handle = &'static Thread;
}

// SAFETY: `node` is the field of that name, of this thread alone, and no reference is made.
unsafe impl ListTask for Thread {
    unsafe fn node(thread: NonNull<Self>) -> NonNull<Node<Self>> {
        // SAFETY: `thread` points to a `Thread` (contract of `node`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*thread.as_ptr()).node) }
    }
}

fn main() {
    let mut queue = RoundRobin::<Thread>::new(10_000_000);
    for (name, work_ms) in [("a", 25), ("b", 10), ("c", 30)] {
        let thread = Thread { name, work_left_ms: Cell::new(work_ms), node: Node::new() };
        let thread: &'static Thread = Box::leak(Box::new(thread));
        let _ = queue.enqueue_task(thread, Enqueue::Fork, 0).expect("it is new");
    }
    let (mut now_ms, mut turns) = (0, Vec::new());
    while let Pick::Run(thread) = queue.pick_next_task(now_ms * 1_000_000) {
        let thread = NonNull::from(thread);
        // SAFETY: Threads live for ever.
        let running = unsafe { thread.as_ref() };
        let ran_ms = running.work_left_ms.get().min(10);
        now_ms += ran_ms;
        running.work_left_ms.update(|left_ms| left_ms - ran_ms);
        turns.push(running.name);
        if running.work_left_ms.get() == 0 {
            // SAFETY: It is in the class: the current one.
            let out = unsafe { queue.dequeue_task(thread, Dequeue::Exit, now_ms * 1_000_000) };
            assert!(out.out().is_some());
        }
    }
    assert_eq!(turns, ["a", "b", "c", "a", "c", "a", "c"]);
    assert_eq!(now_ms, 65);
    println!("turns: {turns:?}");
}
