//! A page in a real browser, where one is installed.

use std::fs;

use crate::browser::dump_dom;
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
    let flags = [
        "--window-size=1100,1600".to_owned(),
        format!("--screenshot={}", image.display()),
    ];
    let Some(dom) = dump_dom(&page, folder.path(), &flags) else {
        return;
    };
    assert!(
        dom.contains("<polyline") && dom.contains("</html>"),
        "{dom}"
    );
    assert!(fs::metadata(&image).is_ok_and(|image| image.len() > 10_000));
}
