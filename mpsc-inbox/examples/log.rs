//! A kernel log: any CPU writes a record from any context, without a lock and without allocating; one reader prints.
//!
//! Records are static and go round. A CPU takes a free one from its own inbox of free records, fills it and pushes it to
//! the log; the reader prints in order and sends the records home, those of one CPU as one batch. A CPU that has none left
//! loses the line and counts it, as a kernel must: it cannot wait.

use mpsc_inbox::{Batch, Inbox, Link, Linked, Owner};
use std::fmt::{self, Write};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

struct Record {
    cpu: usize,
    number: u64,
    length_bytes: usize,
    text: [u8; 40],
    link: Link<Record>,
}

// SAFETY: `link` projects to the one link field, by address.
unsafe impl Linked for Record {
    type Handle = &'static mut Record;

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

/// Takes what fits.
impl Write for Record {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let free = &mut self.text[self.length_bytes..];
        let fits = more.len().min(free.len());
        free[..fits].copy_from_slice(&more.as_bytes()[..fits]);
        self.length_bytes += fits;
        Ok(())
    }
}

const CPUS: usize = 2;
const RECORDS_OF_ONE_CPU: usize = 8;
const LINES: u64 = if cfg!(miri) { 20 } else { 5_000 };

static LOG: Inbox<Record> = Inbox::new();
static FREE: [Inbox<Record>; CPUS] = [const { Inbox::new() }; CPUS];
static WRITERS: AtomicUsize = AtomicUsize::new(CPUS);

/// A CPU's own end of the log.
struct Logger {
    free: Owner<'static, Record>,
    written: u64,
    lost: u64,
}

impl Logger {
    fn line(&mut self, text: fmt::Arguments<'_>) {
        // Any free record will do: the newest is still in the cache, and one touch takes it out.
        let Some(record) = self.free.drain_lifo(1).next() else {
            self.lost += 1;
            return;
        };
        (record.number, record.length_bytes) = (self.written, 0);
        record.write_fmt(text).expect("what does not fit is cut off");
        self.written += 1;
        let pushed = LOG.push(record);
        assert!(pushed.is_ok(), "the log is never closed");
    }
}

/// One pass of the reader: at most `budget_nodes` are touched. Answers with the lines printed for each CPU.
fn print(log: &mut Owner<'static, Record>, budget_nodes: usize, printed: &mut [u64; CPUS]) {
    let mut home = [const { Batch::<Record>::new() }; CPUS];
    for record in log.drain(budget_nodes) {
        let text = std::str::from_utf8(&record.text[..record.length_bytes]).unwrap_or("(not text)");
        if record.number < 3 {
            println!("[cpu {} #{}] {text}", record.cpu, record.number);
        }
        assert_eq!(record.number, printed[record.cpu], "each CPU's lines come in their order");
        printed[record.cpu] += 1;
        home[record.cpu].push(record);
    }
    for (batch, free) in home.into_iter().zip(&FREE) {
        assert!(free.push_batch(batch).is_ok(), "no CPU closes its inbox of free records");
    }
}

fn write_lines(cpu: usize) -> Logger {
    let free = FREE[cpu].take_owner().expect("each CPU has its own");
    let mut logger = Logger { free, written: 0, lost: 0 };
    for line in 0..LINES {
        logger.line(format_args!("line {line} of cpu {cpu}"));
        if line % 8 == 7 {
            thread::yield_now(); // there is other work too
        }
    }
    WRITERS.fetch_sub(1, Ordering::Release);
    logger
}

fn main() {
    for (cpu, free) in FREE.iter().enumerate() {
        for _ in 0..RECORDS_OF_ONE_CPU {
            let record =
                Record { cpu, number: 0, length_bytes: 0, text: [0; 40], link: Link::new() };
            // A kernel has them in a static; here they live as long as the program.
            assert!(free.push(Box::leak(Box::new(record))).is_ok());
        }
    }
    let cpus = [0, 1].map(|cpu| thread::spawn(move || write_lines(cpu)));
    let mut log = LOG.take_owner().expect("one reader");
    let mut printed = [0; CPUS];
    while WRITERS.load(Ordering::Acquire) > 0 || !log.is_empty() {
        print(&mut log, 16, &mut printed);
        thread::yield_now();
    }
    for (cpu, thread) in cpus.into_iter().enumerate() {
        let logger = thread.join().expect("the CPU does not panic");
        println!("cpu {cpu}: {} lines printed, {} lost", printed[cpu], logger.lost);
        assert_eq!(printed[cpu], logger.written);
        assert_eq!(logger.written + logger.lost, LINES);
    }
}

#[test]
fn it_runs() {
    main();
}
