//! Several processes that `mpirun` starts for one training or prediction.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use bert_test_support::{Prerequisite, Workspace, json, names, repository, skip};
use serde_json::Value;

use crate::support::stderr;
use crate::training_support::{Processes, ended, error_line, signal, text};

/// How long after the end of one process the last of the others may end.
const ALL_GONE: Duration = Duration::from_secs(30);

/// Whether several processes can be started; where they cannot, the test is skipped.
pub(crate) fn has_mpi() -> bool {
    let found = Command::new("mpirun").arg("--version").output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        skip(Prerequisite::Mpi, "found no mpirun");
    }
    found
}

/// `bert` in as many processes as `each` says for each list of words.
fn mpirun(each: &[(usize, &[String])]) -> Command {
    let mut command = Command::new("mpirun");
    command.args([
        "--allow-run-as-root",
        "--oversubscribe",
        "--bind-to",
        "none",
    ]);
    for (n, (processes, words)) in each.iter().enumerate() {
        command.args((n > 0).then_some(":"));
        command.args(["-n", &processes.to_string(), env!("CARGO_BIN_EXE_bert")]);
        command.args(*words);
    }
    command
        .current_dir(repository())
        .env("RAYON_NUM_THREADS", "1");
    command
}

/// The words of a workspace's training, whose flags replace its own.
pub(crate) fn words(workspace: &Workspace, out: &str, flags: &[&str]) -> Vec<String> {
    let mut words = workspace.arguments(out, &[]);
    for flag in flags {
        if let Some(at) = words.iter().position(|word| word == flag) {
            words.drain(at..at + 2);
        }
    }
    words.extend(flags.iter().map(|word| (*word).to_owned()));
    words
}

/// Runs a command in several processes, or by itself in one.
pub(crate) fn run(processes: usize, words: &[String]) -> Output {
    let mut command = match processes {
        1 => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_bert"));
            command.args(words).current_dir(repository());
            command
        }
        _ => mpirun(&[(processes, words)]),
    };
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

/// The bundled model with dropout, as a checkpoint for trainings from scratch.
fn model_with_dropout(dir: &Path) {
    fs::create_dir(dir).unwrap();
    let bundled = repository().join("data/demo/bert-small");
    for file in ["vocab.txt", "tokenizer_config.json"] {
        fs::copy(bundled.join(file), dir.join(file)).unwrap();
    }
    let mut config = json(&bundled.join("config.json"));
    config["hidden_dropout_prob"] = 0.1.into();
    config["attention_probs_dropout_prob"] = 0.1.into();
    fs::write(dir.join("config.json"), config.to_string()).unwrap();
}

/// Every number of a run's metrics log that does not depend on the clock, by step and key.
fn metrics(out: &Path) -> BTreeMap<(u64, String), f64> {
    let log = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut found = BTreeMap::new();
    for line in lines {
        let step = line["step"].as_u64().unwrap();
        let own = line.as_object().unwrap().iter();
        let evaluation = line["evaluation"].as_object().into_iter().flatten();
        for (key, value) in own.chain(evaluation) {
            let of_clock = ["_per_second", "_bytes", "waiting", "slowest", "utilization"];
            if let (Some(value), false) = (
                value.as_f64(),
                of_clock.iter().any(|ending| key.ends_with(ending)),
            ) {
                found.insert((step, key.clone()), value);
            }
        }
    }
    found
}

/// Two runs with the same steps: losses are as near as the order of sums lets them be.
#[track_caller]
pub(crate) fn assert_same_steps(found: &Path, expected: &Path) {
    let (found, expected) = (metrics(found), metrics(expected));
    let keys = |metrics: &BTreeMap<_, _>| metrics.keys().cloned().collect::<Vec<(u64, String)>>();
    assert_eq!(keys(&found), keys(&expected));
    for (place, expected) in &expected {
        let off = (found[place] - expected).abs();
        // Norms are sums over all parameters.
        let allowed = if place.1 == "loss" { 1e-4 } else { 1e-3 };
        assert!(
            off <= allowed * expected.abs(),
            "{place:?}: {} for {expected}",
            found[place]
        );
    }
}

#[test]
fn the_steps_and_scores_of_one_process_are_those_of_several() {
    if !has_mpi() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("model");
    model_with_dropout(&model);
    let squad = "train-squad --train-file data/demo/squad/train-v1.1.json --predict-file tests/golden/none \
                 --train-batch-size 9 --max-train-examples 40 --max-seq-length 96 --grad-clip global";
    let dev = dir.path().join("dev.json");
    short_squad(&dev, 6);
    let squad = squad.replace("tests/golden/none", text(&dev));
    let swag = "train-swag --data-dir data/demo/swag --train-batch-size 4 --gradient-accumulation-steps 2 \
                --max-train-examples 14 --max-seq-length 40 --eval-steps 2";
    let glue = "train-glue --task mrpc --data-dir data/demo/glue --train-batch-size 6 \
                --gradient-accumulation-steps 3 --max-train-examples 30 --max-seq-length 40 --eval-steps 3";
    for (name, line, processes) in [
        ("squad", squad.as_str(), [2, 3]),
        ("swag", swag, [2, 3]),
        ("glue", glue, [2, 4]),
    ] {
        let words = |out: &Path| -> Vec<String> {
            let line = format!(
                "{line} --bert-model {} --from-scratch --output-dir {} --num-train-epochs 1 --device cpu",
                text(&model),
                text(out)
            );
            line.split_whitespace().map(str::to_owned).collect()
        };
        let alone = dir.path().join(format!("{name}-1"));
        let printed = run(1, &words(&alone)).stdout;
        for processes in processes {
            let out = dir.path().join(format!("{name}-{processes}"));
            let output = run(processes, &words(&out));
            assert_same_steps(&out, &alone);
            assert_eq!(names(&out), names(&alone), "{name} on {processes}");
            let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(
                lines(&output.stdout),
                lines(&printed),
                "{name} on {processes}"
            );
        }
    }
}

#[test]
fn gradients_in_16_bits_are_near_those_in_32() {
    if !has_mpi() {
        return;
    }
    let workspace = Workspace::new();
    let flags = ["--num-train-epochs", "1", "--train-batch-size", "4"];
    run(1, &words(&workspace, "alone", &flags));
    let half = [&flags[..], &["--reduce-precision", "bf16"]].concat();
    run(3, &words(&workspace, "half", &half));
    let norms = |out: &str| -> Vec<f64> {
        let metrics = metrics(&workspace.path(out)).into_iter();
        let norms = metrics.filter(|((_, key), _)| key == "gradient_norm");
        norms.map(|(_, norm)| norm).collect()
    };
    let (alone, half) = (norms("alone"), norms("half"));
    assert_eq!((alone.len(), half.len()), (3, 3));
    for (half, alone) in half.iter().zip(&alone) {
        assert!(half != alone, "nothing was rounded");
        assert!((half - alone).abs() < 0.01 * alone, "{half} for {alone}");
    }
}

/// The first questions of the bundled development set.
fn short_squad(path: &Path, paragraphs: usize) {
    let mut file = json(&repository().join("data/demo/squad/dev-v1.1.json"));
    let articles = file["data"].as_array_mut().unwrap();
    articles.truncate(1);
    articles[0]["paragraphs"]
        .as_array_mut()
        .unwrap()
        .truncate(paragraphs);
    fs::write(path, file.to_string()).unwrap();
}

#[test]
fn predictions_are_to_the_byte_those_of_one_process() {
    if !has_mpi() {
        return;
    }
    let workspace = Workspace::new();
    let dev = workspace.path("dev.json");
    short_squad(&dev, 4);
    let model = workspace.path("squad");
    let line = format!(
        "train-squad --bert-model data/demo/bert-small --from-scratch --train-file {} --max-seq-length 64 \
         --output-dir {} --num-train-epochs 1 --device cpu",
        text(&dev),
        text(&model)
    );
    run(
        1,
        &line
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    );
    workspace.train("swag", &["--num-train-epochs", "1"]);
    let one = workspace.path("one.csv");
    let rows = fs::read_to_string(workspace.path("data/val.csv")).unwrap();
    let rows: Vec<&str> = rows.lines().take(2).collect();
    fs::write(&one, rows.join("\n") + "\n").unwrap();
    for (name, file, verb, processes) in [
        ("squad", dev, "predict-squad", &[2, 3, 5][..]),
        (
            "swag",
            workspace.path("data/val.csv"),
            "predict-swag",
            &[2, 4],
        ),
        // More processes than examples.
        ("swag", one, "predict-swag", &[3]),
    ] {
        let words = |out: &Path| -> Vec<String> {
            let line = format!(
                "{verb} --model {} --predict-file {} --output-dir {} --device cpu",
                text(&workspace.path(name)),
                text(&file),
                text(out)
            );
            line.split_whitespace().map(str::to_owned).collect()
        };
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let alone = workspace.path(&format!("{stem}-1"));
        let printed = run(1, &words(&alone)).stdout;
        for processes in processes {
            let out = workspace.path(&format!("{stem}-{processes}"));
            assert_eq!(
                run(*processes, &words(&out)).stdout,
                printed,
                "{verb} on {processes}"
            );
            let files = names(&alone);
            assert_eq!(names(&out), files);
            for file in files {
                let read = |dir: &Path| fs::read(dir.join(&file)).unwrap();
                assert!(
                    read(&out) == read(&alone),
                    "{file} of {verb} on {processes}"
                );
            }
        }
    }
}

/// Starts a training in several processes.
fn start(workspace: &Workspace, processes: usize, out: &str, flags: &[&str]) -> Child {
    let mut command = mpirun(&[(processes, &words(workspace, out, flags))]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// The process of a rank below a launcher.
fn process_of(launcher: &Child, rank: usize) -> String {
    let (parent, rank) = (
        launcher.id().to_string(),
        format!("OMPI_COMM_WORLD_RANK={rank}\0"),
    );
    let found = names(Path::new("/proc")).into_iter().find(|process| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default();
        fields.split_whitespace().nth(1) == Some(&parent)
            && String::from_utf8_lossy(&environment).contains(&rank)
    });
    found.unwrap()
}

fn kill(process: &str, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), process])
        .status();
    assert!(status.unwrap().success());
}

/// Waits for the launcher, whose processes then are all gone; its exit code and stderr.
fn ended_in_time(launcher: Child, processes: &[String]) -> (Option<i32>, String) {
    let started = Instant::now();
    let ended = ended(launcher);
    assert!(started.elapsed() < ALL_GONE, "{}", ended.1);
    for process in processes {
        let path = format!("/proc/{process}");
        while Path::new(&path).exists() {
            assert!(
                started.elapsed() < ALL_GONE,
                "process {process} is still there"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    ended
}

const LONG: [&str; 6] = [
    "--num-train-epochs",
    "16",
    "--save-steps",
    "5",
    "--train-batch-size",
    "2",
];

#[test]
fn a_process_that_is_killed_ends_all_and_any_number_goes_on() {
    if !has_mpi() {
        return;
    }
    let workspace = Workspace::new();
    run(1, &words(&workspace, "whole", &LONG));
    // Three times with other numbers of processes, and a victim that leads in one of them.
    for (processes, victim, step) in [(2, 1, 8), (3, 0, 23), (2, 0, 41)] {
        let launcher = start(&workspace, processes, "out", &LONG);
        workspace.wait_for_step("out", step);
        let all: Vec<String> = (0..processes)
            .map(|rank| process_of(&launcher, rank))
            .collect();
        kill(&all[victim], "KILL");
        let (code, stderr) = ended_in_time(launcher, &all);
        assert!(code != Some(0), "{stderr}");
        let line = format!("process rank {victim} with PID");
        assert!(stderr.contains(&line), "{stderr}");
        assert!(!workspace.path("out/model.safetensors").exists());
    }
    let output = run(1, &words(&workspace, "out", &LONG));
    assert!(
        stderr(&output).contains("going on after step"),
        "{}",
        stderr(&output)
    );
    assert_same_steps(&workspace.path("out"), &workspace.path("whole"));
    assert_eq!(workspace.checkpoints("out"), workspace.checkpoints("whole"));
}

#[test]
fn a_signal_to_one_process_stops_all_after_the_step_in_flight() {
    if !has_mpi() {
        return;
    }
    let workspace = Workspace::new();
    run(1, &words(&workspace, "whole", &LONG));
    for (processes, asked, step) in [(2, 1, 4), (3, 0, 20)] {
        let launcher = start(&workspace, processes, "out", &LONG);
        workspace.wait_for_step("out", step);
        let all: Vec<String> = (0..processes)
            .map(|rank| process_of(&launcher, rank))
            .collect();
        kill(&all[asked], "TERM");
        let (code, stderr) = ended_in_time(launcher, &all);
        assert_eq!(code, Some(1), "{stderr}");
        let last = *workspace.logged_steps("out").last().unwrap();
        let line = error_line(&stderr);
        assert!(
            line.contains(&format!("stopped after step {last} of 96")),
            "{line}"
        );
        let checkpoint = format!("step-{last:08}");
        assert!(workspace.checkpoints("out").contains(&checkpoint));
    }
    // The launcher kills what it is told to stop: what was saved before is whole.
    let launcher = start(&workspace, 2, "out", &LONG);
    workspace.wait_for_step("out", 60);
    let all: Vec<String> = (0..2).map(|rank| process_of(&launcher, rank)).collect();
    signal(&launcher, "INT");
    ended_in_time(launcher, &all);
    run(3, &words(&workspace, "out", &LONG));
    assert_same_steps(&workspace.path("out"), &workspace.path("whole"));
}

#[test]
fn processes_that_differ_are_refused_before_the_first_step() {
    if !has_mpi() {
        return;
    }
    let workspace = Workspace::new();
    bert_test_support::small_swag(&workspace.path("other"));
    let other = workspace.path("other");
    let mut rows = fs::read_to_string(other.join("train.csv")).unwrap();
    rows = rows.replacen("the", "a", 1);
    fs::write(other.join("train.csv"), rows).unwrap();
    for (of_last, expected) in [
        (["--seed", "7"], "process 1 on"),
        (["--data-dir", text(&other)], "process 1 on"),
        (["--data-dir", "no-such-folder"], "error: process 1: "),
    ] {
        let (first, last) = (
            words(&workspace, "out", &[]),
            words(&workspace, "out", &of_last),
        );
        let output = mpirun(&[(1, &first), (1, &last)]).output().unwrap();
        let stderr = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        let line = error_line(&stderr);
        assert!(line.contains(expected), "{line}");
        assert!(!workspace.path("out").exists());
    }
}

#[test]
fn a_number_that_is_none_and_a_full_disk_end_all_with_one_line() {
    if !has_mpi() {
        return;
    }
    let workspace = Workspace::new();
    let nan = [
        "--num-train-epochs",
        "2",
        "--learning-rate",
        "1e30",
        "--warmup-proportion",
        "0",
    ];
    let launcher = start(&workspace, 3, "nan", &nan);
    let (code, stderr) = ended_in_time(launcher, &[]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(error_line(&stderr).contains("learning-rate"), "{stderr}");
    let disk = workspace.path("disk");
    fs::create_dir(&disk).unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=11m", "tmpfs", text(&disk)])
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        return skip(Prerequisite::Mount, "no file system can be mounted here");
    }
    let flags = ["--num-train-epochs", "2", "--save-steps", "5"];
    let launcher = start(&workspace, 2, "disk/out", &flags);
    let (code, stderr) = ended_in_time(launcher, &[]);
    let kept = workspace.checkpoints("disk/out");
    let unmounted = Command::new("umount").arg(&disk).status();
    assert!(unmounted.unwrap().success());
    assert_eq!(code, Some(1), "{stderr}");
    let line = error_line(&stderr);
    assert!(
        line.contains("No space left") && line.contains("step-00000010"),
        "{line}"
    );
    assert_eq!(kept, ["step-00000005", "step-00000010"]);
}
