//! Coalescing: a node that many may push at any time, and that is in an inbox once.
//!
//! The bit belongs to the node, and whoever sets it *has* the node: what goes into the inbox and comes out of it is
//! [`Queued`], the proof of having set it. So nothing in the inbox knows of any of this, no push can meet a node that is
//! queued, and the bit cannot be forgotten: the node is out of reach until [`Queued::release`] has cleared it.
//!
//! # Synchronization
//!
//! - **C1** One [`Queued`] at most names a node: it is made by the swap that found the bit clear, and the bit is cleared when
//!   it ends. So it is [`Unique`], however many handles there are to the node.
//! - **C2** Setting and clearing the bit are read-modify-writes, also setting one that is set: they are one after the other,
//!   and each sees what all those before it had written. Whoever is told "already queued" came before the clearing, so
//!   what he wrote before is seen by who has cleared it: no wake is lost. A load in place of the first swap, or a store in
//!   place of the second, would lose one.
//! - **C3** Who finds the bit clear comes after who cleared it, so the link is free for the next push.

use crate::handle::{Handle, Shared, Unique};
use crate::inbox::{Closed, Inbox, Pushed};
use crate::link::Linked;
use crate::sync::{AtomicBool, Ordering, const_fn};
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ptr::NonNull;

/// Whether a node is queued: a field of the node, for [`Coalescing`].
#[derive(Debug)]
pub struct QueuedBit(AtomicBool);

impl QueuedBit {
    const_fn! {
        /// The bit of a node that is not queued.
        pub const fn new() -> Self {
            Self(AtomicBool::new(false))
        }
    }

    /// Sets the bit; `false` if it was set.
    fn set(&self) -> bool {
        // Ordering: AcqRel pairs with `clear`. Release, also where the bit was set: what this pusher wrote is seen by who
        // clears it (C2). Acquire: the link is free (C3).
        !self.0.swap(true, Ordering::AcqRel)
    }

    fn clear(&self) {
        // Ordering: AcqRel pairs with `set`. Acquire: what was written by all who were told "already queued" (C2). Release:
        // the link is free (C3).
        self.0.swap(false, Ordering::AcqRel);
    }
}

impl Default for QueuedBit {
    fn default() -> Self {
        Self::new()
    }
}

/// A node type with a [`QueuedBit`] for each link that coalesces.
///
/// # Safety
///
/// `queued_bit` returns a field of this very node: always the same one, and for each tag its own. It does not panic.
pub unsafe trait Coalescing<Tag = ()> {
    /// The node's bit for `Tag`. Wait-free.
    fn queued_bit(&self) -> &QueuedBit;
}

/// A handle to a node whose [`QueuedBit`] is set: the only one of its kind, whatever the handle is.
///
/// As the handle type of a node it makes pushing safe, and pushing twice impossible. It comes out of a drain as it went in;
/// [`release`](Self::release) clears the bit and gives the handle. Dropping it does the same and drops the handle. Leaking
/// it leaves the node queued for ever.
///
/// ```
/// use core::ptr::NonNull;
/// use core::sync::atomic::{AtomicU32, Ordering};
/// use mpsc_inbox::{Coalescing, Inbox, Link, Linked, NotPushed, Pushed, Queued, QueuedBit};
///
/// struct Device {
///     interrupts: AtomicU32,
///     link: Link<Device>,
///     queued: QueuedBit,
/// }
///
/// // SAFETY: `link` projects to the one link field, by address.
/// unsafe impl Linked for Device {
///     type Handle = Queued<&'static Device>;
///
///     unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
///         // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
///         unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
///     }
/// }
///
/// // SAFETY: the one bit of this node.
/// unsafe impl Coalescing for Device {
///     fn queued_bit(&self) -> &QueuedBit {
///         &self.queued
///     }
/// }
///
/// static DEVICE: Device =
///     Device { interrupts: AtomicU32::new(0), link: Link::new(), queued: QueuedBit::new() };
/// static INBOX: Inbox<Device> = Inbox::new();
///
/// // The interrupt handler: first what the owner shall see, then the push.
/// DEVICE.interrupts.fetch_add(1, Ordering::Relaxed);
/// assert_eq!(INBOX.push_once(&DEVICE).ok(), Some(Pushed::First));
/// DEVICE.interrupts.fetch_add(1, Ordering::Relaxed);
/// assert!(matches!(INBOX.push_once(&DEVICE), Err(NotPushed::AlreadyQueued(_))));
///
/// // The owner: first the release, then the look.
/// let mut owner = INBOX.take_owner().expect("nobody else has it");
/// for queued in owner.drain(16) {
///     let device = queued.release();
///     assert_eq!(device.interrupts.swap(0, Ordering::Relaxed), 2);
/// }
/// ```
#[must_use = "dropped, the node is not queued"]
pub struct Queued<H: Shared, Tag = ()>
where
    H::Target: Coalescing<Tag>,
{
    node: NonNull<H::Target>,
    handle: PhantomData<(H, fn() -> Tag)>,
}

// SAFETY: it is the handle.
unsafe impl<H: Shared + Send, Tag> Send for Queued<H, Tag> where H::Target: Coalescing<Tag> {}
// SAFETY: through a shared reference to it nobody reaches the node.
unsafe impl<H: Shared, Tag> Sync for Queued<H, Tag> where H::Target: Coalescing<Tag> {}

impl<H: Shared, Tag> Queued<H, Tag>
where
    H::Target: Coalescing<Tag>,
{
    /// Sets the bit of the handle's node. Wait-free; callable from anywhere.
    ///
    /// # Errors
    ///
    /// The handle, if the node is queued already. What the caller wrote before is then seen by who releases the node.
    pub fn claim(handle: H) -> Result<Self, H> {
        let claimed = Self { node: handle.into_raw(), handle: PhantomData };
        if claimed.bit().set() {
            return Ok(claimed);
        }
        let node = claimed.into_raw();
        // SAFETY: `node` came from `into_raw` above.
        Err(unsafe { H::from_raw(node) })
    }

    /// Clears the bit and gives the handle: from here on the node can be queued again. Wait-free; callable from anywhere.
    ///
    /// The caller sees everything that was written by those who were told that it was queued already. So it looks at the
    /// node *after* this, and once more when the node comes again.
    pub fn release(self) -> H {
        self.bit().clear();
        let node = self.into_raw();
        // SAFETY: `node` came from the handle's `into_raw`, and is turned back once, here.
        unsafe { H::from_raw(node) }
    }

    fn bit(&self) -> &QueuedBit {
        // SAFETY: the handle is in its raw form, so its node is live and nobody has an exclusive reference to it.
        unsafe { self.node.as_ref() }.queued_bit()
    }
}

impl<H: Shared, Tag> Drop for Queued<H, Tag>
where
    H::Target: Coalescing<Tag>,
{
    fn drop(&mut self) {
        self.bit().clear();
        // SAFETY: `node` came from the handle's `into_raw`, and is turned back once, here.
        drop(unsafe { H::from_raw(self.node) });
    }
}

// SAFETY: 1 and 2: as for `H`, whose raw form it is. 3: `H` keeps it by itself.
unsafe impl<H: Shared, Tag> Handle for Queued<H, Tag>
where
    H::Target: Coalescing<Tag>,
{
    type Target = H::Target;

    #[inline]
    fn into_raw(self) -> NonNull<H::Target> {
        mem::ManuallyDrop::new(self).node
    }

    #[inline]
    unsafe fn from_raw(raw: NonNull<H::Target>) -> Self {
        Self { node: raw, handle: PhantomData }
    }
}

// SAFETY: C1; and `H` keeps the third promise by itself.
unsafe impl<H: Shared, Tag> Unique for Queued<H, Tag> where H::Target: Coalescing<Tag> {}

/// What [`Inbox::push_once`] did not push.
#[must_use = "a closed inbox hands the node back, with all that others left to it"]
pub enum NotPushed<H: Shared, Tag = ()>
where
    H::Target: Coalescing<Tag>,
{
    /// The node is queued: whoever takes it out sees what the caller wrote. Here is the surplus handle back.
    AlreadyQueued(H),
    /// The inbox is closed. The node is still claimed, for the caller to push it elsewhere or to release it: others may have
    /// been told that it is queued.
    Closed(Queued<H, Tag>),
}

impl<T, H, Tag> Inbox<T, Tag>
where
    T: Linked<Tag, Handle = Queued<H, Tag>> + Coalescing<Tag>,
    H: Shared<Target = T>,
{
    /// Pushes a node unless it is queued already.
    ///
    /// Either way, what the caller wrote before is seen by who takes the node out and [releases](Queued::release) it.
    /// Lock-free: a swap, and where that wins a [`push`](Self::push), whose context and limits are its own too.
    ///
    /// # Errors
    ///
    /// [`NotPushed`] says why not, and gives the handle back.
    pub fn push_once(&self, handle: H) -> Result<Pushed, NotPushed<H, Tag>> {
        let queued = Queued::claim(handle).map_err(NotPushed::AlreadyQueued)?;
        self.push(queued).map_err(|Closed(queued)| NotPushed::Closed(queued))
    }
}

impl<H: Shared, Tag> fmt::Debug for Queued<H, Tag>
where
    H::Target: Coalescing<Tag>,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Queued").finish_non_exhaustive()
    }
}

impl<H: Shared, Tag> fmt::Debug for NotPushed<H, Tag>
where
    H::Target: Coalescing<Tag>,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AlreadyQueued(_) => "AlreadyQueued(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<H: Shared, Tag> fmt::Display for NotPushed<H, Tag>
where
    H::Target: Coalescing<Tag>,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AlreadyQueued(_) => "the node is queued already",
            Self::Closed(_) => "the inbox is closed",
        })
    }
}

impl<H: Shared, Tag> core::error::Error for NotPushed<H, Tag> where H::Target: Coalescing<Tag> {}
