//! Passages and questions in the layout of SQuAD v1.1.
//!
//! A passage tells two to five events, a held-out one at least four: who did what to which building, and when, for how much or
//! from where. Each question
//! asks for one value of one event. Since every event has a value of most kinds, the question word does not give the answer
//! away: the building, the verb or the name in the question has to be found in a sentence of the passage.

mod content;
mod json;
mod passage;

pub(crate) use content::Content;
pub use json::to_json;
pub use passage::{Mention, Passage, Question};

use crate::names::Names;
use crate::random::Random;
use crate::{DemoDataError, Split};

/// How passages are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// In natural questions.
    Questions,
    /// In statements that leave the answer blank, for the pre-training.
    Blanks,
}

/// `count` passages. Names, years and sums of the two halves are disjoint.
///
/// # Errors
///
/// If the content files have a mistake.
pub fn generate(
    split: Split,
    asking: Asking,
    count: usize,
    seed: u64,
) -> Result<Vec<Passage>, DemoDataError> {
    let stream = 2 * u64::from(asking == Asking::Blanks) + u64::from(split == Split::Dev);
    let mut random = Random::new(seed, stream);
    let (content, names) = (Content::load()?, Names::load()?);
    let blanks = content.blanks();
    let writer = passage::Writer {
        content: &content,
        names: &names,
        questions: match asking {
            Asking::Questions => &content.questions,
            Asking::Blanks => &blanks,
        },
        split,
    };
    (0..count).map(|_| writer.passage(&mut random)).collect()
}
