//! The program that a run is a part of.

use std::io;

use bert_tasks::{Unwatched, Watch};
use bert_training::collective::{Alone, Collective};
use bert_training::memory::Advice;

/// The program around a run.
pub trait Program: Watch {
    /// Steps begin, between which the run can be stopped and saved. `advice` are changes of settings with which it needs less
    /// memory.
    ///
    /// # Errors
    /// When the program cannot listen for the request to stop.
    fn training_begins(&self, advice: &[Advice]) -> io::Result<()> {
        let _ = advice;
        Ok(())
    }

    /// The steps are over.
    fn training_ends(&self) {}

    /// The processes that train together, of which this program is one. The leading one alone locks and writes the
    /// output folder, evaluates, and decides what a folder is gone on with.
    fn collective(&self) -> &dyn Collective {
        &Alone
    }
}

impl Program for Unwatched {}
