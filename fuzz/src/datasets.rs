//! Data files: SQuAD, predictions, SWAG, GLUE and a user's own tables.

use std::path::Path;

use bert_datasets::squad::{self, QuestionColumns, SquadDataset, SquadVersion};
use bert_datasets::swag::{self, ChoiceColumns, SwagDataset};
use bert_datasets::table::{self, TextColumns};
use bert_datasets::{DatasetError, glue};
use serde_json::{Value, json};

use crate::checks::{choice, file, folder, read, same};

/// The files of a user's own rows, one for each layout.
const ROWS: [&str; 4] = ["x.json", "x.jsonl", "x.csv", "x.tsv"];

fn parse_squad(name: &str, bytes: &[u8]) -> Result<SquadDataset, DatasetError> {
    squad::parse(Path::new(name), bytes, &QuestionColumns::default())
}

/// A SQuAD file.
pub(crate) fn squad(data: &[u8]) {
    let Some(dataset) = read(parse_squad("x.json", data), "x.json") else {
        return;
    };
    check_squad(&dataset);
    let written = squad_file(&dataset).to_string();
    let back = parse_squad("x.json", written.as_bytes()).expect("it is well-formed");
    // The questions of a file stand with their contexts, those of flat rows in any order.
    let mut ordered = dataset;
    ordered.questions.sort_by_key(|it| it.context);
    same(&back, &ordered);
}

/// Rows of questions, in each layout.
pub(crate) fn squad_rows(data: &[u8]) {
    let (kind, rest) = choice(data, ROWS.len());
    if let Some(dataset) = read(parse_squad(ROWS[kind], rest), ROWS[kind]) {
        check_squad(&dataset);
    }
}

fn check_squad(dataset: &SquadDataset) {
    let lengths: Vec<usize> = dataset
        .contexts
        .iter()
        .map(|it| it.text.chars().count())
        .collect();
    for question in &dataset.questions {
        assert!(
            question
                .answers
                .iter()
                .all(|it| it.start < lengths[question.context])
        );
    }
    assert!(!dataset.questions.is_empty() && dataset.unlabelled() <= dataset.questions.len());
}

/// The dataset as a SQuAD file, an article for each context.
fn squad_file(dataset: &SquadDataset) -> Value {
    let mut questions = vec![Vec::new(); dataset.contexts.len()];
    for it in &dataset.questions {
        let answers: Vec<Value> = it
            .answers
            .iter()
            .map(|it| json!({"text": it.text, "answer_start": it.start}))
            .collect();
        let mut question = json!({"id": it.id, "question": it.text});
        if it.is_labelled {
            question["answers"] = answers.into();
        }
        if it.is_labelled && dataset.version == SquadVersion::V2_0 {
            question["is_impossible"] = it.is_impossible.into();
        }
        questions[it.context].push(question);
    }
    let articles: Vec<Value> = dataset
        .contexts
        .iter()
        .zip(questions)
        .map(|(it, qas)| json!({"title": *it.title, "paragraphs": [{"context": it.text, "qas": qas}]}))
        .collect();
    json!({"version": dataset.version.to_string(), "data": articles})
}

/// Predictions, and odds that there is no answer.
pub(crate) fn predictions(data: &[u8]) {
    let path = file("predictions.json", data);
    if let Some(predictions) = read(squad::read_predictions(&path), "predictions.json") {
        let path = file("again.json", json!(predictions).to_string().as_bytes());
        same(
            &squad::read_predictions(&path).expect("it is well-formed"),
            &predictions,
        );
    }
    if let Some(odds) = read(squad::read_null_odds(&path), "predictions.json") {
        let entries = odds
            .iter()
            .map(|(id, odds)| (id.clone(), json!(odds)))
            .collect();
        let path = file("again.json", Value::Object(entries).to_string().as_bytes());
        let mut back = squad::read_null_odds(&path).expect("it is well-formed");
        let mut odds = odds;
        back.sort_by(|a, b| a.0.cmp(&b.0));
        odds.sort_by(|a, b| a.0.cmp(&b.0));
        same(&back, &odds);
    }
}

/// A SWAG file.
pub(crate) fn swag(data: &[u8]) {
    let Some(dataset) = read(swag::parse(Path::new("x.csv"), data), "x.csv") else {
        return;
    };
    check_choices(&dataset);
    let written = swag_file(&dataset);
    // Two of them at once would count as memory of the reader's.
    drop(dataset);
    let back = swag::parse(Path::new("x.csv"), &written);
    same(&swag_file(&back.expect("it is well-formed")), &written);
}

/// A SWAG file of these examples.
fn swag_file(dataset: &SwagDataset) -> Vec<u8> {
    let mut header = vec![
        "fold-ind", "sent1", "sent2", "ending0", "ending1", "ending2", "ending3",
    ];
    header.extend(dataset.labelled.then_some("label"));
    let rows = dataset.examples.iter().map(|it| {
        let mut row = vec![it.id.clone(), it.sent1.clone(), it.sent2.clone()];
        row.extend(it.endings.iter().cloned());
        row.extend(it.label.map(|it| it.to_string()));
        row
    });
    table_file(&header, rows)
}

/// A user's own table of choices, in each layout, and the reader that finds out which of the two a file is.
pub(crate) fn choices(data: &[u8]) {
    let (kind, rest) = choice(data, ROWS.len());
    let columns = ChoiceColumns::default();
    let path = folder().join(ROWS[kind]);
    let parsed = swag::parse_table(&path, rest, &columns);
    let found = read(
        swag::read_choices(&file(ROWS[kind], rest), &columns),
        ROWS[kind],
    );
    if let Some(dataset) = read(parsed, ROWS[kind]) {
        check_choices(&dataset);
        assert!(found.is_none_or(|it| it.examples.len() == dataset.examples.len()));
    }
}

fn check_choices(dataset: &SwagDataset) {
    for example in &dataset.examples {
        assert!(swag::ENDINGS.contains(&example.endings.len()));
        assert!(
            example
                .label
                .is_none_or(|it| usize::from(it) < example.endings.len())
        );
        assert_eq!(example.label.is_some(), dataset.labelled);
    }
}

/// The files of every GLUE task: the first byte names the task, the second the split.
pub(crate) fn glue(data: &[u8]) {
    let (task, rest) = choice(data, glue::TASKS.len());
    let (split, rest) = choice(rest, 3);
    let (task, name) = (
        &glue::TASKS[task],
        ["train.tsv", "dev.tsv", "test.tsv"][split],
    );
    if let Some(dataset) = read(glue::parse(task, Path::new(name), rest), name) {
        for example in &dataset.examples {
            assert_eq!(example.text_b.is_some(), task.is_pair());
            assert!(example.label.is_some() || !dataset.labelled);
        }
    }
}

/// A user's own table of texts, in each layout.
pub(crate) fn table(data: &[u8]) {
    let (kind, rest) = choice(data, ROWS.len());
    let parse =
        |name, bytes: &[u8]| table::parse_table(Path::new(name), bytes, &TextColumns::default());
    let Some(found) = read(parse(ROWS[kind], rest), ROWS[kind]) else {
        return;
    };
    let columns = found.columns.as_ref().expect("a file has columns");
    let mut header = vec!["text"];
    header.extend(columns.text_pair.as_ref().map(|_| "text_b"));
    header.extend(columns.label.as_ref().map(|_| "label"));
    let rows = found.rows.iter().map(|it| {
        let mut row = vec![it.text_a.clone()];
        row.extend(it.text_b.clone());
        row.extend(it.label.clone());
        row
    });
    let mut back = parse("x.csv", &table_file(&header, rows)).expect("it is well-formed");
    back.columns = found.columns.clone();
    back.rows
        .iter_mut()
        .zip(&found.rows)
        .for_each(|(back, row)| back.line = row.line);
    same(&back, &found);
}

/// Rows of Parquet: a table of texts or one of choices.
pub(crate) fn parquet(data: &[u8]) {
    let (kind, rest) = choice(data, 2);
    let path = file("x.parquet", rest);
    if kind == 0 {
        read(
            table::read_table(&path, &TextColumns::default()),
            "x.parquet",
        );
    } else if let Some(dataset) = read(
        swag::read_table(&path, &ChoiceColumns::default()),
        "x.parquet",
    ) {
        check_choices(&dataset);
    }
}

/// A CSV file.
fn table_file(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).expect("memory can be written");
    rows.for_each(|row| writer.write_record(row).expect("memory can be written"));
    writer.into_inner().expect("memory can be written")
}
