//! Models of rule PB1: a CPU that is about to halt, against whoever makes work for it.
//!
//! The inboxes, the deque and the idle set are the real ones; the few lines between them are those of `Core::halt`, of
//! `Scheduler::push` and of `Scheduler::inject`. Each model asks the same: is there an execution in which the CPU halts,
//! nobody kicks it, and there is work?

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;
use mpsc_inbox::{Inbox, Owner, Pushed};
use sched::idle::IdleSet;
use sched::search::Searchers;
use sched_arch::CpuId;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize as Uncounted;
use steal_deque::StealDeque;
use verification::exhaustive::{Node, model};

const CPUS: usize = 2;
/// The one that is about to halt.
const HALTER: CpuId = CpuId::new(1);

struct Machine {
    critical: Inbox<Node>,
    normal: Inbox<Node>,
    idle: IdleSet,
    injector: Inbox<Node>,
    injector_has_rest: AtomicBool,
    /// The other CPU's.
    deque: StealDeque<Box<Node>, 2>,
    ready: AtomicUsize,
    /// Kicks of the halter; invisible to loom, so that they order nothing.
    kicks: Uncounted,
}

impl Machine {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            critical: Inbox::new(),
            normal: Inbox::new(),
            idle: IdleSet::new(),
            injector: Inbox::new(),
            injector_has_rest: AtomicBool::new(false),
            deque: StealDeque::new(),
            ready: AtomicUsize::new(1),
            kicks: Uncounted::new(0),
        })
    }

    fn kick(&self, cpu: CpuId) {
        assert_eq!(cpu, HALTER, "nobody else is idle");
        self.kicks.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }

    fn kicks(&self) -> usize {
        self.kicks.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// A wake of a task whose home is the halter.
    fn push(&self, inbox: &Inbox<Node>, number: usize) {
        if inbox.push(Node::new(number)).expect("never closed") == Pushed::KickOwed {
            self.kick(HALTER);
        }
    }

    /// What comes after work was made takeable.
    fn wake_idle(&self) {
        self.idle.publish_work();
        if let Some(cpu) = self.idle.claim(0, CPUS) {
            self.kick(cpu);
        }
    }

    fn others_have_work(&self) -> bool {
        // Ordering: Relaxed, all; as in `sched`, the fences order them.
        !self.injector.is_empty()
            || self.injector_has_rest.load(Ordering::Relaxed)
            || (self.ready.load(Ordering::Relaxed) >= 2 && !self.deque.stealer().is_empty())
    }
}

/// The halting CPU's own things.
struct Halter<'a> {
    machine: &'a Machine,
    inboxes: [Owner<'a, Node>; 2],
    #[expect(clippy::vec_box, reason = "boxes come out of the inbox, and are kept as they are")]
    taken: Vec<Box<Node>>,
}

impl<'a> Halter<'a> {
    fn new(machine: &'a Machine) -> Self {
        let inboxes = [&machine.critical, &machine.normal];
        let inboxes = inboxes.map(|inbox| inbox.take_owner().expect("it is new"));
        Self { machine, inboxes, taken: Vec::new() }
    }

    fn drain(&mut self) {
        for inbox in &mut self.inboxes {
            self.taken.extend(inbox.drain(usize::MAX));
        }
    }

    fn disarm(&mut self) {
        for inbox in &mut self.inboxes {
            inbox.disarm();
        }
    }

    /// Whether it halts.
    fn halt(&mut self) -> bool {
        if self.inboxes.iter_mut().any(|inbox| inbox.arm().is_err()) {
            self.disarm();
            return false;
        }
        self.machine.idle.publish(HALTER);
        if self.machine.others_have_work() {
            self.machine.idle.withdraw(HALTER);
            self.disarm();
            return false;
        }
        true
    }

    /// Two steps that find nothing to run; tells whether the second one halted, or the first one did and was not kicked.
    fn idle(&mut self) -> bool {
        self.drain();
        if !self.halt() {
            self.drain();
            return self.halt();
        }
        true
    }
}

fn on_thread(
    machine: &Arc<Machine>,
    body: impl FnOnce(&Machine) + 'static,
) -> thread::JoinHandle<()> {
    let machine = machine.clone();
    thread::spawn(move || body(&machine))
}

/// A wake into each of the two inboxes, from two CPUs. Two tries to halt.
#[test]
fn no_halt_beside_an_item_in_an_inbox() {
    model(|| {
        let machine = Machine::new();
        let pushers = [
            on_thread(&machine, |machine| machine.push(&machine.critical, 1)),
            on_thread(&machine, |machine| machine.push(&machine.normal, 2)),
        ];
        let mut halter = Halter::new(&machine);
        let halted = halter.idle();
        let seen = halter.taken.iter().filter(|node| node.number() > 0).count();
        for pusher in pushers {
            pusher.join().unwrap();
        }
        assert!(!halted || machine.kicks() > 0 || seen == 2, "halted beside an item, unkicked");
        assert!(machine.kicks() <= 2, "one kick for one arming");
    });
}

/// A task that another CPU makes stealable while it polls one itself. One try to halt.
#[test]
fn no_halt_beside_a_stealable_task() {
    model(|| {
        let machine = Machine::new();
        let publisher = on_thread(&machine, |machine| {
            let (mut owner, _) = machine.deque.split().expect("it is new");
            owner.push(Node::new(1)).expect("it is empty");
            machine.ready.store(2, Ordering::Relaxed);
            machine.wake_idle();
        });
        let halted = Halter::new(&machine).halt();
        publisher.join().unwrap();
        assert!(!halted || machine.kicks() == 1, "halted beside a stealable task, unkicked");
    });
}

/// A task from a thread that is no CPU. One try to halt.
#[test]
fn no_halt_beside_an_injected_task() {
    model(|| {
        let machine = Machine::new();
        let injecting = on_thread(&machine, |machine| {
            assert!(machine.injector.push(Node::new(1)).is_ok());
            machine.wake_idle();
        });
        let halted = Halter::new(&machine).halt();
        injecting.join().unwrap();
        assert!(!halted || machine.kicks() == 1, "halted beside an injected task, unkicked");
    });
}

/// Another CPU takes one of two injected tasks by a drain whose budget ends there. One try to halt.
#[test]
fn no_halt_beside_the_rest_of_a_drain() {
    model(|| {
        let machine = Machine::new();
        for number in 1..=2 {
            assert!(machine.injector.push(Node::new(number)).is_ok());
        }
        let other = on_thread(&machine, |machine| {
            let mut injector = machine.injector.take_owner().expect("nobody else takes it");
            let taken: Vec<_> = injector.drain(2).collect();
            assert_eq!(taken.len(), 1, "one in order, the other delivered");
            machine.injector_has_rest.store(injector.has_remainder(), Ordering::Relaxed);
            drop(injector);
            machine.wake_idle();
        });
        let halted = Halter::new(&machine).halt();
        other.join().unwrap();
        assert!(!halted || machine.kicks() == 1, "halted beside the rest of a drain, unkicked");
    });
}

/// A wake and a task made stealable at once. Two tries to halt; a kick by either ends the halt for both.
#[test]
fn no_halt_beside_any_of_two() {
    model(|| {
        let machine = Machine::new();
        let pusher = on_thread(&machine, |machine| machine.push(&machine.normal, 1));
        let publisher = on_thread(&machine, |machine| {
            let (mut owner, _) = machine.deque.split().expect("it is new");
            owner.push(Node::new(2)).expect("it is empty");
            machine.ready.store(2, Ordering::Relaxed);
            machine.wake_idle();
        });
        let mut halter = Halter::new(&machine);
        let halted = halter.idle();
        pusher.join().unwrap();
        publisher.join().unwrap();
        assert!(!halted || machine.kicks() > 0, "halted beside work, unkicked");
    });
}

/// Three CPUs, of which one may search at a time.
struct Three {
    idle: IdleSet,
    searchers: Searchers,
    /// The first CPU's.
    deque: StealDeque<Box<Node>, 2>,
    ready: AtomicUsize,
    kicks: [Uncounted; 3],
}

impl Three {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            idle: IdleSet::new(),
            searchers: Searchers::new(),
            deque: StealDeque::new(),
            ready: AtomicUsize::new(1),
            kicks: Default::default(),
        })
    }

    fn wake_idle(&self) {
        if let Some(cpu) = self.idle.claim(0, 3) {
            self.kicks[cpu.index()].fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    /// The first CPU makes an item takeable while it runs another.
    fn publish(&self) {
        let (mut owner, _) = self.deque.split().expect("it is new");
        owner.push(Node::new(1)).expect("it is empty");
        self.ready.store(2, Ordering::Relaxed);
        self.idle.publish_work();
        self.wake_idle();
    }

    fn has_work(&self) -> bool {
        self.ready.load(Ordering::Relaxed) >= 2 && !self.deque.stealer().is_empty()
    }

    /// `Core::halt`: whether it halts.
    fn halt(&self, cpu: CpuId) -> bool {
        self.idle.publish(cpu);
        if !self.searchers.are_enough(3) && self.has_work() {
            self.idle.withdraw(cpu);
            return false;
        }
        true
    }

    /// The end of `Core::search`, with work in hand that is not what this is about.
    fn end_search_busy(&self) {
        if self.searchers.end() {
            self.idle.publish_work();
            if self.has_work() {
                self.wake_idle();
            }
        }
    }

    fn is_kicked(&self, cpu: usize) -> bool {
        self.kicks[cpu].load(std::sync::atomic::Ordering::SeqCst) > 0
    }
}

/// S2: while one CPU ends a search with work in hand, another makes more takeable and a third one is about to halt.
#[test]
fn no_halt_beside_a_searcher_that_found_other_work() {
    model(|| {
        let machine = Three::new();
        assert!(machine.searchers.try_begin(3));
        let (publisher, searcher) = (machine.clone(), machine.clone());
        let publisher = thread::spawn(move || publisher.publish());
        let searcher = thread::spawn(move || searcher.end_search_busy());
        let halted = machine.halt(CpuId::new(2));
        publisher.join().unwrap();
        searcher.join().unwrap();
        assert!(!halted || machine.is_kicked(2), "halted beside what nobody looks for");
    });
}

/// S2: the same where the searcher found nothing, and is about to halt too.
#[test]
fn no_halt_of_both_beside_a_stealable_task() {
    model(|| {
        let machine = Three::new();
        assert!(machine.searchers.try_begin(3));
        let (publisher, searcher) = (machine.clone(), machine.clone());
        let publisher = thread::spawn(move || publisher.publish());
        let searcher = thread::spawn(move || {
            assert!(searcher.searchers.end(), "there is no other");
            searcher.halt(CpuId::new(1))
        });
        let halted = machine.halt(CpuId::new(2));
        publisher.join().unwrap();
        let both = searcher.join().unwrap() && halted;
        let kicked = machine.is_kicked(1) || machine.is_kicked(2);
        assert!(!both || kicked, "both halted beside a stealable task, unkicked");
    });
}

/// S1: never more in a round than there are places; one place for three CPUs.
#[test]
fn one_of_three_cpus_searches_at_a_time() {
    model(|| {
        let searchers = Arc::new(Searchers::new());
        let inside = Arc::new(Uncounted::new(0));
        let search = |searchers: &Searchers, inside: &Uncounted| {
            if searchers.try_begin(3) {
                let others = inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                assert_eq!(others, 0, "two search where one may");
                thread::yield_now();
                inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                assert!(searchers.end(), "the last one");
            }
        };
        let threads = [(); 2].map(|()| {
            let (searchers, inside) = (searchers.clone(), inside.clone());
            thread::spawn(move || search(&searchers, &inside))
        });
        search(&searchers, &inside);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(searchers.try_begin(3) && searchers.end(), "the place is free again");
    });
}
