//! A download that is killed, whenever that is, and goes on.
//!
//! It is this test program, started again for the one test below that does nothing unless it is told where.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use bert_hub::{FetchSettings, Fetcher, Hub, HubSettings, NoProgress};

use crate::{
    fake_hub::{FakeHub, MODEL, etag, files, name},
    server::{Fault, PATIENCE},
    watching::Watching,
};

const ENDPOINT: &str = "BERT_HUB_TEST_ENDPOINT";
const CACHE: &str = "BERT_HUB_TEST_CACHE";

#[test]
fn a_download_until_it_is_killed() {
    let (Ok(endpoint), Some(cache)) = (env::var(ENDPOINT), env::var_os(CACHE)) else {
        return;
    };
    let settings = HubSettings {
        endpoint,
        cache_dir: cache.into(),
        token: None,
        offline: false,
    };
    // More patient than the server is slow.
    let fetcher = Fetcher::new(FetchSettings::default()).expect("the settings are good");
    let _ = Hub::new(settings, fetcher).model(&name(MODEL), &mut NoProgress);
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |it| it.len())
}

#[test]
fn a_download_that_is_killed_goes_on_and_keeps_nobody_waiting() {
    let fake = FakeHub::start();
    let weights = &files()["model.safetensors"];
    let partial = format!("blobs/{}.incomplete", etag("model.safetensors", weights));
    let partial = fake.model_folder().join(partial);
    for part in 1..=3 {
        fake.store.spoil("GET", "/", 1, Fault::Stall(70_000));
        let mut run = Command::new(env::current_exe().expect("this program has a path"))
            .args(["--exact", "killed::a_download_until_it_is_killed"])
            .env(ENDPOINT, fake.hub.url())
            .env(CACHE, fake.cache())
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        let start = Instant::now();
        while length(&partial) < part * 70_000 {
            assert!(start.elapsed() < PATIENCE, "it never gets there");
            thread::sleep(Duration::from_millis(2));
        }
        run.kill().expect("it is killed");
        run.wait().expect("it has ended");
        fake.assert_sound();
    }
    fake.store.heal();
    let mut watching = Watching::default();
    let folder = fake.get(&mut watching).expect("it is fetched");
    fake.assert_whole(&folder);
    assert_eq!(watching.starts[0].2, 210_000);
    assert_eq!(watching.arrived, 90_000);
    assert!(!partial.exists());
}
