//! Flags from recipes, files and downloads, and what the program says of itself.

use std::fs;
use std::path::Path;

use bert_test_support::{Workspace, names, repository};
use serde_json::{Value, json};

use crate::support::{bert, bert_with, refused, stderr};
use crate::training_support::Processes;

#[test]
fn a_runs_record_repeats_it_to_the_bit_and_flags_win() {
    let workspace = Workspace::new();
    workspace.train("first", &["--seed", "7"]);
    let record = workspace.path("first").join("run.json");
    let (again, record) = (workspace.path("again"), record.to_str().unwrap().to_owned());
    let repeated = bert(&[
        "train-swag",
        "--config",
        &record,
        "--device",
        "cpu",
        "--output-dir",
        again.to_str().unwrap(),
    ]);
    assert!(repeated.status.success(), "{}", stderr(&repeated));
    assert_eq!(workspace.results("first"), workspace.results("again"));

    // `--seeds` excludes the record's `--seed`.
    let plan = |flags: &[&str]| -> Value {
        let own = [
            "train-swag",
            "--config",
            &record,
            "--dry-run",
            "--json",
            "--output-dir",
        ];
        let output = bert(
            &[
                &own[..],
                &[again.to_str().unwrap(), "--overwrite-output-dir"],
                flags,
            ]
            .concat(),
        );
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(plan(&[])["seeds"], json!([7]));
    assert_eq!(plan(&["--seed", "8"])["seeds"], json!([8]));
    assert_eq!(plan(&["--seeds", "1,2"])["seeds"], json!([1, 2]));
    let line = refused(&["train-squad", "--config", &record]);
    assert!(line.contains("found settings of train-swag"), "{line}");
}

#[test]
fn settings_that_are_none_are_named_with_their_file() {
    let dir = tempfile::tempdir().unwrap();
    let cases = [
        ("learning_rat = 1", "learning_rate?"),
        ("train_batch_size = \"many\"", "--train-batch-size"),
        ("from_scratch = 3", "expected true or false"),
        ("seed = true", "expected a value"),
        ("seed = 1\n\nseed = 2", ":3:"),
        ("= 1", ":1:"),
        (
            "learning_rate = 1\n\"learning-rate\" = 2",
            "found the setting",
        ),
        ("num_train_epochs = [1]", "found a list"),
        ("command = \"train-glue\"", "expected those of train-swag"),
        ("[recipe]\nseed = 1", "recipe"),
        ("{\"settings\": 1}", "run's record"),
    ];
    for (text, expected) in cases {
        let file = dir.path().join("mine.toml");
        fs::write(&file, text).unwrap();
        let line = refused(&["train-swag", "--config", file.to_str().unwrap()]);
        assert!(
            line.contains("mine.toml") && line.contains(expected),
            "{text}: {line}"
        );
    }
    let line = refused(&["train-swag", "--recipe", "huge"]);
    assert!(line.contains("expected one of demo, base, large"), "{line}");
    let line = refused(&["train-swag", "--config", "no-such.toml"]);
    assert!(line.contains("no-such.toml"), "{line}");
}

#[test]
fn numbers_that_are_mistakes_are_one_line() {
    for (flag, value) in [
        ("--num-train-epochs", "1e30"),
        ("--train-batch-size", "9223372036854775807"),
        ("--learning-rate", "-1"),
        ("--learning-rate", "nan"),
        ("--warmup-proportion", "-0.1"),
        ("--max-grad-norm", "-1"),
    ] {
        let line = refused(&["train-swag", "--dry-run", flag, value]);
        assert!(line.contains(flag) && line.contains("expected"), "{line}");
    }
}

#[test]
fn a_bad_flag_costs_an_earlier_run_nothing() {
    let workspace = Workspace::new();
    let model = workspace.path("out/model.safetensors");
    fs::create_dir(workspace.path("out")).unwrap();
    fs::write(&model, "of an earlier run").unwrap();
    for (flags, expected) in [
        (&["--save-steps", "0"][..], "--save-steps: found 0"),
        (&["--eval-steps", "0"], "--eval-steps: found 0"),
        (&["--early-stopping-patience", "3"], "expected --eval-steps"),
        (&["--save-minutes", "-1"], "--save-minutes"),
        (&["--save-minutes", "nan"], "--save-minutes: found NaN"),
        (&["--keep-last", "0"], "--keep-last"),
        (&["--save-steps", "1", "--resume"], "cannot be used with"),
    ] {
        let flags = [flags, &["--overwrite-output-dir"]].concat();
        let line = workspace.refuse("out", &flags);
        assert!(line.contains(expected), "{line}");
    }
    assert_eq!(names(&workspace.path("out")), ["model.safetensors"]);
    assert_eq!(fs::read(model).unwrap(), b"of an earlier run");
}

#[test]
fn a_record_of_another_version_is_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("run.json");
    let record = json!({
        "version": "0.0.9", "created": "2025-01-01T00:00:00Z", "seed": 1, "inputs": [],
        "settings": {"bert_model": "x", "eval_file": "val.csv"},
    });
    fs::write(&file, record.to_string()).unwrap();
    let line = refused(&["train-swag", "--config", file.to_str().unwrap()]);
    assert!(
        line.contains("run.json") && line.contains("0.0.9"),
        "{line}"
    );
}

#[test]
fn the_demo_runs_outside_the_repository() {
    let dir = tempfile::tempdir().unwrap();
    let plan = |more: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_bert"))
            .args(["train-swag", "--dry-run", "--json", "--device", "cpu"])
            .args(more)
            .current_dir(dir.path())
            .env("XDG_CACHE_HOME", dir.path().join("cache"))
            .output()
            .unwrap()
    };
    let output = plan(&[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let planned: Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = Path::new(planned["settings"]["train_file"].as_str().unwrap()).to_owned();
    let repository = repository().join("data/demo/swag/train.csv");
    assert_eq!(fs::read(file).unwrap(), fs::read(repository).unwrap());
}

#[test]
fn downloaded_data_are_found() {
    let workspace = Workspace::new();
    let downloads = workspace.path("downloads");
    fs::create_dir(&downloads).unwrap();
    let downloads = downloads.to_str().unwrap();
    let out = workspace.path("out");
    let plan = [
        "train-swag",
        "--bert-model",
        "data/demo/bert-small",
        "--from-scratch",
        "--dry-run",
        "--json",
        "--output-dir",
        out.to_str().unwrap(),
    ];
    let variables = [("BERT_DOWNLOADS_DIR", downloads)];
    // Nothing is downloaded: a recipe says what to do.
    let recipe = [&plan[..], &["--recipe", "base"]].concat();
    let output = bert_with(&variables, &recipe);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("xtask download swag"),
        "{}",
        stderr(&output)
    );
    fs::rename(workspace.path("data"), Path::new(downloads).join("swag")).unwrap();
    for arguments in [&plan[..], &recipe] {
        let output = bert_with(&variables, arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        let file = plan["settings"]["train_file"].as_str().unwrap();
        assert!(file.starts_with(downloads), "{file}");
    }
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = bert(&["completions", shell]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(
            String::from_utf8(output.stdout)
                .unwrap()
                .contains("train-squad"),
            "{shell}"
        );
    }
    assert!(refused(&["completions", "tcsh"]).contains("tcsh"));
}

#[test]
fn every_command_shows_examples() {
    let help = bert(&["--help"]);
    let text = String::from_utf8(help.stdout).unwrap();
    let verbs = text.lines().skip_while(|line| *line != "Commands:").skip(1);
    let verbs = verbs.take_while(|line| !line.is_empty());
    let verbs: Vec<&str> = verbs
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    assert!(verbs.len() > 15, "{text}");
    for verb in verbs {
        let help = String::from_utf8(bert(&[verb, "--help"]).stdout).unwrap();
        assert!(help.contains("EXAMPLES"), "{verb}");
    }
}
