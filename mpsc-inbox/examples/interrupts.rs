//! Two devices interrupt, each on a CPU of its own; one owner serves both and halts in between.
//!
//! Devices coalesce: however often one interrupts before it is served, it is queued once. What the owner reads of a device
//! after `release` holds every interrupt that was told "already queued".
//!
//! Threads stand for CPUs here, `park` for the halt and `unpark` for the interrupt between CPUs.

use mpsc_inbox::{Coalescing, Inbox, Link, Linked, NotPushed, Pushed, Queued, QueuedBit};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::thread::{self, Thread};

struct Device {
    name: &'static str,
    packets: AtomicU32,
    link: Link<Device>,
    queued: QueuedBit,
}

// SAFETY: `link` projects to the one link field, by address.
unsafe impl Linked for Device {
    type Handle = Queued<&'static Device>;

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

// SAFETY: the one bit of this node.
unsafe impl Coalescing for Device {
    fn queued_bit(&self) -> &QueuedBit {
        &self.queued
    }
}

impl Device {
    const fn new(name: &'static str) -> Self {
        Self { name, packets: AtomicU32::new(0), link: Link::new(), queued: QueuedBit::new() }
    }
}

const INTERRUPTS: u32 = if cfg!(miri) { 20 } else { 10_000 };

static DEVICES: [Device; 2] = [Device::new("network card"), Device::new("disk")];
static INBOX: Inbox<Device> = Inbox::new();

/// Any CPU, at any time.
fn interrupt_handler(device: &'static Device, owner: &Thread) {
    // First what the owner shall see, then the push.
    device.packets.fetch_add(1, Ordering::Relaxed);
    match INBOX.push_once(device) {
        Ok(Pushed::KickOwed) => owner.unpark(),
        Ok(Pushed::First | Pushed::Joined) | Err(NotPushed::AlreadyQueued(_)) => {}
        Err(NotPushed::Closed(_)) => unreachable!("this inbox is never closed"),
    }
}

/// Serves the devices until all packets are there; answers with how many came from each, and how often each was served.
fn serve() -> [(u32, u32); 2] {
    let mut owner = INBOX.take_owner().expect("nobody else takes it");
    let mut served = [(0, 0); 2];
    while served.iter().any(|(packets, _)| *packets < INTERRUPTS) {
        // At most 16 nodes are touched in one pass; what is left comes first in the next one.
        for queued in owner.drain(16) {
            // First the release, then the look.
            let device = queued.release();
            let this = &mut served[usize::from(!std::ptr::eq(device, &DEVICES[0]))];
            *this = (this.0 + device.packets.swap(0, Ordering::Relaxed), this.1 + 1);
        }
        let done = served.iter().all(|(packets, _)| *packets == INTERRUPTS);
        if !done && owner.arm().is_ok() {
            // Armed: the next push owes a kick. A kernel looks once more at what is *not* in the inbox, behind this fence.
            fence(Ordering::SeqCst);
            thread::park();
            owner.disarm();
        }
    }
    served
}

fn main() {
    let owner = thread::spawn(serve);
    thread::scope(|scope| {
        for device in &DEVICES {
            let owner = owner.thread();
            scope.spawn(move || (0..INTERRUPTS).for_each(|_| interrupt_handler(device, owner)));
        }
    });
    let served = owner.join().expect("the owner does not panic");
    for (device, (packets, times)) in DEVICES.iter().zip(served) {
        println!("{}: {packets} packets, served {times} times", device.name);
        assert_eq!(packets, INTERRUPTS, "no packet is lost");
    }
}

#[test]
fn it_runs() {
    main();
}
