//! What a training finds in its output folder, and what it leaves alone.

use std::fs;
use std::process::Child;

use crate::support::{done, refused};
use crate::training_support::{Workspace, copy, ended, error_line, names, signal, text};

fn stop(child: Child) -> String {
    signal(&child, "INT");
    let (code, stderr) = ended(child);
    assert_eq!(code, Some(1), "{stderr}");
    stderr
}

fn refuse(workspace: &Workspace, out: &str, flags: &[&str]) -> String {
    let arguments = workspace.arguments(out, flags);
    refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A checkpoint says what it is, not what it was made from.
#[test]
fn a_run_that_began_with_another_tasks_head_is_resumed_and_ends_with_its_best() {
    let workspace = Workspace::new();
    let (glue, rows) = (workspace.path("glue"), workspace.path("rows.csv"));
    fs::write(&rows, "text,label\ngood,praise\nbad,blame\n").unwrap();
    done(&[
        "train-glue",
        "--task",
        "csv",
        "--bert-model",
        "data/demo/bert-small",
        "--from-scratch",
        "--train-file",
        text(&rows),
        "--output-dir",
        text(&glue),
        "--num-train-epochs",
        "1",
        "--max-seq-length",
        "16",
        "--device",
        "cpu",
    ]);
    let arguments = |out: &str| {
        let mut arguments =
            workspace.arguments(out, &["--num-train-epochs", "5", "--eval-steps", "7"]);
        let model = arguments
            .iter()
            .position(|word| word == "--bert-model")
            .unwrap();
        arguments[model + 1] = text(&glue).to_owned();
        arguments.retain(|word| word != "--from-scratch");
        arguments
    };
    let run = |out: &str| {
        let arguments = arguments(out);
        done(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let mut stopped = std::process::Command::new(env!("CARGO_BIN_EXE_bert"));
    stopped
        .args(arguments("out"))
        .stderr(std::process::Stdio::piped());
    stopped.current_dir(crate::support::repository());
    let child = stopped.stdout(std::process::Stdio::null()).spawn().unwrap();
    workspace.wait_for_step("out", 20);
    stop(child);
    // The results that are printed are the same too, but for the time.
    let printed = |text: String| -> Vec<String> {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("train_seconds"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(printed(run("out")), printed(run("whole")));
    workspace.assert_equal_results("whole", "out");
}

#[test]
fn an_overwriting_command_says_that_it_would_not_go_on() {
    let workspace = Workspace::new();
    let flags = ["--num-train-epochs", "20", "--overwrite-output-dir"];
    let child = workspace.start("out", &flags);
    workspace.wait_for_step("out", 4);
    let stderr = stop(child);
    let line = error_line(&stderr);
    assert!(
        line.contains("the same command without --overwrite-output-dir"),
        "{line}"
    );
}

#[test]
fn an_unfinished_training_is_not_replaced_by_a_prediction() {
    let workspace = Workspace::new();
    let child = workspace.start("out", &["--num-train-epochs", "20"]);
    workspace.wait_for_step("out", 4);
    stop(child);
    workspace.train("other", &["--num-train-epochs", "1"]);
    let before = fs::read(workspace.path("out/run.json")).unwrap();
    let line = refused(&[
        "train-swag",
        "--bert-model",
        text(&workspace.path("other")),
        "--data-dir",
        text(&workspace.path("data")),
        "--output-dir",
        text(&workspace.path("out")),
        "--do-eval",
        "--max-seq-length",
        "40",
        "--device",
        "cpu",
    ]);
    assert!(line.contains("trains was true and is false"), "{line}");
    assert_eq!(fs::read(workspace.path("out/run.json")).unwrap(), before);
}

#[test]
fn what_is_not_ours_is_left_alone_and_what_looks_like_a_run_is_refused() {
    let workspace = Workspace::new();
    let out = workspace.path("out");
    for file in [
        "tensorboard/notes.txt",
        "checkpoints/.git/config",
        "checkpoints/.gitignore",
        ".config.json.swp",
    ] {
        fs::create_dir_all(out.join(file).parent().unwrap()).unwrap();
        fs::write(out.join(file), "mine").unwrap();
    }
    workspace.train("out", &["--num-train-epochs", "1"]);
    for file in [
        "tensorboard/notes.txt",
        "checkpoints/.git/config",
        "checkpoints/.gitignore",
        ".config.json.swp",
    ] {
        assert_eq!(fs::read(out.join(file)).unwrap(), b"mine", "{file}");
    }
    for file in [
        "metrics.jsonl",
        "config.json",
        "eval_results.json",
        "predictions.csv",
        "checkpoints/step-00000007/config.json",
        "tensorboard/events.out.tfevents.1.host.1.0",
    ] {
        let dir = workspace.path("foreign");
        let path = dir.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let line = refuse(&workspace, "foreign", &["--num-train-epochs", "1"]);
        let first = file.split('/').next().unwrap();
        assert!(
            line.contains(&format!("found {first}, of an earlier run")),
            "{line}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn a_bad_flag_costs_an_earlier_run_nothing() {
    let workspace = Workspace::new();
    workspace.train("out", &["--num-train-epochs", "1"]);
    let before = names(&workspace.path("out"));
    for (flags, expected) in [
        (["--save-steps", "0"], "--save-steps: found 0"),
        (["--eval-steps", "0"], "--eval-steps: found 0"),
        (["--early-stopping-patience", "3"], "expected --eval-steps"),
        (["--save-minutes", "-1"], "--save-minutes"),
        (["--save-minutes", "nan"], "--save-minutes: found NaN"),
        (["--keep-last", "0"], "--keep-last"),
    ] {
        let flags = [&flags[..], &["--overwrite-output-dir"]].concat();
        let line = refuse(&workspace, "out", &flags);
        assert!(line.contains(expected), "{line}");
    }
    // What a run begins with must outlive its results.
    let (out, inside) = (
        workspace.path("out"),
        workspace.path("out/checkpoints/step-00000012"),
    );
    for model in [&out, &inside] {
        let line = refused(&[
            "train-swag",
            "--bert-model",
            text(model),
            "--data-dir",
            text(&workspace.path("data")),
            "--output-dir",
            text(&out),
            "--overwrite-output-dir",
            "--device",
            "cpu",
        ]);
        assert!(line.contains("found --bert-model in it"), "{line}");
    }
    assert_eq!(names(&workspace.path("out")), before);
    assert!(inside.join("model.safetensors").exists());
}

#[test]
fn a_weight_that_overflows_is_named_and_not_blamed_on_the_data() {
    let workspace = Workspace::new();
    // Weights of 1e30 are numbers; what they compute is not.
    let output = workspace
        .command("logits", &["--learning-rate", "1e30", "--eval-steps", "1"])
        .output();
    let stderr = String::from_utf8(output.unwrap().stderr).unwrap();
    let line = error_line(&stderr);
    assert!(
        line.contains("the last run state, whose weights are finite, is"),
        "{line}"
    );
    assert!(line.contains("--learning-rate"), "{line}");
    for flag in ["--eval-steps", "--save-steps"] {
        let flags = [
            "--learning-rate",
            "1e39",
            "--warmup-proportion",
            "0",
            flag,
            "1",
        ];
        let output = workspace.command(flag, &flags).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        let line = error_line(&stderr);
        assert!(
            line.contains("after step 1 of 36; loss and gradient norm"),
            "{line}"
        );
        assert!(line.contains("--learning-rate"), "{line}");
    }
}

#[test]
fn several_runs_have_one_folder_to_themselves_and_their_summary_is_made_good() {
    let workspace = Workspace::new();
    let flags = ["--num-train-epochs", "6", "--seeds", "1,2"];
    let child = workspace.start("out", &flags);
    workspace.wait_for_step("out/seed-2", 3);
    let weights = workspace.path("out/seed-1/model.safetensors");
    let before = fs::metadata(&weights).unwrap().modified().unwrap();
    let line = refuse(
        &workspace,
        "out",
        &[&flags[..], &["--overwrite-output-dir"]].concat(),
    );
    assert!(line.contains(&format!("process {}", child.id())), "{line}");
    assert_eq!(fs::metadata(&weights).unwrap().modified().unwrap(), before);
    stop(child);
    workspace.train("out", &flags);
    let summary = fs::read(workspace.path("out/seeds.json")).unwrap();
    // Killed before the summary: the same command writes it.
    fs::remove_file(workspace.path("out/seeds.json")).unwrap();
    workspace.train("out", &flags);
    assert_eq!(fs::read(workspace.path("out/seeds.json")).unwrap(), summary);
    assert_eq!(fs::metadata(&weights).unwrap().modified().unwrap(), before);
}

#[test]
fn a_changed_tokenizer_is_another_run() {
    let workspace = Workspace::new();
    let model = workspace.path("small");
    copy(
        &crate::support::repository().join("data/demo/bert-small"),
        &model,
    );
    let config = model.join("tokenizer_config.json");
    fs::write(
        &config,
        r#"{"tokenizer_class":"BertTokenizer","do_lower_case":true}"#,
    )
    .unwrap();
    let mut arguments = workspace.arguments("out", &["--num-train-epochs", "20"]);
    let place = arguments
        .iter()
        .position(|word| word == "--bert-model")
        .unwrap();
    arguments[place + 1] = text(&model).to_owned();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bert"));
    command.args(&arguments).stdout(std::process::Stdio::null());
    let child = command
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    workspace.wait_for_step("out", 3);
    stop(child);
    let changed =
        r#"{"tokenizer_class":"BertTokenizer","do_lower_case":true,"strip_accents":false}"#;
    fs::write(&config, changed).unwrap();
    let line = refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(line.contains("tokenizer_config.json has SHA-256"), "{line}");
}

#[test]
fn a_lock_leads_nowhere_else() {
    let workspace = Workspace::new();
    let mine = workspace.path("mine");
    fs::write(&mine, "mine").unwrap();
    fs::create_dir(workspace.path("out")).unwrap();
    let link = workspace.path("out/.bert-lock");
    for target in [&mine, &workspace.path("nowhere")] {
        std::os::unix::fs::symlink(target, &link).unwrap();
        let mut command = workspace.command("out", &["--num-train-epochs", "1"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(error_line(&stderr).contains("as a link"), "{stderr}");
        fs::remove_file(&link).unwrap();
    }
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
    assert!(!workspace.path("nowhere").exists());
}
