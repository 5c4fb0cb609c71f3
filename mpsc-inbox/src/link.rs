//! The link that a node embeds, and the promise that leads to it.
//!
//! Invariants:
//! - **L1** A link is touched only by the structure that holds its node, and by the pusher while it still holds the
//!   handle. Handing the node over (the push's release, the drain's acquire; `&mut` of a list) orders the accesses.
//! - **L2** In debug builds a link is marked [unlinked](Link::new) whenever no structure holds its node.

use crate::handle::Handle;
#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::{UnsafeCell, const_fn};
use core::fmt;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

/// A node type: it embeds a [`Link`] and says where.
///
/// `Tag` tells several links of one node apart: a node with two links sits in two structures at once. Any type will
/// do as a tag; the default is `()`.
///
/// # Safety
///
/// `link` returns the address of a [`Link`] field inside the node that `node` points to: always the same field, and
/// each tag its own. It derives that pointer from `node` by projection alone; it neither reads the node nor makes a
/// reference to it, and does not panic.
///
/// # The wrong way
///
/// ```no_run
/// # use mpsc_inbox::{Link, Linked};
/// # use core::ptr::NonNull;
/// struct Task { link: Link<Task>, future: [u8; 64] }
///
/// unsafe impl Linked for Task {
///     type Handle = &'static mut Task;
///
///     unsafe fn link(mut node: NonNull<Self>) -> NonNull<Link<Self>> {
///         // WRONG: a reference to the whole node.
///         NonNull::from(unsafe { &mut node.as_mut().link })
///     }
/// }
/// ```
///
/// It compiles and seems to work. But `as_mut` claims the *whole* node exclusively, at a time when another CPU may
/// be reading its state or polling its future: that alone is undefined behaviour. Through `as_ref` it is no better:
/// that claims that nobody writes `future` meanwhile, and the pointer that comes out of the reference has lost the
/// right to anything outside the field it was made for.
///
/// # The right way
///
/// ```
/// # use mpsc_inbox::{Link, Linked};
/// # use core::ptr::NonNull;
/// struct Task { link: Link<Task>, future: [u8; 64] }
///
/// // SAFETY: `link` projects to the one link field, by address.
/// unsafe impl Linked for Task {
///     type Handle = &'static mut Task;
///
///     unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
///         // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
///         unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
///     }
/// }
/// ```
pub unsafe trait Linked<Tag = ()>: Sized {
    /// What a structure takes and hands back for a node of this type.
    type Handle: Handle<Target = Self>;

    /// The address of the node's link for `Tag`. Wait-free.
    ///
    /// # Safety
    ///
    /// `node` points to a live node and carries the provenance that [`Handle::into_raw`] gave it.
    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self, Tag>>;
}

/// The field that makes a type linkable: one word, in which a structure keeps the next node.
///
/// Its owner never touches it. It may be shared between threads whatever `T` is: it hands out nothing.
///
/// The alignment leaves the addresses 1 to 3 free on every target: the head word needs two that are no node's.
#[repr(align(4))]
pub struct Link<T, Tag = ()> {
    next: UnsafeCell<*mut T>,
    tag: PhantomData<fn() -> Tag>,
}

// SAFETY: the cell is private and follows L1: whoever touches it has the node, handed over with an ordering.
unsafe impl<T, Tag> Send for Link<T, Tag> {}
// SAFETY: as above; through a shared reference to a link nobody reaches the cell.
unsafe impl<T, Tag> Sync for Link<T, Tag> {}

const _: () = {
    const fn shared_and_sent<S: Send + Sync>() {}
    shared_and_sent::<Link<*mut (), *mut ()>>();
};

impl<T, Tag> Link<T, Tag> {
    /// What `next` holds in no structure (L2): the address of no node, and not the end of a chain.
    const UNLINKED: *mut T = ptr::without_provenance_mut(1);

    const_fn! {
        /// The link of a node that is in no structure.
        pub const fn new() -> Self {
            Self { next: UnsafeCell::new(Self::UNLINKED), tag: PhantomData }
        }
    }
}

impl<T, Tag> Default for Link<T, Tag> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, Tag> fmt::Debug for Link<T, Tag> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Link")
    }
}

/// The node after `node` in its chain.
///
/// # Safety
///
/// The caller's structure holds `node` (L1), and [`set_next`] was its last change.
#[inline]
pub(crate) unsafe fn next<T: Linked<Tag>, Tag>(node: NonNull<T>) -> Option<NonNull<T>> {
    // SAFETY: the node is live while a structure holds it.
    let link = unsafe { T::link(node).as_ref() };
    // SAFETY: L1.
    NonNull::new(link.next.with(|next| unsafe { *next }))
}

/// Makes `next` the node after `node`.
///
/// # Safety
///
/// The caller holds `node` (L1).
#[inline]
pub(crate) unsafe fn set_next<T: Linked<Tag>, Tag>(node: NonNull<T>, next: Option<NonNull<T>>) {
    let next = next.map_or(ptr::null_mut(), NonNull::as_ptr);
    // SAFETY: the node is live while the caller holds it.
    let link = unsafe { T::link(node).as_ref() };
    // SAFETY: L1.
    link.next.with_mut(|slot| unsafe { *slot = next });
}

/// Turns a chain round: the node that was last is first. Answers with it and with the number of nodes; O(n).
///
/// # Safety
///
/// The caller holds the chain that begins at `first` (L1).
pub(crate) unsafe fn reverse<T: Linked<Tag>, Tag>(first: NonNull<T>) -> (NonNull<T>, usize) {
    let (mut node, mut behind, mut len) = (first, None, 1);
    loop {
        // SAFETY: the node is in the caller's chain.
        let next = unsafe { next(node) };
        // SAFETY: as above.
        unsafe { set_next(node, behind) };
        let Some(next) = next else { return (node, len) };
        behind = Some(node);
        node = next;
        len += 1;
    }
}

/// Checks L2 in debug builds: the node that is about to be linked is in no structure.
///
/// # Safety
///
/// The caller holds `node` (L1).
#[inline]
pub(crate) unsafe fn assert_unlinked<T: Linked<Tag>, Tag>(node: NonNull<T>) {
    if cfg!(debug_assertions) {
        // SAFETY: the node is live while the caller holds it.
        let link = unsafe { T::link(node).as_ref() };
        // SAFETY: L1.
        let next = link.next.with(|next| unsafe { *next });
        assert!(next == Link::<T, Tag>::UNLINKED, "the node is in a structure already");
    }
}

/// Marks a node that leaves its structure, in debug builds (L2).
///
/// # Safety
///
/// The caller holds `node` (L1).
#[inline]
pub(crate) unsafe fn mark_unlinked<T: Linked<Tag>, Tag>(node: NonNull<T>) {
    if cfg!(debug_assertions) {
        // SAFETY: the node is live while the caller holds it.
        let link = unsafe { T::link(node).as_ref() };
        // SAFETY: L1.
        link.next.with_mut(|slot| unsafe { *slot = Link::<T, Tag>::UNLINKED });
    }
}
