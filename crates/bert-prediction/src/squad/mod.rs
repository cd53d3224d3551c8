//! Extractive question answering: from start and end logits to the answer's text.
//!
//! The semantics are those of the 2018 `run_squad.py` and, for unanswerable questions, of its 2019 successor. One thing
//! differs: padding never competes for the best positions, so a batch's padded length does not change a prediction.

mod answer_text;
mod best_positions;
mod candidate;
mod config;
mod context_words;
mod n_best;
mod prediction;

pub use config::{NullThreshold, SquadPredictionConfig};
pub use prediction::{NBestEntry, SquadAnswerPrediction, WindowLogits, predict};
