//! What the program says of itself, its machine and its recipes.

use std::fs;

use serde_json::Value;

use crate::support::{done, refused};

#[test]
fn the_version_names_the_commit_where_there_is_one() {
    let line = done(&["--version"]);
    let version = env!("CARGO_PKG_VERSION");
    assert!(line.starts_with(&format!("bert {version}")), "{line}");
    // A checkout has a commit; an archive of the sources has none.
    let has_history = bert_test_support::repository().join(".git").exists();
    assert_eq!(line.contains(" ("), has_history, "{line}");
}

#[test]
fn what_a_report_of_a_fault_needs_is_told() {
    let object: Value = serde_json::from_str(&done(&["info", "--json"])).unwrap();
    let text = done(&["info"]);
    for fact in [
        "version",
        "Burn",
        "device",
        "processor",
        "built for",
        "instructions",
        "built with",
        "models",
        "downloads",
    ] {
        assert!(object[fact].is_string(), "{fact}: {object}");
        assert!(
            text.lines().any(|line| line.starts_with(fact)),
            "{fact}: {text}"
        );
    }
    assert_eq!(
        format!("bert {}\n", object["version"].as_str().unwrap()),
        done(&["--version"])
    );
}

#[test]
fn a_recipe_that_is_printed_is_a_file_of_settings() {
    let list = done(&["recipes"]);
    for line in [
        "train-squad  base ",
        "train-swag   large ",
        "train-glue   demo ",
    ] {
        assert!(list.contains(line), "{list}");
    }
    assert!(!done(&["recipes", "train-swag"]).contains("train-squad"));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mine.toml");
    fs::write(&file, done(&["recipes", "train-squad", "demo"])).unwrap();
    let plan = |flags: [&str; 2]| {
        let plan = done(&[
            "train-squad",
            flags[0],
            flags[1],
            "--device",
            "cpu",
            "--dry-run",
            "--json",
        ]);
        serde_json::from_str::<Value>(&plan).unwrap()["settings"].clone()
    };
    assert_eq!(
        plan(["--config", file.to_str().unwrap()]),
        plan(["--recipe", "demo"])
    );
    assert!(refused(&["recipes", "train-squad", "huge"]).contains("expected one of demo, base"));
    assert!(
        refused(&["recipes", "train"]).contains("expected train-squad, train-swag or train-glue")
    );
}
