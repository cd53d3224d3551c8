//! Plots on a phone's screen, in a real browser, where one is installed.

use std::fs;

use bert_report::RunReport;

use crate::browser::dump_dom;
use crate::fixture::runs;

/// Counts the labels of plots that overlap in a page of 390 pixels, and the plots.
const COUNT: &str = r#"
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => {
  const page = frame.contentDocument;
  const overlapping = [];
  let plots = 0;
  for (const svg of page.querySelectorAll(".plot svg[role=img]")) {
    plots += 1;
    const texts = [...svg.querySelectorAll("text")].filter(text => text.textContent.trim());
    const boxes = texts.map(text => [text.textContent.trim(), text.getBoundingClientRect()]);
    boxes.forEach(([name, a], index) => {
      for (const [other, b] of boxes.slice(index + 1)) {
        if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) {
          overlapping.push(name + " and " + other);
        }
      }
    });
  }
  const wide = page.documentElement.scrollWidth;
  document.body.textContent = `found ${plots} plots, ${wide} wide, overlapping: [${overlapping.join(", ")}]`;
});
"#;

/// A run with numbers whose labels are wide.
fn run() -> RunReport {
    let mut run = runs(|number| format!("text {number}")).remove(0);
    let loss = run.metrics.steps["loss"].clone();
    for (key, factor) in [
        ("learning_rate", 3.7e-5),
        ("tokens_per_second", 123_456.0),
        ("memory_bytes", 7e10),
    ] {
        let mut series = loss.clone();
        for (step, value) in &mut series.points {
            *step *= 123_456.0;
            *value *= factor;
        }
        run.metrics.steps.insert(key.to_owned(), series);
    }
    run
}

#[test]
fn labels_do_not_overlap_on_a_narrow_screen() {
    // The page forbids scripts: the one that measures is in a page around it. The frame is so high that the page has
    // no scroll bar, which would take a part of its width.
    let escaped = run().render().replace('&', "&amp;").replace('"', "&quot;");
    let page = format!(
        "<!DOCTYPE html><meta charset=utf-8><body><iframe width=390 height=30000 style='border:0' \
         srcdoc=\"{escaped}\"></iframe><script>{COUNT}</script>"
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("page.html");
    fs::write(&path, page).expect("it is written");
    let flags = ["--virtual-time-budget=5000".to_owned()];
    let Some(dom) = dump_dom(&path, folder.path(), &flags) else {
        return;
    };
    let found = dom.split("<body>").nth(1).unwrap_or(&dom);
    assert!(
        found.starts_with("found 5 plots, 390 wide, overlapping: []"),
        "{found}"
    );
}
