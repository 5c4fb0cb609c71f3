//! Handing out what has fired.

use core::fmt;
use core::iter::FusedIterator;

use crate::entry::{Linked, Place, fields};
use crate::handle::Handle;
use crate::list::List;

/// The entries that have fired and wait to be handed out.
pub(crate) struct Waiting<T> {
    pub(crate) list: List<T>,
    pub(crate) len: usize,
}

/// The handles of what has fired, see [`Wheel::fired`](crate::Wheel::fired). Each is out of the wheel
/// when it is handed out, not before: what is not taken stays in the wheel.
pub struct Fired<'a, T: Linked> {
    pub(crate) waiting: &'a mut Waiting<T>,
}

impl<T: Linked> Iterator for Fired<'_, T> {
    type Item = T::Handle;

    fn next(&mut self) -> Option<T::Handle> {
        let node = self.waiting.list.pop_front()?;
        self.waiting.len -= 1;
        // SAFETY: `node` was on a list and is not any more; lists hold what `arm` made of a handle.
        unsafe {
            (*fields(node)).place = Place::Idle;
            Some(T::Handle::from_raw(node))
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.waiting.len, Some(self.waiting.len))
    }
}

impl<T: Linked> ExactSizeIterator for Fired<'_, T> {}

impl<T: Linked> FusedIterator for Fired<'_, T> {}

impl<T: Linked> fmt::Debug for Fired<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fired").field("len", &self.waiting.len).finish_non_exhaustive()
    }
}
