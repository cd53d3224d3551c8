//! The columns of the GLUE download: separated by tabs, never quoted.

use super::{Example, Examples, Set};
use crate::DemoDataError;
use crate::random::Random;

/// Sets aside a number of ids for each file of a task.
const IDS: usize = 100_000;
/// First of the random streams used here, one a file.
const FIRST_STREAM: u64 = 3_000;
/// Columns left of a broken row.
const BROKEN_COLUMNS: usize = 4;

/// The file's text.
///
/// # Errors
///
/// If its layout has a column that is not known here.
pub(crate) fn text(file: &Examples, seed: u64) -> Result<String, DemoDataError> {
    let stream = FIRST_STREAM + 10 * file.stream + file.set as u64;
    let mut random = Random::new(seed, stream);
    let mut text = String::new();
    if file.layout.byte_order_mark {
        text.push('\u{feff}');
    }
    let columns = columns(file);
    if columns != file.task.columns.without_header {
        text.push_str(&columns.join("\t"));
        text.push('\n');
    }
    let rows = file.examples.len();
    for (index, example) in file.examples.iter().enumerate() {
        let mut row = row(file, index, example, &mut random)?;
        // Two rows of the official QQP training file lack columns.
        let broken = index == rows / 3 || index == 2 * rows / 3;
        if file.task.has_broken_rows && file.set == Set::Train && broken {
            row.truncate(BROKEN_COLUMNS);
        }
        text.push_str(&row.join("\t"));
        text.push('\n');
    }
    Ok(text)
}

fn is_test(set: Set) -> bool {
    matches!(set, Set::Test | Set::TestMismatched)
}

fn columns(file: &Examples) -> &[String] {
    let layout = &file.layout;
    match file.set {
        Set::Train => &layout.train,
        Set::Test | Set::TestMismatched => &layout.test,
        Set::Dev | Set::DevMismatched if layout.dev.is_empty() => &layout.train,
        Set::Dev | Set::DevMismatched => &layout.dev,
    }
}

fn row(
    file: &Examples,
    index: usize,
    example: &Example,
    random: &mut Random,
) -> Result<Vec<String>, DemoDataError> {
    let columns = columns(file);
    let mut votes = Vec::new();
    let mut cells = Vec::with_capacity(columns.len());
    for column in columns {
        let vote = column.strip_prefix("label").map(str::parse::<usize>);
        if let Some(Ok(number)) = vote {
            if votes.is_empty() {
                votes = self::votes(file.set, &example.label, random);
            }
            cells.push(votes[number - 1].clone());
            continue;
        }
        cells.push(cell(file, column, index, example, random)?);
    }
    // A test file hides the votes. They are drawn all the same: what follows them depends on it.
    if votes.is_empty() && file.layout.train.iter().any(|it| it == "label1") {
        self::votes(file.set, &example.label, random);
    }
    Ok(cells)
}

/// What stands in a column of a row.
fn cell(
    file: &Examples,
    column: &str,
    index: usize,
    example: &Example,
    random: &mut Random,
) -> Result<String, DemoDataError> {
    if let Some(text) = file.layout.cells.get(column) {
        return Ok(text.clone());
    }
    let (set, task) = (file.set, file.task);
    let test = is_test(set);
    let label = &example.label;
    let sentence1 = &example.sentence1;
    let sentence2 = example.sentence2.as_deref().unwrap_or_default();
    if column == task.columns.text_a {
        return Ok(sentence1.clone());
    }
    if task.columns.text_b == Some(column) {
        return Ok(sentence2.to_owned());
    }
    if column == task.columns.label {
        return Ok(if task.is_regression() {
            score(label, random)
        } else {
            label.clone()
        });
    }
    let id = IDS * (set as usize + 1) + index;
    Ok(match column {
        "index" => index.to_string(),
        "id" if test => index.to_string(),
        "id" | "promptID" => id.to_string(),
        "#1 ID" | "qid1" => (2 * id).to_string(),
        "#2 ID" | "qid2" => (2 * id + 1).to_string(),
        "old_index" => format!("{index:04}"),
        "judgement" => if label == "0" { "*" } else { "" }.to_owned(),
        "pairID" => pair_id(id, label, test),
        "genre" => genre(set, random).to_owned(),
        "sentence1_binary_parse" => format!("( {sentence1} )"),
        "sentence2_binary_parse" => format!("( {sentence2} )"),
        "sentence1_parse" => format!("(ROOT {sentence1})"),
        "sentence2_parse" => format!("(ROOT {sentence2})"),
        found => {
            return Err(DemoDataError::Column {
                file: task.name.to_owned(),
                found: found.to_owned(),
            });
        }
    })
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

/// The annotators' labels: one in the training file, five in the held-out ones.
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
    votes
}
