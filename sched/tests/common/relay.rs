//! Contexts that are threads of something else, of which one runs at a time: a switch for those who cannot change stacks, Miri
//! and the models.
//!
//! # Invariants
//!
//! - **Y1** Whoever has the turn runs; a switch hands it over, and the CPU with it. All others wait. What comes after a switch on
//!   a CPU is ordered behind what came before, as it is on a CPU; nothing else is.
//! - **Y2** A context that does not run has a seat, and whoever switches to it takes the seat away: to go on with what is not
//!   saved, or twice with what was saved once, fails.
//!
//! The includer's module `host` says what the threads are, and what sees that a seat is taken behind its making.

use super::host;
use sched_arch::{Context, CpuId, Entry};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// The contexts of a machine.
#[derive(Default)]
pub(crate) struct Relay(Mutex<Table>);

#[derive(Default)]
struct Table {
    seats: BTreeMap<usize, Seat>,
    last: usize,
    threads: Vec<host::JoinHandle>,
}

enum Seat {
    /// It has not begun.
    New(Start),
    Waiting(Arc<Place>),
}

struct Start {
    entry: Entry,
    argument: NonNull<()>,
}

// SAFETY: what `prepare` was given, whose caller lets it begin on any thread.
unsafe impl Send for Start {}

/// Where a context waits for its turn.
struct Place {
    thread: host::Thread,
    saved: host::Saved,
    /// `NONE`, `END`, or one more than the CPU that comes with the turn.
    turn: AtomicU32,
}

const NONE: u32 = 0;
const END: u32 = u32::MAX;

/// What a context that is ended unwinds with.
struct Ended;

impl Relay {
    pub(crate) fn prepare(&self, entry: Entry, argument: *mut ()) -> Context {
        let argument = NonNull::new(argument).expect("entries have arguments");
        self.seat(Seat::New(Start { entry, argument }))
    }

    /// Waits for the turn after having given it, and CPU `cpu`, to `to`; answers with the CPU that comes with it.
    ///
    /// # Safety
    ///
    /// As for [`sched_arch::Switch::switch`].
    pub(crate) unsafe fn switch(&self, from: *mut Context, to: Context, cpu: CpuId) -> CpuId {
        let place = Arc::new(Place {
            thread: host::current(),
            saved: host::Saved::default(),
            turn: AtomicU32::new(NONE),
        });
        place.saved.save();
        // SAFETY: the caller's promise.
        unsafe { from.write(self.seat(Seat::Waiting(place.clone()))) }
        let seat = self.0.lock().unwrap().seats.remove(&to.into_raw().addr());
        match seat.expect("what is switched to is saved, and was not switched to since") {
            Seat::Waiting(next) => {
                next.saved.restore();
                next.give(cpu.get() + 1);
            }
            Seat::New(start) => {
                let thread = host::spawn(move || begin(start, cpu));
                self.0.lock().unwrap().threads.push(thread);
            }
        }
        loop {
            match place.turn.load(SeqCst) {
                NONE => host::park(),
                END => resume_unwind(Box::new(Ended)),
                cpu => return CpuId::new(cpu - 1),
            }
        }
    }

    /// Ends all contexts that wait, whatever they are about to do. Called with the turn, when no loop will come again.
    pub(crate) fn end(&self) {
        let table = std::mem::take(&mut *self.0.lock().unwrap());
        for seat in table.seats.into_values() {
            if let Seat::Waiting(place) = seat {
                place.give(END);
            }
        }
        table.threads.into_iter().for_each(host::join);
    }

    fn seat(&self, seat: Seat) -> Context {
        let mut table = self.0.lock().unwrap();
        table.last += 1;
        let name = table.last;
        table.seats.insert(name, seat);
        Context::from_raw(ptr::without_provenance_mut(name))
    }
}

impl Place {
    fn give(&self, turn: u32) {
        self.turn.store(turn, SeqCst);
        self.thread.unpark();
    }
}

fn begin(start: Start, cpu: CpuId) {
    host::become_cpu(Some(cpu));
    let Start { entry, argument } = start;
    // SAFETY: prepared for it; once, as the seat is gone.
    let end = catch_unwind(AssertUnwindSafe(|| unsafe { entry(argument.as_ptr()) }));
    if let Err(why) = end
        && !why.is::<Ended>()
    {
        host::fail(why);
    }
}
