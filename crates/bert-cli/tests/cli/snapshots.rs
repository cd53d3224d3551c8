//! Every help text, and an error line of each kind, as users read them.
//!
//! `INSTA_UPDATE=always cargo test -p bert-cli --test cli snapshots` accepts changes.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use bert_test_support::{Workspace, repository};

use crate::support::{bert_with, stderr, stdout};
use crate::training_support::Processes;

/// A command's help at a fixed width.
fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bert"))
        .args(arguments)
        .env("COLUMNS", "100")
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// The verbs that the program's help lists.
fn verbs(help: &str) -> Vec<&str> {
    let listed = help
        .split("Commands:\n")
        .nth(1)
        .unwrap()
        .lines()
        .take_while(|line| !line.is_empty());
    let verbs = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    verbs
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|verb| *verb != "help")
        .collect()
}

#[test]
fn every_help_text() {
    let program = help(&["--help"]);
    let verbs = verbs(&program);
    assert!(verbs.len() > 15, "{verbs:?}");
    insta::assert_snapshot!("help", program);
    for verb in verbs {
        insta::assert_snapshot!(format!("help-{verb}"), help(&[verb, "--help"]));
    }
}

/// The lines that commands fail with, `{dir}` standing for the folder of their files.
struct Failures<'a> {
    dir: &'a Path,
    text: String,
}

impl Failures<'_> {
    /// Runs a command that fails with one line, and notes the line and the exit code.
    fn note(&mut self, kind: &str, command: &str) {
        let dir = self.dir.to_str().unwrap();
        let words: Vec<String> = command
            .split_whitespace()
            .map(|word| word.replace("{dir}", dir))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = bert_with(&[("HF_HUB_OFFLINE", "1"), ("HF_HOME", dir)], &words);
        let stderr = stderr(&output);
        let errors: Vec<&str> = stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        assert_eq!(errors.len(), 1, "{command}: {stderr}");
        let error = errors[0].replace(dir, "{dir}");
        let code = output.status.code().unwrap();
        self.text += &format!("{kind}\n$ bert {command}\n{error}\n[exit code {code}]\n\n");
    }
}

const QUESTIONS: &str = r#"{"version": "VERSION", "data": [{"title": "t", "paragraphs": [{"context": "Ada wrote it.",
    "qas": [{"id": "a", "question": "Who?", "answers": [{"text": "TEXT", "answer_start": START}]}]}]}]}"#;

fn write_inputs(dir: &Path) {
    let questions = |version: &str, text: &str, start: &str| {
        QUESTIONS
            .replace("VERSION", version)
            .replace("TEXT", text)
            .replace("START", start)
    };
    for (name, content) in [
        ("good.json", questions("1.1", "Ada", "0")),
        (
            "v2.json",
            questions("v2.0", "Ada", "0")
                .replace("\"answers\"", "\"is_impossible\": false, \"answers\""),
        ),
        (
            "broken.json",
            "{\"version\": \"1.1\", \"data\": [}".to_owned(),
        ),
        ("wrong-type.json", questions("1.1", "Ada", "\"0\"")),
        ("wrong-place.json", questions("1.1", "Bob", "0")),
        (
            "mrpc.tsv",
            "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\tone\n".to_owned(),
        ),
        (
            "label.tsv",
            "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n7\t1\t2\tone\ttwo\n".to_owned(),
        ),
        ("table.csv", "text,colour\ngood,yes\n".to_owned()),
        ("quotes.csv", "text,label\n\"good,yes\n".to_owned()),
        (
            "settings.toml",
            "learning_rate = 1e-4\nlearning_rat = 1e-4\n".to_owned(),
        ),
    ] {
        fs::write(dir.join(name), content).unwrap();
    }
    fs::write(dir.join("latin.json"), b"{\"version\": \"1.1\xff\"}").unwrap();
    fs::create_dir(dir.join("empty")).unwrap();
}

#[test]
fn one_error_line_of_each_kind() {
    const SWAG: &str = "train-swag --bert-model data/demo/bert-small --from-scratch --train-batch-size 1 \
                        --max-seq-length 40 --device cpu --data-dir {dir}/data --output-dir {dir}/out \
                        --max-train-examples 1 --num-train-epochs 1";
    const TRAIN: &str = "train-squad --bert-model data/demo/bert-small --from-scratch --device cpu \
                         --max-seq-length 64 --output-dir {dir}/squad";
    const TABLE: &str = "train-glue --task csv --bert-model data/demo/bert-small --from-scratch --device cpu \
                         --output-dir {dir}/table";
    let workspace = Workspace::new();
    let dir = workspace.dir();
    write_inputs(dir);
    workspace.train(
        "out",
        &["--max-train-examples", "1", "--num-train-epochs", "1"],
    );
    let locked = File::create(dir.join("empty/.bert-lock")).unwrap();
    locked.lock().unwrap();

    let mut failures = Failures {
        dir,
        text: String::new(),
    };
    let good = format!("{TRAIN} --train-file {{dir}}/good.json");
    for (kind, command) in [
        ("an unknown verb", "train-sqad"),
        ("an unknown flag", "train-squad --train-fil x.json"),
        ("a flag without its value", "evaluate-squad --data"),
        (
            "a flag that is missing",
            "evaluate-squad --data {dir}/good.json",
        ),
        (
            "a value that is no number",
            "train-squad --num-train-epochs many",
        ),
        (
            "a value that is not listed",
            "train-squad --schedule quadratic",
        ),
        ("a flag that is refused", "train-squad --fp16"),
        (
            "flags that exclude each other",
            "train-squad --device cpu --no-cuda",
        ),
        (
            "settings that do not fit together",
            &format!("{good} --train-batch-size 32 --gradient-accumulation-steps 3"),
        ),
        ("a recipe that is not there", "train-squad --recipe bse"),
        (
            "a key that is no flag",
            "train-squad --config {dir}/settings.toml",
        ),
        (
            "a missing file",
            "evaluate-squad --data {dir}/absent.json --predictions {dir}/good.json",
        ),
        (
            "a folder for a file",
            "evaluate-squad --data {dir}/empty --predictions {dir}/good.json",
        ),
        (
            "bytes that are no text",
            &format!("{TRAIN} --train-file {{dir}}/latin.json"),
        ),
        (
            "bad JSON",
            &format!("{TRAIN} --train-file {{dir}}/broken.json"),
        ),
        (
            "JSON of a wrong type",
            &format!("{TRAIN} --train-file {{dir}}/wrong-type.json"),
        ),
        (
            "an only question whose answer is not in its text",
            &format!("{TRAIN} --train-file {{dir}}/wrong-place.json"),
        ),
        (
            "SQuAD 2.0 without its flag",
            &format!("{TRAIN} --train-file {{dir}}/v2.json"),
        ),
        (
            "a wrong number of columns",
            "features-glue --bert-model data/demo/bert-small --task mrpc --data {dir}/mrpc.tsv",
        ),
        (
            "an unknown label",
            "features-glue --bert-model data/demo/bert-small --task mrpc --data {dir}/label.tsv",
        ),
        (
            "a column of labels that is missing",
            &format!("{TABLE} --train-file {{dir}}/table.csv"),
        ),
        (
            "a quote that is not closed",
            &format!("{TABLE} --train-file {{dir}}/quotes.csv"),
        ),
        (
            "a folder that is no checkpoint",
            "ask --model {dir}/empty --text Ada Who?",
        ),
        (
            "a checkpoint without weights",
            "ask --model data/demo/bert-small --text Ada Who?",
        ),
        (
            "a head that is not trained",
            "ask --model {dir}/out --text Ada Who?",
        ),
        (
            "a name without a network",
            "ask --model someone/something --text Ada Who?",
        ),
        (
            "a folder in use",
            &format!(
                "{} --overwrite-output-dir",
                good.replace("{dir}/squad", "{dir}/empty")
            ),
        ),
        ("a run that is finished", SWAG),
        ("a run with other settings", &format!("{SWAG} --seed 7")),
        ("nothing to resume", &format!("{good} --resume")),
        ("too little memory", &format!("{good} --max-memory 1MB")),
        ("a folder that is no run", "report {dir}/data"),
    ] {
        failures.note(kind, command);
    }
    insta::assert_snapshot!("errors", failures.text);
}
