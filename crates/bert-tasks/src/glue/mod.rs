//! GLUE's tasks and a user's own texts: the class or the score of a text or a pair.

mod class_loss;
pub mod data;
mod files;
pub mod labels;
mod memory;
mod table_labels;

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bert_datasets::glue::GlueTask;
use bert_datasets::table::TextColumns;
use bert_metrics::Metric;
use bert_model::BertConfig;
use bert_model::heads::BertForSequenceClassification;
use bert_records::compared;
use bert_tokenization::BertTokenizer;
use bert_training::classification::ClassLoss;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::table_labels::LabelColumn;
pub(crate) use self::table_labels::{labels_of, number_of};
use crate::classification::{
    Classification, EvalSet, LabelThreshold, Outputs, Training, trained_label_threshold,
};
use crate::{Source, TaskError};

pub use files::{GlueFiles, has_files, task_files};
pub use memory::LabelledText;

/// A GLUE task, or a user's own labelled texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTask {
    /// A task of the table.
    Glue(&'static GlueTask),
    /// A table with the columns `text` and `label`.
    Csv,
}

impl TextTask {
    /// Whether every example of the task has two texts; those of a user's own files may.
    pub fn is_pair(self) -> bool {
        matches!(self, Self::Glue(task) if task.is_pair())
    }
}

impl FromStr for TextTask {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name.eq_ignore_ascii_case("csv") {
            return Ok(Self::Csv);
        }
        name.parse::<&GlueTask>()
            .map(Self::Glue)
            .map_err(|error| format!("{error}, or csv for a file of your own"))
    }
}

impl TextTask {
    /// Its official scores.
    pub fn metric(self) -> Metric {
        match self {
            Self::Glue(task) => task.metric,
            Self::Csv => Metric::MacroF1AndAccuracy,
        }
    }
}

impl std::fmt::Display for TextTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Glue(task) => task.fmt(f),
            Self::Csv => f.write_str("csv"),
        }
    }
}

impl Serialize for TextTask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TextTask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

compared! {
    /// The task and files of a GLUE command, and how they are read.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct GlueSettings {
        /// The layout of the files, and what their labels mean.
        pub task: TextTask => Role::Setting,
        /// Texts to train on; `None`: predict only.
        pub train_file: Option<PathBuf> => Role::Input,
        /// Files that are scored.
        pub eval_file: Vec<PathBuf> => Role::Input,
        /// Files that are predicted.
        pub test_file: Vec<PathBuf> => Role::Input,
        /// The column of a table with the text; `None`: by its name.
        pub text_column: Option<String> => Role::Setting,
        /// That of the second text.
        pub text_pair_column: Option<String> => Role::Setting,
        /// That of the label.
        pub label_column: Option<String> => Role::Setting,
        /// The columns that say with 1 or 0 which of several labels a row has; none: they stand in the label's column.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub label_columns: Vec<String> => Role::Setting,
        /// Whether the labels of a table are numbers to predict, not classes.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub regression: bool => Role::Setting,
        /// Whether a row of a table may have several labels or none.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub multi_label: bool => Role::Setting,
        /// What separates the labels of a row; `None`: a semicolon.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub label_separator: Option<char> => Role::Setting,
        /// Whether the probability above which a text has a label is found on the development set.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub find_label_threshold: bool => Role::Setting,
        /// What an example of each class counts in the loss: `balanced`, or a JSON file with a number for each class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub class_weights: Option<PathBuf> => Role::Input,
        /// The share of an example's target that is spread over all classes.
        #[serde(default, skip_serializing_if = "is_zero")]
        pub label_smoothing: f64 => Role::Setting,
        /// Longest row, in tokens.
        pub max_seq_length: usize => Role::Setting,
        /// Examples of an evaluation batch.
        pub eval_batch_size: usize => Role::Free,
    }
}

/// Whether a number is one that records of earlier versions do not have.
fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

impl GlueSettings {
    /// The settings of texts that are in memory.
    pub fn in_memory(max_seq_length: usize, eval_batch_size: usize) -> Self {
        Self {
            task: TextTask::Csv,
            train_file: None,
            eval_file: Vec::new(),
            test_file: Vec::new(),
            text_column: None,
            text_pair_column: None,
            label_column: None,
            label_columns: Vec::new(),
            regression: false,
            multi_label: false,
            label_separator: None,
            find_label_threshold: false,
            class_weights: None,
            label_smoothing: 0.0,
            max_seq_length,
            eval_batch_size,
        }
    }

    /// The columns of a table that are asked for.
    pub(crate) fn columns(&self) -> TextColumns {
        TextColumns {
            text: self.text_column.clone(),
            text_pair: self.text_pair_column.clone(),
            label: self.label_column.clone(),
            marks: self.label_columns.clone(),
            may_be_blank: false,
        }
    }

    /// What the label column of a table holds.
    ///
    /// # Errors
    /// When the settings do not fit each other or the task.
    fn label_column(&self, splits: bool) -> Result<LabelColumn, TaskError> {
        let task = self.task;
        let refuse = |setting, found: String, expected: &str| {
            Err(TaskError::Setting {
                setting,
                found,
                expected: expected.to_owned(),
            })
        };
        for (setting, given) in [
            ("regression", self.regression),
            ("multi_label", self.multi_label),
        ] {
            if given && task != TextTask::Csv {
                let found = format!("the task {task}, whose labels are known");
                return refuse(setting, found, "`task` csv");
            }
        }
        if self.regression && self.multi_label {
            let found = "numbers to predict".to_owned();
            return refuse("multi_label", found, "no `regression` beside it");
        }
        let alone = "a table without `multi_label`".to_owned();
        if !self.label_columns.is_empty() {
            let found = || self.label_columns.join(", ");
            if self.train_file.is_some() && !self.multi_label {
                return refuse("label_columns", found(), "`multi_label` beside it");
            }
            if self.label_column.is_some() || self.label_separator.is_some() {
                let expected = "no `label_column` and no `label_separator` beside it";
                return refuse("label_columns", found(), expected);
            }
        }
        match (self.label_separator, self.train_file.is_some()) {
            (Some(_), true) if !self.multi_label => {
                return refuse("label_separator", alone, "`multi_label` beside it");
            }
            _ => {}
        }
        if self.find_label_threshold {
            if !self.multi_label {
                return refuse("find_label_threshold", alone, "`multi_label` beside it");
            }
            if self.train_file.is_none() || (self.eval_file.is_empty() && !splits) {
                let found = "no training file with a development file".to_owned();
                let expected = "both, or `validation_split`";
                return refuse("find_label_threshold", found, expected);
            }
        }
        Ok(self.labels())
    }

    /// The same, of settings that fit each other.
    pub(crate) fn labels(&self) -> LabelColumn {
        match (self.regression, self.multi_label) {
            (true, _) => LabelColumn::Number,
            (_, true) if !self.label_columns.is_empty() => LabelColumn::Marks,
            (_, true) => LabelColumn::labels(self.label_separator),
            _ => LabelColumn::Class,
        }
    }

    /// The file of the classes' weights.
    fn weights_file(&self) -> Option<&Path> {
        let given = self.class_weights.as_deref();
        given.filter(|given| *given != Path::new(class_loss::BALANCED))
    }

    /// The files.
    fn files(&self) -> GlueFiles {
        GlueFiles {
            train: self.train_file.clone(),
            dev: self.eval_file.clone(),
            test: self.test_file.clone(),
        }
    }
}

/// A model of texts and its data.
pub type TextClasses = Classification<BertForSequenceClassification>;

impl TextClasses {
    /// Reads and converts a checkpoint's tokenizer and the files.
    ///
    /// # Errors
    /// When a file is bad or has labels that the model does not know.
    pub fn read(source: &Source<'_>, settings: &GlueSettings) -> Result<Self, TaskError> {
        let (task, files, length) = (settings.task, settings.files(), settings.max_seq_length);
        let (mut config, tokenizer) = source.read(length)?;
        let column = settings.label_column(source.validation_split.is_some())?;
        let split = source.split(files.train.is_some(), !files.dev.is_empty())?;
        let (training, held_out, outputs) = match &files.train {
            Some(path) => {
                let rows = data::Rows::new(settings.columns(), column);
                let own = data::training(task, path, &tokenizer, length, source, split, &rows)?;
                (Some(own.training), own.held_out, own.outputs)
            }
            None => (
                None,
                None,
                labels::of_model(&config, task, source.bert_model)?,
            ),
        };
        let own = own_rows(settings.columns(), &outputs, settings.label_separator)?;
        let others = data::eval_sets(task, &files, &tokenizer, length, &outputs, source, &own)?;
        let mut evaluations: Vec<EvalSet> = held_out.into_iter().chain(others).collect();
        for set in &mut evaluations {
            set.compare(training.as_ref());
        }
        let other_labels = !outputs.are_those_of(&config.label_list())
            || labels::other_task(&config, task).is_some();
        if training.is_some()
            && let Some(list) = outputs.label_list()
        {
            config.set_label_list(&list);
            config.set_finetuning_task(&task.to_string());
        }
        let loss = class_loss::read(settings, training.as_ref(), &outputs)?;
        let mut threshold = LabelThreshold {
            find: settings.find_label_threshold,
            ..LabelThreshold::default()
        };
        if training.is_none() {
            threshold.at = trained_label_threshold(source.bert_model)?;
        }
        let read = Read {
            config,
            tokenizer,
            training,
            evaluations,
            outputs,
        };
        let family = read.into_family(task, other_labels, settings.eval_batch_size);
        Ok(Classification {
            class_loss: loss,
            weights_file: settings.weights_file().map(Path::to_owned),
            label_threshold: threshold,
            ..family
        })
    }
}

/// How a table of a model with such outputs is read.
///
/// # Errors
/// When a separator or columns of labels are given to a model of one label a text, or the columns are not those of the model's labels.
fn own_rows(
    columns: TextColumns,
    outputs: &Outputs,
    separator: Option<char>,
) -> Result<data::Rows, TaskError> {
    let refuse = |found: String, expected: String| {
        Err(TaskError::Setting {
            setting: "label_columns",
            found,
            expected,
        })
    };
    let column = match (outputs, separator) {
        (Outputs::Labels(names), _) if !columns.marks.is_empty() => {
            let sorted = |names: &[String]| {
                let mut names: Vec<String> = names.iter().map(|it| it.trim().to_owned()).collect();
                names.sort_unstable();
                names
            };
            if sorted(names) != sorted(&columns.marks) {
                let expected = format!("those of the model's labels, {}", names.join(", "));
                return refuse(columns.marks.join(", "), expected);
            }
            LabelColumn::Marks
        }
        _ if !columns.marks.is_empty() => {
            let found = format!(
                "{} for a model of one label a text",
                columns.marks.join(", ")
            );
            return refuse(found, "a model of several".to_owned());
        }
        (Outputs::Labels(_), separator) => LabelColumn::labels(separator),
        (_, Some(separator)) => {
            return Err(TaskError::Setting {
                setting: "label_separator",
                found: format!("{separator:?} for a model of one label a text"),
                expected: "a model of several".to_owned(),
            });
        }
        (Outputs::Score, None) => LabelColumn::Number,
        _ => LabelColumn::Class,
    };
    Ok(data::Rows::new(columns, column))
}

/// How a checkpoint is asked about files.
#[derive(Debug, Clone)]
pub struct PredictGlue<'a> {
    /// The layout of the files; `None`: that of the task that the checkpoint names.
    pub task: Option<TextTask>,
    /// The names of the checkpoint's classes, where it does not name them; may be empty.
    pub labels: &'a [String],
    /// The columns of a table.
    pub columns: TextColumns,
    /// What separates the labels of a row; `None`: a semicolon.
    pub label_separator: Option<char>,
    /// A file to predict.
    pub predict_file: Option<&'a Path>,
    /// A folder whose development and test files are predicted, where there is no `predict_file`.
    pub data_dir: Option<&'a Path>,
    /// Longest row, in tokens.
    pub max_seq_length: usize,
    /// Examples of an evaluation batch.
    pub eval_batch_size: usize,
}

/// A checkpoint's classes of files.
///
/// # Errors
/// When a file is bad, or the checkpoint is another task's.
pub fn predict(source: &Source<'_>, asked: &PredictGlue<'_>) -> Result<TextClasses, TaskError> {
    let length = asked.max_seq_length;
    let (mut config, tokenizer) = source.read(length)?;
    if !asked.labels.is_empty() {
        labels::rename(&mut config, asked.labels)?;
    }
    let task = match (asked.task, config.finetuning_task().map(str::parse)) {
        (Some(task), _) | (None, Some(Ok(task))) => task,
        _ => {
            return Err(TaskError::Setting {
                setting: "task",
                found: "none, and none in the checkpoint's config.json".to_owned(),
                expected: "a GLUE task, or csv".to_owned(),
            });
        }
    };
    let outputs = labels::of_model(&config, task, source.bert_model)?;
    let dir = asked.data_dir.unwrap_or(Path::new(""));
    let files = match asked.predict_file {
        // A single file is predicted for the leaderboard, whether it has labels or not.
        Some(file) => GlueFiles {
            test: vec![file.to_owned()],
            ..GlueFiles::default()
        },
        None => task_files(dir, task)?,
    };
    if files.dev.is_empty() && files.test.is_empty() {
        return Err(TaskError::Files {
            path: dir.to_owned(),
            found: format!("no development or test file of {task}"),
            expected: "at least one".to_owned(),
        });
    }
    let own = own_rows(asked.columns.clone(), &outputs, asked.label_separator)?;
    let at = trained_label_threshold(source.bert_model)?;
    let read = Read {
        evaluations: data::eval_sets(task, &files, &tokenizer, length, &outputs, source, &own)?,
        config,
        tokenizer,
        training: None,
        outputs,
    };
    Ok(Classification {
        label_threshold: LabelThreshold { at, find: false },
        ..read.into_family(task, false, asked.eval_batch_size)
    })
}

/// What has been read.
struct Read {
    config: BertConfig,
    tokenizer: BertTokenizer,
    training: Option<Training>,
    evaluations: Vec<EvalSet>,
    outputs: Outputs,
}

impl Read {
    fn into_family(
        self,
        task: TextTask,
        other_labels: bool,
        eval_batch_size: usize,
    ) -> TextClasses {
        let metric = match (task, &self.outputs) {
            (TextTask::Csv, Outputs::Score) => Metric::Correlation,
            (TextTask::Csv, Outputs::Labels(_)) => Metric::Labels,
            _ => task.metric(),
        };
        Classification {
            config: self.config,
            tokenizer: self.tokenizer,
            training: self.training,
            evaluations: self.evaluations,
            outputs: self.outputs,
            metric,
            class_loss: ClassLoss::default(),
            weights_file: None,
            label_threshold: LabelThreshold::default(),
            other_labels,
            eval_batch_size,
            in_memory: Vec::new(),
            model: PhantomData,
        }
    }
}
