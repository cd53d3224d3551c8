//! Answers and leftovers that are odd: etags that are paths, parts that are refused, partial files of something else.

use std::fs;

use bert_hub::HubError;

use crate::{
    fake_hub::{FakeHub, etag, files, list},
    server::{ALWAYS, Fault},
    watching::Watching,
};

const WEIGHTS: &str = "model.safetensors";
const CONFIG: &str = "config.json";

#[test]
fn an_etag_leads_nowhere_and_without_a_hash_the_size_must_do() {
    for value in [
        None,
        Some("\"../../../../evil\""),
        Some("\"/etc/evil\""),
        Some("\"a-plain-mark\""),
    ] {
        let fake = FakeHub::start();
        fake.hub.spoil(
            "HEAD",
            "owner/bert-tiny/resolve/main/config.json",
            ALWAYS,
            Fault::Header("ETag", value),
        );
        let folder = fake.get(&mut Watching::default()).expect("it is fetched");
        let found = fs::read(folder.join(CONFIG)).expect("it is there");
        assert_eq!(found, files()[CONFIG]);
        let blob = fs::canonicalize(folder.join(CONFIG)).expect("it leads somewhere");
        assert_eq!(
            blob.parent(),
            fs::canonicalize(fake.model_folder().join("blobs"))
                .ok()
                .as_deref()
        );
        assert_eq!(list(&fake.cache()).len(), 2, "the model and the locks");
    }
    // Without a hash only the size tells.
    let fake = FakeHub::start();
    fake.hub
        .spoil("HEAD", "owner", ALWAYS, Fault::Header("ETag", None));
    fake.hub.spoil("GET", "owner", ALWAYS, Fault::Shorter);
    let error = fake
        .get(&mut Watching::default())
        .expect_err("it is too short");
    assert!(
        matches!(
            error,
            HubError::Size {
                found: 11,
                expected: 22,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_server_that_gives_no_parts_is_begun_anew_with() {
    for fault in [
        Fault::IgnoreRange,
        Fault::Status(416, &[]),
        Fault::WrongPart,
    ] {
        let fake = FakeHub::start();
        fake.store.spoil("GET", WEIGHTS, 1, Fault::Cut(100_000));
        fake.store.spoil("GET", WEIGHTS, 1, fault);
        let folder = fake.get(&mut Watching::default()).expect("it is fetched");
        fake.assert_whole(&folder);
    }
    let fake = FakeHub::start();
    fake.store.spoil("GET", WEIGHTS, 1, Fault::Cut(100_000));
    fake.store
        .spoil("GET", WEIGHTS, ALWAYS, Fault::Status(416, &[]));
    let error = fake
        .get(&mut Watching::default())
        .expect_err("it never comes");
    assert!(
        matches!(error, HubError::Status { status: 416, .. }),
        "{error}"
    );
    fake.assert_sound();
}

#[test]
fn a_partial_file_of_something_else_is_thrown_away() {
    for wrong in [vec![0; 1000], vec![0; 300_000], vec![0; 400_000]] {
        let fake = FakeHub::start();
        let blobs = fake.model_folder().join("blobs");
        fs::create_dir_all(&blobs).expect("it is made");
        let weights = &files()[WEIGHTS];
        let partial = blobs.join(format!("{}.incomplete", etag(WEIGHTS, weights)));
        fs::write(&partial, wrong).expect("it is written");
        let folder = fake.get(&mut Watching::default()).expect("it is fetched");
        fake.assert_whole(&folder);
        assert!(!partial.exists());
    }
    // And a blob of another size, such as a power cut leaves.
    let fake = FakeHub::start();
    let blobs = fake.model_folder().join("blobs");
    fs::create_dir_all(&blobs).expect("it is made");
    fs::write(blobs.join(etag(WEIGHTS, &files()[WEIGHTS])), "cut").expect("it is written");
    let folder = fake.get(&mut Watching::default()).expect("it is fetched");
    fake.assert_whole(&folder);
}
