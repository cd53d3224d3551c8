//! The columns of the GLUE download: separated by tabs, never quoted.

use super::{Example, Examples, Set, Task};
use crate::random::Random;

/// Sets aside so many ids for each file of a task.
const IDS: usize = 100_000;
/// First of the random streams used here, one a file.
const FIRST_STREAM: u64 = 3_000;
/// Columns left of a broken row.
const BROKEN_COLUMNS: usize = 4;

/// The file's text.
pub(crate) fn text(file: &Examples, seed: u64) -> String {
    let stream = FIRST_STREAM + 10 * file.task as u64 + file.set as u64;
    let mut random = Random::new(seed, stream);
    // The official MRPC files begin with a byte order mark.
    let mut text = String::from(if file.task == Task::Mrpc {
        "\u{feff}"
    } else {
        ""
    });
    if let Some(header) = header(file.task, file.set) {
        text.push_str(&header.join("\t"));
        text.push('\n');
    }
    let rows = file.examples.len();
    for (index, example) in file.examples.iter().enumerate() {
        let mut row = row(file, index, example, &mut random);
        // Two rows of the official QQP training file lack columns.
        let broken = index == rows / 3 || index == 2 * rows / 3;
        if file.task == Task::Qqp && file.set == Set::Train && broken {
            row.truncate(BROKEN_COLUMNS);
        }
        text.push_str(&row.join("\t"));
        text.push('\n');
    }
    text
}

fn is_test(set: Set) -> bool {
    matches!(set, Set::Test | Set::TestMismatched)
}

/// The names of the columns, if the file gives them.
fn header(task: Task, set: Set) -> Option<Vec<&'static str>> {
    let test = is_test(set);
    let (mut columns, label): (Vec<&str>, &[&str]) = match task {
        Task::Cola | Task::Sst2 if test => (vec!["index", "sentence"], &[]),
        Task::Cola => return None,
        Task::Sst2 => (vec!["sentence"], &["label"]),
        Task::Mrpc => {
            let quality = if test { "index" } else { "Quality" };
            (
                vec![quality, "#1 ID", "#2 ID", "#1 String", "#2 String"],
                &[],
            )
        }
        Task::StsB => (
            vec![
                "index",
                "genre",
                "filename",
                "year",
                "old_index",
                "source1",
                "source2",
                "sentence1",
                "sentence2",
            ],
            &["score"],
        ),
        Task::Qqp if test => (vec!["id", "question1", "question2"], &[]),
        Task::Qqp => (
            vec!["id", "qid1", "qid2", "question1", "question2"],
            &["is_duplicate"],
        ),
        Task::Mnli => (
            vec![
                "index",
                "promptID",
                "pairID",
                "genre",
                "sentence1_binary_parse",
                "sentence2_binary_parse",
                "sentence1_parse",
                "sentence2_parse",
                "sentence1",
                "sentence2",
            ],
            if set == Set::Train {
                &["label1", "gold_label"]
            } else {
                &[
                    "label1",
                    "label2",
                    "label3",
                    "label4",
                    "label5",
                    "gold_label",
                ]
            },
        ),
        Task::Qnli => (vec!["index", "question", "sentence"], &["label"]),
        Task::Rte | Task::Wnli => (vec!["index", "sentence1", "sentence2"], &["label"]),
    };
    if !test {
        columns.extend(label);
    }
    Some(columns)
}

fn row(file: &Examples, index: usize, example: &Example, random: &mut Random) -> Vec<String> {
    let (task, set) = (file.task, file.set);
    let test = is_test(set);
    let id = IDS * (set as usize + 1) + index;
    let number = index.to_string();
    let label = example.label.clone();
    let sentence1 = example.sentence1.clone();
    let sentence2 = example.sentence2.clone().unwrap_or_default();
    let (mut columns, labels) = match task {
        Task::Cola | Task::Sst2 if test => (vec![number, sentence1], vec![]),
        Task::Cola => {
            let star = if label == "0" { "*" } else { "" };
            (
                vec!["dm01".to_owned(), label, star.to_owned(), sentence1],
                vec![],
            )
        }
        Task::Sst2 => (vec![sentence1], vec![label]),
        Task::Mrpc => {
            let quality = if test { number } else { label };
            let (id1, id2) = ((2 * id).to_string(), (2 * id + 1).to_string());
            (vec![quality, id1, id2, sentence1, sentence2], vec![])
        }
        Task::StsB => {
            let mut columns = vec![number];
            columns.extend(["main-captions", "demo", "2024"].map(str::to_owned));
            columns.push(format!("{index:04}"));
            columns.extend(["none", "none"].map(str::to_owned));
            columns.extend([sentence1, sentence2]);
            (columns, vec![score(&label, random)])
        }
        Task::Qqp if test => (vec![number, sentence1, sentence2], vec![]),
        Task::Qqp => {
            let ids = [id, 2 * id, 2 * id + 1].map(|id| id.to_string());
            let mut columns = ids.to_vec();
            columns.extend([sentence1, sentence2]);
            (columns, vec![label])
        }
        Task::Mnli => {
            let mut columns = vec![number, id.to_string(), pair_id(id, &label, test)];
            columns.push(genre(set, random).to_owned());
            columns.extend([&sentence1, &sentence2].map(|text| format!("( {text} )")));
            columns.extend([&sentence1, &sentence2].map(|text| format!("(ROOT {text})")));
            columns.extend([sentence1, sentence2]);
            (columns, votes(set, &label, random))
        }
        Task::Qnli | Task::Rte | Task::Wnli => (vec![number, sentence1, sentence2], vec![label]),
    };
    if !test {
        columns.extend(labels);
    }
    columns
}

/// The score with three decimals, up to 0.2 off the relation's own as annotators' means are.
fn score(label: &str, random: &mut Random) -> String {
    let mean: f64 = label.parse().expect("stsb.toml gives numbers");
    let offset = [-0.2, 0.0, 0.2][random.below(3)];
    // Equal texts share everything, whoever judges.
    let score = if mean == 5.0 { mean } else { mean + offset };
    format!("{:.3}", score.clamp(0.0, 5.0))
}

fn genre(set: Set, random: &mut Random) -> &'static str {
    let genres: &[&str] = match set {
        Set::DevMismatched | Set::TestMismatched => &["letters", "facetoface", "verbatim"],
        _ => &["fiction", "government", "slate", "telephone", "travel"],
    };
    genres[random.below(genres.len())]
}

/// The prompt's number and the label's letter, which the test files do not give away.
fn pair_id(id: usize, label: &str, test: bool) -> String {
    let letter = if test {
        ""
    } else {
        label.get(..1).unwrap_or_default()
    };
    format!("{id}{letter}")
}

/// Annotators' labels and the majority's: one label in the training file, five in the held-out ones.
fn votes(set: Set, gold: &str, random: &mut Random) -> Vec<String> {
    let mut votes = vec![gold.to_owned(); if set == Set::Train { 1 } else { 5 }];
    if votes.len() > 1 && random.chance(30) {
        let other = if gold == "neutral" {
            "entailment"
        } else {
            "neutral"
        };
        let dissenter = random.below(votes.len());
        votes[dissenter] = other.to_owned();
    }
    votes.push(gold.to_owned());
    votes
}
