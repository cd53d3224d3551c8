//! Ctrl-C, the request to terminate, and a terminal that closes: the step in flight is finished and saved. A second
//! request ends the program at once.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once, by the first signal.
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Whether the program was asked to stop.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// [`requested`], as loops take it.
pub(crate) fn check() -> ControlFlow<()> {
    if requested() {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// Makes a file larger than the user's limit a failed write like any other, not the end of the program.
///
/// # Errors
/// When the operating system refuses.
pub(crate) fn outlive_file_size_limits() -> std::io::Result<()> {
    platform::outlive_file_size_limits()
}

/// Listens from now on. Without this a signal ends the program at once, as it should while there is nothing to
/// save.
///
/// # Errors
/// When the operating system refuses.
pub(crate) fn listen() -> std::io::Result<()> {
    listen_with(
        "stopping after the step in flight; once more to stop at once",
        || {},
    )
}

/// The same with another message, and something that is done at the first signal.
///
/// # Errors
/// When the operating system refuses.
pub(crate) fn listen_with(
    message: &'static str,
    stop: impl Fn() + Send + 'static,
) -> std::io::Result<()> {
    static LISTENING: AtomicBool = AtomicBool::new(false);
    if LISTENING.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    platform::listen(message, stop)
}

#[cfg(unix)]
mod platform {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use tracing::warn;

    pub(super) fn outlive_file_size_limits() -> std::io::Result<()> {
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map(drop)
    }

    pub(super) fn listen(
        message: &'static str,
        stop: impl Fn() + Send + 'static,
    ) -> std::io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        // `nohup` ignores it, and so do we then.
        if !is_ignored(SIGHUP) {
            signals.add_signal(SIGHUP)?;
        }
        let listen = move || {
            for _ in signals.forever() {
                if super::REQUESTED.swap(true, Ordering::Relaxed) {
                    if crate::processes::leads() {
                        warn!("stopped at once; what was saved before is whole");
                    }
                    // Without destructors, which would wait for threads at work.
                    signal_hook::low_level::exit(1);
                }
                // All are told, and one says so.
                if crate::processes::leads() {
                    warn!("{message}");
                }
                stop();
            }
        };
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(listen)
            .map(drop)
    }

    /// Whether the process that started this one has set a signal to be ignored.
    fn is_ignored(signal: i32) -> bool {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: without a new action the call only writes the current one to a place that is large enough for it.
        let done = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
        // SAFETY: a call that returns 0 has written the action.
        done == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
mod platform {
    pub(super) fn outlive_file_size_limits() -> std::io::Result<()> {
        Ok(())
    }

    pub(super) fn listen(_: &'static str, _: impl Fn()) -> std::io::Result<()> {
        // Ctrl-C ends the program at once here; the newest run state is what is left.
        Ok(())
    }
}
