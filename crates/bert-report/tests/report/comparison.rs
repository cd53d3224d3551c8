//! Runs side by side.

use bert_report::{RunReport, render_comparison};
use serde_json::json;

use crate::fixture::runs;

fn run(name: &str, rate: f64, f1: f64) -> RunReport {
    let mut run = runs(|number| format!("text {number}")).remove(0);
    run.dir = format!("out/{name}").into();
    run.record.settings =
        json!({"recipe": {"learning_rate": rate}, "seed": 42, "output_dir": name});
    run.results = [
        ("eval_f1".to_owned(), json!(f1)),
        ("eval_loss".to_owned(), json!(1.0 - f1)),
    ]
    .into();
    run
}

#[test]
fn the_best_is_marked_and_only_what_differs_is_unfolded() {
    let page = render_comparison(&[run("a", 1e-5, 0.5), run("b", 2e-5, 0.75)]).unwrap();
    assert!(
        page.contains(r#"<span class="best">★ 0.75</span>"#),
        "{page}"
    );
    assert!(
        page.contains(r#"<span class="best">★ 0.25</span>"#),
        "{page}"
    );
    let (unfolded, folded) = page
        .split_once("<details>")
        .expect("shared settings are folded");
    assert!(unfolded.contains("recipe.learning_rate") && !unfolded.contains("<bdi>seed</bdi>"));
    assert!(folded.contains("<bdi>seed</bdi>") && !page.contains("<bdi>output_dir</bdi>"));
    assert!(page.contains("All 1 inputs hold the same."));
    assert!(page.matches("<figure").count() == 2 && page.contains("#C24E00"));
}

#[test]
fn runs_that_cannot_be_compared_are_refused_in_one_line() {
    let one = run("a", 1e-5, 0.5);
    for count in [0, 1, 13] {
        let error = render_comparison(&vec![one.clone(); count]).expect_err("too few or many");
        assert_eq!(
            error.to_string(),
            format!("found {count} runs to compare, expected 2 to 12")
        );
    }
    render_comparison(&vec![one.clone(); 12]).expect("twelve runs");
    let mut other = run("b", 1e-5, 0.5);
    other.task_name = Some("MRPC".to_owned());
    let error = render_comparison(&[one, other])
        .expect_err("two tasks")
        .to_string();
    assert!(
        error.starts_with("out/b: found a run of MRPC, expected text "),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1);
}
