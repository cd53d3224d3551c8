//! Command lines of tutorials: each runs as it is written, or says in one line what differs and what to type.

use std::fs;
use std::path::Path;

use bert_test_support::{copy, json, repository};
use serde_json::Value;

use crate::support::{bert_with, stderr, stdout};

const TUTORIALS: &str = include_str!("tutorials.txt");

/// A command line, and what it comes to.
struct Tutorial {
    source: String,
    outcome: String,
    words: Vec<String>,
}

fn tutorials() -> Vec<Tutorial> {
    let blocks = TUTORIALS.split("\n## ").skip(1);
    let read = blocks.map(|block| {
        let mut lines = block.trim().lines();
        Tutorial {
            source: lines.next().unwrap().to_owned(),
            outcome: lines.next().unwrap().to_owned(),
            words: lines
                .flat_map(|line| line.split_whitespace().map(str::to_owned))
                .collect(),
        }
    });
    read.collect()
}

/// The folders that the command lines speak of, small.
fn write_data(dir: &Path) {
    let demo = repository().join("data/demo");
    let model = dir.join("model");
    fs::create_dir_all(&model).unwrap();
    copy(&demo.join("bert-small"), &model);
    let mut config = json(&model.join("config.json"));
    config["max_position_embeddings"] = 512.into();
    fs::write(model.join("config.json"), config.to_string()).unwrap();
    config["model_type"] = "xlnet".into();
    let xlnet = dir.join("xlnet");
    fs::create_dir(&xlnet).unwrap();
    copy(&model, &xlnet);
    fs::write(xlnet.join("config.json"), config.to_string()).unwrap();

    let downloads = dir.join("downloads");
    let mut squad = json(&demo.join("squad/dev-v1.1.json"));
    squad["data"].as_array_mut().unwrap().truncate(1);
    for (folder, version) in [("squad", "1.1"), ("squad2", "2.0")] {
        fs::create_dir_all(downloads.join(folder)).unwrap();
        squad["version"] = version.into();
        for paragraph in squad["data"][0]["paragraphs"].as_array_mut().unwrap() {
            for question in paragraph["qas"].as_array_mut().unwrap() {
                question["is_impossible"] = false.into();
            }
        }
        for part in ["train", "dev"] {
            let file = format!("{folder}/{part}-v{version}.json");
            fs::write(downloads.join(&file), squad.to_string()).unwrap();
            fs::create_dir_all(dir.join("files")).unwrap();
            let name = Path::new(&file).file_name().unwrap();
            fs::write(dir.join("files").join(name), squad.to_string()).unwrap();
        }
    }
    for folder in ["swag", "swag/data"] {
        fs::create_dir_all(downloads.join(folder)).unwrap();
        copy(&demo.join("swag"), &downloads.join(folder));
    }
    for task in ["CoLA", "MRPC", "STS-B", "RTE"] {
        fs::create_dir_all(downloads.join("glue").join(task)).unwrap();
        copy(
            &demo.join("glue").join(task),
            &downloads.join("glue").join(task),
        );
    }
    let table = "text,label\na good day,good\na bad day,bad\n";
    fs::write(dir.join("files/train.csv"), table).unwrap();
    fs::write(dir.join("files/dev.csv"), table).unwrap();
}

/// The words with our files for those that they speak of.
fn on_our_files(words: &[String], dir: &Path, out: &str) -> Vec<String> {
    let at = |name: &str| dir.join(name).display().to_string();
    let files = [
        ("$SQUAD_TRAIN", at("files/train-v1.1.json")),
        ("$SQUAD_EVAL", at("files/dev-v1.1.json")),
        ("$SQUAD_DIR", at("files")),
        ("$OWN_DIR", at("files")),
        ("$SWAG_DIR", at("downloads/swag")),
        ("${GLUE_DIR}", at("downloads/glue")),
        ("$GLUE_DIR", at("downloads/glue")),
        ("$TASK_NAME", "MRPC".to_owned()),
    ];
    let mut ours: Vec<String> = Vec::new();
    for word in words {
        let before = ours.last().map_or("", String::as_str);
        let is_model = ["--model_name_or_path", "--bert_model"].contains(&before);
        let word = match word.as_str() {
            name if is_model && name.starts_with("xlnet") => at("xlnet"),
            _ if is_model => at("model"),
            _ if before == "--output_dir" => at(out),
            word if word.starts_with("--output_dir=") => format!("--output_dir={}", at(out)),
            word => files.iter().fold(word.to_owned(), |word, (name, path)| {
                word.replace(name, path)
            }),
        };
        ours.push(word);
    }
    ours
}

#[test]
fn command_lines_of_tutorials_run_or_say_what_to_type() {
    let tutorials = tutorials();
    assert!(tutorials.len() >= 30, "{}", tutorials.len());
    let dir = tempfile::tempdir().unwrap();
    write_data(dir.path());
    let downloads = dir.path().join("downloads").display().to_string();
    let variables = [
        ("BERT_DOWNLOADS_DIR", downloads.as_str()),
        ("HF_HUB_OFFLINE", "1"),
    ];
    let mut problems = Vec::new();
    for (number, tutorial) in tutorials.iter().enumerate() {
        let mut words = on_our_files(&tutorial.words, dir.path(), &format!("out-{number}"));
        words.extend(["--from-scratch", "--dry-run"].map(str::to_owned));
        if !words.iter().any(|word| word == "--no_cuda") {
            words.push("--no-cuda".to_owned());
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = bert_with(&variables, &words);
        let (said, printed) = (stderr(&output), stdout(&output));
        let error = said.lines().filter(|line| line.starts_with("error: "));
        let is_so = if let Some(expected) = tutorial.outcome.strip_prefix("refused with ") {
            let errors: Vec<&str> = error.collect();
            output.status.code() == Some(2) && errors.len() == 1 && errors[0].contains(expected)
        } else {
            let expected = tutorial.outcome.strip_prefix("runs").unwrap();
            let expected = expected.strip_prefix(" and says ").unwrap_or(expected);
            output.status.success()
                && printed.contains("output folder")
                && (said.contains(expected) || printed.contains(expected))
        };
        if !is_so {
            let (source, outcome) = (&tutorial.source, &tutorial.outcome);
            problems.push(format!(
                "{source}\nexpected: {outcome}\nfound: {said}{printed}"
            ));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n\n"));
}

/// The plan of a command line on the demo's files.
fn plan(words: &[&str]) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let own = [
        "--dry-run",
        "--json",
        "--from-scratch",
        "--no-cuda",
        "--output_dir",
    ];
    let words = [words, &own, &[out.to_str().unwrap()]].concat();
    let output = bert_with(&[], &words);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_plan_says_what_a_command_line_of_transformers_means() {
    let files = [
        "--train_file",
        "data/demo/squad/dev-v1.1.json",
        "--max_seq_length",
        "128",
    ];
    let model = "data/demo/bert-small";
    let there = plan(
        &[
            &[
                "run_qa.py",
                "--model_name_or_path",
                model,
                "--doc_stride",
                "40",
            ],
            &files[..],
        ]
        .concat(),
    );
    let recipe = &there["settings"]["recipe"];
    assert_eq!(recipe["train_batch_size"], 8);
    assert_eq!(recipe["warmup_proportion"], 0.0);
    assert_eq!(recipe["schedule"], "linear");
    assert_eq!(recipe["grad_clip"], "global");
    assert_eq!(recipe["weight_decay"], 0.0);
    assert_eq!(there["settings"]["features"]["doc_stride_is"], "overlap");
    assert_eq!(there["settings"]["features"]["doc_stride"], 40);
    let decisions = there["as_transformers"].as_array().unwrap();
    assert!(decisions.len() >= 6, "{decisions:?}");

    let ours = plan(
        &[
            &["train-squad", "--bert-model", model, "--doc-stride", "40"],
            &files[..],
        ]
        .concat(),
    );
    assert_eq!(ours["settings"]["recipe"]["train_batch_size"], 32);
    assert_eq!(ours["settings"]["features"]["doc_stride_is"], "distance");
    assert!(ours.get("as_transformers").is_none());

    // A flag of ours comes before what is done where none is given.
    let mixed = plan(
        &[
            &[
                "train-squad",
                "--model_name_or_path",
                model,
                "--schedule",
                "cosine",
                "--train-batch-size",
                "4",
                "--doc_stride",
                "40",
            ],
            &files[..],
        ]
        .concat(),
    );
    assert_eq!(mixed["settings"]["recipe"]["schedule"], "cosine");
    assert_eq!(mixed["settings"]["recipe"]["train_batch_size"], 4);
}
