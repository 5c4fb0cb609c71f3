//! The link that a node embeds, and the trait that finds it.

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomPinned;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::augment::Augment;
use crate::handle::Handle;
use crate::node::{Node, ParentWord};

/// The summary that nodes of type `T` carry: that of `T`'s augmentation.
pub type SummaryOf<T> = <<T as Linked>::Augment as Augment<T>>::Summary;

/// A type that can be a node of a [`Tree`](crate::Tree): it has a [`Link`] inside, and a key.
///
/// # Safety
///
/// 1. `link` returns a pointer to a field of `*node`, always the same one, initialised by
///    [`Link::new`] and used by nothing else. It makes no reference to the whole value, and does
///    not panic.
/// 2. With `Handle = NonNull<Self>` nothing in the type says that a pointer is good: this impl
///    then vouches for every pointer given to a tree by whoever can name the type. Until the tree
///    gives it back the value is live, stays at its address, is not borrowed as `&mut`, and is
///    used by no other thread in a way that races with a shared reference.
///
/// Nothing is asked of `key`: whatever it answers, and if it panics, memory stays safe and no node
/// is lost. Only the order is then what the answers made it.
///
/// # Finding the link, wrong and right
///
/// Wrong: the reference covers the whole node, so making it ends the tree's own right to use
/// pointers to that node; and `&mut` claims that nobody else has one.
///
/// ```ignore
/// unsafe fn link(mut node: NonNull<Self>) -> NonNull<Link<Self>> {
///     NonNull::from(&mut unsafe { node.as_mut() }.link)
/// }
/// ```
///
/// Right: the address of the field is computed, and no reference is made.
///
/// ```
/// # use core::ptr::NonNull;
/// # use rbtree_aug::{Link, Linked};
/// struct Entity {
///     link: Link<Entity>,
///     vruntime: u64,
/// }
///
/// // SAFETY: `link` is the field of that name, of this node alone, and no reference is made.
/// unsafe impl Linked for Entity {
///     type Handle = &'static Entity;
///     type Key = u64;
///     type Augment = ();
///
///     fn key(&self) -> u64 {
///         self.vruntime
///     }
///
///     unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
///         // SAFETY: `node` points to an `Entity` (contract of `link`), so its field is in bounds.
///         unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
///     }
/// }
/// ```
pub unsafe trait Linked: Sized {
    /// How nodes are given to the tree and handed back.
    type Handle: Handle<Target = Self>;

    /// What nodes are ordered by.
    type Key: Ord;

    /// What is maintained over subtrees; `()` for nothing, at no cost.
    type Augment: Augment<Self>;

    /// The node's key. Compared once per level of a descent, so it should be cheap to make.
    ///
    /// It must not change while the node is linked; if it does, lookups miss.
    fn key(&self) -> Self::Key;

    /// Where the link of `node` is.
    ///
    /// # Safety
    ///
    /// `node` points to a live value.
    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>>;
}

/// What a node embeds: parent and colour in one word, two children, the subtree's summary.
///
/// A link is unlinked when made and again when its node is handed back. It is not `Sync`: a tree
/// reads and writes it without atomics, so nodes behind shared handles (`Arc`, `&'static`) stay on
/// one thread. A type that is `Sync` by its own `unsafe impl` vouches that one thread at a time
/// uses the tree and asks its links.
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// fn check<T: rbtree_aug::Linked>() {
///     shared::<rbtree_aug::Link<T>>();
/// }
/// ```
// The alignment leaves the low bit of a pointer to any node free for the colour.
#[repr(align(2))]
pub struct Link<T: Linked> {
    pub(crate) fields: UnsafeCell<Fields<T>>,
    _pinned: PhantomPinned,
}

pub(crate) struct Fields<T: Linked> {
    pub(crate) parent: ParentWord<T>,
    pub(crate) children: [Option<Node<T>>; 2],
    /// Initialised exactly while linked.
    pub(crate) summary: MaybeUninit<SummaryOf<T>>,
}

impl<T: Linked> Link<T> {
    /// A link that is in no tree.
    #[must_use]
    pub const fn new() -> Self {
        Link {
            fields: UnsafeCell::new(Fields {
                parent: ParentWord::UNLINKED,
                children: [None, None],
                summary: MaybeUninit::uninit(),
            }),
            _pinned: PhantomPinned,
        }
    }

    /// Whether the node is in a tree. Constant time.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        // SAFETY: `Link` is not `Sync`, so no other thread writes; on this one the crate holds no
        // reference to the fields while other code runs. Only the word is read, and no reference
        // to it is kept.
        unsafe { (*self.fields.get()).parent }.is_linked()
    }
}

impl<T: Linked> Default for Link<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Linked> fmt::Debug for Link<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("linked", &self.is_linked()).finish_non_exhaustive()
    }
}

// SAFETY: An unlinked link holds no pointers. A linked one is reached through its tree alone, and
// goes to another thread only together with that tree, which is `Send` only if its handles are.
unsafe impl<T: Linked> Send for Link<T> where SummaryOf<T>: Send {}

const _: () = {
    #[allow(dead_code, reason = "checked by the compiler, never called")]
    fn link_is_send<T: Linked>()
    where
        SummaryOf<T>: Send,
    {
        fn send<X: Send>() {}
        send::<Link<T>>();
    }
};
