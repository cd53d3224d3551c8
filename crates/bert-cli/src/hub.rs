//! Checkpoints by name, and the bytes of downloads on stderr.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bert_hub::{FetchSettings, Fetcher, Hub, HubSettings, ModelName};

use crate::interrupt;
use crate::progress::Progress;

/// The model that a path names where it is no folder: `name`, `owner/name`, or either with `@revision`.
pub(crate) fn model_name(path: &Path) -> Option<ModelName> {
    path.to_str()?.parse().ok()
}

/// The folder of a model of the Hugging Face hub, fetched where the cache does not have it.
///
/// # Errors
/// When there is no such model, or it cannot be fetched.
pub(crate) fn model(name: &ModelName) -> anyhow::Result<PathBuf> {
    let fetcher = Fetcher::new(fetch_settings(None))?;
    let hub = Hub::new(HubSettings::from_env()?, fetcher);
    Ok(hub.model(name, &mut Bytes::default())?)
}

/// How patient downloads are.
pub(crate) fn fetch_settings(mirror: Option<String>) -> FetchSettings {
    let mut settings = FetchSettings {
        mirror,
        ..FetchSettings::default()
    };
    // For tests, whose servers stall on purpose.
    let patience = std::env::var("BERT_STALL_SECONDS").ok();
    if let Some(seconds) = patience.and_then(|text| text.parse().ok()) {
        settings.stall_timeout = std::time::Duration::from_secs(seconds);
        settings.backoff = std::time::Duration::from_millis(10);
    }
    settings
}

/// A bar of bytes for each file.
#[derive(Default)]
pub(crate) struct Bytes {
    bar: Option<Progress>,
    done: u64,
}

impl bert_hub::Progress for Bytes {
    fn start(&mut self, file: &str, bytes: Option<u64>, resumed_at: u64) {
        self.done = resumed_at;
        self.bar = Some(Progress::bytes(file, resumed_at, bytes.unwrap_or(0)));
    }

    fn advance(&mut self, bytes: u64) -> ControlFlow<()> {
        self.done += bytes;
        if let Some(bar) = &mut self.bar {
            bar.update(self.done as usize, String::new);
        }
        interrupt::check()
    }

    fn finish(&mut self) {
        self.bar = None;
    }
}
