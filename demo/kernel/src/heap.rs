//! A heap in the kernel's own memory.

use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use linked_list_allocator::Heap;
use sched_arch::Machine as _;
use spin::Mutex;

const SIZE: usize = 32 << 20;

static mut MEMORY: [MaybeUninit<u8>; SIZE] = [MaybeUninit::uninit(); SIZE];

/// A lock that is held with interrupts masked: a thread that was taken off its CPU inside would hold up all.
struct KernelHeap(Mutex<Heap>);

#[global_allocator]
static HEAP: KernelHeap = KernelHeap(Mutex::new(Heap::empty()));

/// Before the first allocation, once.
pub(crate) fn open() {
    // SAFETY: nobody else names the memory, and this is called once.
    unsafe { HEAP.0.lock().init((&raw mut MEMORY).cast(), SIZE) }
}

impl KernelHeap {
    fn with<R>(&self, change: impl FnOnce(&mut Heap) -> R) -> R {
        let machine = crate::SCHEDULER.machine();
        let saved = machine.mask();
        let result = change(&mut self.0.lock());
        // SAFETY: of the `mask` above, on this CPU.
        unsafe { machine.restore(saved) };
        result
    }
}

// SAFETY: the heap gives out pieces of its memory that do not overlap, under the lock.
unsafe impl GlobalAlloc for KernelHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let piece = self.with(|heap| heap.allocate_first_fit(layout));
        piece.map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        let Some(memory) = NonNull::new(memory) else { return };
        // SAFETY: the caller's promise: it is from `alloc` with this layout.
        self.with(|heap| unsafe { heap.deallocate(memory, layout) });
    }
}
