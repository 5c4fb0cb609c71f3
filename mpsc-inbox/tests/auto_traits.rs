//! What may be sent, what may be shared, and what may be pushed safely. Checked by compiling.

use mpsc_inbox::{
    Batch, Coalescing, Drain, DrainLifo, Inbox, IntoIter, Link, Linked, List, Owner, Queued,
    QueuedBit, Shared, Unique,
};
use std::cell::Cell;
use std::ptr::NonNull;

/// Compiles only if the type does *not* implement the trait: otherwise two impls answer.
macro_rules! assert_not {
    ($type:ty: $bound:path) => {{
        trait Answer<Which> {
            fn answer() {}
        }
        impl<T: ?Sized> Answer<()> for T {}
        struct Implemented;
        impl<T: ?Sized + $bound> Answer<Implemented> for T {}
        <$type as Answer<_>>::answer()
    }};
}

fn sent<T: Send>() {}
fn shared<T: Sync>() {}

macro_rules! node {
    ($name:ident, $handle:ty, $content:ty) => {
        struct $name {
            link: Link<$name>,
            _content: $content,
        }

        // SAFETY: `link` projects to the one link field, by address.
        unsafe impl Linked for $name {
            type Handle = $handle;

            unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
                // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
                unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
            }
        }
    };
}

node!(Plain, &'static mut Plain, u8);
node!(CanBeSentOnly, &'static mut CanBeSentOnly, Cell<u8>);
node!(Raw, NonNull<Raw>, u8);

#[test]
fn handles_that_can_be_sent_make_structures_that_can() {
    sent::<Inbox<Plain>>();
    shared::<Inbox<Plain>>();
    sent::<Inbox<CanBeSentOnly>>();
    shared::<Inbox<CanBeSentOnly>>();
    sent::<Owner<'static, CanBeSentOnly>>();
    sent::<Drain<'static, 'static, CanBeSentOnly>>();
    sent::<DrainLifo<'static, 'static, CanBeSentOnly>>();
    sent::<Batch<CanBeSentOnly>>();
    shared::<Batch<CanBeSentOnly>>();
    sent::<List<CanBeSentOnly>>();
    sent::<IntoIter<CanBeSentOnly>>();
    shared::<List<Plain>>();
}

#[test]
fn an_owner_is_never_shared() {
    assert_not!(Owner<'static, Plain>: Sync);
    assert_not!(Drain<'static, 'static, Plain>: Sync);
    assert_not!(DrainLifo<'static, 'static, Plain>: Sync);
}

#[test]
fn handles_that_cannot_be_sent_bind_the_structures_to_their_thread() {
    assert_not!(Inbox<Raw>: Send);
    assert_not!(Inbox<Raw>: Sync);
    assert_not!(Owner<'static, Raw>: Send);
    assert_not!(List<Raw>: Send);
    assert_not!(Batch<Raw>: Send);
    assert_not!(Drain<'static, 'static, Raw>: Send);
    assert_not!(IntoIter<Raw>: Send);
}

#[test]
fn a_shared_list_of_items_that_cannot_be_shared_does_not_exist() {
    assert_not!(List<CanBeSentOnly>: Sync);
}

#[test]
fn handles_that_can_be_copied_are_not_unique() {
    assert_not!(&'static Plain: Unique);
    assert_not!(std::pin::Pin<&'static Plain>: Unique);
    assert_not!(NonNull<Plain>: Unique);
    #[cfg(feature = "alloc")]
    assert_not!(std::sync::Arc<Plain>: Unique);
    #[cfg(feature = "alloc")]
    assert_not!(std::pin::Pin<std::sync::Arc<Plain>>: Unique);
}

struct Device(QueuedBit);

// SAFETY: the one bit of this node.
unsafe impl Coalescing for Device {
    fn queued_bit(&self) -> &QueuedBit {
        &self.0
    }
}

struct Local(QueuedBit, #[allow(dead_code, reason = "its type counts")] Cell<u8>);

// SAFETY: the one bit of this node.
unsafe impl Coalescing for Local {
    fn queued_bit(&self) -> &QueuedBit {
        &self.0
    }
}

#[test]
fn a_queued_node_is_unique_and_goes_where_its_handle_goes() {
    fn unique<H: Unique>() {}
    unique::<Queued<&'static Device>>();
    sent::<Queued<&'static Device>>();
    assert_not!(Queued<&'static Local>: Send);
    assert_not!(Queued<&'static Device>: Clone);
}

#[test]
fn handles_that_promise_too_little_or_too_much_are_not_shared() {
    assert_not!(NonNull<Plain>: Shared);
    assert_not!(&'static mut Plain: Shared);
    assert_not!(Box<Plain>: Shared);
}
