//! Every way in which a download goes wrong: what comes of it, what is left in the cache, and that it can be mended.

use std::time::{Duration, Instant};

use bert_hub::{Hub, HubError};

use crate::{
    fake_hub::{FakeHub, MODEL, etag, fetcher_with, files, list, name},
    server::{ALWAYS, Fault, PATIENCE},
    watching::Watching,
};

/// How it should end.
enum Outcome<'a> {
    /// With the model.
    Right,
    /// With a line that has these in it; whether the user can mend it.
    Wrong(&'a [&'a str], bool),
}
use Outcome::{Right, Wrong};

const WEIGHTS: &str = "model.safetensors";
const CONFIG: &str = "config.json";

/// Where it goes wrong.
#[derive(Clone, Copy)]
enum At {
    Hub,
    Store,
}

fn check(
    at: At,
    method: &'static str,
    path: &str,
    times: usize,
    fault: Fault,
    outcome: Outcome<'_>,
) {
    let what = format!("{method} {path} {times} {fault:?}");
    let fake = FakeHub::start();
    let server = match at {
        At::Hub => &fake.hub,
        At::Store => &fake.store,
    };
    let stall_timeout = fault.stall_timeout();
    server.spoil(method, path, times, fault);
    let client = Hub::new(fake.settings(), fetcher_with(stall_timeout, None));
    match (
        client.model(&name(MODEL), &mut Watching::default()),
        outcome,
    ) {
        (Ok(folder), Right) => fake.assert_whole(&folder),
        (Err(error), Wrong(messages, bad_input)) => {
            let line = error.to_string();
            for message in messages {
                assert!(line.contains(message), "{what}: {line}");
            }
            assert!(line.contains("http://127.0.0.1"), "{what}: {line}");
            assert!(!line.contains(['\n', '?']), "{what}: {line}");
            assert_eq!(error.is_bad_input(), bad_input, "{what}: {line}");
            assert!(list(&fake.model_folder().join("refs")).is_empty(), "{what}");
        }
        (Ok(_), Wrong(messages, _)) => panic!("{what}: it is fetched, expected {messages:?}"),
        (Err(error), Right) => panic!("{what}: {error}"),
    }
    fake.assert_sound();
    server.heal();
    let folder = fake
        .get(&mut Watching::default())
        .expect("all is well again");
    fake.assert_whole(&folder);
}

#[test]
fn a_fault_that_passes_is_survived() {
    for (method, path) in [
        ("HEAD", CONFIG),
        ("GET", CONFIG),
        ("GET", WEIGHTS),
        ("HEAD", WEIGHTS),
    ] {
        for fault in [
            Fault::Close,
            Fault::Status(500, &[]),
            Fault::Status(429, &[("Retry-After", "0")]),
        ] {
            check(At::Hub, method, path, 2, fault, Right);
        }
    }
    for fault in [
        Fault::Close,
        Fault::Status(503, &[]),
        Fault::Cut(0),
        Fault::Cut(1),
        Fault::Cut(250_000),
        Fault::Stall(100_000),
    ] {
        check(At::Store, "GET", WEIGHTS, 2, fault, Right);
    }
    check(At::Hub, "GET", CONFIG, 1, Fault::Stall(3), Right);
}

#[test]
fn a_fault_that_stays_is_told() {
    let cut = Wrong(
        &[
            "cut after 1000 bytes, expected 300000",
            "(4 attempts)",
            "kept",
        ],
        false,
    );
    check(
        At::Store,
        "GET",
        WEIGHTS,
        ALWAYS,
        Fault::Close,
        Wrong(&["(4 attempts)"], false),
    );
    check(
        At::Store,
        "GET",
        WEIGHTS,
        ALWAYS,
        Fault::Stall(0),
        Wrong(&["found no byte for 0.6 s"], false),
    );
    check(
        At::Store,
        "GET",
        WEIGHTS,
        ALWAYS,
        Fault::Cut(0),
        Wrong(&["cut after 0 bytes"], false),
    );
    check(
        At::Hub,
        "HEAD",
        CONFIG,
        ALWAYS,
        Fault::Status(500, &[]),
        Wrong(&["found status 500"], false),
    );
    check(
        At::Hub,
        "GET",
        WEIGHTS,
        ALWAYS,
        Fault::Status(503, &[]),
        Wrong(&["found status 503"], false),
    );
    let denied = Wrong(&["found status 403", "HF_TOKEN"], true);
    check(
        At::Hub,
        "HEAD",
        WEIGHTS,
        ALWAYS,
        Fault::Status(403, &[]),
        denied,
    );
    let gated = Fault::Status(403, &[("X-Error-Code", "GatedRepo")]);
    check(
        At::Hub,
        "HEAD",
        CONFIG,
        ALWAYS,
        gated,
        Wrong(&["gated", "accept its terms"], true),
    );
    let hidden = Fault::Status(401, &[("X-Error-Code", "RepoNotFound")]);
    check(
        At::Hub,
        "HEAD",
        CONFIG,
        ALWAYS,
        hidden,
        Wrong(&["found no model bert-tiny"], true),
    );
    let denied = Wrong(&["found status 401", "a valid token"], true);
    check(
        At::Hub,
        "HEAD",
        CONFIG,
        ALWAYS,
        Fault::Status(401, &[]),
        denied,
    );
    check(
        At::Store,
        "GET",
        WEIGHTS,
        ALWAYS,
        Fault::Status(404, &[]),
        Wrong(&["found status 404"], true),
    );
    check(
        At::Store,
        "GET",
        WEIGHTS,
        ALWAYS,
        Fault::Status(407, &[]),
        Wrong(&["found status 407"], false),
    );
    // A server that never gets further, whatever part it is asked for.
    let fake = FakeHub::start();
    fake.store.spoil("GET", WEIGHTS, 1, Fault::Cut(1000));
    fake.store.spoil("GET", WEIGHTS, ALWAYS, Fault::Cut(0));
    let error = fake
        .get(&mut Watching::default())
        .expect_err("it never comes");
    let Wrong(messages, _) = cut else {
        unreachable!()
    };
    for message in messages {
        assert!(error.to_string().contains(message), "{error}");
    }
    fake.store.heal();
    let mut watching = Watching::default();
    let folder = fake.get(&mut watching).expect("all is well again");
    fake.assert_whole(&folder);
    assert_eq!(watching.starts[0].2, 1000);
}

#[test]
fn a_connection_that_is_cut_again_and_again_gets_there_all_the_same() {
    // Seven answers, more than the retries that follow one in vain.
    check(At::Store, "GET", WEIGHTS, ALWAYS, Fault::Cut(45_000), Right);
}

#[test]
fn wrong_bytes_are_never_kept() {
    let weights = files()[WEIGHTS].clone();
    let expected = etag(WEIGHTS, &weights);
    let fake = FakeHub::start();
    fake.store.spoil("GET", WEIGHTS, ALWAYS, Fault::WrongBytes);
    let error = fake.get(&mut Watching::default()).expect_err("it is wrong");
    let HubError::Hash {
        found,
        expected: named,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert!(*named == expected && *found != expected, "{error}");
    assert!(!error.is_bad_input());
    let blobs = fake.model_folder().join("blobs");
    let left = |fake: &FakeHub| {
        let blobs = list(&fake.model_folder().join("blobs"));
        blobs
            .iter()
            .any(|it| it.to_string_lossy().contains("incomplete"))
    };
    assert!(!left(&fake) && !blobs.join(&expected).exists());

    check(
        At::Store,
        "GET",
        WEIGHTS,
        ALWAYS,
        Fault::WrongBytes,
        Wrong(&["SHA-256"], false),
    );
    check(
        At::Hub,
        "GET",
        CONFIG,
        ALWAYS,
        Fault::WrongBytes,
        Wrong(&["git's SHA-1"], false),
    );
    for fault in [
        Fault::Shorter,
        Fault::Longer,
        Fault::Html,
        Fault::Length(1 << 60),
    ] {
        let messages = &["bytes, expected 300000"];
        check(
            At::Store,
            "GET",
            WEIGHTS,
            ALWAYS,
            fault,
            Wrong(messages, false),
        );
    }
    let html = Wrong(&["cut after 42 bytes, expected 300000"], false);
    check(
        At::Store,
        "GET",
        WEIGHTS,
        ALWAYS,
        Fault::HtmlWithoutLength,
        html,
    );
}

#[test]
fn a_file_without_an_end_does_not_fill_the_disk() {
    let limit = "expected at most 33554432 bytes";
    for file in ["config.json", "vocab.txt", "tokenizer.json"] {
        let fake = FakeHub::start();
        fake.hub.spoil("HEAD", file, ALWAYS, Fault::NoLength);
        fake.hub.spoil("GET", file, ALWAYS, Fault::Endless);
        let mut watching = Watching::default();
        let error = fake.get(&mut watching).expect_err("it has no end");
        let line = error.to_string();
        assert!(line.contains(limit) && line.contains(file), "{line}");
        assert!(watching.at <= 32 << 20, "{file}: {}", watching.at);
        let blobs = list(&fake.model_folder().join("blobs"));
        let left: u64 = blobs
            .iter()
            .map(|blob| blob.metadata().expect("it is there").len())
            .sum();
        assert!(left < 1 << 10, "{file}: {left}");
    }
    // A size that is announced is believed before anything is asked for.
    let fake = FakeHub::start();
    fake.hub
        .spoil("HEAD", CONFIG, ALWAYS, Fault::Length(1 << 40));
    let error = fake
        .get(&mut Watching::default())
        .expect_err("it is too large");
    assert!(
        matches!(
            error,
            HubError::TooLarge {
                found: Some(1_099_511_627_776),
                ..
            }
        ),
        "{error}"
    );
    let seen = fake.hub.seen();
    assert!(seen.iter().all(|seen| seen.method == "HEAD"), "{seen:?}");
}

#[test]
fn weights_whose_size_nobody_announces_are_refused() {
    let fake = FakeHub::start();
    fake.hub.spoil(
        "HEAD",
        WEIGHTS,
        ALWAYS,
        Fault::Header("X-Linked-Size", None),
    );
    fake.store.spoil("GET", WEIGHTS, ALWAYS, Fault::Endless);
    let mut watching = Watching::default();
    let error = fake.get(&mut watching).expect_err("it has no end");
    assert!(
        matches!(
            error,
            HubError::NotAHub {
                header: "Content-Length",
                ..
            }
        ),
        "{error}"
    );
    fake.assert_sound();
}

#[test]
fn what_is_no_hub_is_told_from_one() {
    check(
        At::Hub,
        "HEAD",
        CONFIG,
        ALWAYS,
        Fault::Html,
        Wrong(&["X-Repo-Commit", "HF_ENDPOINT"], false),
    );
    for commit in [None, Some("../../../etc"), Some("main"), Some("")] {
        let fault = Fault::Header("X-Repo-Commit", commit);
        check(
            At::Hub,
            "HEAD",
            "owner",
            ALWAYS,
            fault,
            Wrong(&["X-Repo-Commit"], false),
        );
    }
}

#[test]
fn a_wait_is_as_long_as_the_server_asks_unless_it_asks_too_much() {
    let fake = FakeHub::start();
    fake.store.spoil(
        "GET",
        WEIGHTS,
        1,
        Fault::Status(429, &[("Retry-After", "1")]),
    );
    let start = Instant::now();
    fake.get(&mut Watching::default()).expect("it is fetched");
    assert!(start.elapsed() >= Duration::from_secs(1));

    let busy = Fault::Status(429, &[("Retry-After", "3600")]);
    let start = Instant::now();
    let messages = &["found status 429 (with Retry-After: 3600 s)", "(1 attempt)"];
    check(
        At::Hub,
        "HEAD",
        CONFIG,
        ALWAYS,
        busy,
        Wrong(messages, false),
    );
    assert!(start.elapsed() < PATIENCE);
    for odd in [
        "soon",
        "-1",
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "99999999999999999999",
    ] {
        let fake = FakeHub::start();
        let headers: &'static [_] = Box::leak(Box::new([("Retry-After", odd)]));
        fake.store
            .spoil("GET", WEIGHTS, 1, Fault::Status(429, headers));
        fake.get(&mut Watching::default()).expect("it is fetched");
    }
}

#[test]
fn redirects_are_followed_so_far_and_no_further() {
    for to in [
        "/owner/bert-tiny/resolve/main/config.json",
        "//{host}/owner/bert-tiny/resolve/main/config.json",
    ] {
        let fake = FakeHub::start();
        let to = to.replace("{host}", fake.hub.url().trim_start_matches("http://"));
        for method in ["HEAD", "GET"] {
            fake.hub.spoil(
                method,
                "/bert-tiny/resolve/main",
                1,
                Fault::Redirect(to.clone()),
            );
        }
        let folder = fake.get(&mut Watching::default()).expect("it is fetched");
        fake.assert_whole(&folder);
    }
    for (to, message) in [
        ("/bert-tiny/again", "more than 10 redirects"),
        ("file:///etc/passwd", "a redirect to"),
        ("http://", "a redirect to"),
        ("\u{7f}", "invalid header value"),
    ] {
        let redirect = Fault::Redirect(to.to_owned());
        check(
            At::Hub,
            "HEAD",
            "bert-tiny",
            ALWAYS,
            redirect,
            Wrong(&[message], false),
        );
    }
    let redirect = Fault::Redirect("/circle".to_owned());
    check(
        At::Store,
        "GET",
        "/",
        ALWAYS,
        redirect,
        Wrong(&["more than 10 redirects"], false),
    );
    // One that says nothing of the place.
    check(
        At::Store,
        "GET",
        "/",
        ALWAYS,
        Fault::Status(302, &[]),
        Wrong(&["without a location"], false),
    );
}
