//! Datasets: from a name to the official files.

mod archive;
mod official;
mod paraphrases;
mod stamp;

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::digest::{self, Digest};
use crate::fetch::{Fetcher, Limit, Order};
use crate::files::{make_folder, remove};
use crate::lock;
use crate::{HubError, Progress};
use stamp::Stamp;

/// What is neither a dataset's file nor the user's: locks, stamps, and archives until they are unpacked.
const HIDDEN: &str = ".downloads";

/// A dataset that can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dataset {
    /// SQuAD v1.1 (Rajpurkar et al. 2016).
    Squad,
    /// SQuAD v2.0 (Rajpurkar et al. 2018), with questions that have no answer.
    Squad2,
    /// SWAG (Zellers et al. 2018).
    Swag,
    /// The tasks of GLUE (Wang et al. 2018).
    Glue,
}

impl Dataset {
    /// Every dataset.
    pub const ALL: [Self; 4] = [Self::Squad, Self::Squad2, Self::Swag, Self::Glue];

    /// The name on the command line, which is also the name of its folder.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Squad => "squad",
            Self::Squad2 => "squad2",
            Self::Swag => "swag",
            Self::Glue => "glue",
        }
    }

    /// Where its official files are.
    #[must_use]
    pub fn parts(self) -> &'static [Part] {
        official::parts(self)
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Dataset {
    type Err = HubError;

    fn from_str(found: &str) -> Result<Self, HubError> {
        Self::ALL
            .into_iter()
            .find(|dataset| dataset.name() == found)
            .ok_or_else(|| HubError::Setting {
                name: "the dataset",
                found: found.to_owned(),
                expected: "squad, squad2, swag or glue",
            })
    }
}

/// A file on a server, and how it is known to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its official address.
    pub url: Cow<'static, str>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256 in lower-case hexadecimal digits.
    pub sha256: Cow<'static, str>,
    /// Its MD5 too, where that is what was published first.
    pub md5: Option<Cow<'static, str>>,
}

impl Source {
    fn digests(&self) -> Vec<Digest> {
        let sha256 = Digest::Sha256(self.sha256.clone());
        let md5 = self.md5.clone().map(Digest::Md5);
        std::iter::once(sha256).chain(md5).collect()
    }

    /// The last part of its address.
    fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }
}

/// A part of a dataset that is fetched as one, and where it goes below the folder of the downloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A file as it is.
    File {
        /// The path of the file.
        path: &'static str,
        /// Where it comes from.
        source: Source,
    },
    /// The TSV files of a zip archive.
    Archive {
        /// The path of their folder.
        folder: Cow<'static, str>,
        /// Where the archive comes from.
        source: Source,
    },
    /// MRPC, which GLUE may not pass on: its `train.tsv`, `dev.tsv` and `test.tsv` are made of the original files.
    Paraphrases {
        /// The path of their folder.
        folder: Cow<'static, str>,
        /// The original training set, which the development set is taken out of.
        train: Source,
        /// The original test set.
        test: Source,
        /// The pairs of ids that make up the development set.
        dev_ids: Source,
    },
}

impl Part {
    /// The path of its file or folder.
    #[must_use]
    pub fn place(&self) -> &str {
        match self {
            Self::File { path, .. } => path,
            Self::Archive { folder, .. } | Self::Paraphrases { folder, .. } => folder,
        }
    }

    /// What is fetched for it.
    #[must_use]
    pub fn sources(&self) -> Vec<&Source> {
        match self {
            Self::File { source, .. } | Self::Archive { source, .. } => vec![source],
            Self::Paraphrases {
                train,
                test,
                dev_ids,
                ..
            } => vec![train, test, dev_ids],
        }
    }
}

/// Fetches a dataset's official files into a folder below `downloads` that has its name, and gives their paths. Files
/// that are there and have their checksums are not fetched again.
///
/// # Errors
///
/// Fails where a server cannot be reached or has no such file, where bytes are wrong, where an archive holds something
/// else than it should, where the folder cannot be written and where [`Progress`] asks to stop. A file is there whole
/// or not at all, and what has arrived of it is kept for the next time.
pub fn download(
    dataset: Dataset,
    downloads: &Path,
    fetcher: &Fetcher,
    progress: &mut dyn Progress,
) -> Result<Vec<PathBuf>, HubError> {
    download_parts(dataset.parts(), downloads, fetcher, progress)
}

/// As [`download`], from elsewhere or of other files.
///
/// # Errors
///
/// Those of [`download`].
pub fn download_parts(
    parts: &[Part],
    downloads: &Path,
    fetcher: &Fetcher,
    progress: &mut dyn Progress,
) -> Result<Vec<PathBuf>, HubError> {
    let mut files = Vec::new();
    for part in parts {
        let mut job = Job {
            hidden: downloads.join(HIDDEN),
            key: part.place().replace('/', "-"),
            fetcher,
            progress,
        };
        let _lock = lock::wait(&job.hidden(".lock"), job.progress)?;
        let place = downloads.join(part.place());
        match part {
            Part::File { source, .. } => {
                job.get(source, &place)?;
                files.push(place);
            }
            Part::Archive { .. } | Part::Paraphrases { .. } => {
                files.extend(job.make(part, &place)?);
            }
        }
    }
    Ok(files)
}

/// The work on one part.
struct Job<'a> {
    hidden: PathBuf,
    key: String,
    fetcher: &'a Fetcher,
    progress: &'a mut dyn Progress,
}

impl Job<'_> {
    fn hidden(&self, ending: &str) -> PathBuf {
        self.hidden.join(format!("{}{ending}", self.key))
    }

    /// Fetches a file, unless it is there and right.
    fn get(&mut self, source: &Source, target: &Path) -> Result<(), HubError> {
        let digests = source.digests();
        let is_there =
            fs::metadata(target).is_ok_and(|it| it.is_file() && it.len() == source.bytes);
        if is_there && digest::check(target, &digests)?.is_none() {
            return Ok(());
        }
        if let Some(folder) = target.parent() {
            make_folder(folder)?;
        }
        let partial = format!("-{}.incomplete", source.name());
        let url = self.fetcher.locate(&source.url);
        self.fetcher.download(
            &Order {
                name: source.name(),
                url: &url,
                token: None,
                size: Some(source.bytes),
                limit: Limit::Announced,
                digests: &digests,
                partial: &self.hidden(&partial),
                target,
            },
            self.progress,
        )
    }

    /// Makes the files of a folder of what is fetched, unless they are as they were made.
    fn make(&mut self, part: &Part, folder: &Path) -> Result<Vec<PathBuf>, HubError> {
        let stamp_path = self.hidden(".json");
        let sources = part.sources();
        if let Some(stamp) = Stamp::read(&stamp_path)
            && let Some(files) = stamp.confirm(&sources, folder, &stamp_path)?
        {
            return Ok(files);
        }
        make_folder(folder)?;
        let mut fetched = Vec::new();
        for source in &sources {
            let target = self.hidden(&format!("-{}", source.name()));
            self.get(source, &target)?;
            fetched.push(target);
        }
        let names = match (part, &*fetched) {
            (Part::Paraphrases { .. }, [train, test, dev_ids]) => {
                paraphrases::make(train, test, dev_ids, folder)?
            }
            (_, [archive, ..]) => archive::unpack(archive, folder)?,
            (_, []) => Vec::new(),
        };
        Stamp::of(&sources, folder, &names)?.write(&stamp_path)?;
        for file in fetched {
            remove(&file)?;
        }
        Ok(names.iter().map(|name| folder.join(name)).collect())
    }
}
