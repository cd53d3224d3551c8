//! The official metrics of the tasks this workspace trains, equal to the reference scripts in every digit.
//!
//! ```
//! use bert_metrics::squad::{GoldQuestion, evaluate_v1};
//!
//! let gold = [GoldQuestion { id: "q1", answers: vec!["the Denver Broncos", "Broncos"] }];
//! let scores = evaluate_v1(gold, |_id| Some("Denver Broncos!"));
//! assert_eq!((scores.exact_match, scores.f1), (100.0, 100.0));
//! ```
//!
//! The crate depends on no other crate of the workspace: gold answers and predictions come in as string slices.

pub mod squad;
