//! What the fuzz targets share: how bytes become choices. The models are those of the crates' own random tests.

/// Bytes as choices, one after the other.
#[derive(Debug)]
pub struct Choices<'a>(std::slice::Iter<'a, u8>);

impl<'a> Choices<'a> {
    /// Those of an input.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    /// One of `0..count`; `None` when the input is at its end.
    pub fn below(&mut self, count: usize) -> Option<usize> {
        Some(usize::from(*self.0.next()?) % count)
    }

    /// Any number: a byte, shifted to any place and stretched, so that both small and huge ones are common.
    pub fn number(&mut self) -> Option<u64> {
        let (byte, place) = (*self.0.next()?, *self.0.next()?);
        let number = u64::from(byte) << (place % 64);
        Some(if place & 64 == 0 { number } else { !number })
    }

    /// What `choose` makes of the input, until it is at its end.
    pub fn history<T>(&mut self, mut choose: impl FnMut(&mut Self) -> Option<T>) -> Vec<T> {
        std::iter::from_fn(|| choose(self)).take(500).collect()
    }
}
