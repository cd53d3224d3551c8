//! The runs that faults befall, small enough to be made thousands of times.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bert_test_support::{json, names, repository};
use serde_json::Value;

use crate::tree::is_unfinished;

/// What a run is doing when a fault strikes.
pub(crate) const PHASES: [&str; 8] = [
    "load",
    "first step",
    "training",
    "saving",
    "evaluation",
    "final write",
    "prediction",
    "download",
];

/// Files that hold scores and predictions of a training.
const EVALUATION: [&str; 5] = [
    "predictions.json",
    "predictions.jsonl",
    "nbest_predictions.json",
    "eval_results.txt",
    "eval_results.json",
];

/// Files that hold times, or repeat what others hold.
const NOT_COMPARED: [&str; 2] = ["run.json", "eval_results.txt"];

/// Files that a run is whole without: a report's, which are written once the run is finished.
const REPORT: [&str; 3] = ["report.json", "report.html", "README.md"];

/// What a command does.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Training,
    Prediction,
    /// A prediction by a model that the hub has.
    Download,
}

/// What all runs share.
pub(crate) struct Bench {
    /// The folder of all runs.
    pub(crate) dir: PathBuf,
    /// The library that makes calls fail.
    pub(crate) library: PathBuf,
    /// The hub's address.
    pub(crate) hub: String,
}

/// A command and what it does where nothing befalls it.
pub(crate) struct Job<'a> {
    pub(crate) task: &'static str,
    kind: Kind,
    bench: &'a Bench,
    words: Vec<String>,
    calls: Vec<(String, &'static str)>,
    results: Vec<(String, Vec<u8>)>,
}

/// A run of a job in a folder of its own.
pub(crate) struct Run<'a> {
    job: &'a Job<'a>,
    dir: PathBuf,
}

/// How a process ended.
pub(crate) struct Outcome {
    /// The exit code; none where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

/// A training, a prediction and a download of each task; or those of SQuAD only.
pub(crate) fn all(bench: &Bench, every_task: bool) -> Vec<Job<'_>> {
    let dir = &bench.dir;
    let data = dir.join("data");
    small_data(&data);
    let at = |name: &str| data.join(name).to_str().unwrap().to_owned();
    let tasks = [
        (
            "squad",
            vec!["--train-file".to_owned(), at("squad.json")],
            at("squad.json"),
        ),
        (
            "swag",
            vec!["--train-file".to_owned(), at("swag.csv")],
            at("swag.csv"),
        ),
        (
            "glue",
            vec![
                "--task".to_owned(),
                "mrpc".to_owned(),
                "--data-dir".to_owned(),
                at("mrpc"),
            ],
            at("mrpc/dev.tsv"),
        ),
    ];
    let mut jobs = Vec::new();
    for (task, train, file) in tasks.into_iter().take(if every_task { 3 } else { 1 }) {
        let model = dir.join(format!("{task}-model"));
        let mut words = vec![format!("train-{task}")];
        words.extend(train);
        let fixed = "--bert-model data/demo/bert-small --from-scratch --train-batch-size 4 --num-train-epochs 1 \
             --save-steps 1 --eval-steps 2 --max-seq-length 48";
        words.extend(fixed.split_whitespace().map(str::to_owned));
        if task != "glue" {
            words.extend([
                if task == "squad" {
                    "--predict-file"
                } else {
                    "--eval-file"
                }
                .to_owned(),
                file.clone(),
            ]);
        }
        let training = Job::new(task, Kind::Training, bench, words);
        let run = training.run("model", None, &[], &[]);
        assert_eq!(run.0.code, Some(0), "{}", run.0.stderr);
        fs::rename(dir.join("run-model/out"), &model).unwrap();
        jobs.push(training);
        let hub = format!("owner/{task}-model");
        for (kind, model) in [
            (Kind::Prediction, model.to_str().unwrap()),
            (Kind::Download, &hub),
        ] {
            let verb = format!("predict-{task}");
            let words = [&verb, "--model", model, "--predict-file", &file];
            jobs.push(Job::new(
                task,
                kind,
                bench,
                words.map(str::to_owned).to_vec(),
            ));
        }
    }
    jobs
}

/// The first examples of the bundled data.
fn small_data(data: &Path) {
    let demo = repository().join("data/demo");
    fs::create_dir_all(data.join("mrpc")).unwrap();
    let mut squad = json(&demo.join("squad/dev-v1.1.json"));
    squad["data"].as_array_mut().unwrap().truncate(1);
    let paragraphs = squad["data"][0]["paragraphs"].as_array_mut().unwrap();
    paragraphs.truncate(2);
    for paragraph in paragraphs {
        paragraph["qas"].as_array_mut().unwrap().truncate(5);
    }
    fs::write(data.join("squad.json"), squad.to_string()).unwrap();
    for (from, to) in [
        ("swag/train.csv", "swag.csv"),
        ("glue/MRPC/train.tsv", "mrpc/train.tsv"),
        ("glue/MRPC/dev.tsv", "mrpc/dev.tsv"),
    ] {
        let text = fs::read_to_string(demo.join(from)).unwrap();
        let lines: Vec<&str> = text.lines().take(11).collect();
        fs::write(data.join(to), lines.join("\n") + "\n").unwrap();
    }
}

impl<'a> Job<'a> {
    fn new(task: &'static str, kind: Kind, bench: &'a Bench, words: Vec<String>) -> Self {
        let mut job = Self {
            task,
            kind,
            bench,
            words,
            calls: Vec::new(),
            results: Vec::new(),
        };
        let (outcome, log) = job.run("whole", None, &[], &[]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        job.calls = job.classify(&log);
        let out = bench.dir.join("run-whole/out");
        job.results = results(&out);
        fs::remove_dir_all(bench.dir.join("run-whole")).unwrap();
        job
    }

    pub(crate) fn name(&self) -> &str {
        &self.words[0]
    }

    /// The calls of a run without a fault, each with its phase.
    pub(crate) fn calls(&self) -> &[(String, &'static str)] {
        &self.calls
    }

    pub(crate) fn run_in(&self, place: usize) -> Run<'_> {
        let dir = self.bench.dir.join(format!("run-{place}"));
        fs::create_dir(&dir).unwrap();
        Run { job: self, dir }
    }

    /// Runs it in the folder `run-NAME`, under a limit of memory in MiB; its end and the log of its calls.
    fn run(
        &self,
        name: &str,
        memory: Option<usize>,
        variables: &[(&str, &str)],
        more: &[&str],
    ) -> (Outcome, String) {
        let dir = self.bench.dir.join(format!("run-{name}"));
        fs::create_dir_all(&dir).unwrap();
        let log = self.bench.dir.join(format!("log-{name}"));
        let _ = fs::remove_file(&log);
        let limit = memory.map_or(String::new(), |mib| format!("ulimit -v {}; ", mib * 1024));
        let under = format!(
            "{}:{}:data/demo",
            dir.display(),
            self.bench.dir.join("data").display()
        );
        let mut command = Command::new("bash");
        command
            .args(["-c", &format!("{limit}exec env LD_PRELOAD=\"$0\" \"$@\"")])
            .arg(&self.bench.library)
            .arg(env!("CARGO_BIN_EXE_bert"))
            .args(&self.words)
            .arg("--output-dir")
            .arg(dir.join("out"))
            .args(["--device", "cpu"])
            .args(more)
            .current_dir(repository())
            .env("FAULT_UNDER", under)
            .env("FAULT_LOG", &log)
            .env("HF_ENDPOINT", &self.bench.hub)
            .env("HF_HOME", dir.join("hub"))
            .env("NO_PROXY", "127.0.0.1")
            .envs(variables.iter().copied());
        let Output { status, stderr, .. } = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        (
            Outcome {
                code: status.code(),
                stderr,
            },
            fs::read_to_string(log).unwrap_or_default(),
        )
    }

    /// Checks that a run ended with the files, the bits and the losses of one without a fault.
    pub(crate) fn check_results(&self, out: &Path, context: &str) {
        let found = results(out);
        let names = |results: &[(String, Vec<u8>)]| {
            results
                .iter()
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&found), names(&self.results), "{context}");
        for ((name, found), (_, expected)) in found.iter().zip(&self.results) {
            assert!(found == expected, "{name} differs: {context}");
        }
    }

    /// Limits in MiB, from one under which the program starts to one under which the job ends.
    pub(crate) fn memory_limits(&self, count: usize) -> Vec<usize> {
        let enough = |mib: &usize| {
            let (outcome, _) = self.run("memory", Some(*mib), &[], &[]);
            fs::remove_dir_all(self.bench.dir.join("run-memory")).unwrap();
            outcome.code == Some(0)
        };
        let starts = |mib: &usize| {
            let line = format!("ulimit -v {}; exec \"$0\" info", mib * 1024);
            let mut command = Command::new("bash");
            command.args(["-c", &line, env!("CARGO_BIN_EXE_bert")]);
            command.output().unwrap().status.success()
        };
        let limits = (1..256).map(|step| step * 16);
        let least = limits.clone().find(starts).unwrap();
        let most = limits.clone().find(enough).unwrap();
        let at = |nth: usize| least + (most - least) * nth / count;
        (0..count).map(at).collect()
    }

    fn classify(&self, log: &str) -> Vec<(String, &'static str)> {
        let lines: Vec<&str> = log.lines().collect();
        let written = |path: &str| {
            let renamed = lines.iter().filter_map(|line| line.strip_prefix("rename "));
            let mut names = renamed
                .filter_map(|paths| paths.split_once(' '))
                .filter(|(from, _)| *from == path);
            names
                .next()
                .map(|(_, to)| to.rsplit('/').next().unwrap_or(to))
        };
        let mut found = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let (call, path) = line.split_once(' ').unwrap();
            let phase = self.phase(&lines[..=at]).unwrap_or_else(|| {
                let name = path
                    .split_once(' ')
                    .map(|(_, to)| to.rsplit('/').next().unwrap_or(to));
                match name.or_else(|| written(path)) {
                    Some(name) if EVALUATION.contains(&name) => "evaluation",
                    _ => "final write",
                }
            });
            found.push((call.to_owned(), phase));
        }
        found
    }

    /// The phase of the last of these calls; none where it writes results.
    fn phase(&self, lines: &[&str]) -> Option<&'static str> {
        let last = lines.last()?;
        if self.kind != Kind::Training {
            let is_hub = last.contains("/hub/");
            return Some(if is_hub { "download" } else { "prediction" });
        }
        if last.contains("/checkpoints") {
            return Some("saving");
        }
        if !lines.iter().any(|line| line.ends_with("/.bert-lock")) {
            return Some("load");
        }
        let steps = lines
            .iter()
            .filter(|line| line.contains("write ") && line.ends_with("/metrics.jsonl"))
            .count();
        let is_thread = last.trim_start_matches('!').starts_with("thread ");
        let is_log = last.ends_with("/metrics.jsonl") || last.contains("/tensorboard");
        match (steps, is_log || is_thread) {
            (0, _) | (1, true) => Some("first step"),
            (_, true) => Some("training"),
            (_, false) => None,
        }
    }

    /// The phase in which a fault struck, `planned` where the call does not say; none where the run had fewer calls.
    pub(crate) fn phase_struck(&self, log: &str, planned: &'static str) -> Option<&'static str> {
        let lines: Vec<&str> = log.lines().collect();
        let at = lines.iter().position(|line| line.starts_with('!'))?;
        Some(match (self.phase(&lines[..=at]), planned) {
            (Some(phase), _) => phase,
            (None, "evaluation") => "evaluation",
            (None, _) => "final write",
        })
    }

    pub(crate) fn phase_of_last(&self, log: &str) -> &'static str {
        let lines: Vec<&str> = log.lines().collect();
        if lines.is_empty() {
            return "load";
        }
        self.phase(&lines).unwrap_or("final write")
    }
}

impl Run<'_> {
    pub(crate) fn out(&self) -> PathBuf {
        self.dir.join("out")
    }

    pub(crate) fn remove(&self) {
        fs::remove_dir_all(&self.dir).unwrap();
    }

    fn name(&self) -> String {
        let name = self.dir.file_name().unwrap().to_str().unwrap();
        name.trim_start_matches("run-").to_owned()
    }

    /// The same command without a fault; with `--resume` where the run was finished and a fault struck its report.
    pub(crate) fn again(&self) -> Outcome {
        let record = self.out().join("run.json");
        let is_finished = record.exists() && json(&record)["status"] == "finished";
        let more: &[&str] = if is_finished { &["--resume"] } else { &[] };
        self.job.run(&self.name(), None, &[], more).0
    }

    pub(crate) fn with_fault(&self, fault: &str) -> (Outcome, String) {
        self.job.run(&self.name(), None, &[("FAULT", fault)], &[])
    }

    pub(crate) fn with_memory(&self, mib: usize) -> (Outcome, String) {
        self.job.run(&self.name(), Some(mib), &[], &[])
    }
}

/// What must be equal at the end of equal runs: every file of the folder but for the time that a run took.
fn results(out: &Path) -> Vec<(String, Vec<u8>)> {
    // What is unfinished is the business of `tree::check_clean`.
    let files = names(out).into_iter().filter(|name| {
        !out.join(name).is_dir() && !REPORT.contains(&name.as_str()) && !is_unfinished(name)
    });
    files
        .map(|name| {
            let bytes = match name.as_str() {
                name if NOT_COMPARED.contains(&name) => Vec::new(),
                "eval_results.json" => without_times(json(&out.join(&name))).into_bytes(),
                "metrics.jsonl" => {
                    let text = fs::read_to_string(out.join(&name)).unwrap();
                    let lines = text
                        .lines()
                        .map(|line| without_times(serde_json::from_str(line).unwrap()) + "\n");
                    lines.collect::<String>().into_bytes()
                }
                _ => fs::read(out.join(&name)).unwrap(),
            };
            (name, bytes)
        })
        .collect()
}

fn without_times(mut value: Value) -> String {
    if let Some(object) = value.as_object_mut() {
        object.retain(|key, _| {
            !["_per_second", "_bytes", "_seconds"]
                .iter()
                .any(|end| key.ends_with(end))
        });
    }
    value.to_string()
}
