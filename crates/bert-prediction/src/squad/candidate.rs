//! The answers that a question's logits allow.

use bert_features::squad::SquadFeatures;

use super::{SquadPredictionConfig, best_positions::best_positions, prediction::LogitSlices};

/// A possible answer and its logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    /// Where the answer stands; `None` is the null answer of SQuAD 2.0.
    pub(super) span: Option<AnswerSpan>,
    pub(super) start_logit: f32,
    pub(super) end_logit: f32,
}

/// A span of context tokens, both ends inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AnswerSpan {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Candidate {
    /// The sum of the raw logits, which is what answers of different windows are compared by. A double, as in Python:
    /// in singles different sums could tie.
    pub(super) fn score(&self) -> f64 {
        f64::from(self.start_logit) + f64::from(self.end_logit)
    }
}

/// The spans of one window whose ends are both among the window's best, in the order of their ranks.
///
/// A span lies in the context, starts at a token for which this is the window of largest context, and holds at most
/// `max_answer_length` tokens.
pub(super) fn push_spans(
    features: &SquadFeatures,
    window: usize,
    logits: LogitSlices<'_>,
    config: &SquadPredictionConfig,
    candidates: &mut Vec<Candidate>,
) {
    let tokens = features.windows[window].span;
    let offset = features.context_offset(window);
    // The question and the special tokens compete for the best positions too, as in the script; they start no span.
    let to_context = |position: usize| {
        let token = position.checked_sub(offset)? + tokens.start;
        (token < tokens.end).then_some(token)
    };
    let ends: Vec<(usize, f32)> = best_positions(logits.end, config.n_best_size)
        .into_iter()
        .filter_map(|position| Some((to_context(position)?, logits.end[position])))
        .collect();
    for position in best_positions(logits.start, config.n_best_size) {
        let Some(first) = to_context(position) else {
            continue;
        };
        if !features.is_max_context(window, first) {
            continue;
        }
        for &(last, end_logit) in &ends {
            if first <= last && last - first < config.max_answer_length {
                candidates.push(Candidate {
                    span: Some(AnswerSpan { first, last }),
                    start_logit: logits.start[position],
                    end_logit,
                });
            }
        }
    }
}

/// The null answer of a question: the smallest score of `[CLS]` over its windows.
pub(super) fn null_answer<'a>(windows: impl Iterator<Item = LogitSlices<'a>>) -> NullAnswer {
    // The script's start value; it stands where a question has no window, so such a question has no answer.
    let mut null = NullAnswer {
        score: 1_000_000.0,
        candidate: Candidate {
            span: None,
            start_logit: 0.0,
            end_logit: 0.0,
        },
    };
    for logits in windows {
        let candidate = Candidate {
            span: None,
            start_logit: logits.start[0],
            end_logit: logits.end[0],
        };
        if candidate.score() < null.score {
            null = NullAnswer {
                score: candidate.score(),
                candidate,
            };
        }
    }
    null
}

/// The null answer and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct NullAnswer {
    pub(super) score: f64,
    pub(super) candidate: Candidate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_null_answer_is_that_of_the_smallest_score() {
        let windows = [[4.0, 2.0], [3.5, 1.5], [1.5, 3.5]];
        let null = null_answer(windows.iter().map(|[start, end]| LogitSlices {
            start: std::slice::from_ref(start),
            end: std::slice::from_ref(end),
        }));
        // The first of equal scores.
        let expected = Candidate {
            span: None,
            start_logit: 3.5,
            end_logit: 1.5,
        };
        assert_eq!((null.score, null.candidate), (5.0, expected));
    }

    #[test]
    fn a_question_without_windows_has_no_answer() {
        let null = null_answer(std::iter::empty());
        assert_eq!((null.score, null.candidate.score()), (1e6, 0.0));
    }
}
