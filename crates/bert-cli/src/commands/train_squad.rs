//! `train-squad`: a checkpoint and a SQuAD file to a fine-tuned checkpoint, predictions and scores.

use std::path::{Path, PathBuf};

use bert_datasets::squad::{SquadDataset, SquadVersion};
use bert_features::squad::{SquadFeatures, SquadMode};
use bert_model::BertConfig;
use bert_model::heads::BertForQuestionAnswering;
use bert_tokenization::BertTokenizer;
use bert_training::squad::SquadTask;
use serde_json::{Value, json};

use super::family::{Family, Purpose, Scoring};
use super::scores::{self, Evaluation, Score};
use super::squad_results::{Answering, Scores, score_answers, write_predictions};
use super::training;
use super::{checkpoint, seeds, squad_data, squad_examples};
use crate::args::TrainSquadArgs;
use crate::resolve::Settings;
use crate::resolve::squad::{Prediction, SquadSettings, train_squad};
use crate::terminal;

/// Trains, predicts and scores, as far as the settings ask for it.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run(args: &TrainSquadArgs) -> anyhow::Result<()> {
    let settings = train_squad(args)?;
    settings.own.prediction.config().validate()?;
    let (family, seconds) = training::timed(|| Squad::read(&settings))?;
    match training::run(&family, &settings, seconds)?.as_slice() {
        outcomes if terminal::json() => scores::print_json(outcomes)?,
        [outcome] => outcome.table.print()?,
        outcomes => seeds::print(outcomes)?,
    }
    Ok(())
}

/// Everything that a run reads besides weights.
struct Squad {
    config: BertConfig,
    tokenizer: BertTokenizer,
    training: Option<Converted>,
    prediction: Option<Converted>,
    settings: Prediction,
}

/// A file, what it holds, and its windows.
struct Converted {
    path: PathBuf,
    dataset: SquadDataset,
    features: SquadFeatures,
}

impl Squad {
    fn read(settings: &Settings<SquadSettings>) -> anyhow::Result<Self> {
        let Settings { run, own } = settings;
        let length = own.features.max_seq_length;
        let (mut config, tokenizer) = checkpoint::read(&run.bert_model, run.do_lower_case, length)?;
        if run.trains {
            config.clear_labels();
        }
        let read = |path: &Path, mode, most: Option<usize>| -> anyhow::Result<_> {
            let mut dataset = squad_data::read(path, own.prediction.version_2_with_negative)?;
            if let Some(most) = most {
                dataset.questions.truncate(most);
            }
            let features = squad_data::convert(&dataset, &tokenizer, own.features, mode)?;
            Ok(Converted {
                path: path.to_owned(),
                dataset,
                features,
            })
        };
        let training = own
            .train_file
            .as_deref()
            .map(|path| read(path, SquadMode::Training, run.max_train_examples))
            .transpose()?;
        let prediction = own
            .predict_file
            .as_deref()
            .map(|path| read(path, SquadMode::Evaluation, None))
            .transpose()?;
        Ok(Self {
            config,
            tokenizer,
            training,
            prediction,
            settings: own.prediction,
        })
    }
}

impl Family for Squad {
    type Model = BertForQuestionAnswering;
    type Task<'a> = SquadTask<'a>;

    const EXAMPLES: &'static str = "windows";
    fn predictions() -> Vec<&'static str> {
        vec![
            "predictions.json",
            "nbest_predictions.json",
            "null_odds.json",
        ]
    }

    fn task_name(&self) -> String {
        let file = self.prediction.as_ref().or(self.training.as_ref());
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
        let files = self.training.iter().chain(&self.prediction);
        files.map(|file| file.path.clone()).collect()
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
        json!({"training": counts(&self.training), "prediction": counts(&self.prediction)})
    }

    fn compares(&self) -> bool {
        let has_answers = |file: &Converted| {
            let questions = &file.dataset.questions;
            file.dataset.version == SquadVersion::V2_0
                || questions
                    .iter()
                    .any(|question| !question.answers.is_empty())
        };
        self.prediction
            .as_ref()
            .is_some_and(|file| !file.dataset.questions.is_empty() && has_answers(file))
    }

    fn left_out(&self) -> Vec<String> {
        let files = self.training.iter().chain(&self.prediction);
        files
            .flat_map(|file| {
                let path = file.path.display().to_string();
                squad_data::left_out(&file.features)
                    .into_iter()
                    .map(move |line| format!("{path}: {line}"))
            })
            .collect()
    }

    fn evaluate(
        &self,
        model: &BertForQuestionAnswering,
        scoring: &Scoring<'_>,
        purpose: Purpose<'_>,
    ) -> anyhow::Result<Option<Evaluation>> {
        let Some(Converted {
            dataset, features, ..
        }) = &self.prediction
        else {
            return Ok(None);
        };
        let answering = Answering {
            dataset,
            features,
            tokenizer: &self.tokenizer,
            settings: self.settings,
            scoring: *scoring,
            pad_token_id: self.config.pad_token_id,
        };
        let answers = answering.run(model)?;
        if let Purpose::Results(dir) = purpose {
            write_predictions(dir, &answers)?;
        }
        let scores = score_answers(dataset, &answers);
        Ok(scores.map(|scores| Evaluation {
            report: matches!(purpose, Purpose::Results(_))
                .then(|| squad_examples::report(dataset, features, &answers)),
            ..evaluation(dataset, &scores)
        }))
    }
}

fn evaluation(dataset: &SquadDataset, scores: &Scores) -> Evaluation {
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
    let questions = dataset.questions.len();
    let unanswerable = dataset.questions.iter().filter(|q| q.is_impossible).count();
    let empty = 100.0 * unanswerable as f64 / questions as f64;
    (exact <= empty).then(|| {
        format!(
            "an exact match of {exact:.2} % is no better than the {empty:.2} % of answering nothing"
        )
    })
}
