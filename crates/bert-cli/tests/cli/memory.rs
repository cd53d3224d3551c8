//! Memory and arithmetic of a training at the command line, and the benchmarks of its steps and of predictions.

use std::process::{Command, Output};

use bert_backend::DeviceChoice;
use bert_model::Precision;
use bert_test_support::{Workspace, repository};
use serde_json::Value;

use crate::training_support::{Processes, error_line};

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

#[test]
fn a_training_that_does_not_fit_is_refused_with_the_flags_that_make_it_fit() {
    let workspace = Workspace::new();
    let flags = ["--gradient-accumulation-steps", "2", "--dry-run", "--json"];
    let plan = command(&workspace, "out", &flags).output().unwrap();
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!(plan["memory_bytes"]["estimate"]["rows"], 8);
    let room = plan["memory_bytes"]["total"].to_string();
    let output = command(&workspace, "out", &["--max-memory", &room]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let line = error_line(&stderr);
    assert!(
        line.contains("it would fit with --gradient-accumulation-steps 2"),
        "{line}"
    );
    assert!(!workspace.path("out").exists(), "nothing is written");
}

/// Whichever command it is.
#[test]
fn arithmetic_that_the_processor_lacks_is_refused() {
    let workspace = Workspace::new();
    let training = workspace.arguments("out", &[]);
    let commands = [
        "predict-squad --model nowhere --predict-file data/demo/squad/dev-v1.1.json --output-dir out",
        "ask --model nowhere --text Ada Who?",
        "serve --model nowhere",
    ]
    .map(|command| format!("{command} --device cpu"))
    .map(|command| command.split(' ').map(str::to_owned).collect());
    let cpu: DeviceChoice = "cpu".parse().unwrap();
    let has = (cpu.kind().precisions)();
    for precision in [Precision::Tf32, Precision::Bf16] {
        if has.contains(&precision) {
            continue;
        }
        for arguments in commands.iter().chain([&training]) {
            let output = Command::new(env!("CARGO_BIN_EXE_bert"))
                .args(arguments)
                .args(["--precision", &precision.to_string()])
                .current_dir(repository())
                .output()
                .unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{stderr}");
            let expected = format!("error: --precision: found {precision} on cpu, expected fp32");
            assert!(error_line(&stderr).starts_with(&expected), "{stderr}");
        }
    }
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
        "arithmetic",
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

    let predict = |other: &str| {
        Command::new(env!("CARGO_BIN_EXE_bert"))
            .args(["bench-predict", "--model", "tiny", "--device", "cpu"])
            .args(["--windows", "5", "--batch", "2", "--passes", "2"])
            .args(["--lengths", file.to_str().unwrap(), "--against", other])
            .output()
            .unwrap()
    };
    let output = predict("echo '{\"windows_per_s\": 0.5}'");
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [ours, _, ratio] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(ours["windows"], 5);
    assert_eq!(ours["batch"], 2);
    let rate = ours["windows_per_s"].as_f64().unwrap();
    assert_eq!(ratio["ratio"]["windows_per_s"], rate / 0.5);

    std::fs::write(&file, "20\n3\n").unwrap();
    assert_eq!(predict("true").status.code(), Some(2));
    let output = bench_train(&[&one[..], &lengths].concat());
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        error_line(&stderr)
            .ends_with("lengths.txt:2: found \"3\", expected a length of at least 5"),
        "{stderr}"
    );
}
