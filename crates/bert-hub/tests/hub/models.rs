//! Models, when all goes well, and when the user asks for what there is not.

use std::{fs, sync::Arc, thread};

use bert_hub::{Hub, HubError, HubSettings, NoProgress};

use crate::{
    fake_hub::{
        COMMIT, FakeHub, Files, MODEL, NEXT_COMMIT, TOKEN, bytes, etag, fetcher, files, list, name,
    },
    server::{ALWAYS, Fault, Gate},
    watching::Watching,
};

#[test]
fn a_model_is_fetched_once_in_python_s_layout() {
    let fake = FakeHub::start();
    let mut watching = Watching::default();
    let folder = fake.get(&mut watching).expect("it is fetched");
    assert_eq!(folder, fake.snapshot());
    fake.assert_whole(&folder);
    let weights = &files()["model.safetensors"];
    let link = fs::read_link(folder.join("model.safetensors")).expect("a link");
    let target = format!("../../blobs/{}", etag("model.safetensors", weights));
    assert_eq!(link.to_str(), Some(&*target));
    let reference = fs::read_to_string(fake.model_folder().join("refs/main")).expect("it is there");
    assert_eq!(reference, COMMIT);
    // That the model has none of them is remembered, as Python remembers it.
    let mut absent: Vec<_> = list(&fake.model_folder().join(".no_exist").join(COMMIT));
    absent.sort();
    assert!(
        absent[0].ends_with("added_tokens.json") && absent.len() == 2,
        "{absent:?}"
    );
    let (last, size) = watching.finished.last().expect("something was fetched");
    assert_eq!(
        (&**last, *size),
        ("model.safetensors", weights.len() as u64)
    );
    assert_eq!(watching.finished.len(), 5);

    fake.hub.seen();
    fake.store.seen();
    assert_eq!(
        fake.get(&mut Watching::default()).expect("it is there"),
        folder
    );
    let seen = fake.hub.seen();
    let asked: Vec<_> = seen.iter().map(|it| (&*it.method, &*it.path)).collect();
    assert_eq!(
        asked,
        [
            ("HEAD", "/bert-tiny/resolve/main/config.json"),
            ("HEAD", "/owner/bert-tiny/resolve/main/config.json"),
        ]
    );
    assert!(fake.store.seen().is_empty());
}

#[test]
fn the_token_goes_to_the_hub_and_to_no_other_host() {
    let fake = FakeHub::start();
    fake.get(&mut Watching::default()).expect("it is fetched");
    let asked = fake.hub.seen();
    assert!(!asked.is_empty());
    for seen in asked {
        let found = seen.headers.get("authorization").map(String::as_str);
        assert_eq!(found, Some(&*format!("Bearer {TOKEN}")), "{}", seen.path);
    }
    let stored = fake.store.seen();
    assert!(stored.iter().any(|seen| seen.method == "GET"));
    assert!(
        stored
            .iter()
            .all(|seen| !seen.headers.contains_key("authorization"))
    );
}

#[test]
fn a_revision_is_a_branch_a_tag_or_a_commit() {
    let fake = FakeHub::start();
    for (text, reference) in [
        ("owner/bert-tiny@v1.0", Some("v1.0")),
        ("owner/bert-tiny@refs/pr/1", Some("refs/pr/1")),
        (&*format!("owner/bert-tiny@{COMMIT}"), None),
    ] {
        let folder = fake
            .client()
            .model(&name(text), &mut NoProgress)
            .expect("it is fetched");
        let cache = fake.cache().join("models--owner--bert-tiny");
        assert_eq!(folder, cache.join("snapshots").join(COMMIT));
        if let Some(reference) = reference {
            let found =
                fs::read_to_string(cache.join("refs").join(reference)).expect("it is there");
            assert_eq!(found, COMMIT);
        }
    }
    fake.hub.seen();
    let commit = name(&format!("owner/bert-tiny@{COMMIT}"));
    fake.client()
        .model(&commit, &mut NoProgress)
        .expect("it is there");
    assert!(
        fake.hub.seen().is_empty(),
        "a commit never means anything else"
    );
}

#[test]
fn a_branch_that_has_moved_on_is_followed_and_what_is_the_same_is_not_fetched_again() {
    let fake = FakeHub::start();
    fake.get(&mut Watching::default()).expect("it is fetched");
    {
        let mut contents = fake.contents.lock().expect("no panics");
        let mut changed = files();
        changed.insert("config.json", b"{}".to_vec());
        contents.commits.insert(NEXT_COMMIT, changed);
        contents.revisions.insert("main", NEXT_COMMIT);
    }
    let mut watching = Watching::default();
    let folder = fake.get(&mut watching).expect("it is fetched");
    assert!(folder.ends_with(NEXT_COMMIT));
    fake.assert_whole(&folder);
    assert_eq!(watching.finished, [("config.json".to_owned(), 2)]);
}

#[test]
fn what_there_is_not_is_said_in_one_line() {
    let fake = FakeHub::start();
    for (text, message) in [
        ("owner/bert-tinny", "found no model owner/bert-tinny"),
        (
            "owner/bert-tiny@v9",
            "found no revision \"v9\" of owner/bert-tiny",
        ),
    ] {
        let error = fake
            .client()
            .model(&name(text), &mut NoProgress)
            .expect_err("there is none");
        assert!(error.is_bad_input(), "{error}");
        let line = error.to_string();
        assert!(
            line.contains(message) && line.contains(&fake.hub.url()),
            "{line}"
        );
        assert!(!line.contains('\n'));
    }
    assert!(list(&fake.cache()).is_empty(), "nothing is left of a slip");
}

fn without(names: &[&str], more: &[&'static str]) -> Files {
    let mut files = files();
    files.retain(|file, _| !names.contains(file));
    for file in more {
        files.insert(file, bytes(1000, 2));
    }
    files
}

#[test]
fn old_weights_will_do_and_a_model_without_what_is_needed_is_refused() {
    let weights = "model.safetensors";
    for (files, message) in [
        (without(&[weights], &["pytorch_model.bin"]), None),
        (without(&["vocab.txt"], &[]), None),
        (
            without(&["tokenizer.json", "tokenizer_config.json"], &[]),
            None,
        ),
        (
            without(&[weights], &[]),
            Some("found no model.safetensors or pytorch_model.bin"),
        ),
        (
            without(&["vocab.txt", "tokenizer.json"], &[]),
            Some("found no vocab.txt or tokenizer.json"),
        ),
        (without(&["config.json"], &[]), Some("found no config.json")),
        (
            without(&[weights], &["model.safetensors.index.json"]),
            Some("found weights in several files (model.safetensors.index.json)"),
        ),
        (
            without(&[weights], &["pytorch_model.bin.index.json"]),
            Some("found weights in several files (pytorch_model.bin.index.json)"),
        ),
    ] {
        let fake = FakeHub::with(files);
        match (fake.get(&mut Watching::default()), message) {
            (Ok(folder), None) => fake.assert_whole(&folder),
            (Err(error), Some(message)) => {
                assert!(error.to_string().contains(message), "{error}");
                assert!(error.is_bad_input());
                fake.assert_sound();
            }
            (other, _) => panic!("{other:?}, expected {message:?}"),
        }
    }
}

#[test]
fn offline_the_cache_serves_or_nothing_does() {
    let fake = FakeHub::start();
    let error = fake
        .offline()
        .model(&name(MODEL), &mut NoProgress)
        .expect_err("it is not there");
    assert!(
        matches!(error, HubError::Offline { .. }) && error.is_bad_input(),
        "{error}"
    );
    let folder = fake.get(&mut Watching::default()).expect("it is fetched");
    fake.hub.seen();
    assert_eq!(
        fake.offline()
            .model(&name(MODEL), &mut NoProgress)
            .expect("it is there"),
        folder
    );
    let commit = name(&format!("{MODEL}@{COMMIT}"));
    assert_eq!(
        fake.offline()
            .model(&commit, &mut NoProgress)
            .expect("it is there"),
        folder
    );
    let tag = name(&format!("{MODEL}@v1.0"));
    fake.offline()
        .model(&tag, &mut NoProgress)
        .expect_err("nobody knows which commit that is");
    fs::remove_file(folder.join("model.safetensors")).expect("it is removed");
    fake.offline()
        .model(&name(MODEL), &mut NoProgress)
        .expect_err("it is incomplete");
    assert!(fake.hub.seen().is_empty());
}

#[test]
fn a_hub_that_cannot_be_asked_leaves_the_cache_to_serve() {
    let fake = FakeHub::start();
    let folder = fake.get(&mut Watching::default()).expect("it is fetched");
    for fault in [
        Fault::Close,
        Fault::Status(503, &[]),
        Fault::Status(401, &[]),
        Fault::Html,
    ] {
        fake.hub.seen();
        fake.hub.spoil("HEAD", "/", ALWAYS, fault.clone());
        assert_eq!(
            fake.get(&mut Watching::default()).expect("it is there"),
            folder
        );
        assert_eq!(fake.hub.seen().len(), 1, "{fault:?}: it is not tried again");
        fake.hub.heal();
    }
    // The revision is known to be gone.
    fake.hub.spoil(
        "HEAD",
        "/",
        ALWAYS,
        Fault::Status(404, &[("X-Error-Code", "RevisionNotFound")]),
    );
    let error = fake.get(&mut Watching::default()).expect_err("it is gone");
    assert!(matches!(error, HubError::NoSuchRevision { .. }), "{error}");
    // Nothing listens there at all.
    let gone = Hub::new(
        HubSettings {
            endpoint: "http://127.0.0.1:9".to_owned(),
            ..fake.settings()
        },
        fetcher(None),
    );
    assert_eq!(
        gone.model(&name(MODEL), &mut NoProgress)
            .expect("it is there"),
        folder
    );
    let error = gone
        .model(&name("other"), &mut NoProgress)
        .expect_err("it is nowhere");
    assert!(matches!(error, HubError::NoConnection { .. }), "{error}");
    assert!(!error.is_bad_input());
}

#[test]
fn two_at_once_fetch_each_byte_once() {
    let fake = FakeHub::start();
    let gate = Arc::new(Gate::default());
    fake.store
        .spoil("GET", "/", 1, Fault::Hold(1000, Arc::clone(&gate)));
    thread::scope(|scope| {
        let one = scope.spawn(|| fake.get(&mut Watching::default()));
        let other = scope.spawn(|| fake.get(&mut Watching::default()));
        // Both want the weights, and one has a part of them.
        fake.hub.wait_for("HEAD", "model.safetensors", 2);
        fake.store.wait_for("GET", "model.safetensors", 1);
        gate.open();
        for it in [one, other] {
            let folder = it.join().expect("no panics").expect("it is fetched");
            fake.assert_whole(&folder);
        }
    });
    let gets =
        |seen: Vec<crate::server::Seen>| seen.into_iter().filter(|it| it.method == "GET").count();
    assert_eq!(gets(fake.store.seen()), 1);
}

#[test]
fn who_has_enough_is_obeyed_and_goes_on_later() {
    let fake = FakeHub::start();
    let mut watching = Watching {
        stop_after: Some(100_000),
        ..Watching::default()
    };
    let error = fake.get(&mut watching).expect_err("it was stopped");
    assert!(matches!(error, HubError::Interrupted), "{error}");
    fake.assert_sound();
    let mut watching = Watching::default();
    let folder = fake.get(&mut watching).expect("it is fetched");
    fake.assert_whole(&folder);
    let (file, size, resumed_at) = &watching.starts[0];
    assert_eq!((&**file, *size), ("model.safetensors", Some(300_000)));
    assert!(*resumed_at > 90_000, "{resumed_at}");
    assert_eq!(watching.arrived, 300_000 - resumed_at);
}

#[cfg(unix)]
#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let fake = FakeHub::start();
    // Not even the superuser makes a folder below a file.
    fs::write(fake.cache(), "a file").expect("it is written");
    let error = fake
        .get(&mut Watching::default())
        .expect_err("there is no room");
    let line = error.to_string();
    assert!(
        line.contains("cannot be written") && line.contains("HF_HOME"),
        "{line}"
    );
    assert!(
        line.contains(fake.cache().to_str().expect("UTF-8")),
        "{line}"
    );
}

/// Without a network the user gets one line at once, not one for each attempt.
#[test]
fn a_host_that_does_not_exist_is_asked_once() {
    let fake = FakeHub::start();
    let settings = HubSettings {
        // A name that no resolver may know (RFC 6761).
        endpoint: "http://hub.invalid".to_owned(),
        ..fake.settings()
    };
    let hub = Hub::new(settings, fetcher(None));
    let error = hub
        .model(&name(MODEL), &mut NoProgress)
        .expect_err("there is no such host");
    assert!(matches!(error, HubError::NoConnection { .. }), "{error}");
    let line = error.to_string();
    assert!(
        line.contains("hub.invalid") && line.contains("a folder of this machine"),
        "{line}"
    );
    assert_eq!(line.lines().count(), 1, "{line}");
}
