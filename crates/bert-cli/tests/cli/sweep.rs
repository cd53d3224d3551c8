//! `bert sweep`: one training with several settings.

use std::fs;
use std::path::Path;

use bert_test_support::json;

use crate::support::{done, refused};

/// A sweep of trainings of three steps, or one that is refused.
fn words<'a>(out: &'a str, before: &[&'a str], flags: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "train-glue",
        "--task",
        "wnli",
        "--train_batch_size",
        "8",
        "--num-train-epochs",
        "1",
        "--max-train-examples",
        "24",
        "--max-seq-length",
        "48",
        "--device",
        "cpu",
        "--output-dir",
        out,
    ];
    [&["sweep"], before, &fixed, flags].concat()
}

fn total_steps(run: &Path) -> u64 {
    json(&run.join("run.json"))["summary"]["total_steps"]
        .as_u64()
        .unwrap()
}

#[test]
fn a_grid_grows_and_what_is_finished_is_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let sweep = |flags: &[&str]| done(&words(out.to_str().unwrap(), &[], flags));
    let printed = sweep(&["--learning-rate", "1e-4,1e-3", "--seeds", "1,2"]);
    assert_eq!(printed, fs::read_to_string(out.join("sweep.txt")).unwrap());
    assert_eq!(printed.lines().count(), 3, "{printed}");
    assert!(printed.contains(" ± "), "{printed}");
    let model = out.join("learning-rate-1e-3/seed-2/model.safetensors");
    let written = || fs::metadata(&model).unwrap().modified().unwrap();
    let before = written();
    // The 2018 spelling, and one more value.
    let printed = sweep(&["--learning_rate=1e-4,1e-3,2e-3", "--seeds", "1,2", "--json"]);
    assert_eq!(written(), before);
    let summary: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(summary["configurations"].as_array().unwrap().len(), 3);
    assert_eq!(summary, json(&out.join("sweep.json")));
    assert!(
        out.join("learning-rate-2e-3/seed-1/model.safetensors")
            .exists()
    );
}

#[test]
fn halving_and_chance_train_fewer_and_a_plan_trains_none() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let before = ["--random", "3", "--halving", "3"];
    let flags = [
        "--learning-rate",
        "1e-5..1e-3",
        "--warmup-proportion",
        "0,0.1",
    ];
    let plan = done(&words(out, &before, &[&flags[..], &["--dry-run"]].concat()));
    assert!(plan.contains("3 configurations, 3 runs"), "{plan}");
    assert!(plan.contains(" 3 steps, about "), "{plan}");
    assert!(!Path::new(out).exists());
    done(&words(out, &before, &flags));
    let summary = json(&Path::new(out).join("sweep.json"));
    let configurations = summary["configurations"].as_array().unwrap();
    let folders: Vec<&str> = configurations
        .iter()
        .map(|row| row["folder"].as_str().unwrap())
        .collect();
    for (n, folder) in folders.iter().enumerate() {
        assert_eq!(folder.starts_with("rung-1/"), n > 0, "{folder}");
        assert_eq!(
            total_steps(&Path::new(out).join(folder)),
            if n == 0 { 3 } else { 1 }
        );
        assert!(
            plan.contains(folder.trim_start_matches("rung-1/")),
            "{plan}"
        );
    }
}

#[test]
fn a_seed_that_learns_nothing_is_tried_once_more() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    // One step at a rate of nearly nothing leaves an untrained head.
    let flags = [
        "--learning-rate",
        "1e-12",
        "--seeds",
        "1,2",
        "--retry-failed-seeds",
    ];
    let sweep = words(out.to_str().unwrap(), &[], &flags);
    let printed = done(&sweep[1..]);
    let summary = json(&out.join("seeds.json"));
    let degenerate = summary["degenerate"].as_object().unwrap();
    let failed: Vec<&str> = ["1", "2"]
        .into_iter()
        .filter(|seed| degenerate.contains_key(*seed))
        .collect();
    assert!(!failed.is_empty(), "{summary}");
    let retries = summary["retry_of"].as_object().unwrap();
    let replaced: Vec<String> = retries.values().map(ToString::to_string).collect();
    assert_eq!(replaced, failed);
    for (seed, replaced) in retries {
        assert!(seed == "3" || seed == "4", "{seed}");
        assert!(out.join(format!("seed-{seed}/model.safetensors")).exists());
        assert!(
            printed.contains(&format!("in place of {replaced}")),
            "{printed}"
        );
    }
    // The mean is over the runs that count: at most one more for each that failed.
    let counted = summary["results"].as_object().unwrap().iter();
    let counted = counted.filter(|(seed, _)| !failed.contains(&seed.as_str()));
    let scores: Vec<f64> = counted
        .map(|(_, results)| results["eval_accuracy"].as_f64().unwrap())
        .collect();
    assert_eq!(scores.len(), 2);
    let mean = summary["mean"]["eval_accuracy"].as_f64().unwrap();
    assert!((mean - (scores[0] + scores[1]) / 2.0).abs() < 1e-12);
    // All of it again, from what is there.
    assert_eq!(done(&sweep[1..]), printed);
}

#[test]
fn what_cannot_be_swept_is_said_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    for (before, flags, expected) in [
        (
            &[][..],
            &[][..],
            "found no flag of train-glue with several values",
        ),
        (
            &[],
            &["--learning-rate", "1e-5,x"],
            "invalid value 'x' for '--learning-rate <RATE>'",
        ),
        (
            &[],
            &["--learning-rate", "1e-5,,2e-5"],
            "invalid value '' for '--learning-rate <RATE>'",
        ),
        (
            &[],
            &["--learning-rate", "1e-5,2e-5,1e-5"],
            "--learning-rate: found 1e-5 twice",
        ),
        (
            &[],
            &["--learning-rate", "-1,2e-5"],
            "--learning-rate: found -1",
        ),
        (
            &[],
            &["--learning-rate", "1e-5..1e-3"],
            "only `bert sweep --random N` draws from a range",
        ),
        (&[], &["--seed", "1,2"], "expected --seeds"),
        (
            &[],
            &["--output-dir", "elsewhere", "--learning-rate", "1e-5,1e-4"],
            "expected one folder for all runs",
        ),
        (
            &[],
            &["--max-eval-examples", "8,16"],
            "--max-eval-examples: found 8 and 16, expected one value",
        ),
        (
            &["--random", "3"],
            &["--learning-rate", "1e-5,2e-5"],
            "--random: found 3, expected 1 to 2",
        ),
        (
            &["--random", "1"],
            &["--learning-rate", "1e-5,2e-5"],
            "found 1 configuration, expected at least 2",
        ),
        (
            &["--halving", "1"],
            &["--learning-rate", "1e-5,2e-5"],
            "--halving: found 1, expected at least 2",
        ),
        (
            &[],
            &["--learning-rate", "1e-5,2e-5", "--do-eval"],
            "nothing to train on",
        ),
    ] {
        let line = refused(&words(out, before, flags));
        assert!(line.contains(expected), "{line}");
        assert!(!Path::new(out).exists(), "{line}");
    }
    for (words, expected) in [
        (&["sweep", "ask"][..], "found \"ask\" to sweep"),
        (
            &["sweep", "--rand", "3", "train-glue"],
            "found \"--rand\" to sweep",
        ),
        (
            &["sweep", "train-glue", "--task", "mrpc,rte"],
            "--output-dir is missing",
        ),
        (
            &[
                "sweep",
                "train-glue",
                "--task",
                "mrpc,rte",
                "--output-dir",
                "out",
            ],
            "--task: found \"mrpc\" and \"rte\", expected one value",
        ),
        (
            &[
                "sweep",
                "train-glue",
                "--task",
                "all",
                "--learning-rate",
                "1e-5,2e-5",
                "--data-dir",
                "data/demo/glue",
                "--bert-model",
                "data/demo/bert-small",
                "--output-dir",
                "out",
            ],
            "--task: found all, expected one task",
        ),
    ] {
        let line = refused(words);
        assert!(line.contains(expected), "{line}");
    }
}
