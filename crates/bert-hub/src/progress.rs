//! What a download tells of itself, and how it is asked to stop.

use std::ops::ControlFlow;

/// Hears of a download's bytes, and may end it.
///
/// For each file there is one [`start`](Self::start), or another where its beginning must be fetched anew, and one
/// [`finish`](Self::finish) if it succeeds.
pub trait Progress {
    /// A file is about to be fetched: its name, its bytes where they are known, and how many are there already.
    fn start(&mut self, file: &str, bytes: Option<u64>, resumed_at: u64);

    /// So many more bytes have arrived; 0 where time has passed without any. `Break` ends the download with
    /// [`HubError::Interrupted`](crate::HubError::Interrupted), and what has arrived stays for the next attempt. It is
    /// not called while a server says nothing, which lasts for
    /// [`stall_timeout`](crate::FetchSettings::stall_timeout) at most.
    fn advance(&mut self, bytes: u64) -> ControlFlow<()>;

    /// The file is complete and verified.
    fn finish(&mut self);
}

/// Tells nobody, and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&mut self, _file: &str, _bytes: Option<u64>, _resumed_at: u64) {}

    fn advance(&mut self, _bytes: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn finish(&mut self) {}
}
