//! Data looked at before a training: sizes, labels, lengths, and what is odd.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use bert_datasets::glue::{self, GlueLabel};
use bert_datasets::squad::{self, QuestionColumns, SquadAnswer};
use bert_datasets::swag::{self, ChoiceColumns};
use bert_datasets::table::{TextColumns, read_table};
use bert_report::{Lengths, Numbers};
use bert_tokenization::BertTokenizer;
use rayon::prelude::*;

pub use bert_report::{DataCheck, FileCheck};

use crate::TaskError;
use crate::glue::{GlueSettings, LabelColumn, TextTask, labels_of, number_of};
use crate::squad::SquadSettings;
use crate::swag::SwagSettings;

/// Lengths of which one is suggested.
const LENGTHS: [usize; 9] = [32, 48, 64, 96, 128, 192, 256, 384, 512];

/// The share of rows that a suggested length holds whole.
const HELD: f64 = 0.99;

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckedTask {
    /// Questions about contexts.
    Squad,
    /// Choices.
    Swag,
    /// Texts.
    Text(TextTask),
}

/// What is looked at.
#[derive(Debug, Clone)]
pub struct CheckSettings {
    /// What the rows are.
    pub task: CheckedTask,
    /// Rows to train on.
    pub train_file: PathBuf,
    /// Rows to score.
    pub eval_file: Option<PathBuf>,
    /// Longest row, in tokens.
    pub max_seq_length: usize,
    /// The columns of a table of texts.
    pub columns: TextColumns,
    /// Those of flat rows of questions.
    pub question_columns: QuestionColumns,
    /// Those of a table of choices.
    pub choice_columns: ChoiceColumns,
    /// What the label's column of a table holds.
    pub labels: LabelColumn,
}

impl CheckSettings {
    /// What a training on questions is given; `None` where it has no training file.
    pub fn of_squad(settings: &SquadSettings) -> Option<Self> {
        Some(Self {
            task: CheckedTask::Squad,
            train_file: settings.train_file.clone()?,
            eval_file: settings.predict_file.clone(),
            max_seq_length: settings.features.max_seq_length,
            columns: TextColumns::default(),
            question_columns: settings.columns.clone(),
            choice_columns: ChoiceColumns::default(),
            labels: LabelColumn::Class,
        })
    }

    /// What a training on choices is given; `None` where it has no training file.
    pub fn of_swag(settings: &SwagSettings) -> Option<Self> {
        Some(Self {
            task: CheckedTask::Swag,
            train_file: settings.train_file.clone()?,
            eval_file: settings.eval_file.clone(),
            max_seq_length: settings.max_seq_length,
            columns: TextColumns::default(),
            question_columns: QuestionColumns::default(),
            choice_columns: settings.columns.clone(),
            labels: LabelColumn::Class,
        })
    }

    /// What a training on texts is given, of several development files the first; `None` where it has no training file.
    pub fn of_glue(settings: &GlueSettings) -> Option<Self> {
        Some(Self {
            task: CheckedTask::Text(settings.task),
            train_file: settings.train_file.clone()?,
            eval_file: settings.eval_file.first().cloned(),
            max_seq_length: settings.max_seq_length,
            columns: settings.columns(),
            question_columns: QuestionColumns::default(),
            choice_columns: ChoiceColumns::default(),
            labels: settings.labels(),
        })
    }
}

/// An example, whatever the task.
struct Row {
    texts: Vec<String>,
    labels: Vec<String>,
    number: Option<f64>,
    /// Indices of the texts that make up each row of the model.
    rows: Vec<Vec<usize>>,
    is_misplaced: bool,
}

/// How many tokens a text has.
#[derive(Clone, Copy)]
struct Tokens {
    all: usize,
    unknown: usize,
}

impl Tokens {
    fn of(text: &str, tokenizer: &BertTokenizer) -> Result<Self, TaskError> {
        let tokens = tokenizer.tokenize(text)?;
        let unknown = tokens.iter().filter(|it| it.id == tokenizer.unk_id());
        Ok(Self {
            all: tokens.len(),
            unknown: unknown.count(),
        })
    }
}

/// Looks at the files.
///
/// # Errors
/// When one is bad, or there is only one label to train on.
pub fn check(settings: &CheckSettings, tokenizer: &BertTokenizer) -> Result<DataCheck, TaskError> {
    let training = rows(settings, &settings.train_file)?;
    let (first, lengths) = look(settings, &settings.train_file, &training, tokenizer)?;
    if let Some((only, _)) = first
        .labels
        .iter()
        .next()
        .filter(|_| first.labels.len() == 1 && first.unlabelled.is_none())
    {
        return Err(TaskError::OneLabel {
            path: settings.train_file.clone(),
            label: only.clone(),
        });
    }
    let mut overlap = 0;
    let mut files = vec![first];
    if let Some(path) = &settings.eval_file {
        let development = rows(settings, path)?;
        let seen: HashSet<&[String]> = training.iter().map(|row| row.texts.as_slice()).collect();
        let both = development
            .iter()
            .filter(|row| seen.contains(row.texts.as_slice()));
        overlap = both.count();
        files.push(look(settings, path, &development, tokenizer)?.0);
    }
    let held = |length: usize| {
        let count = lengths.iter().filter(|own| **own <= length).count();
        count as f64 >= HELD * lengths.len() as f64
    };
    Ok(DataCheck {
        files,
        overlap,
        suggested_max_seq_length: LENGTHS.into_iter().find(|length| held(*length)),
    })
}

/// Looks at one file, and tells the length of each row.
fn look(
    settings: &CheckSettings,
    path: &Path,
    rows: &[Row],
    tokenizer: &BertTokenizer,
) -> Result<(FileCheck, Vec<usize>), TaskError> {
    // Contexts and other texts that occur again are looked at once.
    let texts: HashSet<&str> = rows
        .iter()
        .flat_map(|row| row.texts.iter().map(String::as_str))
        .collect();
    let counts: HashMap<&str, Tokens> = texts
        .into_par_iter()
        .map(|text| Ok((text, Tokens::of(text, tokenizer)?)))
        .collect::<Result<_, TaskError>>()?;
    let (mut lengths, mut tokens, mut unknown) = (Vec::new(), 0, 0);
    for row in rows {
        let own: Vec<Tokens> = row.texts.iter().map(|it| counts[it.as_str()]).collect();
        tokens += own.iter().map(|it| it.all).sum::<usize>();
        unknown += own.iter().map(|it| it.unknown).sum::<usize>();
        // `[CLS]`, and `[SEP]` after each of one or two segments.
        let of_row = |parts: &Vec<usize>| {
            let specials = if parts.len() > 1 { 3 } else { 2 };
            parts.iter().map(|part| own[*part].all).sum::<usize>() + specials
        };
        lengths.extend(row.rows.iter().map(of_row));
    }
    let mut labels: BTreeMap<String, usize> = BTreeMap::new();
    // The labels of the rows with these texts, a number by its bits.
    type Targets<'a> = HashSet<(BTreeSet<&'a str>, Option<u64>)>;
    let mut by_texts: HashMap<&[String], Targets<'_>> = HashMap::new();
    for row in rows {
        for label in &row.labels {
            *labels.entry(label.clone()).or_default() += 1;
        }
        let own = row.labels.iter().map(String::as_str).collect();
        let known = by_texts.entry(row.texts.as_slice()).or_default();
        known.insert((own, row.number.map(f64::to_bits)));
    }
    let numbers: Vec<f64> = rows.iter().filter_map(|row| row.number).collect();
    let several = settings.labels.are_several();
    let share = |count: usize| count as f64 / rows.len() as f64;
    // Of several labels none is the answer.
    let is_labelled = !labels.is_empty() && !several;
    let cut = lengths.iter().filter(|own| **own > settings.max_seq_length);
    let is_empty = |row: &&Row| row.texts.iter().all(|text| text.trim().is_empty());
    let check = FileCheck {
        path: path.to_owned(),
        rows: rows.len(),
        numbers: spread_of_numbers(&numbers),
        unlabelled: several.then(|| rows.iter().filter(|row| row.labels.is_empty()).count()),
        majority_accuracy: labels
            .values()
            .max()
            .filter(|_| is_labelled)
            .map(|most| share(*most)),
        random_accuracy: is_labelled
            .then(|| labels.values().map(|count| share(*count).powi(2)).sum()),
        empty: rows.iter().filter(is_empty).count(),
        repeated: rows.len() - by_texts.len(),
        conflicting: by_texts.values().filter(|labels| labels.len() > 1).count(),
        misplaced_answers: rows.iter().filter(|row| row.is_misplaced).count(),
        cut_share: cut.count() as f64 / lengths.len() as f64,
        unknown_share: unknown as f64 / (tokens as f64).max(1.0),
        tokens: spread(&lengths),
        labels,
    };
    Ok((check, lengths))
}

fn spread_of_numbers(numbers: &[f64]) -> Option<Numbers> {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    Some(Numbers {
        least: numbers.iter().copied().reduce(f64::min)?,
        mean,
        most: numbers.iter().copied().reduce(f64::max)?,
        standard_deviation: (squares / count).sqrt(),
    })
}

fn spread(lengths: &[usize]) -> Lengths {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    // The smallest length that a share of them does not exceed.
    let at = |share: f64| {
        let place = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(place.saturating_sub(1)).copied().unwrap_or(0)
    };
    let mut histogram = Vec::new();
    let mut below = 0;
    for bound in LENGTHS.into_iter().chain([usize::MAX]) {
        let upto = sorted.partition_point(|own| *own <= bound);
        if upto > below {
            let bound = bound.min(sorted.last().copied().unwrap_or(0));
            histogram.push((bound, upto - below));
        }
        below = upto;
    }
    Lengths {
        least: sorted.first().copied().unwrap_or(0),
        median: at(0.5),
        percentile_95: at(0.95),
        percentile_99: at(0.99),
        most: sorted.last().copied().unwrap_or(0),
        histogram,
    }
}

/// The examples of a file.
fn rows(settings: &CheckSettings, path: &Path) -> Result<Vec<Row>, TaskError> {
    let pair = |one: String, other: Option<String>, labels: Vec<String>, number| Row {
        rows: vec![(0..1 + usize::from(other.is_some())).collect()],
        texts: [one].into_iter().chain(other).collect(),
        labels,
        number,
        is_misplaced: false,
    };
    Ok(match settings.task {
        CheckedTask::Text(TextTask::Csv) => {
            let columns = TextColumns {
                may_be_blank: settings.labels.are_several(),
                ..settings.columns.clone()
            };
            let table = read_table(path, &columns)?;
            let rows = table.rows.iter().map(|row| {
                let (mut labels, mut number) = (Vec::new(), None);
                match settings.labels {
                    _ if !table.labelled => {}
                    LabelColumn::Class => labels.extend(row.label.clone()),
                    LabelColumn::Number => number = Some(number_of(path, row)?),
                    LabelColumn::Labels(_) | LabelColumn::Marks => {
                        let own = labels_of(path, &table, row, settings.labels)?;
                        labels.extend(own.into_iter().map(str::to_owned));
                    }
                }
                Ok(pair(row.text_a.clone(), row.text_b.clone(), labels, number))
            });
            rows.collect::<Result<_, TaskError>>()?
        }
        CheckedTask::Text(TextTask::Glue(task)) => {
            let rows = glue::read(task, path)?.examples.into_iter();
            let label = |label| match label {
                Some(GlueLabel::Class(class)) => task.labels.get(class).map(|it| (*it).to_owned()),
                _ => None,
            };
            let number = |label: &Option<GlueLabel>| match label {
                Some(GlueLabel::Score(score)) => Some(*score),
                _ => None,
            };
            rows.map(|row| {
                let number = number(&row.label);
                let labels = label(row.label).into_iter().collect();
                pair(row.text_a, row.text_b, labels, number)
            })
            .collect()
        }
        CheckedTask::Swag => {
            let rows = swag::read_choices(path, &settings.choice_columns)?
                .examples
                .into_iter();
            rows.map(|row| Row {
                rows: (0..row.endings.len()).map(|n| vec![0, 1, n + 2]).collect(),
                labels: row.label.iter().map(ToString::to_string).collect(),
                number: None,
                texts: [row.sent1, row.sent2]
                    .into_iter()
                    .chain(row.endings)
                    .collect(),
                is_misplaced: false,
            })
            .collect()
        }
        CheckedTask::Squad => {
            let dataset = squad::read(path, &settings.question_columns)?;
            let rows = dataset.questions.iter().map(|question| {
                let context = &dataset.contexts[question.context].text;
                let misplaced = |answer: &SquadAnswer| !stands(answer, context);
                Row {
                    texts: vec![question.text.clone(), context.clone()],
                    rows: vec![vec![0, 1]],
                    labels: Vec::new(),
                    number: None,
                    is_misplaced: question.answers.first().is_some_and(misplaced),
                }
            });
            rows.collect()
        }
    })
}

/// Whether an answer stands in its context where the file says.
fn stands(answer: &SquadAnswer, context: &str) -> bool {
    let mut rest = context.chars().skip(answer.start);
    answer.text.chars().all(|own| rest.next() == Some(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_stands_where_it_is_written() {
        let answer = |text: &str, start| SquadAnswer {
            text: text.to_owned(),
            start,
        };
        assert!(stands(&answer("ö y", 1), "xö y"));
        assert!(!stands(&answer("ö y", 0), "xö y"));
        assert!(!stands(&answer("y z", 3), "xö y"));
    }

    #[test]
    fn lengths_are_counted_once_each() {
        let lengths = spread(&[10, 32, 33, 600, 64]);
        assert_eq!((lengths.least, lengths.median, lengths.most), (10, 33, 600));
        assert_eq!(lengths.percentile_95, 600);
        assert_eq!(lengths.histogram, [(32, 2), (48, 1), (64, 1), (600, 1)]);
    }
}
