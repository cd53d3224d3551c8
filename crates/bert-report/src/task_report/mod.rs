//! What a report shows of a task's single examples: the worst mistakes, and where the mistakes are.
//!
//! Each part is made in one pass over all examples and holds only what is shown.

mod glue;
mod probabilities;
mod squad;
mod swag;
mod worst;

pub use glue::{
    ClassScores, ClassifiedText, GlueReport, GlueScores, GlueSet, RegressionExample, SHOWN_CLASSES,
};
pub use probabilities::Probabilities;
use serde::{Deserialize, Deserializer, Serialize};
pub use squad::{AnsweredQuestion, GoldSpan, ScoreRow, SquadReport};
pub use swag::{ChosenEnding, SwagReport};

/// How many examples a report shows at most.
pub const SHOWN_EXAMPLES: usize = 30;

/// The task's part of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "snake_case")]
pub enum TaskReport {
    /// Answers in a passage.
    Squad(SquadReport),
    /// Choices among endings.
    Swag(SwagReport),
    /// Classes or scores of sentences.
    Glue(GlueReport),
}

impl TaskReport {
    /// What the family of tasks is called.
    pub fn family(&self) -> &'static str {
        match self {
            Self::Squad(_) => "SQuAD",
            Self::Swag(_) => "SWAG",
            Self::Glue(_) => "GLUE",
        }
    }
}

/// A number that is not finite is written as null.
fn null_as_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Option::<f64>::deserialize(deserializer).map(|value| value.unwrap_or(f64::NAN))
}

/// The same for a list.
fn nulls_as_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let values = Vec::<Option<f64>>::deserialize(deserializer)?;
    Ok(values
        .into_iter()
        .map(|value| value.unwrap_or(f64::NAN))
        .collect())
}

/// The same for a list of indices and numbers.
fn pairs_as_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(usize, f64)>, D::Error> {
    let pairs = Vec::<(usize, Option<f64>)>::deserialize(deserializer)?;
    Ok(pairs
        .into_iter()
        .map(|(index, value)| (index, value.unwrap_or(f64::NAN)))
        .collect())
}

/// A share in percent; 0 of 0 is 0.
fn percent(part: f64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    100.0 * part / whole as f64
}
