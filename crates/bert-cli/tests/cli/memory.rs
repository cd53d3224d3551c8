//! What a training takes of memory: told before it begins, kept to, and no matter for its results.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::repository;
use crate::training_support::{Workspace, ended, error_line};

/// A training of four examples a step, in one piece unless `flags` say otherwise.
fn command(workspace: &Workspace, out: &str, flags: &[&str]) -> Command {
    let mut arguments = workspace.arguments(out, flags);
    let batch = arguments
        .iter()
        .position(|word| word == "--train-batch-size");
    arguments[batch.unwrap() + 1] = "4".to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bert"));
    command.args(arguments).current_dir(repository());
    command
}

fn train(workspace: &Workspace, out: &str, flags: &[&str]) -> Output {
    let output = command(workspace, out, flags).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    output
}

/// What `--dry-run` says of memory.
fn planned(workspace: &Workspace, flags: &[&str]) -> Value {
    let flags = [&["--dry-run", "--json"], flags].concat();
    let output = train(workspace, "never", &flags);
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    plan["memory_bytes"].clone()
}

#[test]
fn a_plan_tells_what_a_training_takes() {
    let workspace = Workspace::new();
    let whole = planned(&workspace, &[]);
    let number = |value: &Value| value.as_u64().unwrap();
    let estimate = &whole["estimate"];
    let parts = ["weights", "gradients", "moments", "activations"];
    let parts: u64 = parts.iter().map(|part| number(&estimate[part])).sum();
    let host = number(&estimate["host_checkpoint"]) + number(&estimate["program"]);
    assert_eq!(number(&whole["total"]), parts + host);
    assert_eq!(
        number(&estimate["weights"]),
        4 * number(&estimate["parameters"])
    );
    assert_eq!(number(&estimate["rows"]), 16);
    assert!(number(&whole["available"]) > 0);
    let quarters = planned(&workspace, &["--gradient-accumulation-steps", "4"]);
    assert_eq!(number(&quarters["estimate"]["rows"]), 4);
    let activations = |plan: &Value| number(&plan["estimate"]["activations"]);
    assert!(activations(&quarters) < activations(&whole) / 2);
    let again = planned(&workspace, &["--gradient-checkpointing"]);
    assert!(activations(&again) < activations(&whole));
}

#[test]
fn what_does_not_fit_is_refused_or_split() {
    let workspace = Workspace::new();
    let total = |flags: &[&str]| planned(&workspace, flags)["total"].as_u64().unwrap();
    let two = ["--gradient-accumulation-steps", "2"];
    let room = total(&two).to_string();
    assert!(total(&[]) > total(&two));

    let limit = ["--max-memory", room.as_str(), "--num-train-epochs", "4"];
    let output = command(&workspace, "refused", &limit).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let line = error_line(&stderr);
    assert!(
        line.contains("it would fit with --gradient-accumulation-steps 2"),
        "{line}"
    );
    assert!(!workspace.path("refused").exists(), "nothing is written");

    train(
        &workspace,
        "halves",
        &[&two[..], &["--num-train-epochs", "4"]].concat(),
    );
    let auto = [&limit[..], &["--auto-micro-batch", "--save-steps", "1"]].concat();
    let output = train(&workspace, "auto", &auto);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("2 micro-batches a step, not 1"), "{stderr}");
    workspace.assert_equal_results("halves", "auto");

    // Stopped, and resumed where there is room for all: it goes on in halves.
    let mut child = command(&workspace, "resumed", &auto)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    workspace.wait_for_step("resumed", 3);
    child.kill().unwrap();
    ended(child);
    let roomy = ["--num-train-epochs", "4", "--save-steps", "1"];
    let output = train(&workspace, "resumed", &roomy);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("going on after step"), "{stderr}");
    workspace.assert_equal_results("halves", "resumed");
}

#[test]
fn layers_computed_again_give_the_same_bits() {
    let workspace = Workspace::new();
    train(&workspace, "kept", &["--num-train-epochs", "2"]);
    let again = ["--num-train-epochs", "2", "--gradient-checkpointing"];
    train(&workspace, "again", &again);
    workspace.assert_equal_results("kept", "again");
}

#[test]
fn the_cpu_computes_in_32_bits() {
    let workspace = Workspace::new();
    for precision in ["bf16", "tf32"] {
        let output = command(&workspace, "out", &["--precision", precision])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            error_line(&stderr),
            format!("error: --precision: found {precision} on cpu, expected fp32")
        );
    }
}

/// A batch has no more examples than there are, and a run that goes on keeps its micro-batches whatever the flags say.
#[test]
fn a_resumed_run_keeps_the_micro_batches_it_began_with() {
    let workspace = Workspace::new();
    let flags = ["--num-train-epochs", "8", "--save-steps", "1"];
    train(&workspace, "whole", &flags);
    let mut child = command(&workspace, "run", &flags)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    workspace.wait_for_step("run", 3);
    child.kill().unwrap();
    ended(child);
    let tight = [&flags[..], &["--auto-micro-batch", "--max-memory", "1MiB"]].concat();
    let output = command(&workspace, "run", &tight).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(2),
        "it does not fit as it was begun"
    );
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!error_line(&stderr).contains("accumulation"), "{stderr}");
    let roomy = [&flags[..], &["--auto-micro-batch"]].concat();
    train(&workspace, "run", &roomy);
    workspace.assert_equal_results("whole", "run");
}

fn bench_train(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bert"))
        .args(["bench-train", "--model", "tiny", "--device", "cpu"])
        .args(flags)
        .output()
        .unwrap()
}

#[test]
fn a_benchmark_prints_the_fields_of_the_script_it_is_compared_with() {
    let one = ["--steps", "1", "--warmup", "0"];
    let other = "echo '{\"sequences_per_s\": 0.5}'";
    let squad = [
        "--workload",
        "squad",
        "--batch",
        "1",
        "--seq-length",
        "16",
        "--against",
        other,
    ];
    let output = bench_train(&[&one[..], &squad].concat());
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [ours, theirs, ratio] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    for field in [
        "device",
        "model",
        "workload",
        "precision",
        "compile",
        "steps",
        "warmup",
        "batch",
        "device_name",
        "ms_per_step",
        "sequences_per_s",
        "tokens_per_s",
        "peak_mib",
    ] {
        assert!(ours.get(field).is_some(), "{field}: {ours}");
    }
    assert_eq!(theirs["sequences_per_s"], 0.5);
    let rate = ours["sequences_per_s"].as_f64().unwrap();
    assert_eq!(ratio["ratio"]["sequences_per_s"], rate / 0.5);
    assert_eq!(ours["tokens_per_s"].as_f64().unwrap(), rate * 16.0);

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lengths.txt");
    std::fs::write(&file, "20\n31\n400\n").unwrap();
    let lengths = [
        "--workload",
        "lengths",
        "--batch",
        "2",
        "--lengths",
        file.to_str().unwrap(),
    ];
    let output = bench_train(&[&one[..], &lengths].concat());
    assert!(output.status.success(), "{output:?}");
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    for padding in ["padded_384", "grouped"] {
        assert!(line[padding]["sequences_per_s"].as_f64().unwrap() > 0.0);
    }

    std::fs::write(&file, "20\n3\n").unwrap();
    let output = bench_train(&[&one[..], &lengths].concat());
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        error_line(&stderr)
            .ends_with("lengths.txt:2: found \"3\", expected a length of at least 5"),
        "{stderr}"
    );
}
