//! A progress that remembers, and may have enough.

use std::ops::ControlFlow;

use bert_hub::Progress;

#[derive(Debug, Default)]
pub(crate) struct Watching {
    /// Each start: the file, its bytes and where it was resumed.
    pub(crate) starts: Vec<(String, Option<u64>, u64)>,
    /// The bytes of the file that is being fetched, or of the last.
    pub(crate) at: u64,
    /// The files that were finished, with their bytes.
    pub(crate) finished: Vec<(String, u64)>,
    /// All bytes that arrived.
    pub(crate) arrived: u64,
    /// Stops once this number has arrived.
    pub(crate) stop_after: Option<u64>,
}

impl Progress for Watching {
    fn start(&mut self, file: &str, bytes: Option<u64>, resumed_at: u64) {
        self.starts.push((file.to_owned(), bytes, resumed_at));
        self.at = resumed_at;
    }

    fn advance(&mut self, bytes: u64) -> ControlFlow<()> {
        self.at += bytes;
        self.arrived += bytes;
        if self.stop_after.is_some_and(|stop| self.arrived >= stop) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn finish(&mut self) {
        let (file, ..) = self.starts.last().expect("what is finished was started");
        self.finished.push((file.clone(), self.at));
    }
}
