//! Chromium, where it is installed.

use std::path::Path;
use std::process::Command;

use bert_test_support::{Prerequisite, skip};

/// Opens a page and returns its DOM after the scripts have run; `None`, and the test is skipped, without Chromium.
/// `folder` takes the browser's profile.
pub(crate) fn dump_dom(page: &Path, folder: &Path, flags: &[String]) -> Option<String> {
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--dump-dom",
        ])
        .args(flags)
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg(format!("file://{}", page.display()))
        .output();
    match output {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) => {
            let reason = format!("chromium cannot be started: {error}");
            skip(Prerequisite::Browser, &reason);
            None
        }
    }
}
