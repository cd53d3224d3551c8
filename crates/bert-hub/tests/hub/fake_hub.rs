//! A hub with a few models, and the other host that it keeps large files on.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use bert_hub::{FetchSettings, Fetcher, Hub, HubError, HubSettings, ModelName, Token};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::{
    server::{PATIENCE, Resource, Seen, Server},
    watching::Watching,
};

pub(crate) const COMMIT: &str = "1111111111111111111111111111111111111111";
pub(crate) const NEXT_COMMIT: &str = "2222222222222222222222222222222222222222";
pub(crate) const MODEL: &str = "bert-tiny";
pub(crate) const TOKEN: &str = "hf_secret";

pub(crate) type Files = BTreeMap<&'static str, Vec<u8>>;

/// So many bytes, of which no two parts are the same.
pub(crate) fn bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    (0..count).map(next).collect()
}

pub(crate) fn files() -> Files {
    BTreeMap::from([
        ("config.json", b"{\"model_type\": \"bert\"}".to_vec()),
        ("vocab.txt", b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n".to_vec()),
        ("tokenizer.json", b"{\"version\": \"1.0\"}".to_vec()),
        (
            "tokenizer_config.json",
            b"{\"do_lower_case\": true}".to_vec(),
        ),
        ("model.safetensors", bytes(300_000, 1)),
        ("README.md", b"not wanted".to_vec()),
        ("tf_model.h5", b"not wanted".to_vec()),
    ])
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

pub(crate) fn git_sha1(bytes: &[u8]) -> String {
    let mut hasher = Sha1::new_with_prefix(format!("blob {}\0", bytes.len()));
    hasher.update(bytes);
    hexadecimal(&hasher.finalize())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash that the hub gives as a file's etag: large ones are those of weights.
pub(crate) fn etag(name: &str, bytes: &[u8]) -> String {
    if is_large(name) {
        sha256(bytes)
    } else {
        git_sha1(bytes)
    }
}

fn is_large(name: &str) -> bool {
    name.ends_with(".safetensors") || name.ends_with(".bin")
}

/// What the hub has now: the commit of each revision, and each commit's files.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) revisions: BTreeMap<&'static str, &'static str>,
    pub(crate) commits: BTreeMap<&'static str, Files>,
}

pub(crate) struct FakeHub {
    pub(crate) hub: Server,
    /// The other host.
    pub(crate) store: Server,
    pub(crate) contents: Arc<Mutex<Contents>>,
    folder: tempfile::TempDir,
}

impl FakeHub {
    pub(crate) fn start() -> Self {
        Self::with(files())
    }

    pub(crate) fn with(files: Files) -> Self {
        let contents = Arc::new(Mutex::new(Contents {
            revisions: BTreeMap::from([
                ("main", COMMIT),
                ("v1.0", COMMIT),
                ("refs%2Fpr%2F1", COMMIT),
            ]),
            commits: BTreeMap::from([(COMMIT, files)]),
        }));
        let theirs = Arc::clone(&contents);
        let store = Server::start(move |seen| stored(seen, &theirs));
        let (theirs, store_url) = (Arc::clone(&contents), store.url());
        let hub = Server::start(move |seen| Some(resolve(seen, &theirs, &store_url)));
        Self {
            hub,
            store,
            contents,
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("hub")
    }

    pub(crate) fn model_folder(&self) -> PathBuf {
        self.cache().join(format!("models--{MODEL}"))
    }

    pub(crate) fn snapshot(&self) -> PathBuf {
        self.model_folder().join("snapshots").join(COMMIT)
    }

    pub(crate) fn settings(&self) -> HubSettings {
        HubSettings {
            endpoint: self.hub.url(),
            cache_dir: self.cache(),
            token: Token::new(TOKEN).expect("it can be sent"),
            offline: false,
        }
    }

    pub(crate) fn client(&self) -> Hub {
        Hub::new(self.settings(), fetcher(None))
    }

    pub(crate) fn offline(&self) -> Hub {
        let settings = HubSettings {
            offline: true,
            ..self.settings()
        };
        Hub::new(settings, fetcher(None))
    }

    /// Gets the model as a user would.
    pub(crate) fn get(&self, watching: &mut Watching) -> Result<PathBuf, HubError> {
        self.client().model(&name(MODEL), watching)
    }

    /// Checks that the model is there, whole, and that nothing in the cache is wrong.
    pub(crate) fn assert_whole(&self, snapshot: &Path) {
        let contents = self.contents.lock().expect("no panics");
        let commit = snapshot
            .file_name()
            .expect("it has a name")
            .to_str()
            .expect("UTF-8");
        for (file, bytes) in &contents.commits[commit] {
            let found = fs::read(snapshot.join(file));
            if ["README.md", "tf_model.h5"].contains(file) {
                found.expect_err("it is not wanted");
            } else {
                assert!(found.expect("it is there") == *bytes, "{file}");
            }
        }
        drop(contents);
        self.assert_sound();
    }

    /// Checks that every blob has the hash that it is named after, every link leads to a blob, and every revision to a
    /// commit that has all that is needed.
    pub(crate) fn assert_sound(&self) {
        for blob in list(&self.model_folder().join("blobs")) {
            let name = blob
                .file_name()
                .expect("it has a name")
                .to_str()
                .expect("UTF-8");
            let bytes = fs::read(&blob).expect("it is read");
            match name.len() {
                _ if name.ends_with(".incomplete") => {}
                40 => assert_eq!(git_sha1(&bytes), name),
                _ => assert_eq!(sha256(&bytes), name),
            }
        }
        for commit in list(&self.model_folder().join("snapshots")) {
            for link in list(&commit) {
                assert!(link.symlink_metadata().expect("it is there").is_symlink());
                let blob = fs::canonicalize(&link).expect("it leads somewhere");
                let blobs =
                    fs::canonicalize(self.model_folder().join("blobs")).expect("it is there");
                assert_eq!(blob.parent(), Some(&*blobs));
                assert!(blob.extension().is_none(), "{}", blob.display());
            }
        }
        for reference in list(&self.model_folder().join("refs")) {
            let commit = fs::read_to_string(reference).expect("it is read");
            let folder = self.model_folder().join("snapshots").join(commit);
            let has = |file: &str| folder.join(file).is_file();
            assert!(has("config.json") && (has("model.safetensors") || has("pytorch_model.bin")));
        }
    }
}

/// A folder's entries; none where there is no such folder.
pub(crate) fn list(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.expect("it is listed").path())
        .collect()
}

pub(crate) fn name(text: &str) -> ModelName {
    text.parse().expect("it is a name")
}

/// Waits long for a busy machine, and not at all between attempts.
pub(crate) fn fetcher(mirror: Option<String>) -> Fetcher {
    fetcher_with(PATIENCE, mirror)
}

/// As [`fetcher`], for servers that stall.
pub(crate) fn fetcher_with(stall_timeout: Duration, mirror: Option<String>) -> Fetcher {
    Fetcher::new(FetchSettings {
        connect_timeout: PATIENCE,
        stall_timeout,
        retries: 3,
        backoff: Duration::from_millis(1),
        longest_wait: Duration::from_secs(2),
        mirror,
    })
    .expect("the mirror is an address")
}

fn resolve(seen: &Seen, contents: &Mutex<Contents>, store: &str) -> Resource {
    let contents = contents.lock().expect("no panics");
    let refuse = |code: &str| Resource {
        status: 404,
        headers: vec![("X-Error-Code".into(), code.into())],
        ..Resource::default()
    };
    let parts: Vec<&str> = seen.path.split('/').collect();
    // A model without an owner has moved to one, as bert-base-uncased has.
    if let ["", MODEL, rest @ ..] = &*parts {
        return Resource {
            status: 307,
            headers: vec![(
                "Location".into(),
                format!("/owner/{MODEL}/{}", rest.join("/")),
            )],
            ..Resource::default()
        };
    }
    let ["", "owner", MODEL, "resolve", revision, file] = &*parts else {
        return refuse("RepoNotFound");
    };
    let revision: &str = revision;
    let commit = contents
        .revisions
        .get(revision)
        .copied()
        .unwrap_or(revision);
    let Some((commit, files)) = contents.commits.get_key_value(commit) else {
        return refuse("RevisionNotFound");
    };
    let mut headers = vec![("X-Repo-Commit".to_owned(), (*commit).to_owned())];
    let Some(bytes) = files.get(file) else {
        headers.push(("X-Error-Code".into(), "EntryNotFound".into()));
        return Resource {
            status: 404,
            headers,
            ..Resource::default()
        };
    };
    let etag = format!("\"{}\"", etag(file, bytes));
    if is_large(file) {
        headers.push(("X-Linked-Etag".into(), etag));
        headers.push(("X-Linked-Size".into(), bytes.len().to_string()));
        headers.push(("ETag".into(), "\"of-the-redirect\"".into()));
        headers.push((
            "Location".into(),
            format!("{store}/{commit}/{file}?Signature=s"),
        ));
        return Resource {
            status: 302,
            headers,
            ..Resource::default()
        };
    }
    headers.push(("ETag".into(), etag));
    Resource {
        status: 200,
        headers,
        body: Arc::new(bytes.clone()),
    }
}

fn stored(seen: &Seen, contents: &Mutex<Contents>) -> Option<Resource> {
    let path = seen.path.strip_suffix("?Signature=s")?;
    let (commit, file) = path.strip_prefix('/')?.split_once('/')?;
    let contents = contents.lock().expect("no panics");
    Some(Resource {
        status: 200,
        headers: vec![("ETag".into(), "\"another\"".into())],
        body: Arc::new(contents.commits.get(commit)?.get(file)?.clone()),
    })
}
