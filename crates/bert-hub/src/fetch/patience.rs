//! How often a request is repeated, and after how long.

use std::thread;
use std::time::{Duration, Instant};

use super::{Fault, FetchSettings};
use crate::{HubError, Progress};

/// The longest wait that no server asked for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// How often a wait asks whether the user wants to stop.
const POLL: Duration = Duration::from_millis(100);
/// This many faults end a download even if every attempt brings some bytes.
const MOST_FAULTS: u32 = 1000;

/// The attempts that are left for one file.
#[derive(Debug)]
pub(crate) struct Patience {
    retries: u32,
    backoff: Duration,
    longest_wait: Duration,
    /// Attempts that failed since the last that brought bytes.
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

    /// A single attempt, for where the cache can be used instead.
    pub(crate) fn none(settings: &FetchSettings) -> Self {
        Self {
            retries: 0,
            ..Self::new(settings)
        }
    }

    /// An attempt brought new bytes, so the count of attempts in vain starts again.
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
        let again = format!("{url}: {fault}: trying again in {} s", wait.as_secs_f32());
        // A fault that lasts is told once, and again by the error if every attempt fails.
        if self.vain == 1 {
            tracing::info!("{again}, {} times at most", self.retries);
        } else {
            tracing::debug!("{again}");
        }
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
        thread::sleep(left.min(POLL));
    }
}
