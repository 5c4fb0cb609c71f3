//! The laws of augmentations, as a test that users can run on their own.

use core::fmt;

use crate::augment::Augment;

/// Which law of [`Augment`] does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LawBroken {
    /// Law 1: two measures of a node differ.
    Measure,
    /// Law 2: `join` is not associative.
    Associative,
    /// Law 3: `with` differs from the join that has the newcomer in it.
    With,
    /// Law 3: `without` differs from the join that has the leaver left out.
    Without,
}

impl fmt::Display for LawBroken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LawBroken::Measure => "two measures of one node differ",
            LawBroken::Associative => "the join is not associative",
            LawBroken::With => "`with` is not the join with the newcomer",
            LawBroken::Without => "`without` is not the join without the leaver",
        })
    }
}

impl core::error::Error for LawBroken {}

/// Tests the laws of the augmentation `A` on three neighbours, in their order. For property tests:
/// call it with random nodes.
///
/// # Errors
///
/// The first law that is seen broken.
///
/// # Example
///
/// ```
/// use rbtree_aug::{Augment, Count, LawBroken, check_laws};
///
/// struct Mean;
///
/// impl Augment<f64> for Mean {
///     type Summary = f64;
///
///     fn measure(node: &f64) -> f64 {
///         *node
///     }
///
///     fn join(left: f64, right: f64) -> f64 {
///         (left + right) / 2.0
///     }
/// }
///
/// assert_eq!(check_laws::<f64, Count>([&1.0, &2.0, &4.0]), Ok(()));
/// assert_eq!(check_laws::<f64, Mean>([&1.0, &2.0, &4.0]), Err(LawBroken::Associative));
/// ```
pub fn check_laws<T: ?Sized, A: Augment<T>>(nodes: [&T; 3]) -> Result<(), LawBroken> {
    let [a, b, c] = nodes.map(A::measure);
    if [a, b, c] != nodes.map(A::measure) {
        return Err(LawBroken::Measure);
    }
    let all = A::join(A::join(a, b), c);
    if all != A::join(a, A::join(b, c)) {
        return Err(LawBroken::Associative);
    }
    let pairs = [(A::join(b, c), a), (A::join(a, c), b), (A::join(a, b), c)];
    let differs = |answer: Option<A::Summary>, truth| answer.is_some_and(|answer| answer != truth);
    for (others, one) in pairs {
        if differs(A::with(others, one), all) {
            return Err(LawBroken::With);
        }
        if differs(A::without(all, one), others) {
            return Err(LawBroken::Without);
        }
    }
    Ok(())
}
