//! A question about several passages: the answers of each, ranked together.

use bert_prediction::softmax;
use bert_prediction::squad::SquadPredictionConfig;

use crate::{Answer, Answered};

/// What a model says to a question about several passages.
#[derive(Debug, Clone, PartialEq)]
pub struct AnsweredAmong {
    /// The n-best list over all passages, best first, without the null answer: for each answer the number of its passage.
    /// Its probability is its share in this list.
    pub answers: Vec<(usize, Answer)>,
    /// How probable it is, among the same list, that no passage has an answer; `None` for a model that was not trained on
    /// such questions.
    pub no_answer_probability: Option<f64>,
    /// Whether that is the model's answer: its score is above the best answer's by more than the threshold.
    pub no_answer: bool,
    /// Windows that the passages were read in.
    pub windows: usize,
}

/// Ranks the answers to one question in several passages as those of several windows of one text: by their raw logits,
/// each text once. The null answer is that of the passage that is least sure of it, since one passage with an answer is
/// enough.
///
/// A softmax over the candidates of all passages is the shared normalisation of Clark & Gardner 2018; probabilities within a
/// passage say nothing of other passages.
#[must_use]
pub fn among(answered: Vec<Answered>, config: &SquadPredictionConfig) -> AnsweredAmong {
    let windows = answered.iter().map(|it| it.windows).sum();
    let null = answered.iter().filter_map(|it| it.no_answer_score);
    let null = null.min_by(f64::total_cmp);
    let mut all: Vec<(usize, Answer)> = Vec::new();
    for (passage, answered) in answered.into_iter().enumerate() {
        all.extend(answered.answers.into_iter().map(|answer| (passage, answer)));
    }
    // The sort is stable: of equal scores that of the earlier passage is the first.
    all.sort_by(|(_, a), (_, b)| b.score.total_cmp(&a.score));
    let mut answers: Vec<(usize, Answer)> = Vec::new();
    for (passage, answer) in all {
        if answers.len() == config.n_best_size {
            break;
        }
        if answers.iter().all(|(_, other)| other.text != answer.text) {
            answers.push((passage, answer));
        }
    }
    let scores = answers.iter().map(|(_, it)| it.score).chain(null);
    let mut probabilities = softmax(scores).into_iter();
    for ((_, answer), probability) in answers.iter_mut().zip(&mut probabilities) {
        answer.probability = probability;
    }
    let best = answers.first().map(|(_, it)| it.score);
    AnsweredAmong {
        no_answer: null.is_some_and(|null| {
            best.is_none_or(|best| null - best > f64::from(config.threshold()))
        }),
        no_answer_probability: probabilities.next(),
        answers,
        windows,
    }
}

#[cfg(test)]
mod tests {
    use bert_prediction::squad::NullThreshold;
    use bert_tokenization::CharSpan;

    use super::*;

    fn answered(answers: &[(&str, f64)], no_answer_score: Option<f64>) -> Answered {
        let answers = answers.iter().map(|(text, score)| Answer {
            text: (*text).to_owned(),
            span: CharSpan { start: 0, end: 1 },
            probability: 0.5,
            score: *score,
        });
        Answered {
            answers: answers.collect(),
            no_answer_probability: no_answer_score.map(|_| 0.5),
            no_answer_score,
            no_answer: false,
            windows: 2,
        }
    }

    fn texts(found: &AnsweredAmong) -> Vec<(usize, &str)> {
        let texts = found.answers.iter();
        texts.map(|(at, it)| (*at, it.text.as_str())).collect()
    }

    #[test]
    fn answers_of_passages_are_ranked_by_their_scores() {
        let passages = vec![
            answered(&[("low", 1.0), ("same", 0.0)], None),
            answered(&[], None),
            answered(&[("high", 3.0), ("same", 2.0)], None),
        ];
        let config = SquadPredictionConfig::default();
        let found = among(passages.clone(), &config);
        assert_eq!(texts(&found), [(2, "high"), (2, "same"), (0, "low")]);
        assert_eq!((found.windows, found.no_answer), (6, false));
        assert_eq!(found.no_answer_probability, None);
        let sum: f64 = found.answers.iter().map(|(_, it)| it.probability).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        let ratio = found.answers[0].1.probability / found.answers[1].1.probability;
        assert!((ratio - 1_f64.exp()).abs() < 1e-12);
        let n_best_size = 1;
        let found = among(
            passages,
            &SquadPredictionConfig {
                n_best_size,
                ..config
            },
        );
        assert_eq!(texts(&found), [(2, "high")]);
        assert!(among(Vec::new(), &config).answers.is_empty());
    }

    #[test]
    fn one_passage_with_an_answer_is_enough() {
        let passages = vec![
            answered(&[("a", 1.0)], Some(9.0)),
            answered(&[("b", 3.0)], Some(4.0)),
        ];
        let at = |threshold| SquadPredictionConfig {
            null_score_diff_threshold: Some(NullThreshold::At(threshold)),
            ..SquadPredictionConfig::default()
        };
        for (threshold, no_answer) in [(0.0, true), (1.0, false)] {
            let found = among(passages.clone(), &at(threshold));
            assert_eq!(found.no_answer, no_answer, "{threshold}");
            let expected = 1.0 / (1.0 + (-1_f64).exp() + (-3_f64).exp());
            let probability = found.no_answer_probability.unwrap();
            assert!((probability - expected).abs() < 1e-12);
        }
        let empty = among(vec![answered(&[], Some(-1.0))], &at(0.0));
        assert_eq!(
            (empty.no_answer, empty.no_answer_probability),
            (true, Some(1.0))
        );
    }
}
