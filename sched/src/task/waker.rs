//! A task's waker: a counted reference whose wake is one transition of the state word.

use super::header::Header;
use crate::state::Wake;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::task::{RawWaker, RawWakerVTable, Waker};

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// A waker for the length of one poll, which borrows the queue's reference and so costs no count.
///
/// # Safety
///
/// The task stays live for as long as the result is used.
pub(crate) unsafe fn waker_for_poll(header: NonNull<Header>) -> ManuallyDrop<Waker> {
    // SAFETY: the four functions keep the contract of `RawWaker` for a live task; this waker is never dropped,
    // so the reference that it does not have is not given up.
    ManuallyDrop::new(unsafe { Waker::new(header.as_ptr().cast_const().cast(), &VTABLE) })
}

fn header_of(data: *const ()) -> NonNull<Header> {
    // SAFETY: `data` is the address of a header, as every waker of this vtable is made, and not null.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast()) }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker that is cloned keeps the task live.
    unsafe { header_of(data).as_ref() }.state.add_reference();
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    let header = header_of(data);
    // SAFETY: the waker's reference keeps the task live up to this transition.
    let answer = unsafe { header.as_ref() }.state.wake_owned();
    match answer {
        // SAFETY: the answer is of this task, and not acted on yet.
        Wake::Place => unsafe { Header::act_on(header, answer) },
        Wake::Told => {}
        // SAFETY: the answer `Complete` leaves the waker's reference with us.
        Wake::Complete => unsafe { Header::release(header) },
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    let header = header_of(data);
    // SAFETY: the waker keeps the task live.
    let answer = unsafe { header.as_ref() }.state.wake();
    // SAFETY: the answer is of this task, and not acted on yet.
    unsafe { Header::act_on(header, answer) }
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: the waker has a reference, which goes with it.
    unsafe { Header::release(header_of(data)) }
}
