//! Progress of long computations, and the request to stop them.

use std::ops::ControlFlow;

/// Follows long computations, and may end them.
pub trait Watch: Sync {
    /// A computation begins of which `done` of `total` units, such as `windows`, are done.
    fn start(&self, what: &str, unit: &'static str, done: usize, total: usize) -> Box<dyn Counter>;

    /// Whether computations are to end as soon as nothing is lost by it.
    fn stop_requested(&self) -> bool;

    /// [`Watch::stop_requested`] in the form that loops take.
    fn check(&self) -> ControlFlow<()> {
        if self.stop_requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Counts the units of one computation, which ends when the counter is dropped.
pub trait Counter: Send {
    /// `done` units are done; `detail` is computed only where it is shown.
    fn update(&mut self, done: usize, detail: &dyn Fn() -> String);
}

/// Shows nothing and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn start(&self, _: &str, _: &'static str, _: usize, _: usize) -> Box<dyn Counter> {
        Box::new(Self)
    }

    fn stop_requested(&self) -> bool {
        false
    }
}

impl Counter for Unwatched {
    fn update(&mut self, _: usize, _: &dyn Fn() -> String) {}
}
