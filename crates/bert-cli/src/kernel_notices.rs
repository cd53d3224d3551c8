//! Says on stderr that kernels are being compiled or tuned: the first steps on a new GPU take minutes for them, and
//! without a word look like a program that hangs.

use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Context;

use crate::progress::LogLines;

/// What CubeCL's own logs about kernels go by, and what is said of them.
const TARGETS: [(&str, &str); 2] = [
    ("cubecl::compilation", "compiled"),
    ("cubecl::autotune", "tuned"),
];
/// How often it is said while it goes on.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Counts what CubeCL logs, and prints the counts now and then.
#[derive(Default)]
pub(crate) struct KernelNotices {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counts: [u64; TARGETS.len()],
    said: Option<Instant>,
}

impl KernelNotices {
    /// What it listens to.
    pub(crate) fn filter() -> Targets {
        Targets::new().with_targets(TARGETS.map(|(target, _)| (target, LevelFilter::INFO)))
    }
}

impl State {
    /// Counts one message; the line to print, where it is time for one.
    fn count(&mut self, target: &str, now: Instant) -> Option<String> {
        let place = TARGETS
            .iter()
            .position(|(name, _)| target.starts_with(name))?;
        self.counts[place] += 1;
        if self.said.is_some_and(|said| now - said < SAY_EVERY) {
            return None;
        }
        self.said = Some(now);
        let counts = self.counts.iter().zip(TARGETS);
        let counts = counts.filter(|(count, _)| **count > 0);
        let counts: Vec<String> = counts
            .map(|(count, (_, done))| format!("{count} {done}"))
            .collect();
        Some(format!(
            " INFO kernels for this GPU, kept for the next run: {}\n",
            counts.join(", ")
        ))
    }
}

impl<S: Subscriber> Layer<S> for KernelNotices {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let normalised = event.normalized_metadata();
        let target = normalised
            .as_ref()
            .map_or(event.metadata().target(), |m| m.target());
        // A thread that panicked while it counted leaves nothing worse than a wrong count.
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        if let Some(line) = state.count(target, Instant::now()) {
            // Nothing is left to do when stderr is gone.
            let _ = LogLines.write_all(line.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_said_at_once_and_then_now_and_then() {
        let mut state = State::default();
        let start = Instant::now();
        let first = state.count("cubecl::compilation", start);
        assert_eq!(
            first.as_deref(),
            Some(" INFO kernels for this GPU, kept for the next run: 1 compiled\n")
        );
        assert_eq!(state.count("cubecl::autotune", start), None);
        assert_eq!(state.count("bert", start + SAY_EVERY), None);
        let later = state.count("cubecl::autotune", start + SAY_EVERY);
        assert_eq!(
            later.as_deref(),
            Some(" INFO kernels for this GPU, kept for the next run: 1 compiled, 2 tuned\n")
        );
    }
}
