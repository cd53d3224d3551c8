//! The image of `deploy/Dockerfile`, with the program that `cargo xtask dist` packed: it is built, becomes healthy and answers.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bert_test_support::{Prerequisite, repository, shared_file, skip};

const BASE: &str = "docker.io/library/debian:bookworm-slim";
const IMAGE: &str = "localhost/bert-test";

/// A program that builds and runs containers.
#[derive(Clone, Copy)]
struct Engine(&'static str);

impl Engine {
    /// One that has the base image here, can run it, and reaches Debian's packages from it.
    fn find() -> Option<Self> {
        let update = ["apt-get", "-o", "APT::Update::Error-Mode=any", "update"];
        let probe = [&["run", "--rm", "--pull=never", BASE][..], &update].concat();
        ["docker", "podman"].map(Self).into_iter().find(|engine| {
            let tried = Command::new(engine.0).args(&probe).output();
            tried.is_ok_and(|output| output.status.success())
        })
    }

    fn run(self, arguments: &[&str]) -> Output {
        Command::new(self.0).args(arguments).output().unwrap()
    }

    /// What a command prints, which succeeds.
    fn ask(self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// A container that ends with the test.
struct Container {
    engine: Engine,
    id: String,
}

impl Container {
    /// Whether the image's own check succeeds.
    fn is_healthy(&self) -> bool {
        if self.engine.0 == "podman" {
            // Without systemd, podman checks only when it is asked.
            let check = ["healthcheck", "run", &self.id];
            return self.engine.run(&check).status.success();
        }
        let status = ["inspect", "--format", "{{.State.Health.Status}}", &self.id];
        self.engine.ask(&status) == "healthy"
    }

    fn log(&self) -> Output {
        self.engine.run(&["logs", &self.id])
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.engine.run(&["rm", "--force", &self.id]);
    }
}

/// The folder that `cargo xtask dist` fills.
fn dist() -> Option<PathBuf> {
    let target = std::env::current_exe().unwrap();
    let target = target.ancestors().nth(3).unwrap();
    let dist = target.join("dist/flex");
    dist.join("SHA256SUMS").is_file().then_some(dist)
}

#[test]
fn the_image_serves_a_model_and_is_healthy() {
    let Some(dist) = dist() else {
        let reason = "found no archives; cargo xtask dist makes them";
        return skip(Prerequisite::Containers, reason);
    };
    let Some(model) = shared_file("models/minilm-l6-squad") else {
        return;
    };
    let Some(engine) = Engine::find() else {
        let reason = format!("found no docker or podman that runs {BASE} with a network");
        return skip(Prerequisite::Containers, &reason);
    };
    let dockerfile = repository().join("deploy/Dockerfile");
    let mut build = Command::new(engine.0);
    build.args(["build", "--tag", IMAGE, "--file"]);
    build.arg(dockerfile).arg(&dist);
    if engine.0 == "podman" {
        // Its own format of images has no health check.
        build.args(["--format", "docker"]);
    }
    let built = build.output().unwrap();
    assert!(built.status.success(), "{built:?}");

    // The program of these archives, not of an image that an earlier build left.
    let prefix = tempfile::tempdir().unwrap();
    let mut install = Command::new(dist.join("install.sh"));
    install.args(["--level", "v2", "--prefix"]);
    let installed = install.arg(prefix.path()).output().unwrap();
    assert!(installed.status.success(), "{installed:?}");
    let sum = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    let program = Command::new("sha256sum")
        .arg(prefix.path().join("bin/bert"))
        .output()
        .unwrap();
    let sha256sum = ["--entrypoint", "sha256sum", IMAGE, "/usr/local/bin/bert"];
    let in_image = engine.ask(&[&["run", "--rm"][..], &sha256sum].concat());
    let program = String::from_utf8(program.stdout).unwrap();
    assert_eq!(sum(&in_image), sum(&program));

    let volume = format!("{}:/model:ro", model.canonicalize().unwrap().display());
    let container = Container {
        engine,
        id: engine.ask(&["run", "--detach", "--volume", &volume, IMAGE]),
    };
    let start = Instant::now();
    while !container.is_healthy() {
        let log = container.log();
        assert!(start.elapsed() < Duration::from_secs(60), "{log:?}");
        sleep(Duration::from_millis(200));
    }
    let question = r#"{"question": "Who wrote it?", "passage": "Ada Lovelace wrote it in 1843.", "n_best": 1}"#;
    let post = [
        "exec",
        &container.id,
        "curl",
        "--fail",
        "--silent",
        "--header",
        "Content-Type: application/json",
        "--data",
        question,
        "http://127.0.0.1:8080/api/v1/answer",
    ];
    let answer = engine.ask(&post);
    assert!(answer.contains(r#""text":"Ada Lovelace""#), "{answer}");
    assert_eq!(engine.ask(&["exec", &container.id, "whoami"]), "bert");

    // The server answers what it has begun, and leaves by itself.
    engine.ask(&["stop", "--time", "30", &container.id]);
    let code = ["inspect", "--format", "{{.State.ExitCode}}", &container.id];
    assert_eq!(engine.ask(&code), "0", "{:?}", container.log());
}
