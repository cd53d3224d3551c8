//! Predictions written and scored.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bert_datasets::squad::{SquadDataset, SquadVersion};
use bert_features::squad::SquadFeatures;
use bert_metrics::squad::{GoldQuestion, SquadV1Scores, SquadV2Scores, evaluate_v1, evaluate_v2};
use bert_model::heads::BertForQuestionAnswering;
use bert_prediction::squad::{SquadAnswerPrediction, WindowLogits, predict};
use bert_report::{Entries, write_json};
use bert_tokenization::BertTokenizer;
use bert_training::ScoreConfig;
use bert_training::squad::score_windows;
use serde::Serialize;
use serde_json::Value;
use tracing::{debug, warn};

use super::family::Scoring;
use crate::interrupt;
use crate::progress::Progress;
use crate::resolve::squad::Prediction;

/// What a set of questions is answered with.
pub(crate) struct Answering<'a> {
    pub(crate) dataset: &'a SquadDataset,
    pub(crate) features: &'a SquadFeatures,
    pub(crate) tokenizer: &'a BertTokenizer,
    pub(crate) settings: Prediction,
    pub(crate) scoring: Scoring<'a>,
    pub(crate) pad_token_id: usize,
}

impl Answering<'_> {
    /// Answers every question.
    ///
    /// # Errors
    /// When the device fails or a score is not finite.
    pub(crate) fn run(
        &self,
        model: &BertForQuestionAnswering,
    ) -> anyhow::Result<Vec<SquadAnswerPrediction>> {
        let mut progress = Progress::start("predicting", self.features.windows.len());
        let config = ScoreConfig {
            batch_size: self.settings.predict_batch_size,
            padding: self.scoring.padding,
            pad_token_id: self.pad_token_id,
            precision: self.scoring.precision,
            concurrent: self.scoring.concurrent,
        };
        let device = self.scoring.device;
        let scores = score_windows(model, self.features, &config, device, |done| {
            progress.update(done, || "windows".to_owned());
            interrupt::check()
        })?;
        let seconds = progress.finish();
        let logits: Vec<WindowLogits<'_>> = scores
            .iter()
            .map(|window| WindowLogits {
                start: &window.start,
                end: &window.end,
            })
            .collect();
        let config = self.settings.config();
        let answers = predict(
            self.dataset,
            self.features,
            self.tokenizer,
            &logits,
            &config,
        )?;
        debug!(
            "answered {} questions in {seconds:.1} s ({:.1} windows/s)",
            answers.len(),
            self.features.windows.len() as f64 / seconds
        );
        Ok(answers)
    }
}

/// Official scores of either version.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Scores {
    V1(SquadV1Scores),
    V2(SquadV2Scores),
}

impl Scores {
    /// Exact match and F1 in percent.
    pub(crate) fn exact_and_f1(&self) -> (f64, f64) {
        match self {
            Self::V1(scores) => (scores.exact_match, scores.f1),
            Self::V2(scores) => (scores.exact, scores.f1),
        }
    }

    /// By official key.
    pub(crate) fn by_key(&self) -> BTreeMap<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map.into_iter().collect(),
            other => unreachable!("scores serialise as an object, found {other:?}"),
        }
    }
}

/// Scores predictions by the data file's version. Questions without a prediction score 0 and are
/// reported.
pub(crate) fn score<'a>(
    dataset: &'a SquadDataset,
    prediction: impl Fn(&str) -> Option<&'a str>,
) -> Scores {
    let gold = dataset.questions.iter().map(|question| GoldQuestion {
        id: &question.id,
        answers: question.answers.iter().map(|a| a.text.as_str()).collect(),
    });
    let (scores, missing) = match dataset.version {
        SquadVersion::V1_1 => {
            let scores = evaluate_v1(gold, prediction);
            let missing = scores.missing.clone();
            (Scores::V1(scores), missing)
        }
        SquadVersion::V2_0 => {
            let scores = evaluate_v2(gold, prediction);
            let missing = scores.missing.clone();
            (Scores::V2(scores), missing)
        }
    };
    if let Some(first) = missing.first() {
        warn!(
            "{} of {} questions have no prediction and score 0 (the first is {first})",
            missing.len(),
            dataset.questions.len()
        );
    }
    scores
}

/// Scores answers; `None` where the file has none to compare with.
pub(crate) fn score_answers(
    dataset: &SquadDataset,
    answers: &[SquadAnswerPrediction],
) -> Option<Scores> {
    let answerable = |v1: bool| !v1 || dataset.questions.iter().any(|q| !q.answers.is_empty());
    if dataset.questions.is_empty() || !answerable(dataset.version == SquadVersion::V1_1) {
        return None;
    }
    let by_id: HashMap<&str, &str> = answers
        .iter()
        .map(|a| (a.id.as_str(), a.text.as_str()))
        .collect();
    Some(score(dataset, |id| by_id.get(id).copied()))
}

/// Writes `predictions.json`, `nbest_predictions.json` and, for SQuAD 2.0, `null_odds.json`.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write_predictions(
    dir: &Path,
    answers: &[SquadAnswerPrediction],
) -> anyhow::Result<()> {
    let texts = answers.iter().map(|answer| (&answer.id, &answer.text));
    write_json(&dir.join("predictions.json"), &Entries(texts))?;
    let lists = answers.iter().map(|answer| (&answer.id, &answer.n_best));
    write_json(&dir.join("nbest_predictions.json"), &Entries(lists))?;
    if answers.iter().any(|answer| answer.score_diff.is_some()) {
        let odds = answers
            .iter()
            .filter_map(|answer| Some((&answer.id, answer.score_diff?)));
        write_json(&dir.join("null_odds.json"), &Entries(odds))?;
    }
    Ok(())
}
