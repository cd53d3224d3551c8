//! A training that is stopped, by whatever means, and started again.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{done, refused, repository};
use crate::training_support::{Workspace, ended, error_line, names, signal, text};

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_same_bits() {
    let workspace = Workspace::new();
    let flags = [
        "--num-train-epochs",
        "8",
        "--save-steps",
        "5",
        "--eval-steps",
        "30",
    ];
    workspace.train("whole", &flags);
    // tests/kill-and-resume.sh does this at random moments, as often as it is told to.
    for step in [2, 33, 71] {
        let mut child = workspace.start("killed", &flags);
        workspace.wait_for_step("killed", step);
        child.kill().unwrap();
        ended(child);
        assert!(!workspace.path("killed/model.safetensors").exists());
        assert!(
            workspace
                .checkpoints("killed")
                .iter()
                .filter(|n| n.starts_with("step-"))
                .count()
                <= 3
        );
    }
    let output = workspace.train("killed", &flags);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("going on after step"), "{stderr}");
    workspace.assert_equal_results("whole", "killed");
    let steps: Vec<u64> = (1..=96).collect();
    assert_eq!(workspace.logged_steps("killed"), steps);
    assert_eq!(
        names(&workspace.path("killed/checkpoints")),
        names(&workspace.path("whole/checkpoints"))
    );
}

#[test]
fn a_signal_ends_a_run_after_the_step_in_flight() {
    let workspace = Workspace::new();
    // No run state is due: the signal alone makes one.
    let flags = [
        "--num-train-epochs",
        "6",
        "--gradient-accumulation-steps",
        "1",
    ];
    workspace.train("whole", &flags);
    for name in ["INT", "TERM", "HUP"] {
        let child = workspace.start("stopped", &flags);
        workspace.wait_for_step("stopped", workspace.logged_steps("stopped").len() + 9);
        signal(&child, name);
        let (code, stderr) = ended(child);
        assert_eq!(code, Some(1), "{stderr}");
        let steps = workspace.logged_steps("stopped");
        let last = *steps.last().unwrap();
        assert!(
            error_line(&stderr).contains(&format!("stopped after step {last} of 72")),
            "{stderr}"
        );
        let checkpoint = format!("step-{last:08}");
        assert!(workspace.checkpoints("stopped").contains(&checkpoint));
    }
    workspace.train("stopped", &flags);
    workspace.assert_equal_results("whole", "stopped");
}

/// `nohup` has the signal ignored before it starts a program.
#[test]
fn a_run_that_is_to_outlive_its_terminal_does() {
    let workspace = Workspace::new();
    let bert = workspace.command("out", &["--num-train-epochs", "3"]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .arg(bert.get_program())
        .args(bert.get_args())
        .current_dir(repository())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    workspace.wait_for_step("out", 3);
    signal(&child, "HUP");
    let (code, stderr) = ended(child);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(workspace.logged_steps("out").len(), 36);
}

#[test]
fn a_second_signal_ends_a_run_at_once_and_loses_nothing_saved() {
    let workspace = Workspace::new();
    let flags = ["--num-train-epochs", "8", "--save-steps", "1"];
    let child = workspace.start("out", &flags);
    workspace.wait_for_step("out", 5);
    signal(&child, "INT");
    signal(&child, "INT");
    let (code, stderr) = ended(child);
    assert_eq!(code, Some(1), "{stderr}");
    workspace.train("out", &flags);
    workspace.train("whole", &flags);
    workspace.assert_equal_results("whole", "out");
}

#[test]
fn the_best_model_is_the_result_and_stays_in_its_folder() {
    let workspace = Workspace::new();
    let flags = [
        "--num-train-epochs",
        "3",
        "--eval-steps",
        "4",
        "--early-stopping-patience",
        "2",
    ];
    let output = workspace.train("out", &flags);
    let record: Value =
        serde_json::from_slice(&fs::read(workspace.path("out/run.json")).unwrap()).unwrap();
    let summary = &record["summary"];
    let best = summary["best"]["step"].as_u64().unwrap();
    let evaluations = summary["evaluations"].as_array().unwrap();
    let last = evaluations.last().unwrap()["step"].as_u64().unwrap();
    assert_eq!(summary["stopped_early"], last < 36);
    let weights =
        |dir: &str| fs::read(workspace.path(&format!("{dir}/model.safetensors"))).unwrap();
    assert!(weights("out") == weights(&format!("out/checkpoints/step-{best:08}")));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains(&format!("step {best}, score")), "{stderr}");
    assert!(stderr.contains("trained"), "{stderr}");
    let results = fs::read_to_string(workspace.path("out/eval_results.txt")).unwrap();
    assert!(
        results.contains(&format!("best_step = {best}")),
        "{results}"
    );
    // A checkpoint is a model like any other.
    let checkpoint = workspace.path(&format!("out/checkpoints/step-{best:08}"));
    let (data, again) = (workspace.path("data/val.csv"), workspace.path("again"));
    done(&[
        "predict-swag",
        "--model",
        text(&checkpoint),
        "--predict-file",
        text(&data),
        "--output-dir",
        text(&again),
        "--max-seq-length",
        "40",
        "--device",
        "cpu",
    ]);
}

#[test]
fn a_run_is_resumed_with_its_own_settings_and_data_only() {
    let workspace = Workspace::new();
    let flags = [
        "--num-train-epochs",
        "30",
        "--save-steps",
        "3",
        "--learning-rate",
        "1e-3",
    ];
    let child = workspace.start("out", &flags);
    workspace.wait_for_step("out", 5);
    signal(&child, "INT");
    ended(child);
    let refuse_in = |out: &str, flags: &[&str]| {
        let arguments = workspace.arguments(out, flags);
        refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refuse = |flags: &[&str]| refuse_in("out", flags);
    let before = names(&workspace.path("out/checkpoints"));
    let line = refuse(&["--num-train-epochs", "30", "--learning-rate", "2e-3"]);
    assert!(
        line.contains("recipe.learning_rate was 0.001 and is 0.002"),
        "{line}"
    );
    let line = refuse(&[&flags[..], &["--resume", "--overwrite-output-dir"]].concat()[..]);
    assert!(line.contains("cannot be used with"), "{line}");

    // The data: other contents are refused, another place is not.
    let data = workspace.path("data/train.csv");
    let original = fs::read_to_string(&data).unwrap();
    let changed = original.replacen(" a ", " the ", 1);
    assert_ne!(changed, original);
    fs::write(&data, changed).unwrap();
    let line = refuse(&flags);
    assert!(line.contains("train.csv has SHA-256"), "{line}");
    fs::write(&data, &original).unwrap();
    assert_eq!(names(&workspace.path("out/checkpoints")), before);

    let line = refuse_in("new", &["--num-train-epochs", "30", "--resume"]);
    assert!(line.contains("--resume: found no run"), "{line}");
    assert!(!workspace.path("new").exists());
    // How often it is saved is no part of what it is.
    let short = [
        "--num-train-epochs",
        "1",
        "--learning-rate",
        "1e-3",
        "--overwrite-output-dir",
    ];
    workspace.train("out", &short);
    let line = refuse(&short[..4]);
    assert!(line.contains("found run.json of an earlier run"), "{line}");
    let again = [&short[..4], &["--resume", "--save-steps", "7"]].concat();
    let printed = workspace.train("out", &again);
    assert!(
        String::from_utf8(printed.stdout)
            .unwrap()
            .contains("fine-tuned")
    );
}

#[test]
fn several_seeds_are_resumed() {
    let workspace = Workspace::new();
    let flags = ["--num-train-epochs", "4", "--seeds", "1,2"];
    workspace.train("whole", &flags);
    let child = workspace.start("out", &flags);
    workspace.wait_for_step("out/seed-2", 4);
    signal(&child, "INT");
    assert_eq!(ended(child).0, Some(1));
    let weights = |seed: &str| fs::metadata(workspace.path(seed).join("model.safetensors"));
    let first = weights("out/seed-1").unwrap().modified().unwrap();
    workspace.train("out", &flags);
    assert_eq!(weights("out/seed-1").unwrap().modified().unwrap(), first);
    for seed in ["seed-1", "seed-2"] {
        workspace.assert_equal_results(&format!("whole/{seed}"), &format!("out/{seed}"));
    }
    let summary = |out: &str| -> Value {
        let path = workspace.path(out).join("seeds.json");
        let mut summary: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        for group in ["mean", "standard_deviation"] {
            summary[group]["train_seconds"].take();
        }
        for seed in ["1", "2"] {
            summary["results"][seed]["train_seconds"].take();
        }
        summary
    };
    assert_eq!(summary("whole"), summary("out"));
}
