//! The system allocator, counting what each thread asks of it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What some code has allocated, whether or not it was freed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub allocations: usize,
    pub octets: usize,
}

thread_local! {
    static SPENT: Cell<Cost> = const { Cell::new(Cost { allocations: 0, octets: 0 }) };
}

/// Runs `code`; its result, and what it has allocated on this thread.
pub fn cost<T>(code: impl FnOnce() -> T) -> (T, Cost) {
    let before = SPENT.get();
    let result = code();
    let after = SPENT.get();
    let spent =
        Cost { allocations: after.allocations - before.allocations, octets: after.octets - before.octets };
    (result, spent)
}

struct Counting;

// SAFETY: every call is handed to the system allocator unchanged. What grows is allocated anew, and so counted.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Cost { allocations, octets } = SPENT.get();
        SPENT.set(Cost { allocations: allocations + 1, octets: octets + layout.size() });
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
