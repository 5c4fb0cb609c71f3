//! A run queue's life: the first leaves, and comes back somewhere behind.

use super::tree_rivals::{Heap, Intrusive, Map, Ours, Queue};
use crate::goal::Goal;
use crate::rng::Rng;
use crate::work::{Contender, Work};
use std::hint::black_box;

pub(super) const POP_AND_REINSERT: Work = Work {
    name: "tree pop-min + reinsert",
    about: "the least is taken out and put back with a later key; the size is how many there are. \
            Ours keeps the earliest deadline of every subtree, the rivals keep none",
    sizes: &[8, 128, 1_024, 16_384, 262_144, 1_000_000],
    two_cores: false,
    goal: |size| {
        let factor = if size <= 16_384 { 0.8 } else { 1.0 };
        (size >= 128).then(|| Goal::of(factor, &["intrusive-collections"]))
    },
    floor: |_| None,
    contenders: |size| {
        vec![serve::<Ours>(size), serve::<Intrusive>(size), serve::<Map>(size), serve::<Heap>(size)]
    },
    missing: &[],
};

fn serve<Q: Queue>(size: u64) -> Contender {
    // Keys lie as dense as entities, so that one which comes back may land anywhere.
    let span = size * 1_000;
    let mut rng = Rng::new();
    let mut queue = Q::new();
    (0..size as u32).for_each(|id| queue.enqueue(id, rng.below(span)));
    // Until the tree has the shape of its use, and not of its making.
    (0..(4 * size).min(1_000_000)).for_each(|_| queue.serve_first(rng.below(span)));
    Contender::new(Q::NAME, 1, move || black_box(&mut queue).serve_first(rng.below(span)))
}
