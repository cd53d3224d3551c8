//! A page in a real browser, where one is installed.

use std::{fs, process::Command};

use bert_test_support::{Prerequisite, skip};

use crate::fixture::runs;

#[test]
fn chromium_renders_a_report() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = folder.path().join("report.html");
    let html = runs(|number| format!("text {number} </script>"))
        .remove(0)
        .render();
    fs::write(&page, html).expect("it is written");
    let image = folder.path().join("report.png");
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--window-size=1100,1600",
            "--dump-dom",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        ))
        .arg(format!("--screenshot={}", image.display()))
        .arg(format!("file://{}", page.display()))
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            let reason = format!("chromium cannot be started: {error}");
            return skip(Prerequisite::Browser, &reason);
        }
    };
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(
        dom.contains("<polyline") && dom.contains("</html>"),
        "{dom}"
    );
    assert!(fs::metadata(&image).is_ok_and(|image| image.len() > 10_000));
}
