//! Counts what is asked of the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

/// The system's allocator, with a count of the calls that give or grow memory.
pub struct Counting {
    calls: AtomicU64,
}

impl Counting {
    pub const fn new() -> Self {
        Self { calls: AtomicU64::new(0) }
    }

    /// How many calls `work` makes; nothing else may run meanwhile.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> u64 {
        let before = self.calls.load(Ordering::Relaxed);
        drop(std::hint::black_box(work()));
        self.calls.load(Ordering::Relaxed) - before
    }
}

#[expect(unsafe_code, reason = "an allocator is an unsafe trait; everything is passed on to the system's as it is")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.calls.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.calls.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}
