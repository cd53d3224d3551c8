//! SWAG and a user's own choices: which ending follows a beginning.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bert_datasets::swag::{self, ChoiceColumns, SwagDataset, SwagExample};
use bert_features::pair::SequenceFeatures;
use bert_metrics::Metric;
use bert_model::BertConfig;
use bert_model::heads::BertForMultipleChoice;
use bert_records::compared;
use bert_tokenization::BertTokenizer;
use bert_training::classification::{ClassLoss, Targets};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::classification::{
    Classification, EvalSet, LabelThreshold, Outputs, Submission, TEST_SUFFIX, Texts, Training,
    choice_texts, cut, log_cut,
};
use crate::{Seen, Source, TaskError};

compared! {
    /// The files of a SWAG command, and how they are read.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct SwagSettings {
        /// Choices to train on; `None`: predict only.
        pub train_file: Option<PathBuf> => Role::Input,
        /// Choices to score.
        pub eval_file: Option<PathBuf> => Role::Input,
        /// Choices to predict.
        pub test_file: Option<PathBuf> => Role::Input,
        /// The columns of a table of one's own.
        #[serde(flatten)]
        pub columns: ChoiceColumns => Role::Setting,
        /// Longest row, in tokens.
        pub max_seq_length: usize => Role::Setting,
        /// Examples of an evaluation batch.
        pub eval_batch_size: usize => Role::Free,
    }
}

/// A model of choices and its data.
pub type Choices = Classification<BertForMultipleChoice>;

impl Choices {
    /// Reads and converts a checkpoint's tokenizer and the files.
    ///
    /// # Errors
    /// When a file is bad, or has no labels for training or scoring.
    pub fn read(source: &Source<'_>, settings: &SwagSettings) -> Result<Self, TaskError> {
        let length = settings.max_seq_length;
        let (mut config, tokenizer) = source.read(length)?;
        if settings.train_file.is_some() {
            config.clear_labels();
        }
        let split = source.split(settings.train_file.is_some(), settings.eval_file.is_some())?;
        let mut held_out = None;
        let training = settings.train_file.as_ref().map(|path| {
            let mut dataset = swag::read_choices(path, &settings.columns)?;
            let seen = Seen::of(dataset.examples.iter().map(choice_texts));
            if let Some(split) = split {
                let class = |example: &SwagExample| format!("{:?}", example.label);
                let examples = split.take_out(&mut dataset.examples, class)?;
                let labelled = dataset.labelled;
                held_out = Some((path, SwagDataset { examples, labelled }));
            }
            let (dataset, features) =
                convert(path, dataset, &tokenizer, length, source.max_train_examples)?;
            let targets = targets(&dataset).ok_or_else(|| TaskError::NoLabels {
                path: path.clone(),
                what: "column label",
                expected: "it for training",
            })?;
            Ok::<_, TaskError>(Training {
                path: path.clone(),
                left_out: [
                    left_out(path, &features),
                    seen.lines(&path.display().to_string()),
                ]
                .concat(),
                features,
                targets,
                seen,
            })
        });
        let training = training.transpose()?;
        // A labelled test file beside a development file has keys of its own; without one, its scores are the run's.
        let test = if settings.eval_file.is_some() {
            TEST_SUFFIX
        } else {
            ""
        };
        let dev = settings.eval_file.iter().map(|path| (path, "", false));
        let tests = settings.test_file.iter().map(|path| (path, test, true));
        let mut evaluations = Vec::new();
        if let Some((path, dataset)) = held_out {
            let most = source.max_eval_examples;
            let (dataset, features) = convert(path, dataset, &tokenizer, length, most)?;
            evaluations.push(eval_set_of(path, dataset, features, ""));
        }
        for (path, suffix, is_test) in dev.chain(tests) {
            let most = source.most(is_test);
            let mut set = eval_set(path, &settings.columns, &tokenizer, length, suffix, most)?;
            set.is_test = is_test;
            if !is_test && set.targets.is_none() {
                return Err(TaskError::NoLabels {
                    path: path.clone(),
                    what: "column label",
                    expected: "it for scoring; predict-swag predicts without",
                });
            }
            evaluations.push(set);
        }
        for set in &mut evaluations {
            set.compare(training.as_ref());
        }
        Ok(choices(
            config,
            tokenizer,
            training,
            evaluations,
            settings.eval_batch_size,
        ))
    }
}

/// A checkpoint's choices of a file.
///
/// # Errors
/// When a file is bad.
pub fn predict(
    source: &Source<'_>,
    path: &Path,
    columns: &ChoiceColumns,
    max_seq_length: usize,
    eval_batch_size: usize,
) -> Result<Choices, TaskError> {
    let (config, tokenizer) = source.read(max_seq_length)?;
    let most = source.max_predict_examples;
    let mut set = eval_set(path, columns, &tokenizer, max_seq_length, "", most)?;
    // `predict-swag` writes the predictions of a labelled file too.
    set.submission = Some(Submission::Swag);
    Ok(choices(config, tokenizer, None, vec![set], eval_batch_size))
}

fn choices(
    config: BertConfig,
    tokenizer: BertTokenizer,
    training: Option<Training>,
    evaluations: Vec<EvalSet>,
    eval_batch_size: usize,
) -> Choices {
    Classification {
        config,
        tokenizer,
        training,
        evaluations,
        outputs: Outputs::Choices,
        metric: Metric::Accuracy,
        class_loss: ClassLoss::default(),
        weights_file: None,
        label_threshold: LabelThreshold::default(),
        other_labels: false,
        eval_batch_size,
        in_memory: Vec::new(),
        model: PhantomData,
    }
}

/// Reads a SWAG file or a table of choices, and converts it.
///
/// # Errors
/// When the file is bad or the settings do not fit.
pub fn read(
    path: &Path,
    columns: &ChoiceColumns,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    most: Option<usize>,
) -> Result<(SwagDataset, SequenceFeatures), TaskError> {
    convert(
        path,
        swag::read_choices(path, columns)?,
        tokenizer,
        max_seq_length,
        most,
    )
}

/// Converts the first `most` of a file's examples.
///
/// # Errors
/// When the settings do not fit.
fn convert(
    path: &Path,
    mut dataset: SwagDataset,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    most: Option<usize>,
) -> Result<(SwagDataset, SequenceFeatures), TaskError> {
    dataset.examples.truncate(most.unwrap_or(usize::MAX));
    let started = Instant::now();
    let features = bert_features::swag::convert(&dataset, tokenizer, max_seq_length)?;
    info!(
        "{}: {} examples of {} choices converted in {:.2} s",
        path.display(),
        dataset.examples.len(),
        features.rows_per_example,
        started.elapsed().as_secs_f64()
    );
    log_cut(&features);
    Ok((dataset, features))
}

/// What of a file is not whole.
fn left_out(path: &Path, features: &SequenceFeatures) -> Vec<String> {
    let line = cut(features).map(|line| format!("{}: {line}", path.display()));
    line.into_iter().collect()
}

/// The right choices; `None` where the file has no labels.
fn targets(dataset: &SwagDataset) -> Option<Targets> {
    let labels = dataset.examples.iter().map(|example| example.label);
    let labels: Option<Vec<usize>> = labels.map(|label| label.map(usize::from)).collect();
    labels.map(Targets::Classes)
}

/// A file whose choices are predicted.
///
/// # Errors
/// Those of [`read`].
pub fn eval_set(
    path: &Path,
    columns: &ChoiceColumns,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    suffix: &'static str,
    most: Option<usize>,
) -> Result<EvalSet, TaskError> {
    let (dataset, features) = read(path, columns, tokenizer, max_seq_length, most)?;
    Ok(eval_set_of(path, dataset, features, suffix))
}

fn eval_set_of(
    path: &Path,
    dataset: SwagDataset,
    features: SequenceFeatures,
    suffix: &'static str,
) -> EvalSet {
    EvalSet {
        path: path.to_owned(),
        suffix,
        score_name: None,
        is_test: false,
        left_out: left_out(path, &features),
        features,
        submission: (!dataset.labelled).then_some(Submission::Swag),
        targets: targets(&dataset),
        ids: dataset.examples.iter().map(|e| e.id.clone()).collect(),
        texts: Texts::Choices(dataset.examples),
    }
}
