//! The cache of `huggingface_hub`: what is in it, and how something gets in.
//!
//! | below `models--owner--name` | what it is |
//! | --- | --- |
//! | `blobs/<etag>` | a file's bytes; `<etag>.incomplete` while they are fetched |
//! | `snapshots/<commit>/<file>` | a link to the blob |
//! | `refs/<revision>` | the commit that a branch or tag was when it was last asked for |
//! | `.no_exist/<commit>/<file>` | an empty file: the model is known to have none of this name |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bert_files::temporary_beside;
use hf_hub::{Cache, Repo, RepoType};

use crate::files::{make_folder, publish, write_bytes, write_error};
use crate::name::is_commit;
use crate::{HubError, ModelName};

/// The model's shape.
pub(super) const CONFIG: &str = "config.json";
/// Either will do.
pub(super) const VOCABULARIES: [&str; 2] = ["vocab.txt", "tokenizer.json"];
/// Says how to split and to lower text, where the model has it.
pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
/// What else a tokenizer may have.
pub(super) const EXTRAS: [&str; 2] = ["special_tokens_map.json", "added_tokens.json"];
/// The first that there is.
pub(super) const WEIGHTS: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

/// A model's part of the cache.
#[derive(Debug)]
pub(super) struct ModelCache {
    cache: Cache,
    repo: Repo,
    folder: PathBuf,
    locks: PathBuf,
    revision: String,
}

impl ModelCache {
    pub(super) fn new(cache_dir: &Path, name: &ModelName) -> Self {
        let repo = Repo::with_revision(
            name.repository().to_owned(),
            RepoType::Model,
            name.revision().to_owned(),
        );
        let folder = repo.folder_name();
        Self {
            locks: cache_dir.join(".locks").join(&folder),
            folder: cache_dir.join(folder),
            cache: Cache::new(cache_dir.to_owned()),
            repo,
            revision: name.revision().to_owned(),
        }
    }

    /// The commit that the revision was when it was last asked for.
    fn known_commit(&self) -> Option<String> {
        if is_commit(&self.revision) {
            return Some(self.revision.clone());
        }
        let text = fs::read_to_string(self.reference()).ok()?;
        let commit = text.trim();
        is_commit(commit).then(|| commit.to_owned())
    }

    /// The folder of the revision, if it has all that a model needs.
    pub(super) fn complete(&self) -> Option<PathBuf> {
        let snapshot = self.snapshot(&self.known_commit()?);
        snapshot.is_complete().then_some(snapshot.folder)
    }

    pub(super) fn snapshot(&self, commit: &str) -> Snapshot {
        Snapshot {
            folder: self.cache.repo(self.repo.clone()).pointer_path(commit),
            absent: self.folder.join(".no_exist").join(commit),
        }
    }

    pub(super) fn blob(&self, name: &str) -> PathBuf {
        self.folder.join("blobs").join(name)
    }

    pub(super) fn lock(&self, blob: &str) -> PathBuf {
        self.locks.join(format!("{blob}.lock"))
    }

    fn reference(&self) -> PathBuf {
        self.folder.join("refs").join(&self.revision)
    }

    /// Notes which commit the revision is.
    pub(super) fn refer(&self, commit: &str) -> Result<(), HubError> {
        if is_commit(&self.revision) || self.known_commit().as_deref() == Some(commit) {
            return Ok(());
        }
        let path = self.reference();
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        write_bytes(&path, commit.as_bytes())
    }
}

/// The files of a commit.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) folder: PathBuf,
    absent: PathBuf,
}

impl Snapshot {
    /// Whether a file is there; a link to nothing is not.
    pub(super) fn has(&self, file: &str) -> bool {
        fs::metadata(self.folder.join(file)).is_ok_and(|it| it.is_file() && it.len() > 0)
    }

    /// Whether the model is known to have no such file.
    pub(super) fn lacks(&self, file: &str) -> bool {
        self.absent.join(file).is_file()
    }

    /// Whether all is there that a model needs.
    pub(super) fn is_complete(&self) -> bool {
        let any = |files: &[&str]| files.iter().any(|file| self.has(file));
        self.has(CONFIG) && any(&VOCABULARIES) && any(&WEIGHTS)
    }

    /// Remembers that the model has no such file. That it cannot be remembered does no harm.
    pub(super) fn note_absent(&self, file: &str) {
        let noted = fs::create_dir_all(&self.absent)
            .and_then(|()| fs::File::create(self.absent.join(file)));
        if let Err(error) = noted {
            tracing::debug!("{}: {error}", self.absent.display());
        }
    }

    /// Puts a link to a blob in, or a copy where there are no links.
    pub(super) fn link(&self, blob: &Path, file: &str) -> Result<(), HubError> {
        make_folder(&self.folder)?;
        let path = self.folder.join(file);
        let temporary = temporary_beside(&path);
        let name = blob.file_name().unwrap_or_default();
        let target = Path::new("..").join("..").join("blobs").join(name);
        let made = symlink(&target, &temporary)
            .or_else(|_| fs::copy(blob, &temporary).and_then(|_| sync(&temporary)))
            .map_err(|source| write_error(&path, source))
            .and_then(|()| publish(&temporary, &path));
        if made.is_err() {
            // It may never have been there.
            let _ = fs::remove_file(&temporary);
        }
        made
    }
}

fn sync(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, link)
}

#[cfg(not(any(unix, windows)))]
fn symlink(_target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
