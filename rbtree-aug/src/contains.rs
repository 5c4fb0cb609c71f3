//! Pairs of augmentations, and how a search finds its own in them.

use crate::augment::Augment;
use at::{First, Second, Whole};

/// An augmentation in which `A` is: `A` itself, or a pair with `A` somewhere inside.
///
/// `At` says where, and is found by the compiler: `Tree::<T>::nth(3)` needs no annotation, unless
/// `A` is there twice.
pub trait Contains<T: ?Sized, A: Augment<T>, At>: Augment<T> {
    /// `A`'s part of a summary.
    fn part(summary: Self::Summary) -> A::Summary;
}

/// Where a part of an augmentation is. Found by the compiler, not to be written.
pub mod at {
    use core::marker::PhantomData;

    /// It is the augmentation itself.
    #[derive(Clone, Copy, Debug)]
    pub enum Whole {}

    /// In the first of a pair, and there at `At`.
    #[derive(Clone, Copy, Debug)]
    pub struct First<At>(PhantomData<At>);

    /// In the second of a pair, and there at `At`.
    #[derive(Clone, Copy, Debug)]
    pub struct Second<At>(PhantomData<At>);
}

impl<T: ?Sized, A: Augment<T>> Contains<T, A, Whole> for A {
    fn part(summary: A::Summary) -> A::Summary {
        summary
    }
}

impl<T, A, B, X, At> Contains<T, X, First<At>> for (A, B)
where
    T: ?Sized,
    X: Augment<T>,
    A: Contains<T, X, At>,
    B: Augment<T>,
{
    fn part(summary: Self::Summary) -> X::Summary {
        A::part(summary.0)
    }
}

impl<T, A, B, X, At> Contains<T, X, Second<At>> for (A, B)
where
    T: ?Sized,
    X: Augment<T>,
    A: Augment<T>,
    B: Contains<T, X, At>,
{
    fn part(summary: Self::Summary) -> X::Summary {
        B::part(summary.1)
    }
}
