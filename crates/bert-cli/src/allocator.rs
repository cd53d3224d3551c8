//! The allocator, and what is said when host memory runs out in a training.

use std::alloc::{GlobalAlloc, Layout};
use std::io::Write;
use std::sync::OnceLock;

use mimalloc::MiMalloc;

/// mimalloc: tensors are allocated and freed by the thousand in a step; the system's allocator returns and zeroes
/// their pages each time. While a training runs, want of memory ends the program with one line and exit code 1, as
/// any other failure does, not with an abort.
pub(crate) struct Allocator;

/// The end of that line, made while there was memory; set while a training runs.
static ADVICE: OnceLock<String> = OnceLock::new();

/// Says what a training that runs out of memory is to be told.
pub(crate) fn advise(flags: &[String]) {
    let advice = match flags {
        [] => "smaller settings are not known".to_owned(),
        flags => format!("try {}", flags.join(", or ")),
    };
    ADVICE.get_or_init(|| advice);
}

fn checked(pointer: *mut u8, size: usize) -> *mut u8 {
    if pointer.is_null()
        && let Some(advice) = ADVICE.get()
    {
        let mut stderr = std::io::stderr();
        // Formatting numbers and writing to stderr allocate nothing.
        let _ = writeln!(
            stderr,
            "error: out of memory: {size} bytes more cannot be had; {advice}"
        );
        std::process::exit(1);
    }
    pointer
}

// SAFETY: every call is mimalloc's, whose results are handed on.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        checked(unsafe { MiMalloc.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        checked(unsafe { MiMalloc.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { MiMalloc.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        checked(unsafe { MiMalloc.realloc(pointer, layout, size) }, size)
    }
}
