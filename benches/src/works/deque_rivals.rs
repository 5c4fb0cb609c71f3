//! Work-stealing deques of words behind one trait. Each is used by the calls that it offers for the purpose.

use std::hint::black_box;
use steal_deque::{Fixed, Owner, Sharing, StealDeque, Stealer};

/// Room of the bounded ones.
pub(super) const CAPACITY: usize = 1024;

/// A deque with its owner's end.
pub(super) trait Deque: Send + 'static {
    const NAME: &'static str;
    type Thief: Send + 'static;

    fn new() -> Self;
    fn push(&mut self, item: usize);
    fn pop(&mut self) -> Option<usize>;
    fn thief(&self) -> Self::Thief;
    /// One item; `own` is the thief's own deque, for those that must put it there first.
    fn steal_one(thief: &Self::Thief, own: &mut Self) -> Option<usize>;
    /// As many as `wanted`, which is half of what is there, into the thief's own deque.
    fn steal_half(thief: &Self::Thief, own: &mut Self, wanted: usize);

    /// Before a thief may come: for one that shares on demand.
    fn publish(&mut self) {}

    /// Pushes into the empty deque.
    fn push_many(&mut self, items: std::ops::Range<usize>) {
        items.for_each(|item| self.push(item));
    }

    fn pop_many(&mut self, count: usize, mut take: impl FnMut(usize)) {
        for _ in 0..count {
            self.pop().into_iter().for_each(&mut take);
        }
    }
}

/// Ours, that shares each item at once.
pub(super) type Ours = Own<false>;
/// Ours, that shares when a thief has found nothing.
pub(super) type OnDemand = Own<true>;

pub(super) struct Own<const ON_DEMAND: bool> {
    owner: Owner<'static, usize, Fixed<CAPACITY>>,
    stealer: Stealer<'static, usize, Fixed<CAPACITY>>,
}

impl<const ON_DEMAND: bool> Deque for Own<ON_DEMAND> {
    const NAME: &'static str = crate::work::OURS;
    type Thief = Stealer<'static, usize, Fixed<CAPACITY>>;

    fn new() -> Self {
        // Leaked: it is for the life of the process, as in a kernel.
        let deque: &'static StealDeque<usize, CAPACITY> = Box::leak(Box::new(StealDeque::new()));
        let (mut owner, stealer) = deque.split().expect("split once");
        if ON_DEMAND {
            owner.set_sharing(Sharing::OnDemand);
        }
        Self { owner, stealer }
    }

    #[inline]
    fn push(&mut self, item: usize) {
        self.owner.push(item).expect("room");
    }

    #[inline]
    fn pop(&mut self) -> Option<usize> {
        self.owner.pop()
    }

    fn thief(&self) -> Self::Thief {
        self.stealer
    }

    #[inline]
    fn steal_one(thief: &Self::Thief, _: &mut Self) -> Option<usize> {
        thief.steal().taken()
    }

    fn steal_half(thief: &Self::Thief, own: &mut Self, wanted: usize) {
        let _ = thief.steal_half_into(&mut own.owner, wanted);
    }

    fn publish(&mut self) {
        self.owner.publish();
    }

    fn push_many(&mut self, mut items: std::ops::Range<usize>) {
        self.owner.push_bulk(&mut items);
    }

    fn pop_many(&mut self, count: usize, take: impl FnMut(usize)) {
        self.owner.pop_bulk(count).for_each(take);
    }
}

/// crossbeam's worker; its queue grows, and has no bulk calls for the owner.
macro_rules! crossbeam {
    ($deque:ident, $name:literal, $new:ident) => {
        pub(super) struct $deque(crossbeam_deque::Worker<usize>);

        impl Deque for $deque {
            const NAME: &'static str = $name;
            type Thief = crossbeam_deque::Stealer<usize>;

            fn new() -> Self {
                Self(crossbeam_deque::Worker::$new())
            }

            #[inline]
            fn push(&mut self, item: usize) {
                self.0.push(item);
            }

            #[inline]
            fn pop(&mut self) -> Option<usize> {
                self.0.pop()
            }

            fn thief(&self) -> Self::Thief {
                self.0.stealer()
            }

            #[inline]
            fn steal_one(thief: &Self::Thief, _: &mut Self) -> Option<usize> {
                thief.steal().success()
            }

            fn steal_half(thief: &Self::Thief, own: &mut Self, wanted: usize) {
                let _ = thief.steal_batch_with_limit(&own.0, wanted);
            }
        }
    };
}

crossbeam!(CrossbeamLifo, "crossbeam lifo", new_lifo);
crossbeam!(CrossbeamFifo, "crossbeam fifo", new_fifo);

/// st3's worker; it has bulk calls, and its thieves exclude one another.
macro_rules! st3 {
    ($deque:ident, $name:literal, $flavour:ident) => {
        pub(super) struct $deque(st3::$flavour::Worker<usize>);

        impl Deque for $deque {
            const NAME: &'static str = $name;
            type Thief = st3::$flavour::Stealer<usize>;

            fn new() -> Self {
                Self(st3::$flavour::Worker::new(CAPACITY))
            }

            #[inline]
            fn push(&mut self, item: usize) {
                // Refused while a thief that was interrupted holds its claim: then the item runs at once.
                if let Err(item) = self.0.push(item) {
                    black_box(item);
                }
            }

            #[inline]
            fn pop(&mut self) -> Option<usize> {
                self.0.pop()
            }

            fn thief(&self) -> Self::Thief {
                self.0.stealer()
            }

            #[inline]
            fn steal_one(thief: &Self::Thief, own: &mut Self) -> Option<usize> {
                thief.steal_and_pop(&own.0, |_| 1).ok().map(|(item, _)| item)
            }

            fn steal_half(thief: &Self::Thief, own: &mut Self, wanted: usize) {
                let _ = thief.steal(&own.0, |_| wanted);
            }

            fn push_many(&mut self, items: std::ops::Range<usize>) {
                self.0.extend(items);
            }

            fn pop_many(&mut self, count: usize, take: impl FnMut(usize)) {
                self.0.drain(|_| count).into_iter().flatten().for_each(take);
            }
        }
    };
}

st3!(St3Lifo, "st3 lifo", lifo);
st3!(St3Fifo, "st3 fifo", fifo);
