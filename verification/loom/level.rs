//! Models of rule PC1: a CPU that comes down to something less urgent, against pushers to its inbox.
//!
//! The level and the inbox are the real ones; the few lines between them are those of `pick` and of `push`.

use loom::thread;
use mpsc_inbox::{Inbox, Pushed};
use sched::level::RunningLevel;
use std::sync::Arc;
use verification::exhaustive::{Node, model};

const BACKGROUND: u8 = 1;
const NORMAL: u8 = 2;
const CRITICAL: u8 = 3;

struct Cpu {
    inbox: Inbox<Node>,
    level: RunningLevel,
}

impl Cpu {
    fn at(level: u8) -> Arc<Self> {
        let cpu = Arc::new(Self { inbox: Inbox::new(), level: RunningLevel::new() });
        cpu.level.raise(level);
        cpu
    }

    /// A push as `sched` makes it; tells whether it kicks.
    fn push(&self, level: u8) -> bool {
        match self.inbox.push(Node::new(level.into())).expect("it is not closed") {
            Pushed::KickOwed => true,
            Pushed::First | Pushed::Joined => self.level.is_below(level),
        }
    }
}

fn pusher(cpu: &Arc<Cpu>, level: u8) -> thread::JoinHandle<bool> {
    let cpu = cpu.clone();
    thread::spawn(move || cpu.push(level))
}

/// A CPU comes down from Critical to Background, looks, and runs; one pusher of a Critical task. Either the CPU sees it
/// before it runs, or the pusher kicks.
#[test]
fn a_cpu_that_comes_down_sees_the_item_or_is_kicked() {
    model(|| {
        let cpu = Cpu::at(CRITICAL);
        let pusher = pusher(&cpu, CRITICAL);
        cpu.level.lower(BACKGROUND);
        let saw = !cpu.inbox.is_empty();
        assert!(pusher.join().unwrap() || saw, "a needed preemption is lost");
    });
}

/// The same with a pusher of a Background task to the same inbox, which needs no kick: whichever of the two joins the
/// other's list, the urgent one compares. The CPU drains once; what it does not see then must kick.
#[test]
fn a_pusher_that_joins_a_list_compares_too() {
    model(|| {
        let cpu = Cpu::at(NORMAL);
        let mut owner = cpu.inbox.take_owner().expect("it is new");
        let pushers = [pusher(&cpu, BACKGROUND), pusher(&cpu, NORMAL)];
        cpu.level.lower(BACKGROUND);
        // Delivered nodes are kept to the end: memory that comes back would make executions depend on the allocator.
        let mut seen: Vec<Box<Node>> = Vec::new();
        if !cpu.inbox.is_empty() {
            seen.extend(owner.drain(usize::MAX));
        }
        let saw = seen.iter().any(|node| node.number() == NORMAL.into());
        let kicks = pushers.map(|pusher| pusher.join().unwrap());
        assert!(!kicks[0], "a kick for what is not more urgent than what runs");
        assert!(kicks[1] || saw, "a needed preemption is lost");
    });
}
