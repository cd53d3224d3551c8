//! Steps whose losses are still on the device, and the last ones read.

use std::collections::VecDeque;
use std::time::Instant;

use super::{Hooks, RunState};
use crate::{StepRecord, TrainError, UnreadStep};

/// Steps named when a loss is not finite.
const RECENT: usize = 5;

/// The steps to be read in one transaction.
pub(super) struct Pending {
    unread: Vec<UnreadStep>,
    recent: VecDeque<StepRecord>,
}

impl Pending {
    pub(super) fn new() -> Self {
        Self {
            unread: Vec::new(),
            recent: VecDeque::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unread.is_empty()
    }

    pub(super) fn push(&mut self, step: UnreadStep) {
        self.unread.push(step);
    }

    /// The last steps that were read, oldest first.
    pub(super) fn recent(&self) -> Vec<StepRecord> {
        self.recent.iter().copied().collect()
    }

    /// Reads every pending loss in one transaction, reports the steps, which took the time since `started` together,
    /// and stops at the first one that is not finite.
    pub(super) fn read<M, H: Hooks<M>>(
        &mut self,
        state: &mut RunState,
        hooks: &mut H,
        started: Instant,
    ) -> Result<(), TrainError> {
        let count = self.unread.len();
        let records = UnreadStep::read_all(std::mem::take(&mut self.unread))?;
        let seconds = started.elapsed().as_secs_f64() / count as f64;
        for record in records {
            if !record.loss.is_finite() || !record.gradient_norm.is_finite() {
                return Err(TrainError::NotFinite {
                    loss: record.loss,
                    gradient_norm: record.gradient_norm,
                    step: record.step,
                    total_steps: state.total_steps,
                    learning_rate: record.learning_rate,
                    recent: self.recent(),
                    state: None,
                });
            }
            state.totals.add(&record);
            hooks.step(&record, seconds);
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(record);
        }
        Ok(())
    }
}
