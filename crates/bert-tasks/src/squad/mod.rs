//! SQuAD: questions whose answers are spans of a context.

pub mod data;
mod examples;
mod results;
mod threshold;

use std::path::{Path, PathBuf};

use bert_datasets::squad::{QuestionColumns, SquadDataset};
use bert_features::squad::{SquadFeatureConfig, SquadFeatures, SquadMode};
use bert_model::BertConfig;
use bert_model::heads::BertForQuestionAnswering;
use bert_prediction::squad::SquadPredictionConfig;
use bert_records::compared;
use bert_tokenization::BertTokenizer;
use bert_training::squad::SquadTask;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::info;

use crate::{Evaluation, Family, Purpose, Score, Scoring, Source, TaskError};

pub use results::{Answering, SquadScores, score, score_answers, write_predictions};
pub use threshold::{WithThresholds, score_with_odds, trained_threshold};

compared! {
    /// The files of a SQuAD command, and how they are read and answered.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct SquadSettings {
        /// Questions to train on; `None`: predict only.
        pub train_file: Option<PathBuf> => Role::Input,
        /// Questions to answer; `None`: train only.
        pub predict_file: Option<PathBuf> => Role::Input,
        /// The columns of flat rows.
        #[serde(flatten)]
        pub columns: QuestionColumns => Role::Setting,
        /// How contexts become windows.
        pub features: SquadFeatureConfig => Role::Setting,
        /// How windows become answers.
        pub prediction: SquadPrediction => Role::Group(SquadPrediction::FIELDS),
    }
}

compared! {
    /// How windows become answers.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    pub struct SquadPrediction {
        /// Windows of a batch.
        pub predict_batch_size: usize => Role::Free,
        /// How an answer is chosen by its scores.
        #[serde(flatten)]
        pub answers: SquadPredictionConfig => Role::Setting,
    }
}

impl Default for SquadPrediction {
    /// `run_squad.py` 0.4, with its batches of 8 windows.
    fn default() -> Self {
        Self {
            predict_batch_size: 8,
            answers: SquadPredictionConfig::default(),
        }
    }
}

/// A checkpoint's configuration and tokenizer, and the files of a SQuAD command, converted.
pub struct Squad {
    config: BertConfig,
    tokenizer: BertTokenizer,
    training: Option<Converted>,
    evaluation: Option<Converted>,
    /// What is odd about the questions, a line each.
    repeated: Vec<String>,
    settings: SquadPrediction,
}

/// A file, what it holds, and its windows.
struct Converted {
    path: PathBuf,
    dataset: SquadDataset,
    features: SquadFeatures,
}

impl Squad {
    /// Reads and converts a checkpoint's tokenizer and the files.
    ///
    /// # Errors
    /// When a file is bad or the settings do not fit the data.
    pub fn read(source: &Source<'_>, settings: &SquadSettings) -> Result<Self, TaskError> {
        let (features, prediction) = (settings.features, settings.prediction);
        prediction.answers.validate()?;
        check_threshold(settings, source.validation_split.is_some())?;
        let (mut config, tokenizer) = source.read(features.max_seq_length)?;
        if settings.train_file.is_some() {
            config.clear_labels();
        }
        let read = |path: &Path| {
            let answers = &prediction.answers;
            data::read(path, &settings.columns, answers.version_2_with_negative)
        };
        let convert = |path: &Path,
                       mut dataset: SquadDataset,
                       mode,
                       most: Option<usize>|
         -> Result<_, TaskError> {
            dataset.questions.truncate(most.unwrap_or(usize::MAX));
            let features = data::convert(&dataset, &tokenizer, &features, mode)?;
            Ok(Converted {
                path: path.to_owned(),
                dataset,
                features,
            })
        };
        let split = source.split(
            settings.train_file.is_some(),
            settings.predict_file.is_some(),
        )?;
        let mut training = settings.train_file.as_deref().map(read).transpose()?;
        let mut answered = settings.predict_file.as_deref();
        let mut evaluation = answered.map(read).transpose()?;
        if let (Some(split), Some(dataset)) = (split, &mut training) {
            // Questions of one passage are not in both.
            let questions = split.take_out_groups(&mut dataset.questions, |it| it.context)?;
            answered = settings.train_file.as_deref();
            evaluation = Some(SquadDataset {
                version: dataset.version,
                contexts: dataset.contexts.clone(),
                questions,
            });
        }
        let mut repeated = Vec::new();
        let seen = training.as_ref().map(data::seen);
        for (file, dataset, is_training) in [
            (settings.train_file.as_deref(), &training, true),
            (answered, &evaluation, false),
        ] {
            let (Some(file), Some(dataset)) = (file, dataset) else {
                continue;
            };
            let (file, own) = (file.display().to_string(), data::seen(dataset));
            repeated.extend(own.lines(&file));
            if let Some(training) = seen.as_ref().filter(|_| !is_training) {
                repeated.extend(own.overlap(training, &file));
            }
        }
        let training = settings.train_file.as_deref().zip(training);
        let training = training.map(|(path, dataset)| {
            convert(
                path,
                dataset,
                SquadMode::Training,
                source.max_train_examples,
            )
        });
        let evaluation = answered.zip(evaluation);
        let evaluation = evaluation.map(|(path, dataset)| {
            convert(
                path,
                dataset,
                SquadMode::Evaluation,
                source.max_eval_examples,
            )
        });
        let evaluation = evaluation.transpose()?;
        if let Some(file) = &evaluation
            && prediction.answers.finds_threshold()
            && file.dataset.unlabelled() == file.dataset.questions.len()
        {
            return Err(TaskError::NoLabels {
                path: file.path.clone(),
                what: "answers",
                expected: "some to find the threshold on",
            });
        }
        Ok(Self {
            training: training.transpose()?,
            evaluation,
            config,
            tokenizer,
            repeated,
            settings: prediction,
        })
    }
}

impl Family for Squad {
    type Model = BertForQuestionAnswering;
    type Task<'a> = SquadTask<'a>;

    const EXAMPLES: &'static str = "windows";
    const EVALUATION_BATCH: &'static str = "predict_batch_size";
    fn predictions() -> Vec<&'static str> {
        vec![
            "predictions.json",
            "nbest_predictions.json",
            "null_odds.json",
            threshold::FILE,
        ]
    }

    fn replaced_predictions(&self) -> Vec<&'static str> {
        // The threshold belongs to the model, which a prediction beside it leaves as it is.
        let mut files = Self::predictions();
        files.retain(|file| *file != threshold::FILE);
        files
    }

    fn task_name(&self) -> String {
        let file = self.evaluation.as_ref().or(self.training.as_ref());
        match file {
            Some(file) => format!("SQuAD {}", file.dataset.version),
            None => "SQuAD".to_owned(),
        }
    }

    fn config(&self) -> &BertConfig {
        &self.config
    }

    fn tokenizer(&self) -> &BertTokenizer {
        &self.tokenizer
    }

    fn task(&self) -> Option<SquadTask<'_>> {
        Some(SquadTask {
            features: &self.training.as_ref()?.features,
            pad_token_id: self.config.pad_token_id,
        })
    }

    fn data_files(&self) -> Vec<PathBuf> {
        let files = self.training.iter().chain(&self.evaluation);
        let mut paths: Vec<PathBuf> = files.map(|file| file.path.clone()).collect();
        // A development set may be a part of the training file.
        paths.dedup();
        paths
    }

    fn counts(&self) -> Value {
        let counts = |data: &Option<Converted>| {
            data.as_ref().map(|data| {
                json!({
                    "questions": data.dataset.questions.len(),
                    "windows": data.features.windows.len(),
                })
            })
        };
        json!({"training": counts(&self.training), "prediction": counts(&self.evaluation)})
    }

    fn compares(&self) -> bool {
        self.evaluation
            .as_ref()
            .is_some_and(|file| file.dataset.unlabelled() < file.dataset.questions.len())
    }

    fn left_out(&self) -> Vec<String> {
        let files = self.training.iter().chain(&self.evaluation);
        files
            .flat_map(|file| {
                let path = file.path.display().to_string();
                data::unlabelled(&file.dataset)
                    .into_iter()
                    .chain(data::left_out(&file.features))
                    .map(move |line| format!("{path}: {line}"))
            })
            .chain(self.repeated.iter().cloned())
            .collect()
    }

    fn evaluation_batch(&self) -> usize {
        self.settings.predict_batch_size
    }

    fn evaluate(
        &self,
        model: &BertForQuestionAnswering,
        scoring: &Scoring<'_>,
        mut purpose: Purpose<'_>,
    ) -> Result<Option<Evaluation>, TaskError> {
        let Some(Converted {
            dataset, features, ..
        }) = &self.evaluation
        else {
            return Ok(None);
        };
        let answering = Answering {
            dataset,
            features,
            tokenizer: &self.tokenizer,
            settings: self.settings,
            scoring: *scoring,
        };
        let mut answers = answering.run(model)?;
        let mut best = None;
        if self.settings.answers.finds_threshold() {
            best = threshold::decide(dataset, &mut answers);
        }
        if let Purpose::Results(Some(files)) = &mut purpose {
            write_predictions(files, &answers)?;
            if let Some(best) = &best {
                info!(
                    "\"no answer\" where its score is above the best answer's by more than {:.4}: F1 {:.2}",
                    best.best_f1_thresh, best.best_f1
                );
                threshold::write(files, best, dataset.questions.len() - dataset.unlabelled())?;
            }
        }
        let scores = score_answers(dataset, &answers);
        Ok(scores.map(|scores| {
            let mut evaluation = evaluation(dataset, &scores);
            evaluation.report = matches!(purpose, Purpose::Results(Some(_)))
                .then(|| examples::report(dataset, features, &answers));
            if let Some(best) = best {
                let threshold = json!(best.best_f1_thresh);
                evaluation
                    .by_key
                    .insert("null_score_diff_threshold".to_owned(), threshold);
            }
            evaluation
        }))
    }
}

/// Checks that a threshold which is to be found can be.
fn check_threshold(settings: &SquadSettings, splits: bool) -> Result<(), TaskError> {
    let answers = settings.prediction.answers;
    let missing = if !answers.finds_threshold() {
        return Ok(());
    } else if !answers.version_2_with_negative {
        "`version_2_with_negative` beside it"
    } else if settings.predict_file.is_none() && !splits {
        "`predict_file` with answers beside it"
    } else {
        return Ok(());
    };
    Err(TaskError::Setting {
        setting: "null_score_diff_threshold",
        found: "auto".to_owned(),
        expected: missing.to_owned(),
    })
}

fn evaluation(dataset: &SquadDataset, scores: &SquadScores) -> Evaluation {
    let (exact, f1) = scores.exact_and_f1();
    let percent = |name: &str, value| Score {
        name: name.to_owned(),
        percent: Some(value),
    };
    Evaluation {
        by_key: scores.by_key(),
        headline: vec![percent("EM", exact), percent("F1", f1)],
        score: Some(f1),
        degenerate: degenerate(dataset, exact),
        report: None,
    }
}

/// Why answers show no learning, where they do not: none is right, or no more than the empty answer would be.
fn degenerate(dataset: &SquadDataset, exact: f64) -> Option<String> {
    let questions = dataset.questions.len() - dataset.unlabelled();
    let unanswerable = dataset.questions.iter().filter(|q| q.is_impossible).count();
    let empty = 100.0 * unanswerable as f64 / questions as f64;
    (exact <= empty).then(|| {
        format!(
            "an exact match of {exact:.2} % is no better than the {empty:.2} % of answering nothing"
        )
    })
}
