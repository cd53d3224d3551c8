//! Tells the program the commit that it is built from: `BERT_VERSION`, such as `0.1.0 (1a2b3c4d5e6f, 2026-01-31)`.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let version = env!("CARGO_PKG_VERSION");
    let built = match git(&["log", "-1", "--abbrev=12", "--format=%h, %cs"]) {
        Some(commit) => format!("{version} ({commit})"),
        // Sources without their history, such as an archive's.
        None => version.to_owned(),
    };
    println!("cargo::rustc-env=BERT_VERSION={built}");
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
}

/// The line that a git command prints; `None` where it fails.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}
