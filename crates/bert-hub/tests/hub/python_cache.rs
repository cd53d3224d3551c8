//! Caches that Python's `huggingface_hub` has made.

#![cfg(unix)]

use std::{fs, os::unix::fs::symlink};

use crate::{
    fake_hub::{COMMIT, FakeHub, etag, files},
    watching::Watching,
};

/// Lays files out as `huggingface_hub` 1.x and 2.x do.
fn lay_out(fake: &FakeHub, wanted: &[&str], absent: &[&str]) {
    let model = fake.model_folder();
    let snapshot = fake.snapshot();
    let no_exist = model.join(".no_exist").join(COMMIT);
    for folder in [
        &model.join("blobs"),
        &model.join("refs"),
        &snapshot,
        &no_exist,
    ] {
        fs::create_dir_all(folder).expect("it is made");
    }
    for (file, bytes) in files().iter().filter(|(file, _)| wanted.contains(file)) {
        let blob = etag(file, bytes);
        fs::write(model.join("blobs").join(&blob), bytes).expect("it is written");
        symlink(format!("../../blobs/{blob}"), snapshot.join(file)).expect("it is linked");
        let locks = fake.cache().join(".locks").join("models--bert-tiny");
        fs::create_dir_all(&locks).expect("it is made");
        fs::write(locks.join(format!("{blob}.lock")), "").expect("it is written");
    }
    for file in absent {
        fs::write(no_exist.join(file), "").expect("it is written");
    }
    fs::write(model.join("refs/main"), COMMIT).expect("it is written");
    let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
    fs::write(fake.cache().join("CACHEDIR.TAG"), tag).expect("it is written");
}

#[test]
fn a_model_that_python_has_is_used_without_a_download() {
    for (wanted, absent) in [
        (
            &[
                "config.json",
                "tokenizer.json",
                "tokenizer_config.json",
                "model.safetensors",
            ][..],
            &["added_tokens.json"][..],
        ),
        (
            &["config.json", "vocab.txt", "model.safetensors"],
            &["tokenizer_config.json"],
        ),
    ] {
        let fake = FakeHub::start();
        lay_out(&fake, wanted, absent);
        let folder = fake.get(&mut Watching::default()).expect("it is there");
        assert_eq!(folder, fake.snapshot());
        let paths: Vec<String> = fake.hub.seen().into_iter().map(|it| it.path).collect();
        assert_eq!(paths.len(), 2, "the commit, past the redirect: {paths:?}");
        assert!(
            paths
                .iter()
                .all(|path| path.ends_with("/resolve/main/config.json"))
        );
        assert!(fake.store.seen().is_empty());
    }
}

#[test]
fn what_python_has_only_a_part_of_is_completed() {
    let fake = FakeHub::start();
    lay_out(
        &fake,
        &["config.json", "model.safetensors"],
        &["added_tokens.json"],
    );
    let mut watching = Watching::default();
    let folder = fake.get(&mut watching).expect("it is fetched");
    fake.assert_whole(&folder);
    let fetched: Vec<&str> = watching.finished.iter().map(|(file, _)| &**file).collect();
    assert_eq!(
        fetched,
        ["vocab.txt", "tokenizer.json", "tokenizer_config.json"]
    );
    assert!(
        !fake
            .hub
            .seen()
            .iter()
            .any(|it| it.path.ends_with("added_tokens.json"))
    );
}

#[test]
fn a_link_to_a_blob_that_is_gone_is_mended() {
    let fake = FakeHub::start();
    lay_out(
        &fake,
        &[
            "config.json",
            "vocab.txt",
            "tokenizer_config.json",
            "model.safetensors",
        ],
        &[],
    );
    let blob =
        fs::canonicalize(fake.snapshot().join("model.safetensors")).expect("it leads somewhere");
    fs::remove_file(blob).expect("it is removed");
    let folder = fake.get(&mut Watching::default()).expect("it is fetched");
    fake.assert_whole(&folder);
}
