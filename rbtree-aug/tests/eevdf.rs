//! Two orders, one answer: a tree by virtual runtime with the earliest deadlines, and a tree by
//! deadline with the least virtual runtimes, pick the same deadline on random histories.

use std::cell::Cell;
use std::ptr::NonNull;

use proptest::prelude::*;
use rbtree_aug::{Deadline, Link, Linked, MinDeadline, MinVruntime, Tree, Vruntime};

macro_rules! entity {
    ($name:ident, $key:ident, $augment:ty) => {
        struct $name {
            link: Link<$name>,
            vruntime: Cell<i64>,
            deadline: Cell<i64>,
        }

        // SAFETY: `link` is the field of that name, of this node alone, and no reference is made.
        // The pointers of this file are to values that outlive their trees.
        unsafe impl Linked for $name {
            type Handle = NonNull<$name>;
            type Key = i64;
            type Augment = $augment;

            fn key(&self) -> i64 {
                self.$key.get()
            }

            unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
                // SAFETY: In bounds of the value that `node` points to.
                unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
            }
        }

        impl $name {
            fn set(&self, vruntime: i64, deadline: i64) {
                self.vruntime.set(vruntime);
                self.deadline.set(deadline);
            }
        }
    };
}

entity!(ByVruntime, vruntime, MinDeadline);
entity!(ByDeadline, deadline, MinVruntime);

impl Deadline for ByVruntime {
    type Deadline = i64;

    fn deadline(&self) -> i64 {
        self.deadline.get()
    }
}

impl Vruntime for ByDeadline {
    type Vruntime = i64;

    fn vruntime(&self) -> i64 {
        self.vruntime.get()
    }
}

fn pick(first: &Tree<ByVruntime>, second: &Tree<ByDeadline>, now: i64) -> Option<i64> {
    assert_eq!((first.check(), second.check()), (Ok(()), Ok(())));
    let picked = first.earliest_deadline(&now).map(|entity| entity.deadline.get());
    let cross = second.first_eligible(|vruntime| vruntime <= now);
    assert_eq!(picked, cross.map(|entity| entity.deadline.get()), "eligible at {now}");
    picked
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 1 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_orders_pick_the_same_deadline(
        start in prop::collection::vec((0..40_i64, 1..30_i64), 1..if cfg!(miri) { 6 } else { 40 }),
        steps in prop::collection::vec((any::<prop::sample::Index>(), 0..8_i64, 1..30_i64),
            0..if cfg!(miri) { 6 } else { 40 },
        ),
    ) {
        let mut ours: Vec<ByVruntime> = start.iter().map(|(vruntime, request)| ByVruntime {
            link: Link::new(),
            vruntime: Cell::new(*vruntime),
            deadline: Cell::new(vruntime + request),
        }).collect();
        let mut theirs: Vec<ByDeadline> = ours.iter().map(|entity| ByDeadline {
            link: Link::new(),
            vruntime: entity.vruntime.clone(),
            deadline: entity.deadline.clone(),
        }).collect();
        let bases = (ours.as_mut_ptr(), theirs.as_mut_ptr());
        // SAFETY: In bounds, of the vectors' own provenance; they are not touched below.
        let at = |index: usize| unsafe {
            (NonNull::new_unchecked(bases.0.add(index)), NonNull::new_unchecked(bases.1.add(index)))
        };
        let (mut first, mut second) = (Tree::new(), Tree::new());
        for index in 0..start.len() {
            first.insert(at(index).0).expect("unlinked");
            second.insert(at(index).1).expect("unlinked");
        }
        let mut now = 0;
        for (index, service, request) in steps {
            // Somebody is served: its virtual runtime moves on, and its request is renewed. Both
            // the key and what is measured change, in both trees.
            let (node, twin) = at(index.index(start.len()));
            // SAFETY: Live, and in these trees.
            unsafe {
                let entity = node.as_ref();
                let vruntime = entity.vruntime.get() + service;
                let deadline = vruntime + request;
                first.update(node).expect("linked").set(vruntime, deadline);
                twin.as_ref().set(vruntime, deadline);
                second.reposition(twin);
            }
            now += service / 2;
            pick(&first, &second, now);
        }
        for now in -1..100 {
            let eligible = first.iter().filter(|entity| entity.vruntime.get() <= now);
            let expected = eligible.map(|entity| entity.deadline.get()).min();
            assert_eq!(pick(&first, &second, now), expected);
        }
        first.clear();
        second.clear();
    }
}
