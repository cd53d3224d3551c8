//! How often and after how long something is tried again.

use std::thread;
use std::time::{Duration, Instant};

use super::FetchSettings;
use crate::{Fault, HubError, Progress};

/// The longest wait that no server asked for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// How often a wait is looked up from, to see whether the user has had enough.
const LOOK: Duration = Duration::from_millis(100);
/// So many faults end a download even where each attempt brings something.
const MOST_FAULTS: u32 = 1000;

/// What is left of it, for one file.
#[derive(Debug)]
pub(crate) struct Patience {
    retries: u32,
    backoff: Duration,
    longest_wait: Duration,
    /// Attempts that failed since the last that brought something.
    vain: u32,
    /// All that failed.
    failed: u32,
}

impl Patience {
    pub(crate) fn new(settings: &FetchSettings) -> Self {
        Self {
            retries: settings.retries,
            backoff: settings.backoff,
            longest_wait: settings.longest_wait,
            vain: 0,
            failed: 0,
        }
    }

    /// The one attempt where something else can stand in.
    pub(crate) fn none(settings: &FetchSettings) -> Self {
        Self {
            retries: 0,
            ..Self::new(settings)
        }
    }

    /// An attempt brought something new, so there is no reason to give up soon.
    pub(crate) fn renew(&mut self) {
        self.vain = 0;
    }

    /// Waits before the next attempt, or gives up.
    pub(crate) fn endure(
        &mut self,
        fault: Fault,
        url: &str,
        progress: &mut dyn Progress,
    ) -> Result<(), HubError> {
        self.vain += 1;
        self.failed += 1;
        let asked = match &fault {
            Fault::Status { retry_after, .. } => *retry_after,
            _ => None,
        };
        if self.vain > self.retries
            || self.failed >= MOST_FAULTS
            || asked.is_some_and(|wait| wait > self.longest_wait)
        {
            return Err(HubError::Unreachable {
                url: url.to_owned(),
                fault,
                attempts: self.failed,
            });
        }
        let backoff = self
            .backoff
            .saturating_mul(2_u32.saturating_pow(self.vain - 1))
            .min(LONGEST_BACKOFF);
        let wait = asked.unwrap_or(backoff);
        tracing::info!("{url}: {fault}: trying again in {} s", wait.as_secs_f32());
        pause(wait, progress)
    }
}

fn pause(wait: Duration, progress: &mut dyn Progress) -> Result<(), HubError> {
    let start = Instant::now();
    loop {
        if progress.advance(0).is_break() {
            return Err(HubError::Interrupted);
        }
        let left = wait.saturating_sub(start.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(LOOK));
    }
}
