//! Checkpoints by name, and the bytes of downloads on stderr.

use std::ops::ControlFlow;
use std::path::PathBuf;

use bert_hub::{FetchSettings, Fetcher, Hub, HubSettings, ModelName};

use crate::interrupt;
use crate::progress::Progress;

/// The folder of a model of the Hugging Face hub, fetched where the cache does not have it.
///
/// # Errors
/// When there is no such model, or it cannot be fetched.
pub(crate) fn model(name: &ModelName) -> anyhow::Result<PathBuf> {
    let fetcher = Fetcher::new(FetchSettings::from_env()?)?;
    let hub = Hub::new(HubSettings::from_env()?, fetcher);
    Ok(hub.model(name, &mut Bytes::default())?)
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
