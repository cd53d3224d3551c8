//! The page of a small run, whole. `INSTA_UPDATE=always` writes it anew after a wanted change.

use std::path::PathBuf;

use crate::fixture::runs;

#[test]
fn the_page_of_a_small_run_is_as_committed() {
    for (name, number) in [("squad", 0), ("swag", 1), ("glue", 2)] {
        let mut run = runs(|number| format!("text {number}")).remove(number);
        run.dir = PathBuf::from(format!("out/{name}-demo"));
        let page = run.render();
        let (before, rest) = page.split_once("<style>").expect("a style sheet");
        let (_, after) = rest.split_once("</style>").expect("its end");
        // A line a tag, so that a change shows where it is.
        let lines = format!("{before}<style>…</style>{after}").replace("><", ">\n<");
        insta::assert_snapshot!(name, lines);
    }
}

#[test]
fn a_run_is_called_by_its_folder_and_its_scores_stand_once() {
    let mut run = runs(|number| format!("text {number}")).remove(0);
    run.dir = PathBuf::from("out/squad-demo");
    run.task_name = Some("SQuAD 1.1".to_owned());
    run.record.settings["bert_model"] = "models/bert-base-uncased".into();
    let table = serde_json::json!([
        ["untrained", [{"name": "exact match", "percent": 1.25}, {"name": "F1", "percent": 7.75}]],
        ["fine-tuned", [{"name": "exact match", "percent": 81.5}, {"name": "F1", "percent": 88.5}]],
    ]);
    run.record.summary.as_mut().expect("a summary")["outcome"]["table"] = table;
    run.results = [("exact_match", 81.5), ("f1", 88.5), ("loss", 0.5)]
        .map(|(key, result)| (key.to_owned(), result.into()))
        .into();
    let page = run.render();
    assert!(page.contains("<title>squad-demo: SQuAD 1.1</title>"));
    assert!(page.contains("<h1><bdi>squad-demo</bdi></h1>"));
    assert!(page.contains("<dt>Base model</dt><dd><bdi>bert-base-uncased</bdi></dd>"));
    let (_, page) = page.split_once("</style>").expect("a style sheet");
    for score in ["81.5", "88.5", "1.25", "7.75"] {
        assert_eq!(
            page.matches(&format!(">{score}")).count() + page.matches(&format!(" {score}")).count(),
            1,
            "{score}"
        );
    }
    assert!(page.contains("Other results") && page.contains("loss"));
}
