//! SQuAD exact match and F1 (Rajpurkar et al. 2016 for v1.1, Rajpurkar et al. 2018 for v2.0).

mod answer;
mod thresholds;
mod v1;
mod v2;

pub use answer::{exact_match, f1, normalize_answer};
pub use thresholds::{SquadThresholds, best_thresholds, evaluate_v2_with_odds};
pub use v1::{SquadV1Scores, evaluate_v1};
pub use v2::{SquadV2ClassScores, SquadV2Scores, evaluate_v2};

/// One question of the data file with every answer its annotators gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldQuestion<'a> {
    /// The question's identifier; predictions are looked up by it.
    pub id: &'a str,
    /// The gold answers in file order; none means that the question cannot be answered.
    pub answers: Vec<&'a str>,
}

/// `100 * sum / total` as the scripts compute it (the product comes first), or 0 for no questions at all,
/// where the scripts would divide by zero.
fn percentage(sum: f64, total: usize) -> f64 {
    if total == 0 {
        return 0.0;
    }
    100.0 * sum / total as f64
}
