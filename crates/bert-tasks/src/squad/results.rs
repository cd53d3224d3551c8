//! Predictions written and scored.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use bert_datasets::squad::{SquadDataset, SquadVersion};
use bert_features::squad::SquadFeatures;
use bert_files::Replacement;
use bert_inference::score_windows;
use bert_metrics::squad::{GoldQuestion, SquadV1Scores, SquadV2Scores, evaluate_v1, evaluate_v2};
use bert_model::heads::BertForQuestionAnswering;
use bert_prediction::squad::{SquadAnswerPrediction, predict};
use bert_records::{Entries, write_json};
use bert_tokenization::BertTokenizer;
use serde::Serialize;
use serde_json::Value;
use tracing::{debug, warn};

use super::SquadPrediction;
use crate::{Scoring, TaskError};

/// What a set of questions is answered with.
pub struct Answering<'a> {
    /// The questions and their contexts.
    pub dataset: &'a SquadDataset,
    /// Their windows.
    pub features: &'a SquadFeatures,
    /// The checkpoint's tokenizer.
    pub tokenizer: &'a BertTokenizer,
    /// How windows become answers.
    pub settings: SquadPrediction,
    /// How the model is run.
    pub scoring: Scoring<'a>,
}

impl Answering<'_> {
    /// Answers every question.
    ///
    /// # Errors
    /// When the device fails or a score is not finite.
    pub fn run(
        &self,
        model: &BertForQuestionAnswering,
    ) -> Result<Vec<SquadAnswerPrediction>, TaskError> {
        let watch = self.scoring.watch;
        let total = self.features.windows.len();
        let mut counter = watch.start("predicting", "windows", 0, total);
        let started = Instant::now();
        let config = self.scoring.config(self.settings.predict_batch_size);
        let device = self.scoring.device;
        let progress = |done| {
            counter.update(done, &String::new);
            watch.check()
        };
        let collective = self.scoring.collective;
        let logits = score_windows(model, self.features, &config, device, collective, progress)?;
        drop(counter);
        let seconds = started.elapsed().as_secs_f64();
        let answers = predict(
            self.dataset,
            self.features,
            self.tokenizer,
            &logits,
            &self.settings.answers,
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
pub enum SquadScores {
    /// Those of v1.1.
    V1(SquadV1Scores),
    /// Those of v2.0.
    V2(SquadV2Scores),
}

impl SquadScores {
    /// Exact match and F1 in percent.
    pub fn exact_and_f1(&self) -> (f64, f64) {
        match self {
            Self::V1(scores) => (scores.exact_match, scores.f1),
            Self::V2(scores) => (scores.exact, scores.f1),
        }
    }

    /// By official key.
    pub fn by_key(&self) -> BTreeMap<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map.into_iter().collect(),
            other => unreachable!("scores serialise as an object, found {other:?}"),
        }
    }
}

/// Scores predictions by the data file's version; `None` where the file labels no question. A question that the file
/// labels scores 0 without a prediction, which is logged; one that it does not label is left out.
pub fn score<'a>(
    dataset: &'a SquadDataset,
    prediction: impl Fn(&str) -> Option<&'a str>,
) -> Option<SquadScores> {
    let labelled = dataset.questions.len() - dataset.unlabelled();
    if labelled == 0 {
        return None;
    }
    let gold = gold(dataset);
    let (scores, missing) = match dataset.version {
        SquadVersion::V1_1 => {
            let scores = evaluate_v1(gold, prediction);
            let missing = scores.missing.clone();
            (SquadScores::V1(scores), missing)
        }
        SquadVersion::V2_0 => {
            let scores = evaluate_v2(gold, prediction);
            let missing = scores.missing.clone();
            (SquadScores::V2(scores), missing)
        }
    };
    if let Some(first) = missing.first() {
        warn!(
            "{} of {labelled} questions have no prediction and score 0 (the first is {first})",
            missing.len()
        );
    }
    Some(scores)
}

/// The questions that a file labels.
pub(super) fn gold(dataset: &SquadDataset) -> Vec<GoldQuestion<'_>> {
    let questions = dataset.questions.iter().filter(|it| it.is_labelled);
    let gold = questions.map(|question| GoldQuestion {
        id: &question.id,
        answers: question.answers.iter().map(|a| a.text.as_str()).collect(),
    });
    gold.collect()
}

/// Scores answers as [`score`] does.
pub fn score_answers(
    dataset: &SquadDataset,
    answers: &[SquadAnswerPrediction],
) -> Option<SquadScores> {
    let by_id: HashMap<&str, &str> = answers
        .iter()
        .map(|a| (a.id.as_str(), a.text.as_str()))
        .collect();
    score(dataset, |id| by_id.get(id).copied())
}

/// Adds `predictions.json`, `nbest_predictions.json` and, for SQuAD 2.0, `null_odds.json` to the files.
///
/// # Errors
/// When a file cannot be written.
pub fn write_predictions(
    files: &mut Replacement,
    answers: &[SquadAnswerPrediction],
) -> Result<(), TaskError> {
    let texts = answers.iter().map(|answer| (&answer.id, &answer.text));
    write_json(&mut *files, "predictions.json", &Entries(texts))?;
    let lists = answers.iter().map(|answer| (&answer.id, &answer.n_best));
    write_json(&mut *files, "nbest_predictions.json", &Entries(lists))?;
    if answers.iter().any(|answer| answer.score_diff.is_some()) {
        let odds = answers
            .iter()
            .filter_map(|answer| Some((&answer.id, answer.score_diff?)));
        write_json(files, "null_odds.json", &Entries(odds))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bert_datasets::squad::parse;
    use serde_json::json;

    use super::*;

    /// A file of the version with an answered question, and one with these keys beside its id and text.
    fn dataset(version: &str, keys: &str) -> SquadDataset {
        let text = format!(
            r#"{{"version": "{version}", "data": [{{"paragraphs": [{{"context": "a b", "qas": [
            {{"id": "1", "question": "q", "is_impossible": false, "answers": [{{"text": "b", "answer_start": 2}}]}},
            {{"id": "2", "question": "q"{keys}}}]}}]}}]}}"#
        );
        parse(Path::new("x.json"), text.as_bytes(), &Default::default()).unwrap()
    }

    #[test]
    fn questions_without_labels_are_left_out_of_the_scores() {
        let empty = r#", "answers": []"#;
        let impossible = r#", "is_impossible": true, "answers": []"#;
        // The version, the second question's keys, the exact match in percent.
        let cases = [
            ("1.1", empty, 100.0),
            ("1.1", "", 100.0),
            ("2.0", "", 100.0),
            ("2.0", impossible, 50.0),
        ];
        for (version, keys, expected) in cases {
            let dataset = dataset(version, keys);
            let scores = score(&dataset, |id| Some(if id == "1" { "b" } else { "c" }));
            let (exact, _) = scores.unwrap().exact_and_f1();
            assert_eq!(exact, expected, "{version} {keys}");
        }
    }

    #[test]
    fn a_file_that_labels_nothing_has_no_scores() {
        let mut dataset = dataset("1.1", "");
        dataset.questions.remove(0);
        assert!(score(&dataset, |_| Some("a")).is_none());
    }

    #[test]
    fn scores_have_the_official_keys() {
        let dataset = dataset("1.1", "");
        let scores = score(&dataset, |_| Some("b")).unwrap();
        assert_eq!(
            json!(scores.by_key()),
            json!({"exact_match": 100.0, "f1": 100.0})
        );
    }
}
