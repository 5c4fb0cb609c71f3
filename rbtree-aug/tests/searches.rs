//! What summaries are good for, beside brute force; and the laws that make it so.

use std::cell::Cell;
use std::ops::Bound;
use std::ptr::NonNull;

use proptest::prelude::*;
use rbtree_aug::{
    Augment, Count, Deadline, Interval, LawBroken, Link, Linked, MaxEnd, MinDeadline, MinVruntime,
    Tree, Vruntime,
};

struct Span {
    link: Link<Span>,
    from: i32,
    to: i32,
}

type All = ((MaxEnd, Count), (MinDeadline, MinVruntime));

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made. The
// pointers of this file are to values that outlive their trees.
unsafe impl Linked for Span {
    type Handle = NonNull<Span>;
    type Key = i32;
    type Augment = All;

    fn key(&self) -> i32 {
        self.from
    }

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: In bounds of the value that `node` points to.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

impl Interval for Span {
    type End = i32;

    fn end(&self) -> i32 {
        self.to
    }
}

impl Deadline for Span {
    type Deadline = i32;

    fn deadline(&self) -> i32 {
        self.to
    }
}

impl Vruntime for Span {
    type Vruntime = i32;

    fn vruntime(&self) -> i32 {
        -self.to
    }
}

fn spans(of: &[(i32, i32)]) -> Vec<Span> {
    let span = |(from, length)| Span { link: Link::new(), from, to: from + length };
    of.iter().copied().map(span).collect()
}

/// Sorted first, so that ranks are indices.
fn with_tree(of: &mut [(i32, i32)], test: impl FnOnce(&Tree<Span>)) {
    of.sort_by_key(|span| span.0);
    let mut spans = spans(of);
    let base = spans.as_mut_ptr();
    // SAFETY: In bounds, of the vector's own provenance; the vector is not touched below.
    let handles = (0..of.len()).map(|at| unsafe { NonNull::new_unchecked(base.add(at)) });
    let mut tree = Tree::from_sorted(handles).expect("unlinked");
    assert_eq!(tree.check(), Ok(()));
    test(&tree);
    tree.clear();
    drop(spans);
}

fn seen(span: &Span) -> (i32, i32) {
    (span.from, span.to - span.from)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 1 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_search_finds_what_brute_force_finds(
        mut of in prop::collection::vec((-20..20, 0..12), 0..if cfg!(miri) { 4 } else { 40 }),
    ) {
        with_tree(&mut of.clone(), |tree| {
            of.sort_by_key(|span| span.0);
            assert!(tree.iter().map(seen).eq(of.iter().copied()));
            for rank in 0..=of.len() {
                assert_eq!(tree.nth(rank).map(seen), of.get(rank).copied(), "the {rank}th");
            }
            for key in if cfg!(miri) { 0..=4 } else { -22..=34 } {
                let before = of.iter().filter(|span| span.0 < key).count();
                assert_eq!(tree.rank(&key), before, "in front of {key}");
                let late: Vec<_> = of.iter().copied().filter(|span| span.0 + span.1 >= key).collect();
                let may_hold = |summary: &<All as Augment<Span>>::Summary| summary.0.0 >= key;
                assert!(tree.find_all(may_hold, |span| span.to >= key).map(seen).eq(late.clone()));
                let first = tree.find_first(may_hold, |span| span.to >= key);
                assert_eq!(first.map(seen), late.first().copied(), "the first up to {key}");
                let first = tree.first_eligible(|vruntime| vruntime <= -key);
                assert_eq!(first.map(seen), late.first().copied(), "the first eligible at {key}");
                for to in key..key + 6 {
                    let overlaps = |span: &&(i32, i32)| span.0 <= to && span.0 + span.1 >= key;
                    let expected = of.iter().find(overlaps).copied();
                    assert_eq!(tree.first_overlap(&key, &to).map(seen), expected, "{key} to {to}");
                }
            }
        });
    }

    #[test]
    fn ranges_are_those_of_a_sorted_list(
        mut keys in prop::collection::vec(0..12, 0..20),
        bounds in prop::array::uniform2((0..12, 0..3)),
        steps in prop::collection::vec(any::<bool>(), 0..20),
    ) {
        keys.sort();
        let bound = |(key, kind)| match kind {
            0 => Bound::Included(key),
            1 => Bound::Excluded(key),
            _ => Bound::Unbounded,
        };
        let [start, end] = bounds.map(bound);
        let from = match start {
            Bound::Included(key) => keys.partition_point(|other| *other < key),
            Bound::Excluded(key) => keys.partition_point(|other| *other <= key),
            Bound::Unbounded => 0,
        };
        let to = match end {
            Bound::Included(key) => keys.partition_point(|other| *other <= key),
            Bound::Excluded(key) => keys.partition_point(|other| *other < key),
            Bound::Unbounded => keys.len(),
        };
        let mut of: Vec<_> = keys.iter().copied().zip(0..).collect();
        let expected = of.get(from..to).unwrap_or_default().to_vec();
        with_tree(&mut of, |tree| {
            let (mut ours, mut theirs) = (tree.range((start, end)), expected.iter().copied());
            for front in &steps {
                let [next, expected] = match front {
                    true => [ours.next().map(seen), theirs.next()],
                    false => [ours.next_back().map(seen), theirs.next_back()],
                };
                assert_eq!(next, expected);
            }
            assert!(ours.map(seen).eq(theirs));
        });
    }

    #[test]
    fn what_comes_with_the_crate_keeps_the_laws(of in prop::array::uniform3((-20..20, 0..12))) {
        let spans = spans(&of);
        let nodes = [&spans[0], &spans[1], &spans[2]];
        // Each by itself: a pair knows a short way only where both of its parts do.
        prop_assert_eq!(rbtree_aug::check_laws::<Span, MinDeadline>(nodes), Ok(()));
        prop_assert_eq!(rbtree_aug::check_laws::<Span, MinVruntime>(nodes), Ok(()));
        prop_assert_eq!(rbtree_aug::check_laws::<Span, MaxEnd>(nodes), Ok(()));
        prop_assert_eq!(rbtree_aug::check_laws::<Span, Count>(nodes), Ok(()));
        prop_assert_eq!(rbtree_aug::check_laws::<Span, All>(nodes), Ok(()));
        prop_assert_eq!(rbtree_aug::check_laws::<Span, ()>(nodes), Ok(()));
    }
}

/// Updates may do without: they look at the children then.
#[test]
fn what_comes_with_the_crate_knows_the_short_ways() {
    fn with<A: Augment<Span>>(summary: A::Summary, newcomer: A::Summary) -> Option<A::Summary> {
        A::with(summary, newcomer)
    }
    fn without<A: Augment<Span>>(summary: A::Summary, leaver: A::Summary) -> Option<A::Summary> {
        A::without(summary, leaver)
    }
    assert_eq!((with::<()>((), ()), without::<()>((), ())), (Some(()), Some(())));
    assert_eq!((with::<Count>(3, 1), without::<Count>(3, 1)), (Some(4), Some(2)));
    for (summary, other, less) in [(5, 7, 5), (5, 5, 5), (7, 5, 5)] {
        let known = (summary < other).then_some(summary);
        assert_eq!(with::<MinDeadline>(summary, other), Some(less));
        assert_eq!(with::<MinVruntime>(summary, other), Some(less));
        assert_eq!(with::<MaxEnd>(-summary, -other), Some(-less));
        // Where it may have been the leaver's, only the others can tell.
        assert_eq!(without::<MinDeadline>(summary, other), known);
        assert_eq!(without::<MinVruntime>(summary, other), known);
        assert_eq!(without::<MaxEnd>(-summary, -other), known.map(|summary| -summary));
        // A pair, where both of its parts do.
        let counted = known.map(|summary| (2, summary));
        assert_eq!(with::<(Count, MinDeadline)>((3, summary), (1, other)), Some((4, less)));
        assert_eq!(without::<(Count, MinDeadline)>((3, summary), (1, other)), counted);
    }
}

/// Breaks the law of its number, and keeps those before.
struct Outlaw<const LAW: u32>;

thread_local! {
    static CALLS: Cell<i32> = const { Cell::new(0) };
}

impl<const LAW: u32> Augment<Span> for Outlaw<LAW> {
    type Summary = i32;

    fn measure(span: &Span) -> i32 {
        CALLS.set(CALLS.get() + i32::from(LAW == 1));
        span.to + CALLS.get()
    }

    fn join(left: i32, right: i32) -> i32 {
        if LAW == 2 { left - right } else { left + right }
    }

    fn with(summary: i32, newcomer: i32) -> Option<i32> {
        Some(summary + newcomer + i32::from(LAW == 3))
    }

    fn without(summary: i32, leaver: i32) -> Option<i32> {
        Some(summary - leaver - i32::from(LAW == 4))
    }
}

#[test]
fn each_law_broken_is_named() {
    let spans = spans(&[(0, 1), (1, 3), (5, 9)]);
    let nodes = [&spans[0], &spans[1], &spans[2]];
    assert_eq!(rbtree_aug::check_laws::<Span, Outlaw<0>>(nodes), Ok(()));
    let broken = [
        (rbtree_aug::check_laws::<Span, Outlaw<1>>(nodes), LawBroken::Measure, "measures"),
        (rbtree_aug::check_laws::<Span, Outlaw<2>>(nodes), LawBroken::Associative, "associative"),
        (rbtree_aug::check_laws::<Span, Outlaw<3>>(nodes), LawBroken::With, "with the newcomer"),
        (
            rbtree_aug::check_laws::<Span, Outlaw<4>>(nodes),
            LawBroken::Without,
            "without the leaver",
        ),
    ];
    for (result, expected, part) in broken {
        assert_eq!(result, Err(expected));
        assert!(expected.to_string().contains(part), "{expected}");
    }
}

#[test]
fn a_search_passes_by_what_cannot_hold_it() {
    let mut of: Vec<(i32, i32)> =
        (0..if cfg!(miri) { 50 } else { 4_000 }).map(|at| (at, 0)).collect();
    let last = of.len() as i32 - 1;
    with_tree(&mut of, |tree| {
        let asked = Cell::new(0);
        let found = tree.find_first(
            |summary| {
                asked.set(asked.get() + 1);
                summary.0.0 >= last
            },
            |span| span.to >= last,
        );
        assert_eq!(found.map(|span| span.from), Some(last));
        let height_max = 2 * (last as u32 + 2).ilog2() + 2;
        assert!(asked.get() <= 2 * height_max, "{} summaries looked at", asked.get());
        assert!(tree.find_first(|_| false, |_| true).is_none());
        assert!(tree.summary_while(|_| false).is_none());
        assert!(format!("{:?}", tree.find_all(|_| true, |_| true)).starts_with("FindAll"));
        assert!(format!("{:?}", tree.range(..)).starts_with("Range"));
        assert_eq!(tree.range(..).clone().count(), of_len(last));
    });
}

fn of_len(last: i32) -> usize {
    last as usize + 1
}
