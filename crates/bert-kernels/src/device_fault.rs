//! Panics of CubeCL's own threads, which nothing else reports.
//!
//! CubeCL 0.11 runs what a device is asked for on a thread of its own. A panic there, such as one of code generation, is
//! caught and logged (`cubecl-common/src/device/handle/channel.rs`), and a later read gives whatever the memory held:
//! numbers that look like any others. So this module reads the log, and everything that reads from a device asks
//! [`check`] afterwards.

use std::sync::{Mutex, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::DeviceError;

/// What the targets of the records begin with.
pub const TARGET: &str = "cubecl_common::device";

/// How such a record says what happened, and ends.
const PANICKED: &str = "task panicked on device runner thread: ";

/// The first panic that was not asked for yet.
static FAULT: Mutex<Option<String>> = Mutex::new(None);

/// Makes this module the program's logger where it has none. A program with one of its own hands it to [`notice`].
pub fn listen() {
    if log::set_logger(&Listener).is_ok() {
        log::set_max_level(LevelFilter::Warn);
    }
}

/// Takes notice of a log record of any kind.
pub fn notice(target: &str, message: &str) {
    if let Some(reason) = reason(target, message) {
        let mut fault = FAULT.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert(reason);
    }
}

/// Whether a device's thread has panicked since this was last asked, by any thread.
///
/// # Errors
/// [`DeviceError`] with the words of the panic.
pub fn check() -> Result<(), DeviceError> {
    let fault = FAULT.lock().unwrap_or_else(PoisonError::into_inner).take();
    fault.map_or(Ok(()), |reason| Err(DeviceError::from_reason(reason)))
}

fn reason(target: &str, message: &str) -> Option<String> {
    if !target.starts_with(TARGET) {
        return None;
    }
    let reason = match message.split_once(PANICKED) {
        Some((_, reason)) => reason.trim_end().trim_end_matches(')'),
        None => message,
    };
    Some(format!("a thread of the device panicked: {reason}"))
}

struct Listener;

impl Log for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn && metadata.target().starts_with(TARGET)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            notice(record.target(), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_panic_are_kept() {
        let target = "cubecl_common::device::handle::channel::custom_channel";
        let message =
            "Task failed: CallError(task panicked on device runner thread: bf16 is not in WGSL)";
        let expected = "a thread of the device panicked: bf16 is not in WGSL";
        assert_eq!(reason(target, message).as_deref(), Some(expected));
        let lost = "CallError(task panicked on device runner thread with a non-string payload)";
        assert!(reason(target, lost).is_some_and(|reason| reason.contains(lost)));
        assert_eq!(reason("cubecl::autotune", message), None);
    }

    /// Through the `log` crate, as CubeCL does it.
    #[test]
    fn a_panic_is_told_once() {
        listen();
        check().expect("nothing has happened");
        log::warn!(target: "cubecl_common::device::handle", "CallError(task panicked on device runner thread: one)");
        log::warn!(target: "cubecl_common::device::handle", "CallError(task panicked on device runner thread: two)");
        log::info!(target: "cubecl_common::device::handle", "all is well");
        let error = check().expect_err("a thread has panicked").to_string();
        assert_eq!(
            error,
            "the device failed: a thread of the device panicked: one"
        );
        check().expect("it is told once");
    }
}
