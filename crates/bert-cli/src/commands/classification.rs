//! SWAG and GLUE: examples with one answer each, trained on, predicted and scored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bert_features::pair::SequenceFeatures;
use bert_metrics::classification::{
    accuracy, binary_f1, macro_f1, majority_share, matthews_correlation, mean_cross_entropy,
    mean_squared_error, predicted_classes,
};
use bert_metrics::correlation::{pearson, spearman};
use bert_model::checkpoint::HeadPolicy;
use bert_model::heads::ExampleModel;
use bert_model::{BertConfig, LabelList};
use bert_prediction::choice::choose;
use bert_report::{write_glue_submission, write_json_lines, write_swag_predictions};
use bert_tokenization::BertTokenizer;
use bert_training::ScoreConfig;
use bert_training::batches::Padding;
use bert_training::classification::{ClassificationTask, Targets, score_examples};
use burn::tensor::Device;
use serde_json::{Map, Value, json};
use tracing::info;

use super::scores::{Evaluation, Score};
use super::training::Family;
use crate::progress::Progress;

/// Everything that a SWAG or GLUE command reads besides weights.
pub(crate) struct Classification<M> {
    /// The checkpoint's, with this run's labels.
    pub(crate) config: BertConfig,
    /// The checkpoint's.
    pub(crate) tokenizer: BertTokenizer,
    /// `None`: predict only.
    pub(crate) training: Option<(PathBuf, SequenceFeatures, Targets)>,
    /// What is predicted, and scored where it has labels.
    pub(crate) evaluations: Vec<EvalSet>,
    /// What the outputs mean, in the order of the targets.
    pub(crate) outputs: Outputs,
    /// The task's official metrics.
    pub(crate) metric: Metric,
    /// Whether the checkpoint's own head is for other labels.
    pub(crate) other_labels: bool,
    /// Examples in an evaluation batch.
    pub(crate) eval_batch_size: usize,
    /// The head that is trained.
    pub(crate) model: std::marker::PhantomData<M>,
}

/// What a model's outputs mean.
pub(crate) enum Outputs {
    /// The n-th choice of an example.
    Choices,
    /// One class each: the names in the order of the targets, and which output of the model is each one's.
    Classes {
        names: Vec<String>,
        model_output: Vec<usize>,
    },
    /// A number.
    Score,
}

/// A task's official metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    /// SST-2, MNLI, QNLI, RTE, WNLI, SWAG.
    Accuracy,
    /// CoLA.
    Matthews,
    /// MRPC, QQP: class 1 is the positive one.
    F1AndAccuracy,
    /// STS-B.
    Correlation,
    /// A user's own classes, any number of them.
    MacroF1AndAccuracy,
}

/// Examples to predict.
pub(crate) struct EvalSet {
    /// Where they are from.
    pub(crate) path: PathBuf,
    /// What the keys of their scores end with: nothing, or `_mm` for MNLI's mismatched set.
    pub(crate) suffix: &'static str,
    pub(crate) features: SequenceFeatures,
    /// `None` where the file has no labels.
    pub(crate) targets: Option<Targets>,
    /// One for each example.
    pub(crate) ids: Vec<String>,
    /// What the leaderboard wants of them.
    pub(crate) submission: Option<Submission>,
}

/// A leaderboard's file.
pub(crate) enum Submission {
    /// `predictions.csv`.
    Swag,
    /// A file of this name; the index of each example in it.
    Glue { file: String, indices: Vec<String> },
}

/// What one example was predicted to be.
enum Answer {
    Class {
        class: usize,
        probabilities: Vec<f64>,
    },
    Score(f64),
}

impl<M: ExampleModel> Family for Classification<M> {
    type Model = M;
    type Task<'a>
        = ClassificationTask<'a, M>
    where
        Self: 'a;

    const EXAMPLES: &'static str = "examples";
    const PREDICTIONS: &'static [&'static str] = &[
        "predictions.jsonl",
        "predictions.csv",
        "CoLA.tsv",
        "SST-2.tsv",
        "MRPC.tsv",
        "STS-B.tsv",
        "QQP.tsv",
        "MNLI-m.tsv",
        "MNLI-mm.tsv",
        "QNLI.tsv",
        "RTE.tsv",
        "WNLI.tsv",
    ];

    fn config(&self) -> &BertConfig {
        &self.config
    }

    fn tokenizer(&self) -> &BertTokenizer {
        &self.tokenizer
    }

    fn head_policy(&self, seed: u64) -> HeadPolicy {
        match self.other_labels {
            true => HeadPolicy::Fresh { seed },
            false => HeadPolicy::FreshIfMissing { seed },
        }
    }

    fn task(&self) -> Option<ClassificationTask<'_, M>> {
        let (_, features, targets) = self.training.as_ref()?;
        Some(ClassificationTask::new(
            features,
            targets,
            self.config.pad_token_id,
        ))
    }

    fn data_files(&self) -> Vec<PathBuf> {
        let training = self.training.iter().map(|(path, _, _)| path.clone());
        let evaluations = self.evaluations.iter().map(|set| set.path.clone());
        training.chain(evaluations).collect()
    }

    fn counts(&self) -> Value {
        let sets: Map<String, Value> = self
            .evaluations
            .iter()
            .map(|set| (set.path.display().to_string(), json!(set.features.len())))
            .collect();
        json!({
            "training": self.training.as_ref().map(|(_, features, _)| json!({"examples": features.len()})),
            "prediction": sets,
        })
    }

    fn evaluate(
        &self,
        model: &M,
        device: &Device,
        padding: Padding,
        dir: Option<&Path>,
    ) -> anyhow::Result<Option<Evaluation>> {
        let config = ScoreConfig {
            batch_size: self.eval_batch_size,
            padding,
            pad_token_id: self.config.pad_token_id,
        };
        let mut evaluation = Evaluation::default();
        let mut lines = Vec::new();
        for set in &self.evaluations {
            let (logits, answers) = self.answer(set, model, &config, device)?;
            if let Some(targets) = &set.targets {
                self.score(set, targets, &logits, &answers, &mut evaluation);
            }
            if let Some(dir) = dir {
                self.write_submission(set, &answers, dir)?;
                lines.extend((0..set.ids.len()).map(|n| self.line(set, n, &answers[n])));
            }
        }
        if let Some(dir) = dir
            && !self.evaluations.is_empty()
        {
            write_json_lines(&dir.join("predictions.jsonl"), &lines)?;
        }
        let scored = self.evaluations.iter().any(|set| set.targets.is_some());
        Ok(scored.then_some(evaluation))
    }
}

impl<M: ExampleModel> Classification<M> {
    /// Every example's logits, in the order of the targets, and what they say.
    fn answer(
        &self,
        set: &EvalSet,
        model: &M,
        config: &ScoreConfig,
        device: &Device,
    ) -> anyhow::Result<(Vec<Vec<f32>>, Vec<Answer>)> {
        let count = set.features.len();
        let mut progress = Progress::start("predicting", count);
        let mut logits = score_examples(model, &set.features, config, device, |done| {
            progress.update(done, || "examples".to_owned());
        })?;
        let seconds = progress.finish();
        if let Outputs::Classes { model_output, .. } = &self.outputs {
            for row in &mut logits {
                *row = model_output.iter().map(|output| row[*output]).collect();
            }
        }
        let answers = logits
            .iter()
            .zip(&set.ids)
            .map(|(logits, id)| {
                let chosen = choose(logits).with_context(|| format!("example {id}"))?;
                Ok(match self.outputs {
                    Outputs::Score => Answer::Score(f64::from(logits[0])),
                    _ => Answer::Class {
                        class: chosen.class,
                        probabilities: chosen.probabilities,
                    },
                })
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        info!(
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
        logits: &[Vec<f32>],
        answers: &[Answer],
        evaluation: &mut Evaluation,
    ) {
        let (scores, loss, degenerate) = match targets {
            Targets::Classes(gold) => {
                let predicted: Vec<usize> = answers.iter().filter_map(Answer::class).collect();
                (
                    self.metric.of_classes(gold, &predicted),
                    mean_cross_entropy(logits, gold),
                    degenerate_classes(gold, &predicted),
                )
            }
            Targets::Scores(gold) => {
                let predicted: Vec<f64> = answers.iter().filter_map(Answer::score).collect();
                (
                    of_scores(gold, &predicted),
                    mean_squared_error(&predicted, gold),
                    degenerate_scores(gold, &predicted),
                )
            }
        };
        let suffix = set.suffix;
        let by_key = &mut evaluation.by_key;
        by_key.insert(format!("eval_loss{suffix}"), json!(loss));
        for NamedScore { key, name, value } in scores {
            by_key.insert(format!("eval_{key}{suffix}"), json!(value));
            evaluation.headline.push(Score {
                name: match suffix {
                    "" => name,
                    _ => "mismatched",
                },
                percent: value.map(|value| 100.0 * value),
            });
        }
        if let Some(reason) = degenerate {
            evaluation
                .degenerate
                .get_or_insert(format!("{}: {reason}", set.path.display()));
        }
    }

    /// One line of `predictions.jsonl`.
    fn line(&self, set: &EvalSet, example: usize, answer: &Answer) -> Value {
        let gold = match &set.targets {
            Some(Targets::Classes(classes)) => self.class_value(classes[example]),
            Some(Targets::Scores(scores)) => json!(scores[example]),
            None => Value::Null,
        };
        let mut line = json!({"example_id": set.ids[example], "label": gold});
        match answer {
            Answer::Score(score) => line["prediction"] = json!(score),
            Answer::Class {
                class,
                probabilities,
            } => {
                line["prediction"] = self.class_value(*class);
                line["probabilities"] = match &self.outputs {
                    Outputs::Classes { names, .. } => {
                        let named = names.iter().zip(probabilities);
                        Value::Object(named.map(|(name, p)| (name.clone(), json!(p))).collect())
                    }
                    _ => json!(probabilities),
                };
            }
        }
        line
    }

    fn class_value(&self, class: usize) -> Value {
        match &self.outputs {
            Outputs::Classes { names, .. } => json!(names[class]),
            _ => json!(class),
        }
    }

    fn write_submission(
        &self,
        set: &EvalSet,
        answers: &[Answer],
        dir: &Path,
    ) -> anyhow::Result<()> {
        match &set.submission {
            None => {}
            Some(Submission::Swag) => {
                let ids = set.ids.iter().map(String::as_str);
                let rows = ids.zip(answers.iter().filter_map(Answer::class));
                write_swag_predictions(&dir.join("predictions.csv"), rows)?;
            }
            Some(Submission::Glue { file, indices }) => {
                let texts: Vec<String> = answers.iter().map(|a| self.text(a)).collect();
                let rows = indices.iter().zip(&texts);
                let rows = rows.map(|(index, text)| (index.as_str(), text.as_str()));
                write_glue_submission(&dir.join(file), rows)?;
            }
        }
        Ok(())
    }

    /// An answer as the leaderboard wants it: a label as the task's files write it, or a score with three
    /// decimals within STS-B's range.
    fn text(&self, answer: &Answer) -> String {
        match (answer, &self.outputs) {
            (Answer::Score(score), _) => format!("{:.3}", score.clamp(0.0, 5.0)),
            (Answer::Class { class, .. }, Outputs::Classes { names, .. }) => names[*class].clone(),
            (Answer::Class { class, .. }, _) => class.to_string(),
        }
    }
}

impl Answer {
    fn class(&self) -> Option<usize> {
        match self {
            Self::Class { class, .. } => Some(*class),
            Self::Score(_) => None,
        }
    }

    fn score(&self) -> Option<f64> {
        match self {
            Self::Class { .. } => None,
            Self::Score(score) => Some(*score),
        }
    }
}

impl Outputs {
    /// As a configuration stores it; `None` for choices, which have no names.
    pub(crate) fn label_list(&self) -> Option<LabelList> {
        match self {
            Self::Choices => None,
            Self::Classes { names, .. } => Some(LabelList::Classes(names.clone())),
            Self::Score => Some(LabelList::Score),
        }
    }
}

/// A score, its key in `eval_results.json` without `eval_`, and its name in a table.
struct NamedScore {
    key: &'static str,
    name: &'static str,
    /// `None` where it is not defined.
    value: Option<f64>,
}

fn named(key: &'static str, name: &'static str, value: impl Into<Option<f64>>) -> NamedScore {
    NamedScore {
        key,
        name,
        value: value.into(),
    }
}

impl Metric {
    fn of_classes(self, gold: &[usize], predicted: &[usize]) -> Vec<NamedScore> {
        let accuracy = named("accuracy", "accuracy", accuracy(gold, predicted));
        match self {
            Self::Accuracy | Self::Correlation => vec![accuracy],
            Self::Matthews => vec![
                named(
                    "matthews_correlation",
                    "Matthews",
                    matthews_correlation(gold, predicted),
                ),
                accuracy,
            ],
            Self::F1AndAccuracy => vec![named("f1", "F1", binary_f1(gold, predicted)), accuracy],
            Self::MacroF1AndAccuracy => {
                let classes = gold
                    .iter()
                    .chain(predicted)
                    .max()
                    .map_or(0, |most| most + 1);
                let f1 = macro_f1(gold, predicted, classes);
                vec![named("macro_f1", "macro F1", f1), accuracy]
            }
        }
    }
}

fn of_scores(gold: &[f64], predicted: &[f64]) -> Vec<NamedScore> {
    vec![
        named("pearson", "Pearson", pearson(predicted, gold)),
        named("spearmanr", "Spearman", spearman(predicted, gold)),
    ]
}

/// Why predictions show no learning, where they do not: one class alone, or no more right than the most
/// frequent class would be.
fn degenerate_classes(gold: &[usize], predicted: &[usize]) -> Option<String> {
    let (accuracy, majority) = (accuracy(gold, predicted), majority_share(gold));
    if predicted_classes(predicted) == 1 {
        return Some("one class is predicted for every example".to_owned());
    }
    (accuracy <= majority).then(|| {
        format!(
            "accuracy {:.2} % is no better than the {:.2} % of always answering the most frequent class",
            100.0 * accuracy,
            100.0 * majority
        )
    })
}

/// The same for scores: one number alone, or no nearer than their mean would be.
fn degenerate_scores(gold: &[f64], predicted: &[f64]) -> Option<String> {
    if predicted.windows(2).all(|pair| pair[0] == pair[1]) {
        return Some("one score is predicted for every example".to_owned());
    }
    let mean = gold.iter().sum::<f64>() / gold.len() as f64;
    let of_the_mean = mean_squared_error(&vec![mean; gold.len()], gold);
    let error = mean_squared_error(predicted, gold);
    (error >= of_the_mean).then(|| {
        format!("a mean squared error of {error:.4} is no better than the {of_the_mean:.4} of always answering the mean")
    })
}

/// Prints an evaluation's results as one JSON object.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn print_json(results: &BTreeMap<String, Value>) -> anyhow::Result<()> {
    use std::io::Write;
    let text = bert_report::to_python_json(results)?;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_learnt_nothing_are_told_apart() {
        let gold = [0, 0, 0, 1, 1];
        for (predicted, expected) in [
            (&[0, 0, 0, 0, 0], Some("one class is predicted")),
            (
                &[1, 0, 0, 0, 1],
                Some("accuracy 60.00 % is no better than the 60.00 %"),
            ),
            (&[0, 0, 0, 0, 1], None),
        ] {
            let reason = degenerate_classes(&gold, predicted);
            match expected {
                Some(text) => assert!(reason.unwrap().contains(text)),
                None => assert_eq!(reason, None),
            }
        }
        let gold = [0.0, 2.5, 5.0];
        assert!(degenerate_scores(&gold, &[2.5, 2.5, 2.5]).is_some());
        assert!(degenerate_scores(&gold, &[5.0, 2.5, 0.0]).is_some());
        assert_eq!(degenerate_scores(&gold, &[1.0, 2.5, 4.0]), None);
    }
}
