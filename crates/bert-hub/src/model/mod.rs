//! Models: from a name to a folder of the cache that holds all of it.

mod cache;
mod metadata;

use std::fs;
use std::path::{Path, PathBuf};

use cache::{CONFIG, EXTRAS, ModelCache, Snapshot, TOKENIZER_CONFIG, VOCABULARIES, WEIGHTS};
use metadata::{Answer, Metadata};

use crate::fetch::{Fetcher, Limit, Order};
use crate::files::{self, make_folder, with_ending};
use crate::lock;
use crate::{HubError, HubSettings, ModelName, Progress};

/// The indices of weights that are in several files.
const INDICES: [&str; 2] = [
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
];

/// The most bytes of a configuration or a vocabulary, 32 MiB: three times the tokenizer of LaBSE, whose vocabulary of
/// half a million entries is the largest of the published BERT models.
const MOST_TEXT: u64 = 32 << 20;

/// A Hugging Face hub and the cache of what has been fetched from it.
#[derive(Debug, Clone)]
pub struct Hub {
    settings: HubSettings,
    fetcher: Fetcher,
}

impl Hub {
    /// Makes no request yet.
    #[must_use]
    pub fn new(settings: HubSettings, fetcher: Fetcher) -> Self {
        Self { settings, fetcher }
    }

    /// The folder with a model's `config.json`, its vocabulary and its weights, and the tokenizer's settings where it
    /// has them. What the cache lacks of them is fetched first; the hub is asked which commit the revision is, unless
    /// that is a commit. Where it cannot be asked and the cache is complete, the cache serves, with a warning.
    ///
    /// # Errors
    ///
    /// Fails where there is no such model or revision, where it lacks a file that is needed, where it may not be read,
    /// where the hub cannot be reached, where bytes are wrong, where a configuration or vocabulary has more than 32 MiB
    /// or weights have no announced size, where the cache cannot be written and where [`Progress`] asks to stop. Bytes
    /// that have arrived are kept. `refs` names a commit only when all that is needed of it is there.
    pub fn model(
        &self,
        name: &ModelName,
        progress: &mut dyn Progress,
    ) -> Result<PathBuf, HubError> {
        let cache = ModelCache::new(&self.settings.cache_dir, name);
        let cached = cache.complete();
        match (cached, self.settings.offline) {
            (Some(folder), true) => Ok(folder),
            (Some(folder), false) if name.commit().is_some() => Ok(folder),
            (None, true) => Err(HubError::Offline {
                name: name.to_string(),
                cache: self.settings.cache_dir.clone(),
            }),
            (None, false) => self.fetch(name, &cache, true, progress),
            (Some(folder), false) => match self.fetch(name, &cache, false, progress) {
                Err(error) if error.lets_the_cache_serve() => {
                    tracing::warn!("{error}; using the cached {}", folder.display());
                    Ok(folder)
                }
                other => other,
            },
        }
    }

    /// Fetches what the cache lacks of the commit that the revision now is.
    fn fetch(
        &self,
        name: &ModelName,
        cache: &ModelCache,
        patient: bool,
        progress: &mut dyn Progress,
    ) -> Result<PathBuf, HubError> {
        let place = (name.revision(), CONFIG);
        let config = match metadata::ask(
            &self.fetcher,
            &self.settings,
            name,
            place,
            patient,
            progress,
        )? {
            Answer::File(config) => config,
            Answer::NoSuchFile { .. } => return Err(no_such_file(name, CONFIG)),
        };
        let mut job = Job {
            hub: self,
            name,
            cache,
            snapshot: cache.snapshot(&config.commit),
            commit: config.commit.clone(),
            progress,
        };
        if !job.snapshot.has(CONFIG) {
            job.get(CONFIG, &config)?;
        }
        // The weights come last: where they are, the rest is.
        let wanted: &[&str] = if job.snapshot.is_complete() {
            &[TOKENIZER_CONFIG]
        } else {
            &[
                VOCABULARIES[0],
                VOCABULARIES[1],
                TOKENIZER_CONFIG,
                EXTRAS[0],
                EXTRAS[1],
            ]
        };
        for file in wanted {
            job.get_if_any(file)?;
        }
        if !VOCABULARIES.iter().any(|file| job.snapshot.has(file)) {
            return Err(no_such_file(name, "vocab.txt or tokenizer.json"));
        }
        job.get_weights()?;
        let folder = job.snapshot.folder;
        match cache.refer(&config.commit) {
            // The cache may be read-only, and it holds what is wanted.
            Err(error) if !patient => tracing::debug!("{error}"),
            other => other?,
        }
        Ok(folder)
    }
}

/// The work on one commit of a model.
struct Job<'a> {
    hub: &'a Hub,
    name: &'a ModelName,
    cache: &'a ModelCache,
    snapshot: Snapshot,
    commit: String,
    progress: &'a mut dyn Progress,
}

impl Job<'_> {
    /// Fetches the first of the weight files that the model has, unless there is one.
    fn get_weights(&mut self) -> Result<(), HubError> {
        if WEIGHTS.iter().any(|file| self.snapshot.has(file)) {
            return Ok(());
        }
        for file in WEIGHTS {
            if self.get_if_any(file)? {
                return Ok(());
            }
        }
        for file in INDICES {
            if self.ask(file)?.is_some() {
                return Err(HubError::Sharded {
                    name: self.name.to_string(),
                    file,
                });
            }
        }
        Err(no_such_file(
            self.name,
            "model.safetensors or pytorch_model.bin",
        ))
    }

    /// Fetches a file unless the cache has it or the model has none; whether it is there now.
    fn get_if_any(&mut self, file: &'static str) -> Result<bool, HubError> {
        if self.snapshot.has(file) {
            return Ok(true);
        }
        match self.ask(file)? {
            Some(metadata) => self.get(file, &metadata).map(|()| true),
            None => Ok(false),
        }
    }

    fn ask(&mut self, file: &'static str) -> Result<Option<Metadata>, HubError> {
        if self.snapshot.lacks(file) {
            return Ok(None);
        }
        let Hub { settings, fetcher } = self.hub;
        let place = (&*self.commit, file);
        match metadata::ask(fetcher, settings, self.name, place, true, self.progress)? {
            Answer::File(metadata) => Ok(Some(metadata)),
            Answer::NoSuchFile { commit } => {
                if commit.is_some_and(|commit| commit == self.commit) {
                    self.snapshot.note_absent(file);
                }
                Ok(None)
            }
        }
    }

    /// Fetches a file's blob, unless another process has just fetched it, and links it.
    fn get(&mut self, file: &str, metadata: &Metadata) -> Result<(), HubError> {
        let blob = self.cache.blob(&metadata.blob);
        if let Some(folder) = blob.parent() {
            make_folder(folder)?;
        }
        let lock = lock::wait(&self.cache.lock(&metadata.blob), self.progress)?;
        if !is_whole(&blob, metadata.size) {
            files::remove(&blob)?;
            let Hub { settings, fetcher } = self.hub;
            let repository = self.name.repository();
            let partial = if lock.is_held() {
                with_ending(&blob, ".incomplete")
            } else {
                files::unlocked(&blob, ".incomplete")
            };
            fetcher.download(
                &Order {
                    name: file,
                    url: &metadata::address(&settings.endpoint, repository, &self.commit, file),
                    token: settings.token.as_ref(),
                    size: metadata.size,
                    limit: limit(file),
                    digests: metadata.digest.as_slice(),
                    partial: &partial,
                    target: &blob,
                },
                self.progress,
            )?;
        }
        self.snapshot.link(&blob, file)
    }
}

/// Whether a blob is there with its size; its hash was checked when it got its name.
fn is_whole(blob: &Path, size: Option<u64>) -> bool {
    fs::metadata(blob)
        .is_ok_and(|found| found.is_file() && size.is_none_or(|size| size == found.len()))
}

/// How large a file may be. The weights are as large as the hub announces.
fn limit(file: &str) -> Limit {
    if WEIGHTS.contains(&file) {
        Limit::Announced
    } else {
        Limit::Bytes(MOST_TEXT)
    }
}

fn no_such_file(name: &ModelName, file: &'static str) -> HubError {
    HubError::NoSuchFile {
        name: name.to_string(),
        file,
    }
}
