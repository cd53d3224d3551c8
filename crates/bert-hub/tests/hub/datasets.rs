//! Datasets, from a mirror that has them, or has something else.

use std::{
    collections::HashMap,
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bert_hub::{
    Dataset, FetchSettings, Fetcher, HubError, NoProgress, Part, Source, download, download_parts,
};
use md5::Md5;
use sha2::Digest;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    fake_hub::{bytes, fetcher, fetcher_with, list, sha256},
    server::{ALWAYS, Fault, Resource, Server},
    watching::Watching,
};

const TRAIN_ROWS: &str =
    "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t1\t2\ta\tb\r\n0\t3\t4\tc\td\r\n";

struct Fixture {
    server: Server,
    parts: Vec<Part>,
    folder: tempfile::TempDir,
}

fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, SimpleFileOptions::default())
            .expect("it is begun");
        zip.write_all(text.as_bytes()).expect("it is written");
    }
    zip.finish().expect("it is ended").into_inner()
}

impl Fixture {
    fn start() -> Self {
        let mut contents = HashMap::new();
        let mut source = |name: &str, bytes: Vec<u8>, with_md5: bool| {
            let md5 = Md5::digest(&bytes)
                .iter()
                .map(|it| format!("{it:02x}"))
                .collect::<String>();
            let source = Source {
                url: format!("https://official.example/data/{name}").into(),
                bytes: bytes.len() as u64,
                sha256: sha256(&bytes).into(),
                md5: with_md5.then_some(md5.into()),
            };
            contents.insert(format!("/official.example/data/{name}"), Arc::new(bytes));
            source
        };
        let archive = zip(&[
            ("RTE/train.tsv", &"index\tsentence1\n".repeat(5000)),
            ("RTE/dev.tsv", "index\n0\n"),
            ("RTE/original/raw.tsv", "not wanted"),
        ]);
        let parts = vec![
            Part::File {
                path: "squad/train.json",
                source: source("train.json", bytes(200_000, 7), true),
            },
            Part::Archive {
                folder: "glue/RTE".into(),
                source: source("RTE.zip", archive, false),
            },
            Part::Paraphrases {
                folder: "glue/MRPC".into(),
                train: source("msr_train.txt", TRAIN_ROWS.into(), false),
                test: source("msr_test.txt", TRAIN_ROWS.into(), false),
                dev_ids: source("ids.tsv", b"3\t4\n".to_vec(), false),
            },
        ];
        let server = Server::start(move |seen| {
            let body = Arc::clone(contents.get(&seen.path)?);
            Some(Resource {
                status: 200,
                headers: Vec::new(),
                body,
            })
        });
        Self {
            server,
            parts,
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("downloads")
    }

    fn get(&self) -> Result<Vec<PathBuf>, HubError> {
        self.get_with(&fetcher(Some(self.server.url())))
    }

    fn get_with(&self, fetcher: &Fetcher) -> Result<Vec<PathBuf>, HubError> {
        download_parts(&self.parts, &self.dir(), fetcher, &mut NoProgress)
    }

    /// The paths that are asked for by a download, which must go well.
    fn asked(&self) -> Vec<String> {
        self.server.seen();
        self.get().expect("it is fetched");
        let paths = self.server.seen().into_iter().map(|it| it.path);
        paths
            .map(|path| path.rsplit('/').next().expect("a name").to_owned())
            .collect()
    }

    /// Checks the files that the user sees, and that nothing of the rest is left.
    fn assert_whole(&self) {
        let text = |path: &str| fs::read_to_string(self.dir().join(path)).expect(path);
        let squad = fs::read(self.dir().join("squad/train.json")).expect("it is there");
        assert!(squad == bytes(200_000, 7));
        assert_eq!(
            text("glue/RTE/train.tsv"),
            "index\tsentence1\n".repeat(5000)
        );
        assert_eq!(text("glue/RTE/dev.tsv"), "index\n0\n");
        let header = TRAIN_ROWS.lines().next().expect("a header");
        assert_eq!(
            text("glue/MRPC/train.tsv"),
            format!("{header}\n1\t1\t2\ta\tb\n")
        );
        assert_eq!(
            text("glue/MRPC/dev.tsv"),
            format!("{header}\n0\t3\t4\tc\td\n")
        );
        for (folder, count) in [
            ("squad", 1),
            ("glue/RTE", 2),
            ("glue/MRPC", 3),
            (".downloads", 5),
        ] {
            assert_eq!(list(&self.dir().join(folder)).len(), count, "{folder}");
        }
    }
}

#[test]
fn a_dataset_is_fetched_once() {
    let fixture = Fixture::start();
    let files = fixture.get().expect("it is fetched");
    let names: Vec<&Path> = files
        .iter()
        .map(|file| file.strip_prefix(fixture.dir()).expect("it is below"))
        .collect();
    let expected = [
        "squad/train.json",
        "glue/RTE/dev.tsv",
        "glue/RTE/train.tsv",
        "glue/MRPC/dev.tsv",
        "glue/MRPC/test.tsv",
        "glue/MRPC/train.tsv",
    ];
    assert_eq!(names, expected.map(Path::new));
    fixture.assert_whole();
    fixture.server.seen();
    assert_eq!(fixture.get().expect("it is there"), files);
    assert!(fixture.server.seen().is_empty());
}

#[test]
fn what_is_missing_or_altered_is_fetched_again_and_nothing_else() {
    let fixture = Fixture::start();
    fixture.get().expect("it is fetched");
    let path = |name: &str| fixture.dir().join(name);
    fs::remove_file(path("glue/RTE/dev.tsv")).expect("it is removed");
    assert_eq!(fixture.asked(), ["RTE.zip"]);
    // As long as before, and written at another time.
    fs::write(path("glue/RTE/dev.tsv"), "index\n1\n").expect("it is written");
    assert_eq!(fixture.asked(), ["RTE.zip"]);
    fs::write(path("squad/train.json"), bytes(200_000, 8)).expect("it is written");
    assert_eq!(fixture.asked(), ["train.json"]);
    fs::write(path("glue/MRPC/test.tsv"), "").expect("it is written");
    assert_eq!(
        fixture.asked(),
        ["msr_train.txt", "msr_test.txt", "ids.tsv"]
    );
    fs::write(path(".downloads/glue-RTE.json"), "{").expect("it is written");
    assert_eq!(fixture.asked(), ["RTE.zip"]);
    // Touched, but the same.
    fs::write(path("glue/RTE/dev.tsv"), "index\n0\n").expect("it is written");
    assert_eq!(fixture.asked(), [""; 0]);
    fixture.assert_whole();
}

#[test]
fn a_fault_leaves_nothing_wrong_and_can_be_mended() {
    for (path, times, fault, message) in [
        ("train.json", 2, Fault::Cut(60_000), None),
        ("RTE.zip", 1, Fault::Stall(10), None),
        ("ids.tsv", 3, Fault::Status(500, &[]), None),
        (
            "train.json",
            ALWAYS,
            Fault::WrongBytes,
            Some("found SHA-256"),
        ),
        ("RTE.zip", ALWAYS, Fault::WrongBytes, Some("found SHA-256")),
        ("RTE.zip", ALWAYS, Fault::Shorter, Some("bytes, expected")),
        (
            "train.json",
            ALWAYS,
            Fault::Html,
            Some("found 42 bytes, expected 200000"),
        ),
        ("msr_test.txt", ALWAYS, Fault::Close, Some("(4 attempts)")),
        (
            "msr_test.txt",
            ALWAYS,
            Fault::Status(404, &[]),
            Some("found status 404"),
        ),
        (
            "train.json",
            ALWAYS,
            Fault::Length(1 << 62),
            Some("bytes, expected 200000"),
        ),
    ] {
        let what = format!("{path} {fault:?}");
        let fixture = Fixture::start();
        let fetcher = fetcher_with(fault.stall_timeout(), Some(fixture.server.url()));
        fixture.server.spoil("GET", path, times, fault);
        match (fixture.get_with(&fetcher), message) {
            (Ok(_), None) => {}
            (Err(error), Some(message)) => {
                let line = error.to_string();
                assert!(
                    line.contains(message) && line.contains(path),
                    "{what}: {line}"
                );
                for part in &fixture.parts {
                    let place = fixture.dir().join(part.place());
                    if part.sources().iter().any(|it| it.url.ends_with(path)) {
                        assert!(!place.is_file() && list(&place).is_empty(), "{what}");
                    }
                }
            }
            (other, _) => panic!("{what}: {other:?}"),
        }
        fixture.server.heal();
        fixture.get().expect("all is well again");
        fixture.assert_whole();
    }
}

#[test]
fn both_hashes_must_agree() {
    let mut fixture = Fixture::start();
    let Part::File { source, .. } = &mut fixture.parts[0] else {
        panic!("the first is a file")
    };
    source.md5 = Some("0".repeat(32).into());
    let error = fixture.get().expect_err("the MD5 is another");
    assert!(error.to_string().contains("found MD5"), "{error}");
    assert!(!fixture.dir().join("squad/train.json").exists());
}

#[test]
fn a_dataset_is_gone_on_with_where_it_was_stopped() {
    let fixture = Fixture::start();
    let fetcher = fetcher(Some(fixture.server.url()));
    let mut watching = Watching {
        stop_after: Some(100_000),
        ..Watching::default()
    };
    let stopped = download_parts(&fixture.parts, &fixture.dir(), &fetcher, &mut watching);
    assert!(matches!(stopped, Err(HubError::Interrupted)));
    let mut watching = Watching::default();
    download_parts(&fixture.parts, &fixture.dir(), &fetcher, &mut watching).expect("it is fetched");
    assert!(watching.starts[0].2 >= 100_000, "{:?}", watching.starts);
    fixture.assert_whole();
}

#[test]
fn the_official_files_are_looked_for_below_the_mirror() {
    let fixture = Fixture::start();
    let fetcher = fetcher(Some(format!("{}/m/", fixture.server.url())));
    for (dataset, path) in [
        (
            Dataset::Squad,
            "/m/rajpurkar.github.io/SQuAD-explorer/dataset/train-v1.1.json",
        ),
        (
            Dataset::Squad2,
            "/m/rajpurkar.github.io/SQuAD-explorer/dataset/train-v2.0.json",
        ),
        (
            Dataset::Swag,
            "/m/raw.githubusercontent.com/rowanz/swagaf/master/data/train.csv",
        ),
        (
            Dataset::Glue,
            "/m/dl.fbaipublicfiles.com/glue/data/CoLA.zip",
        ),
    ] {
        let error = download(dataset, &fixture.dir(), &fetcher, &mut NoProgress)
            .expect_err("the mirror has none");
        assert!(error.is_bad_input(), "{error}");
        assert_eq!(fixture.server.seen()[0].path, path);
        assert_eq!(dataset.name().parse::<Dataset>().expect("a name"), dataset);
    }
    "squad3".parse::<Dataset>().expect_err("there is none");
}

#[test]
fn a_mirror_is_an_address() {
    for mirror in ["", "mirror", "ftp://mirror", "http://m?x=y"] {
        let settings = FetchSettings {
            mirror: Some(mirror.to_owned()),
            ..FetchSettings::default()
        };
        let error = Fetcher::new(settings).expect_err(mirror);
        assert!(
            error.is_bad_input() && error.to_string().contains("mirror"),
            "{error}"
        );
    }
}
