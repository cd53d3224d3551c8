//! The official metrics of the tasks this workspace trains; those of SQuAD equal the reference scripts in every digit.
//!
//! ```
//! use bert_metrics::squad::{GoldQuestion, evaluate_v1};
//!
//! let gold = [GoldQuestion { id: "q1", answers: vec!["the Denver Broncos", "Broncos"] }];
//! let scores = evaluate_v1(gold, |_id| Some("Denver Broncos!"));
//! assert_eq!((scores.exact_match, scores.f1), (100.0, 100.0));
//! ```
//!
//! [`squad`] scores answers. [`classification`] and [`correlation`] score classes and similarities as the tasks of GLUE
//! do (Wang et al. 2019), equal to scikit-learn and SciPy to rounding:
//!
//! ```
//! use bert_metrics::{classification::matthews_correlation, correlation::pearson};
//!
//! assert_eq!(matthews_correlation(&[0, 1, 1, 0], &[0, 1, 1, 0]), 1.0);
//! assert_eq!(pearson(&[0.0, 2.5, 5.0], &[1.0, 1.5, 2.0]), Some(1.0));
//! ```
//!
//! [`Metric`] says which of these scores a task reports, and under which keys.
//!
//! The crate depends on no other crate of the workspace: gold answers and predictions come in as string slices, classes
//! as indices, scores and logits as numbers.

pub mod classification;
pub mod correlation;
mod metric;
pub mod multi_label;
pub mod squad;

pub use metric::{Metric, NamedScore};
