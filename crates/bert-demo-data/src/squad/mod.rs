//! Passages and questions in the layout of SQuAD v1.1.
//!
//! A passage tells four or five *relations* of one subject, each with one to three *slots*, in shuffled order, and
//! mentions other people, years and places in passing. Each slot gives a question. Since most answers have rivals of
//! their own class in the passage, neither the question word nor the position gives the answer away: the words of the
//! question have to be matched with those of a sentence.

mod domain;
mod json;
mod passage;
mod question;
mod subject;
mod values;
mod writer;

pub use json::to_json;
pub use passage::Passage;
pub use question::{Answer, Question};
pub use writer::Mention;

use crate::lexicon::Lexicon;
use crate::random::Random;
use crate::{DemoDataError, Split};

/// Training passages about each subject area.
const TRAIN_PASSAGES: usize = 33;
/// Held-out passages about each subject area.
const DEV_PASSAGES: usize = 5;

/// All passages of one half, grouped by subject area.
///
/// # Errors
///
/// If the content files have a mistake.
pub fn generate(split: Split, seed: u64) -> Result<Vec<Passage>, DemoDataError> {
    let lexicon = Lexicon::load()?;
    let count = match split {
        Split::Train => TRAIN_PASSAGES,
        Split::Dev => DEV_PASSAGES,
    };
    let mut passages = Vec::new();
    let mut used = Vec::new();
    for (index, domain) in domain::load_domains()?.iter().enumerate() {
        // A stream of its own, so that a change in one domain leaves the others alone.
        let mut random = Random::new(seed, 2 * index as u64 + u64::from(split == Split::Dev));
        for _ in 0..count {
            let passage = passage::write_passage(domain, &lexicon, split, &used, &mut random)?;
            used.push(passage.subject.clone());
            passages.push(passage);
        }
    }
    Ok(passages)
}
