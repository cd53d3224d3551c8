//! The allocator, and what is said when host memory runs out in a training.

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::{c_int, c_long};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mimalloc::MiMalloc;

/// mimalloc: tensors are allocated and freed by the thousand in a step; the system's allocator returns and zeroes
/// their pages each time. Want of memory ends the program with one line and exit code 1, as any other failure does,
/// not with an abort.
pub(crate) struct Allocator;

/// `mi_option_purge_delay` of mimalloc 3: milliseconds after which freed memory goes back to the system; -1 is never.
const PURGE_DELAY: c_int = 15;

// What the crate declares only together with functions that need another crate.
unsafe extern "C" {
    fn mi_option_set_default(option: c_int, value: c_long);
}

/// Keeps freed memory, unless the variable `MIMALLOC_PURGE_DELAY` says when it goes back to the system. A training step
/// asks for the buffers of the step before it, and the system would clear their pages each time.
pub(crate) fn keep_freed_memory() {
    // SAFETY: it writes a number that the allocator reads when memory is freed. The program has one thread so far.
    unsafe { mi_option_set_default(PURGE_DELAY, -1) }
}

/// Lets the main thread's stack grow while memory can still be had: the system ends a process whose stack cannot grow, and
/// nothing is said.
#[inline(never)]
pub(crate) fn have_stack() {
    let stack = [0_u8; 1 << 20];
    std::hint::black_box(&stack);
}

/// The end of that line, made while there was memory; set while a training runs.
static ADVICE: Mutex<Option<String>> = Mutex::new(None);

/// Whether a thread is ending the program.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Sets what is printed when a training runs out of memory.
pub(crate) fn advise(flags: &[String]) {
    let advice = match flags {
        [] => "no smaller setting is known to fit".to_owned(),
        flags => format!("try {}", flags.join(", or ")),
    };
    replace(Some(advice));
}

/// No training runs any more.
pub(crate) fn forget_advice() {
    replace(None);
}

/// Neither allocates nor frees while the lock is held: [`checked`] takes it within an allocation.
fn replace(advice: Option<String>) {
    let earlier = match ADVICE.lock() {
        Ok(mut current) => std::mem::replace(&mut *current, advice),
        Err(_) => None,
    };
    drop(earlier);
}

fn checked(pointer: *mut u8, size: usize) -> *mut u8 {
    if pointer.is_null() {
        out_of_memory(size);
    }
    pointer
}

/// Ends the program. Formatting numbers and writing to stderr allocate nothing.
#[cold]
fn out_of_memory(size: usize) -> ! {
    if IS_ENDING.swap(true, Ordering::SeqCst) {
        // Another thread says it.
        loop {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    let advice = ADVICE.try_lock();
    let advice = advice.as_ref().ok().and_then(|advice| advice.as_deref());
    let (separator, advice) = advice.map_or(("", ""), |advice| ("; ", advice));
    let _ = writeln!(
        std::io::stderr(),
        "error: out of memory: {size} bytes more cannot be had{separator}{advice}"
    );
    exit()
}

/// Ends the program without handlers and destructors, which would allocate.
#[cfg(unix)]
fn exit() -> ! {
    signal_hook::low_level::exit(1)
}

#[cfg(not(unix))]
fn exit() -> ! {
    std::process::exit(1)
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

#[cfg(test)]
mod tests {
    use std::ffi::{CStr, c_char, c_void};

    use super::*;

    unsafe extern "C" {
        fn mi_options_print_out(print: extern "C" fn(*const c_char, *mut c_void), to: *mut c_void);
    }

    extern "C" fn append(text: *const c_char, to: *mut c_void) {
        // SAFETY: mimalloc gives a string and the pointer that it was given.
        let (text, to) = unsafe { (CStr::from_ptr(text), &mut *to.cast::<String>()) };
        to.push_str(&text.to_string_lossy());
    }

    /// Options are known by their number, which another version of mimalloc may change.
    #[test]
    fn freed_memory_is_kept_unless_the_variable_says_otherwise() {
        keep_freed_memory();
        let mut options = String::new();
        // SAFETY: the string outlives the call.
        unsafe { mi_options_print_out(append, (&raw mut options).cast()) };
        let delay = std::env::var("MIMALLOC_PURGE_DELAY").unwrap_or_else(|_| "-1".to_owned());
        let line = format!("option 'purge_delay': {delay} ");
        assert!(options.contains(&line), "{options}");
    }

    /// Several trainings in one process: `train-glue --task all`, or several seeds.
    #[test]
    fn advice_is_that_of_the_training_at_hand() {
        let current = || ADVICE.lock().unwrap().clone();
        for flag in ["--one 1", "--two 2"] {
            advise(&[flag.to_owned()]);
            assert_eq!(current(), Some(format!("try {flag}")));
        }
        forget_advice();
        assert_eq!(current(), None);
    }
}
