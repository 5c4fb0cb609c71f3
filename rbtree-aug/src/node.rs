//! Nodes of a tree, as the tree sees them: the only reads and writes of links.
//!
//! Invariants, kept by whoever makes a [`Node`] (`attach`, the one place) or ends it (`detach`):
//!
//! - N1. A `Node` points to a value that a handle gave away and that was not handed back, with the
//!   handle's own provenance. No `Node` is used after `detach`.
//! - N2. Its summary is initialised.
//! - N3. Null parent and red is the encoding of "unlinked". A linked node with a null parent is the
//!   root, or claimed: on its way into a tree. Both are black whenever code outside this crate runs.
//! - N4. No reference to a link is ever made, so code outside (keys, augmentations) may ask a link
//!   whether it is linked at any time.

use core::fmt;
use core::mem::MaybeUninit;
use core::ops::Not;
use core::ptr::{self, NonNull};

use crate::link::{Fields, Link, Linked, SummaryOf};
use crate::trace::touch;

/// A direction. What is written for one serves for its mirror image too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left = 0,
    Right = 1,
}

impl Side {
    /// Towards which side to go. Compiles to no branch: what is compared in a descent is as good as
    /// random, and a wrong guess costs more than a level.
    pub(crate) fn left_if(left: bool) -> Self {
        if left { Side::Left } else { Side::Right }
    }
}

impl Not for Side {
    type Output = Side;

    fn not(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Black = 0,
    Red = 1,
}

/// The parent pointer with the colour in its low bit.
pub(crate) struct ParentWord<T>(*mut T);

impl<T> ParentWord<T> {
    pub(crate) const UNLINKED: Self = ParentWord(ptr::without_provenance_mut(Colour::Red as usize));
    const CLAIMED: Self = ParentWord(ptr::null_mut());

    fn is_red(self) -> bool {
        self.0.addr() & Colour::Red as usize != 0
    }

    pub(crate) fn is_linked(self) -> bool {
        self.0.addr() != Colour::Red as usize
    }

    fn pointer(self) -> Option<NonNull<T>> {
        NonNull::new(self.0.map_addr(|word| word & !(Colour::Red as usize)))
    }
}

impl<T: Linked> ParentWord<T> {
    fn new(parent: Option<Node<T>>, colour: Colour) -> Self {
        let pointer = parent.map_or(ptr::null_mut(), |node| node.0.as_ptr());
        ParentWord(pointer.map_addr(|word| word | colour as usize))
    }
}

impl<T> Clone for ParentWord<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ParentWord<T> {}

/// A member of a tree. See the invariants at the head of the file.
#[repr(transparent)]
pub(crate) struct Node<T>(NonNull<T>);

impl<T> Clone for Node<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Node<T> {}

impl<T> PartialEq for Node<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> fmt::Debug for Node<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Makes the value at `pointer` linked, if it is not, though to no tree yet; tells whether it did.
///
/// # Safety
///
/// `pointer` comes from a handle.
pub(crate) unsafe fn claim<T: Linked>(pointer: NonNull<T>) -> bool {
    // SAFETY: The caller's promise.
    let word = unsafe { &raw mut (*fields(pointer)).parent };
    // SAFETY: In bounds of the link; N4: nobody has a reference to it.
    unsafe {
        let free = !(*word).is_linked();
        if free {
            *word = ParentWord::CLAIMED;
        }
        free
    }
}

/// Takes a claim back: the link is as new.
///
/// # Safety
///
/// The value at `pointer` is claimed, and in no tree.
pub(crate) unsafe fn unclaim<T: Linked>(pointer: NonNull<T>) {
    // SAFETY: The caller's promise; N4: nobody has a reference to the link.
    unsafe { (*fields(pointer)).parent = ParentWord::UNLINKED };
}

/// The tree's own pointer to the value at `pointer`, from its parent's slot or `root`.
///
/// The one that came in may allow less (made from a `&T`, it does not allow making a box again).
///
/// # Safety
///
/// `pointer` is good for reading its link, and if it is linked then in the tree under `root`.
pub(crate) unsafe fn stored<T: Linked>(
    pointer: NonNull<T>,
    root: Option<Node<T>>,
) -> Option<Node<T>> {
    // SAFETY: The caller's promise.
    let word = unsafe { (*fields(pointer)).parent };
    if !word.is_linked() {
        return None;
    }
    let slot = match word.pointer().map(Node) {
        None => root,
        Some(parent) => match parent.child(Side::Left) {
            Some(left) if left.0 == pointer => Some(left),
            _ => parent.child(Side::Right),
        },
    };
    slot.filter(|node| node.0 == pointer)
}

/// The fields of the link of the value at `pointer`.
///
/// # Safety
///
/// `pointer` points to a live value.
unsafe fn fields<T: Linked>(pointer: NonNull<T>) -> *mut Fields<T> {
    // SAFETY: The caller's promise; `Linked::link` answers with a field of it, whose address is
    // taken without a reference.
    unsafe {
        let link: *mut Link<T> = T::link(pointer).as_ptr();
        core::cell::UnsafeCell::raw_get(&raw const (*link).fields)
    }
}

impl<T: Linked> Node<T> {
    /// Makes the value at `pointer` a childless member under `parent`: red, or black as the root.
    ///
    /// # Safety
    ///
    /// N1 holds for `pointer`, which is claimed and in no tree.
    pub(crate) unsafe fn attach(
        pointer: NonNull<T>,
        parent: Option<Node<T>>,
        summary: SummaryOf<T>,
    ) -> Self {
        let colour = if parent.is_some() { Colour::Red } else { Colour::Black };
        let node = Node(pointer);
        // SAFETY: N1: the link may be written; N4: nobody has a reference to it.
        unsafe {
            node.fields().write(Fields {
                parent: ParentWord::new(parent, colour),
                children: [None, None],
                summary: MaybeUninit::new(summary),
            });
        }
        node
    }

    /// Ends the membership: the node is claimed, and the pointer may become a handle when it is not.
    pub(crate) fn detach(self) -> NonNull<T> {
        // SAFETY: N1, N4.
        unsafe {
            self.fields().write(Fields {
                parent: ParentWord::CLAIMED,
                children: [None, None],
                summary: MaybeUninit::uninit(),
            });
        }
        self.0
    }

    fn fields(self) -> *mut Fields<T> {
        touch(self.0);
        // SAFETY: N1: the value is live.
        unsafe { fields(self.0) }
    }

    /// The value. The lifetime is the caller's to bound by a borrow of the tree.
    pub(crate) fn value<'a>(self) -> &'a T {
        touch(self.0);
        // SAFETY: N1: live, and no `&mut` exists while it is a member.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn child(self, side: Side) -> Option<Node<T>> {
        // SAFETY: N1, N4.
        unsafe { (*self.fields()).children[side as usize] }
    }

    pub(crate) fn children(self) -> [Option<Node<T>>; 2] {
        // SAFETY: N1, N4.
        unsafe { (*self.fields()).children }
    }

    pub(crate) fn set_child(self, side: Side, child: Option<Node<T>>) {
        // SAFETY: N1, N4.
        unsafe { (*self.fields()).children[side as usize] = child }
    }

    fn word(self) -> ParentWord<T> {
        // SAFETY: N1, N4.
        unsafe { (*self.fields()).parent }
    }

    fn set_word(self, word: ParentWord<T>) {
        // SAFETY: N1, N4.
        unsafe { (*self.fields()).parent = word }
    }

    pub(crate) fn parent(self) -> Option<Node<T>> {
        self.word().pointer().map(Node)
    }

    pub(crate) fn set_parent(self, parent: Option<Node<T>>) {
        self.set_word(ParentWord::new(parent, self.colour()));
    }

    /// `heir`'s parent and colour are those of this node now.
    pub(crate) fn copy_word_to(self, heir: Node<T>) {
        heir.set_word(self.word());
    }

    pub(crate) fn hang(self, parent: Option<Node<T>>, colour: Colour) {
        self.set_word(ParentWord::new(parent, colour));
    }

    pub(crate) fn colour(self) -> Colour {
        if self.word().is_red() { Colour::Red } else { Colour::Black }
    }

    pub(crate) fn paint(self, colour: Colour) {
        self.set_word(ParentWord::new(self.parent(), colour));
    }

    pub(crate) fn is_red(self) -> bool {
        self.word().is_red()
    }

    pub(crate) fn summary(self) -> SummaryOf<T> {
        // SAFETY: N1, N4; N2: initialised.
        unsafe { (*self.fields()).summary.assume_init() }
    }

    pub(crate) fn set_summary(self, summary: SummaryOf<T>) {
        // SAFETY: N1, N4.
        unsafe { (*self.fields()).summary = MaybeUninit::new(summary) }
    }

    /// Which child of `parent` this is.
    pub(crate) fn side_under(self, parent: Node<T>) -> Side {
        Side::left_if(parent.child(Side::Left) == Some(self))
    }

    /// The parent, and which child of it this is; `None` for the root.
    pub(crate) fn place(self) -> Option<(Node<T>, Side)> {
        self.parent().map(|parent| (parent, self.side_under(parent)))
    }

    /// As the tree has it: with the handle's provenance.
    pub(crate) fn pointer(self) -> NonNull<T> {
        self.0
    }

    /// The last node of this subtree towards `side`.
    pub(crate) fn extreme(self, side: Side) -> Node<T> {
        let mut node = self;
        while let Some(child) = node.child(side) {
            node = child;
        }
        node
    }

    /// The neighbour in the tree's order towards `side`.
    pub(crate) fn neighbour(self, side: Side) -> Option<Node<T>> {
        if let Some(child) = self.child(side) {
            return Some(child.extreme(!side));
        }
        let mut node = self;
        while let Some(parent) = node.parent() {
            if node.side_under(parent) != side {
                return Some(parent);
            }
            node = parent;
        }
        None
    }
}
