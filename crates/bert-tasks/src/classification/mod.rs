//! Choices and texts: examples with one answer each, trained on, predicted and scored.

mod answers;
mod degenerate;
mod examples;
mod label_threshold;

use std::marker::PhantomData;
use std::path::PathBuf;
use std::time::Instant;

use bert_datasets::{glue, swag};
use bert_features::pair::SequenceFeatures;
use bert_inference::{InferenceConfig, score_examples};
use bert_metrics::classification::{mean_cross_entropy, mean_squared_error};
use bert_metrics::multi_label::mean_binary_cross_entropy;
use bert_metrics::{Metric, NamedScore};
use bert_model::BertConfig;
use bert_model::checkpoint::HeadPolicy;
use bert_model::heads::ExampleModel;
use bert_prediction::choice::{ExamplePrediction, choose};
use bert_records::{InputFile, write_json_lines};
use bert_tokenization::BertTokenizer;
use bert_training::classification::{ClassLoss, ClassificationTask, Targets};
use serde_json::{Map, Value, json};
use tracing::{debug, info};

use self::degenerate::{degenerate_classes, degenerate_labels, degenerate_scores};
use crate::family::read_inputs;
use crate::{Evaluation, Family, Purpose, Score, Scoring, Seen, TaskError};

pub use self::answers::{Outputs, Submission};
use self::examples::Examples;
pub use self::examples::Texts;
pub(crate) use self::examples::{choice_texts, pair_texts};
pub use self::label_threshold::{LabelThreshold, trained_label_threshold};

/// What the keys of a test set's scores end with, where a development set is scored too.
pub(crate) const TEST_SUFFIX: &str = "_test";

/// Everything that a SWAG or GLUE command reads besides weights.
pub struct Classification<M> {
    /// The checkpoint's, with this run's labels.
    pub config: BertConfig,
    /// The checkpoint's.
    pub tokenizer: BertTokenizer,
    /// `None`: predict only.
    pub training: Option<Training>,
    /// What is predicted, and scored where it has labels.
    pub evaluations: Vec<EvalSet>,
    /// What the outputs mean, in the order of the targets.
    pub outputs: Outputs,
    /// The task's official metrics.
    pub metric: Metric,
    /// How the loss of classes departs from cross-entropy.
    pub class_loss: ClassLoss,
    /// The file of its weights.
    pub weights_file: Option<PathBuf>,
    /// How it is decided which of several labels a text has.
    pub label_threshold: LabelThreshold,
    /// Whether the checkpoint's own head is for other labels.
    pub other_labels: bool,
    /// Examples in an evaluation batch.
    pub eval_batch_size: usize,
    /// Examples that are in no file.
    pub in_memory: Vec<InputFile>,
    /// The head that is trained.
    pub model: PhantomData<M>,
}

/// Examples to train on.
pub struct Training {
    /// Their file.
    pub path: PathBuf,
    /// Their rows.
    pub features: SequenceFeatures,
    /// Their labels.
    pub targets: Targets,
    /// What of the file is not used or is cut, and why.
    pub left_out: Vec<String>,
    /// Their texts.
    pub seen: Seen,
}

/// Examples to predict.
pub struct EvalSet {
    /// Their file.
    pub path: PathBuf,
    /// What the keys of their scores end with: nothing for the first set, `_test` for a test set after it.
    pub suffix: &'static str,
    /// What a table calls their first score; `None`: by the metric.
    pub score_name: Option<&'static str>,
    /// Whether it is a test set, by which no model is chosen even where it has labels.
    pub is_test: bool,
    /// Their rows.
    pub features: SequenceFeatures,
    /// Their labels; `None` where the file has no labels.
    pub targets: Option<Targets>,
    /// One for each example.
    pub ids: Vec<String>,
    /// What the examples say, for a report.
    pub texts: Texts,
    /// The file in which the leaderboard takes their predictions.
    pub submission: Option<Submission>,
    /// What of the file is not used or is cut, and why.
    pub left_out: Vec<String>,
}

impl EvalSet {
    /// Counts odd rows, and those that are in the training file too.
    pub(crate) fn compare(&mut self, training: Option<&Training>) {
        let file = self.path.display().to_string();
        let seen = self.texts.seen();
        self.left_out.extend(seen.lines(&file));
        if let Some(training) = training {
            self.left_out.extend(seen.overlap(&training.seen, &file));
        }
    }

    /// Whether models are compared by it: a test set takes no part in the choice of one.
    fn compares(&self) -> bool {
        self.targets.is_some() && !self.is_test
    }
}

impl<M: ExampleModel + Sync> Family for Classification<M> {
    type Model = M;
    type Task<'a>
        = ClassificationTask<'a, M>
    where
        Self: 'a;

    const EXAMPLES: &'static str = "examples";
    const EVALUATION_BATCH: &'static str = "eval_batch_size";

    fn predictions() -> Vec<&'static str> {
        let submissions = glue::TASKS.iter().flat_map(|task| task.test_files);
        let submissions = submissions.map(|test| test.submission);
        [
            "predictions.jsonl",
            "predictions.csv",
            label_threshold::FILE,
        ]
        .into_iter()
        .chain(submissions)
        .collect()
    }

    /// Submissions of other GLUE tasks stay: a user may collect them in one folder. The threshold is a part of the model.
    fn replaced_predictions(&self) -> Vec<&'static str> {
        let own = self.config.finetuning_task();
        let tasks = glue::TASKS.iter();
        let others =
            tasks.filter(|task| own.is_none_or(|own| !own.eq_ignore_ascii_case(task.name)));
        let others: Vec<&str> = others
            .flat_map(|task| task.test_files)
            .map(|test| test.submission)
            .collect();
        let mut files = Self::predictions();
        files.retain(|file| !others.contains(file) && *file != label_threshold::FILE);
        files
    }

    fn task_name(&self) -> String {
        match (&self.outputs, self.config.finetuning_task()) {
            (Outputs::Choices, _) => match self.endings() {
                Some(endings) if endings != swag::ENDINGS_OF_SWAG => {
                    format!("choices among {endings}")
                }
                _ => "SWAG".to_owned(),
            },
            (_, Some(task)) => task.to_uppercase(),
            (_, None) => "classification".to_owned(),
        }
    }

    fn config(&self) -> &BertConfig {
        &self.config
    }

    fn tokenizer(&self) -> &BertTokenizer {
        &self.tokenizer
    }

    fn head_policy(&self, seed: u64) -> HeadPolicy {
        if self.other_labels {
            HeadPolicy::Fresh { seed }
        } else {
            HeadPolicy::FreshIfMissing { seed }
        }
    }

    fn task(&self) -> Option<ClassificationTask<'_, M>> {
        let Training {
            features, targets, ..
        } = self.training.as_ref()?;
        let pad_token_id = self.config.pad_token_id;
        let task = ClassificationTask::new(features, targets, pad_token_id);
        Some(task.with_class_loss(&self.class_loss))
    }

    fn inputs(&self) -> Result<Vec<InputFile>, TaskError> {
        if self.in_memory.is_empty() {
            return read_inputs(self.data_files());
        }
        Ok(self.in_memory.clone())
    }

    fn data_files(&self) -> Vec<PathBuf> {
        if !self.in_memory.is_empty() {
            return Vec::new();
        }
        let training = self.training.iter().map(|training| training.path.clone());
        let evaluations = self.evaluations.iter().map(|set| set.path.clone());
        let weights = self.weights_file.clone();
        let mut paths: Vec<PathBuf> = training.chain(evaluations).chain(weights).collect();
        // A development set may be a part of the training file.
        paths.dedup();
        paths
    }

    fn counts(&self) -> Value {
        let sets: Map<String, Value> = self
            .evaluations
            .iter()
            .map(|set| (set.path.display().to_string(), json!(set.features.len())))
            .collect();
        json!({
            "training": self.training.as_ref().map(|training| json!({"examples": training.features.len()})),
            "prediction": sets,
        })
    }

    fn compares(&self) -> bool {
        self.evaluations.iter().any(EvalSet::compares)
    }

    fn left_out(&self) -> Vec<String> {
        let training = self.training.iter().flat_map(|training| &training.left_out);
        let evaluations = self.evaluations.iter().flat_map(|set| &set.left_out);
        training.chain(evaluations).cloned().collect()
    }

    fn evaluation_batch(&self) -> usize {
        self.eval_batch_size
    }

    fn evaluate(
        &self,
        model: &M,
        scoring: &Scoring<'_>,
        mut purpose: Purpose<'_>,
    ) -> Result<Option<Evaluation>, TaskError> {
        let config = scoring.config(self.eval_batch_size);
        let mut evaluation = Evaluation::default();
        let mut lines = Vec::new();
        let mut examples = Examples::default();
        let for_results = matches!(purpose, Purpose::Results(_));
        let mut threshold = self.label_threshold.at;
        let mut finds = self.label_threshold.find;
        let sets = self.evaluations.iter();
        for set in sets.filter(|set| for_results || set.compares()) {
            let (logits, answers) = self.answer(set, model, &config, scoring)?;
            if let Some(Targets::Labels(gold)) = &set.targets
                && finds
                && set.compares()
            {
                let best = label_threshold::decide(gold, &answers);
                (threshold, finds) = (best.label_threshold, false);
                let found = json!(threshold);
                evaluation
                    .by_key
                    .insert("label_threshold".to_owned(), found);
                if let Purpose::Results(Some(files)) = &mut purpose {
                    info!("a text has the labels with a probability above {threshold:.4}");
                    label_threshold::write(files, &best)?;
                }
            }
            if let Some(targets) = &set.targets {
                let scored = Scored {
                    logits: &logits,
                    answers: &answers,
                    threshold,
                };
                self.score(set, targets, &scored, &mut evaluation);
            }
            if let Purpose::Results(Some(files)) = &mut purpose {
                self.outputs.write_submission(set, &answers, files)?;
                examples.add(set, &self.outputs, &answers)?;
                let line = |n| self.outputs.line(set, n, &answers[n], threshold);
                lines.extend((0..set.ids.len()).map(line));
            }
        }
        if let Purpose::Results(Some(files)) = purpose
            && !self.evaluations.is_empty()
        {
            write_json_lines(files, "predictions.jsonl", &lines)?;
        }
        evaluation.report = examples.finish();
        evaluation.score = evaluation.mean_headline();
        let scored = self.evaluations.iter().any(|set| set.targets.is_some());
        Ok(scored.then_some(evaluation))
    }
}

impl<M: ExampleModel + Sync> Classification<M> {
    /// How many rows an example has, which is how many endings a choice has.
    fn endings(&self) -> Option<usize> {
        let training = self.training.iter().map(|training| &training.features);
        let evaluations = self.evaluations.iter().map(|set| &set.features);
        let mut features = training.chain(evaluations);
        features.next().map(|features| features.rows_per_example)
    }

    /// Every example's logits, in the order of the targets, and what they say.
    fn answer(
        &self,
        set: &EvalSet,
        model: &M,
        config: &InferenceConfig,
        scoring: &Scoring<'_>,
    ) -> Result<(Vec<Vec<f32>>, Vec<ExamplePrediction>), TaskError> {
        let count = set.features.len();
        let watch = scoring.watch;
        let mut counter = watch.start("predicting", "examples", 0, count);
        let started = Instant::now();
        let progress = |done| {
            counter.update(done, &String::new);
            watch.check()
        };
        let Scoring {
            device, collective, ..
        } = *scoring;
        let features = &set.features;
        let mut logits = score_examples(model, features, config, device, collective, progress)?;
        drop(counter);
        let seconds = started.elapsed().as_secs_f64();
        if let Outputs::Classes { model_output, .. } = &self.outputs {
            for row in &mut logits {
                *row = model_output.iter().map(|output| row[*output]).collect();
            }
        }
        let answers = logits
            .iter()
            .zip(&set.ids)
            .map(|(logits, id)| {
                let predicted = match self.outputs {
                    Outputs::Score => ExamplePrediction::score_of(logits),
                    Outputs::Labels(_) => ExamplePrediction::labels_of(logits),
                    Outputs::Choices | Outputs::Classes { .. } => {
                        choose(logits).map(ExamplePrediction::Class)
                    }
                };
                predicted.map_err(|source| TaskError::Example {
                    path: set.path.clone(),
                    id: id.clone(),
                    source,
                })
            })
            .collect::<Result<Vec<_>, TaskError>>()?;
        debug!(
            "{}: predicted {count} examples in {seconds:.1} s ({:.1} examples/s)",
            set.path.display(),
            count as f64 / seconds
        );
        Ok((logits, answers))
    }

    /// Adds a set's scores to an evaluation.
    fn score(
        &self,
        set: &EvalSet,
        targets: &Targets,
        scored: &Scored<'_>,
        evaluation: &mut Evaluation,
    ) {
        let Scored {
            logits,
            answers,
            threshold,
        } = *scored;
        let (scores, loss, degenerate) = match targets {
            Targets::Classes(gold) => {
                let predicted: Vec<usize> = answers
                    .iter()
                    .filter_map(ExamplePrediction::class)
                    .collect();
                (
                    self.metric.of_classes(gold, &predicted),
                    mean_cross_entropy(logits, gold),
                    degenerate_classes(gold, &predicted),
                )
            }
            Targets::Scores(gold) => {
                let predicted: Vec<f64> = answers
                    .iter()
                    .filter_map(ExamplePrediction::score)
                    .collect();
                (
                    self.metric.of_scores(gold, &predicted),
                    mean_squared_error(&predicted, gold),
                    degenerate_scores(gold, &predicted),
                )
            }
            Targets::Labels(gold) => {
                let given = label_threshold::given(answers, threshold);
                (
                    self.metric.of_labels(gold, &given),
                    mean_binary_cross_entropy(logits, gold),
                    degenerate_labels(gold, &given),
                )
            }
        };
        let suffix = set.suffix;
        let by_key = &mut evaluation.by_key;
        by_key.insert(format!("eval_loss{suffix}"), json!(loss));
        if let Targets::Scores(_) = targets {
            by_key.insert(format!("eval_rmse{suffix}"), json!(loss.sqrt()));
        }
        for NamedScore { key, name, value } in scores {
            by_key.insert(format!("eval_{key}{suffix}"), json!(value));
            // A table is about the development sets; a labelled test set beside them is scored for the record.
            if suffix == TEST_SUFFIX {
                continue;
            }
            evaluation.headline.push(Score {
                name: set.score_name.unwrap_or(name).to_owned(),
                percent: value.map(|value| 100.0 * value),
            });
        }
        if let Some(reason) = degenerate {
            evaluation
                .degenerate
                .get_or_insert(format!("{}: {reason}", set.path.display()));
        }
    }
}

/// What a model says of a set.
struct Scored<'a> {
    logits: &'a [Vec<f32>],
    answers: &'a [ExamplePrediction],
    /// Above which a text has a label.
    threshold: f64,
}

/// Logs how many examples were cut.
pub fn log_cut(features: &SequenceFeatures) {
    if let Some(line) = cut(features) {
        info!("{line}");
    }
}

/// How many examples were cut, where any were.
pub(crate) fn cut(features: &SequenceFeatures) -> Option<String> {
    (features.truncated > 0).then(|| {
        format!(
            "{} of {} examples cut to max_seq_length {}",
            features.truncated,
            features.len(),
            features.max_seq_length
        )
    })
}
