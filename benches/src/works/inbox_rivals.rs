//! Queues from many producers to one consumer, of boxes. The intrusive ones link the box; the others hold pointers.

use concurrent_queue::ConcurrentQueue;
use cordyceps::mpsc_queue::{self, MpscQueue};
use cordyceps::stack::{self, TransferStack};
use crossbeam_queue::{ArrayQueue, SegQueue};
use std::ptr::NonNull;

pub(super) trait Channel: Sync + 'static {
    const NAME: &'static str;
    type Node: Send + Default + 'static;
    type Receiver: Send + 'static;

    /// The queue, leaked, and its one receiver.
    fn open() -> (&'static Self, Self::Receiver);
    fn push(&self, node: Box<Self::Node>);
    /// Pushes many, by whatever the queue offers for that.
    #[inline]
    fn push_many(&self, nodes: impl Iterator<Item = Box<Self::Node>>) {
        nodes.for_each(|node| self.push(node));
    }
    /// Takes out what is there.
    fn drain(receiver: &mut Self::Receiver, take: impl FnMut(Box<Self::Node>));
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

#[derive(Default)]
pub(super) struct Ours(mpsc_inbox::Inbox<OurNode>);

#[derive(Default)]
pub(super) struct OurNode {
    link: mpsc_inbox::Link<OurNode>,
    _payload: u64,
}

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made.
unsafe impl mpsc_inbox::Linked for OurNode {
    type Handle = Box<Self>;

    unsafe fn link(node: NonNull<Self>) -> NonNull<mpsc_inbox::Link<Self>> {
        // SAFETY: `node` points to a node (contract of `link`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

impl Channel for Ours {
    const NAME: &'static str = crate::work::OURS;
    type Node = OurNode;
    type Receiver = mpsc_inbox::Owner<'static, OurNode>;

    fn open() -> (&'static Self, Self::Receiver) {
        let inbox = leak(Self::default());
        (inbox, inbox.0.take_owner().expect("taken once"))
    }

    #[inline]
    fn push(&self, node: Box<OurNode>) {
        let _ = self.0.push(node).expect("open");
    }

    #[inline]
    fn push_many(&self, nodes: impl Iterator<Item = Box<OurNode>>) {
        let mut batch = mpsc_inbox::Batch::new();
        nodes.for_each(|node| batch.push(node));
        let _ = self.0.push_batch(batch).expect("open");
    }

    #[inline]
    fn drain(receiver: &mut Self::Receiver, take: impl FnMut(Box<OurNode>)) {
        receiver.drain(usize::MAX).for_each(take);
    }
}

/// Lock-free, last in first out.
#[derive(Default)]
pub(super) struct CordycepsStack(TransferStack<StackNode>);

#[derive(Default)]
pub(super) struct StackNode {
    links: stack::Links<StackNode>,
    _payload: u64,
}

// SAFETY: the handle is a box, turned raw and back; `links` is the field of that name, and no reference is made.
unsafe impl cordyceps::Linked<stack::Links<Self>> for StackNode {
    type Handle = Box<Self>;

    fn into_ptr(handle: Box<Self>) -> NonNull<Self> {
        NonNull::from(Box::leak(handle))
    }

    unsafe fn from_ptr(node: NonNull<Self>) -> Box<Self> {
        // SAFETY: `node` came from `into_ptr`, and is turned back once.
        unsafe { Box::from_raw(node.as_ptr()) }
    }

    unsafe fn links(node: NonNull<Self>) -> NonNull<stack::Links<Self>> {
        // SAFETY: `node` is live, so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).links) }
    }
}

impl Channel for CordycepsStack {
    const NAME: &'static str = "cordyceps stack";
    type Node = StackNode;
    type Receiver = &'static Self;

    fn open() -> (&'static Self, Self::Receiver) {
        let stack = leak(Self::default());
        (stack, stack)
    }

    #[inline]
    fn push(&self, node: Box<StackNode>) {
        self.0.push(node);
    }

    #[inline]
    fn drain(receiver: &mut Self::Receiver, take: impl FnMut(Box<StackNode>)) {
        receiver.0.take_all().for_each(take);
    }
}

/// Not lock-free: a producer that stalls in the middle of its push hides what others push after it.
#[derive(Default)]
pub(super) struct CordycepsQueue(MpscQueue<QueueNode>);

#[derive(Default)]
pub(super) struct QueueNode {
    links: mpsc_queue::Links<QueueNode>,
    _payload: u64,
}

// SAFETY: the handle is a box, turned raw and back; `links` is the field of that name, and no reference is made.
unsafe impl cordyceps::Linked<mpsc_queue::Links<Self>> for QueueNode {
    type Handle = Box<Self>;

    fn into_ptr(handle: Box<Self>) -> NonNull<Self> {
        NonNull::from(Box::leak(handle))
    }

    unsafe fn from_ptr(node: NonNull<Self>) -> Box<Self> {
        // SAFETY: `node` came from `into_ptr`, and is turned back once.
        unsafe { Box::from_raw(node.as_ptr()) }
    }

    unsafe fn links(node: NonNull<Self>) -> NonNull<mpsc_queue::Links<Self>> {
        // SAFETY: `node` is live, so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).links) }
    }
}

impl Channel for CordycepsQueue {
    const NAME: &'static str = "cordyceps queue";
    type Node = QueueNode;
    type Receiver = mpsc_queue::Consumer<'static, QueueNode>;

    fn open() -> (&'static Self, Self::Receiver) {
        let queue = leak(Self::default());
        (queue, queue.0.consume())
    }

    #[inline]
    fn push(&self, node: Box<QueueNode>) {
        self.0.enqueue(node);
    }

    #[inline]
    fn drain(receiver: &mut Self::Receiver, mut take: impl FnMut(Box<QueueNode>)) {
        while let Some(node) = receiver.dequeue() {
            take(node);
        }
    }
}

/// Lock-free, for many consumers too; it allocates blocks.
#[derive(Default)]
pub(super) struct Segments(SegQueue<Box<u64>>);

impl Channel for Segments {
    const NAME: &'static str = "SegQueue";
    type Node = u64;
    type Receiver = &'static Self;

    fn open() -> (&'static Self, Self::Receiver) {
        let queue = leak(Self::default());
        (queue, queue)
    }

    #[inline]
    fn push(&self, node: Box<u64>) {
        self.0.push(node);
    }

    #[inline]
    fn drain(receiver: &mut Self::Receiver, mut take: impl FnMut(Box<u64>)) {
        while let Some(node) = receiver.0.pop() {
            take(node);
        }
    }
}

/// Bounded, for many consumers too.
pub(super) struct Array(ArrayQueue<Box<u64>>);

/// As many as any row pushes before it drains.
const CAPACITY: usize = 1 << 17;

impl Channel for Array {
    const NAME: &'static str = "ArrayQueue";
    type Node = u64;
    type Receiver = &'static Self;

    fn open() -> (&'static Self, Self::Receiver) {
        let queue = leak(Self(ArrayQueue::new(CAPACITY)));
        (queue, queue)
    }

    #[inline]
    fn push(&self, node: Box<u64>) {
        self.0.push(node).expect("room");
    }

    #[inline]
    fn drain(receiver: &mut Self::Receiver, mut take: impl FnMut(Box<u64>)) {
        while let Some(node) = receiver.0.pop() {
            take(node);
        }
    }
}

/// Unbounded, for many consumers too; it allocates blocks.
pub(super) struct Concurrent(ConcurrentQueue<Box<u64>>);

impl Channel for Concurrent {
    const NAME: &'static str = "concurrent-queue";
    type Node = u64;
    type Receiver = &'static Self;

    fn open() -> (&'static Self, Self::Receiver) {
        let queue = leak(Self(ConcurrentQueue::unbounded()));
        (queue, queue)
    }

    #[inline]
    fn push(&self, node: Box<u64>) {
        self.0.push(node).expect("open");
    }

    #[inline]
    fn drain(receiver: &mut Self::Receiver, mut take: impl FnMut(Box<u64>)) {
        while let Ok(node) = receiver.0.pop() {
            take(node);
        }
    }
}

/// What kernels write first: a vector under a spin lock, which the consumer exchanges for an empty one. Not lock-free.
#[derive(Default)]
#[allow(clippy::vec_box, reason = "boxes are what goes through each of them")]
pub(super) struct Locked(spin::Mutex<Vec<Box<u64>>>);

impl Channel for Locked {
    const NAME: &'static str = "spin-locked vector";
    type Node = u64;
    type Receiver = (&'static Self, Vec<Box<u64>>);

    fn open() -> (&'static Self, Self::Receiver) {
        let queue = leak(Self::default());
        (queue, (queue, Vec::new()))
    }

    #[inline]
    fn push(&self, node: Box<u64>) {
        self.0.lock().push(node);
    }

    #[inline]
    fn push_many(&self, nodes: impl Iterator<Item = Box<u64>>) {
        self.0.lock().extend(nodes);
    }

    #[inline]
    fn drain((queue, taken): &mut Self::Receiver, take: impl FnMut(Box<u64>)) {
        std::mem::swap(&mut *queue.0.lock(), taken);
        taken.drain(..).for_each(take);
    }
}
