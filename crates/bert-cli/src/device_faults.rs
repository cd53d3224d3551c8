//! Hands CubeCL's log of panicked threads to the library, which ends what they were to compute.

use std::fmt::{self, Write};

use bert_model::device_fault;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::Context;

/// Listens to the devices' threads, whatever else is logged.
pub(crate) struct DeviceFaults;

impl DeviceFaults {
    /// What it listens to.
    pub(crate) fn filter() -> Targets {
        Targets::new().with_target(device_fault::TARGET, LevelFilter::WARN)
    }
}

impl<S: Subscriber> Layer<S> for DeviceFaults {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let normalised = event.normalized_metadata();
        let target = normalised
            .as_ref()
            .map_or(event.metadata().target(), |m| m.target());
        let mut message = Message(String::new());
        event.record(&mut message);
        device_fault::notice(target, &message.0);
    }
}

/// The text of an event.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a string does not fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn a_panic_that_is_only_logged_is_noticed() {
        let layer = DeviceFaults.with_filter(DeviceFaults::filter());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: "elsewhere", "task panicked on device runner thread: no");
            device_fault::check().expect("that is no device");
            tracing::warn!(
                target: "cubecl_common::device::handle::channel",
                "Task failed: CallError(task panicked on device runner thread: yes)"
            );
        });
        let error = device_fault::check().expect_err("a thread has panicked");
        assert!(error.to_string().ends_with("panicked: yes"), "{error}");
    }
}
