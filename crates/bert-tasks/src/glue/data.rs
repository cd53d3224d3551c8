//! GLUE files and a user's own tables, read, converted and matched with a checkpoint's labels.

use std::path::Path;

use bert_datasets::glue::{self, GlueDataset, GlueExample, GlueLabel, GlueTask};
use bert_datasets::table::{LabelledTable, TableRow, TextColumns, read_table};
use bert_features::glue::{convert, convert_dataset, example_id};
use bert_features::pair::SequenceFeatures;
use bert_tokenization::BertTokenizer;
use bert_training::classification::Targets;
use tracing::{info, warn};

use super::table_labels::{self, LabelColumn, labels_of};
use super::{GlueFiles, TextTask, labels};
use crate::classification::{
    EvalSet, Outputs, Submission, TEST_SUFFIX, Texts, Training, cut, log_cut, pair_texts,
};
use crate::split::Split;
use crate::{Seen, Source, TaskError};

/// What a file of a task is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Its labels score the model.
    Dev,
    /// The leaderboard wants its labels.
    Test,
}

/// Examples to train on, what is held out of them, and what the outputs of a model trained on them mean.
///
/// # Errors
/// When the file is bad or has no labels.
pub(crate) fn training(
    task: TextTask,
    path: &Path,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    source: &Source<'_>,
    split: Option<Split>,
    own: &Rows,
) -> Result<Trained, TaskError> {
    let most = source.max_train_examples;
    let mut held_out = None;
    let (training, outputs) = match task {
        TextTask::Glue(task) => {
            let mut dataset = glue::read(task, path)?;
            log_skipped(path, &dataset);
            if let Some(split) = split {
                let class = |example: &GlueExample| match example.label {
                    Some(GlueLabel::Class(class)) => class.to_string(),
                    _ => String::new(),
                };
                let examples = split.take_out(&mut dataset.examples, class)?;
                let held = GlueDataset {
                    split: dataset.split.clone(),
                    examples,
                    labelled: dataset.labelled,
                    skipped: Vec::new(),
                };
                let most = source.max_eval_examples;
                let (held, features) = converted(path, held, tokenizer, max_seq_length, most)?;
                held_out = Some(eval_set_of(task, path, Role::Dev, held, features));
            }
            let (dataset, features) = converted(path, dataset, tokenizer, max_seq_length, most)?;
            let rows = dataset.examples.iter();
            let seen = Seen::of(rows.map(|it| pair_texts(&it.text_a, it.text_b.as_deref())));
            let odd = seen.lines(&path.display().to_string());
            let training = Training {
                path: path.to_owned(),
                left_out: [left_out(path, Some(&dataset), &features), odd].concat(),
                targets: targets(&dataset).ok_or_else(|| no_training_labels(path))?,
                features,
                seen,
            };
            (training, labels::of_task(task))
        }
        TextTask::Csv => {
            let mut table = read_own(path, &own.columns)?;
            let mut held = LabelledTable {
                rows: Vec::new(),
                labelled: table.labelled,
                columns: table.columns.clone(),
            };
            if let Some(split) = split {
                held.rows = if own.labels.are_several() {
                    let rows = table.rows.iter();
                    let labels = rows.map(|row| labels_of(path, &table, row, own.labels));
                    let labels = owned(labels.collect::<Result<_, _>>()?);
                    split.take_out_labelled(&mut table.rows, &labels)?
                } else {
                    let class = |row: &TableRow| match &row.label {
                        Some(label) if own.labels == LabelColumn::Class => label.clone(),
                        _ => String::new(),
                    };
                    split.take_out(&mut table.rows, class)?
                };
            }
            let limits = (max_seq_length, most);
            let (training, outputs) = table_training(path, table, tokenizer, limits, own.labels)?;
            if !held.rows.is_empty() {
                held.rows
                    .truncate(source.max_eval_examples.unwrap_or(usize::MAX));
                let set =
                    table_eval_set(path, held, tokenizer, max_seq_length, &outputs, own.labels)?;
                held_out = Some(set);
            }
            (training, outputs)
        }
    };
    Ok(Trained {
        training,
        held_out,
        outputs,
    })
}

/// The labels of rows, which outlive them.
fn owned(rows: Vec<Vec<&str>>) -> Vec<Vec<String>> {
    let of_row = |row: Vec<&str>| row.into_iter().map(str::to_owned).collect();
    rows.into_iter().map(of_row).collect()
}

/// How a table of a user's own is read.
pub struct Rows {
    /// The columns that are asked for.
    columns: TextColumns,
    /// What its label column holds.
    labels: LabelColumn,
}

impl Rows {
    /// Columns, one of which holds what `labels` says.
    pub(crate) fn new(columns: TextColumns, labels: LabelColumn) -> Self {
        let may_be_blank = labels.are_several();
        let columns = TextColumns {
            may_be_blank,
            ..columns
        };
        Self { columns, labels }
    }
}

/// A training file.
pub(crate) struct Trained {
    /// Examples to train on.
    pub(crate) training: Training,
    /// Those that were held out of it.
    pub(crate) held_out: Option<EvalSet>,
    /// What the outputs of a model trained on them mean.
    pub(crate) outputs: Outputs,
}

/// Rows of a table to train on, cut to so many tokens, and not more than so many. The classes are those of the whole table,
/// however many of its rows are used.
///
/// # Errors
/// When it has no labels, or only one class, or one is no number where numbers are predicted.
pub(super) fn table_training(
    path: &Path,
    mut table: LabelledTable,
    tokenizer: &BertTokenizer,
    (max_seq_length, most): (usize, Option<usize>),
    column: LabelColumn,
) -> Result<(Training, Outputs), TaskError> {
    let outputs = match column {
        LabelColumn::Labels(_) | LabelColumn::Marks => {
            let names = table_labels::names(path, &table, column)?;
            if names.is_empty() {
                return Err(no_training_labels(path));
            }
            Outputs::Labels(names)
        }
        LabelColumn::Class | LabelColumn::Number => {
            let names = table.labels();
            check_classes(path, &names)?;
            match column {
                LabelColumn::Number => Outputs::Score,
                _ => labels::in_order(names),
            }
        }
    };
    table.rows.truncate(most.unwrap_or(usize::MAX));
    let features = convert_table(path, &table, tokenizer, max_seq_length)?;
    let targets = table_labels::targets(path, &table, &outputs, column)?;
    let rows = table.rows.iter();
    let seen = Seen::of(rows.map(|row| pair_texts(&row.text_a, row.text_b.as_deref())));
    let odd = seen.lines(&path.display().to_string());
    let training = Training {
        path: path.to_owned(),
        left_out: [left_out(path, None, &features), odd].concat(),
        features,
        targets: targets.ok_or_else(|| no_training_labels(path))?,
        seen,
    };
    Ok((training, outputs))
}

fn no_training_labels(path: &Path) -> TaskError {
    TaskError::NoLabels {
        path: path.to_owned(),
        what: "labels",
        expected: "them for training",
    }
}

/// The files that are predicted, scored where they have labels.
///
/// # Errors
/// When one is bad or has labels that the model does not know.
pub fn eval_sets(
    task: TextTask,
    files: &GlueFiles,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    outputs: &Outputs,
    source: &Source<'_>,
    own: &Rows,
) -> Result<Vec<EvalSet>, TaskError> {
    let dev = files.dev.iter().map(|path| (path, Role::Dev));
    let test = files.test.iter().map(|path| (path, Role::Test));
    let mut sets: Vec<EvalSet> = Vec::new();
    for (path, role) in dev.chain(test) {
        let most = source.most(role == Role::Test);
        let mut set = match task {
            TextTask::Glue(task) => eval_set(task, path, role, tokenizer, max_seq_length, most)?,
            TextTask::Csv => {
                let mut table = read_own(path, &own.columns)?;
                table.rows.truncate(most.unwrap_or(usize::MAX));
                table_eval_set(path, table, tokenizer, max_seq_length, outputs, own.labels)?
            }
        };
        if role == Role::Dev && set.targets.is_none() {
            return Err(TaskError::NoLabels {
                path: path.clone(),
                what: "labels",
                expected: "them for scoring; `test_file` and predict-glue predict without",
            });
        }
        set.is_test = role == Role::Test;
        // The keys of the scores must differ; a labelled test set comes after what the table is about.
        if role == Role::Test && sets.iter().any(|set| set.targets.is_some()) {
            set.suffix = TEST_SUFFIX;
        }
        sets.push(set);
    }
    Ok(sets)
}

/// Reads a table of a user's own, and says which columns are used.
///
/// # Errors
/// When the file is bad.
fn read_own(path: &Path, columns: &TextColumns) -> Result<LabelledTable, TaskError> {
    let table = read_table(path, columns)?;
    if let Some(found) = &table.columns {
        let pair = found.text_pair.as_ref();
        let pair = pair.map_or_else(String::new, |pair| format!(" and {pair}"));
        let label = match found.marks.as_slice() {
            [] => found.label.as_deref().unwrap_or("no column").to_owned(),
            marks => marks.join(", "),
        };
        info!(
            "{}: texts in {}{pair}, labels in {label}",
            path.display(),
            found.text
        );
    }
    Ok(table)
}

/// Reads a file of a task and converts it.
///
/// # Errors
/// When the file is bad or the settings do not fit.
fn read(
    task: &GlueTask,
    path: &Path,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    most: Option<usize>,
) -> Result<(GlueDataset, SequenceFeatures), TaskError> {
    let dataset = glue::read(task, path)?;
    log_skipped(path, &dataset);
    converted(path, dataset, tokenizer, max_seq_length, most)
}

/// Converts the first `most` of a file's examples.
///
/// # Errors
/// When the settings do not fit.
fn converted(
    path: &Path,
    mut dataset: GlueDataset,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    most: Option<usize>,
) -> Result<(GlueDataset, SequenceFeatures), TaskError> {
    dataset.examples.truncate(most.unwrap_or(usize::MAX));
    let started = std::time::Instant::now();
    let features = convert_dataset(&dataset, tokenizer, max_seq_length)?;
    log_converted(path, &features, started.elapsed().as_secs_f64());
    Ok((dataset, features))
}

fn convert_table(
    path: &Path,
    table: &LabelledTable,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
) -> Result<SequenceFeatures, TaskError> {
    let started = std::time::Instant::now();
    let texts: Vec<_> = table
        .rows
        .iter()
        .map(|row| (row.text_a.as_str(), row.text_b.as_deref()))
        .collect();
    let features = convert(&texts, tokenizer, max_seq_length)?;
    log_converted(path, &features, started.elapsed().as_secs_f64());
    Ok(features)
}

fn log_converted(path: &Path, features: &SequenceFeatures, seconds: f64) {
    let path = path.display();
    info!(
        "{path}: {} examples converted in {seconds:.2} s",
        features.len()
    );
    log_cut(features);
}

/// Logs how many rows were left out, and why the first was.
pub fn log_skipped(path: &Path, dataset: &GlueDataset) {
    if let Some(line) = skipped(dataset) {
        warn!("{}: {line}", path.display());
    }
}

/// How many rows were left out, where any were, and why the first was.
fn skipped(dataset: &GlueDataset) -> Option<String> {
    let first = dataset.skipped.first()?;
    Some(format!(
        "{} rows left out; the first, line {}: {}",
        dataset.skipped.len(),
        first.line,
        first.reason
    ))
}

/// What of a file is not used, or not whole.
fn left_out(
    path: &Path,
    dataset: Option<&GlueDataset>,
    features: &SequenceFeatures,
) -> Vec<String> {
    let lines = dataset.and_then(skipped).into_iter().chain(cut(features));
    lines
        .map(|line| format!("{}: {line}", path.display()))
        .collect()
}

/// What the examples of a GLUE file are labelled with; `None` where the file has no labels.
fn targets(dataset: &GlueDataset) -> Option<Targets> {
    if !dataset.labelled {
        return None;
    }
    let labels = || dataset.examples.iter().map(|example| example.label);
    let classes: Option<Vec<usize>> = labels()
        .map(|label| match label {
            Some(GlueLabel::Class(class)) => Some(class),
            _ => None,
        })
        .collect();
    let scores: Option<Vec<f64>> = labels()
        .map(|label| match label {
            Some(GlueLabel::Score(score)) => Some(score),
            _ => None,
        })
        .collect();
    classes
        .map(Targets::Classes)
        .or_else(|| scores.map(Targets::Scores))
}

/// Checks that there is something to tell apart.
///
/// # Errors
/// When there are fewer than two classes.
fn check_classes(path: &Path, names: &[String]) -> Result<(), TaskError> {
    if let [only] = names {
        return Err(TaskError::OneLabel {
            path: path.to_owned(),
            label: only.clone(),
        });
    }
    Ok(())
}

/// A file of a task that is predicted.
fn eval_set(
    task: &GlueTask,
    path: &Path,
    role: Role,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    most: Option<usize>,
) -> Result<EvalSet, TaskError> {
    let (dataset, features) = read(task, path, tokenizer, max_seq_length, most)?;
    Ok(eval_set_of(task, path, role, dataset, features))
}

fn eval_set_of(
    task: &GlueTask,
    path: &Path,
    role: Role,
    dataset: GlueDataset,
    features: SequenceFeatures,
) -> EvalSet {
    let submission = (role == Role::Test).then(|| Submission::Glue {
        file: submission_file(task, path),
        indices: dataset
            .examples
            .iter()
            .map(|example| {
                let index = example.index.clone();
                index.unwrap_or_else(|| example.row.to_string())
            })
            .collect(),
    });
    let dev = task.dev_files.iter().find(|dev| is_named(path, dev.file));
    EvalSet {
        path: path.to_owned(),
        suffix: dev.map_or("", |dev| dev.suffix),
        score_name: dev.and_then(|dev| dev.score_name),
        is_test: false,
        left_out: left_out(path, Some(&dataset), &features),
        ids: (0..dataset.examples.len())
            .map(|example| example_id(&dataset, example))
            .collect(),
        features,
        targets: targets(&dataset),
        texts: Texts::Sentences(
            dataset
                .examples
                .into_iter()
                .map(|example| (example.text_a, example.text_b))
                .collect(),
        ),
        submission,
    }
}

/// What the leaderboard calls the predictions of a test file.
fn submission_file(task: &GlueTask, path: &Path) -> String {
    let official = task
        .test_files
        .iter()
        .find(|test| is_named(path, test.file));
    official.map_or_else(
        || format!("{}.tsv", task.folder),
        |test| test.submission.to_owned(),
    )
}

fn is_named(path: &Path, name: &str) -> bool {
    path.file_name().is_some_and(|found| found == name)
}

/// A table of a user's own that is predicted.
pub(super) fn table_eval_set(
    path: &Path,
    table: LabelledTable,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    outputs: &Outputs,
    column: LabelColumn,
) -> Result<EvalSet, TaskError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let features = convert_table(path, &table, tokenizer, max_seq_length)?;
    Ok(EvalSet {
        path: path.to_owned(),
        suffix: "",
        score_name: None,
        is_test: false,
        left_out: left_out(path, None, &features),
        ids: (0..table.rows.len())
            .map(|n| format!("{stem}-{n}"))
            .collect(),
        features,
        targets: table_labels::targets(path, &table, outputs, column)?,
        texts: Texts::Sentences(
            table
                .rows
                .into_iter()
                .map(|row| (row.text_a, row.text_b))
                .collect(),
        ),
        submission: None,
    })
}
