//! Reports of runs, as pages that need nothing else.
//!
//! | file | written by |
//! | --- | --- |
//! | `report.json` | [`RunDetails`]: what a report shows that no record of a run holds |
//! | `report.html` | [`write_report`] |
//! | `README.md`, the model card | [`write_card`] |
//! | `comparison.html`, or a name of the user's | [`render_comparison`], to the path that [`comparison_path`] gives |
//! | `sweep.html` | [`render_sweep`], of a [`SweepSummary`] |
//!
//! [`RunReport`] reads a run's folder: the records of `bert-records`, and `report.json`. It renders them as a page, and
//! [`render_comparison`] puts several runs side by side.

mod card;
mod data_check;
mod error;
mod html;
mod run_details;
mod run_report;
mod statistic;
mod sweep;
mod task_report;

pub use card::{remove_card, write_card};
pub use data_check::{DataCheck, FileCheck, Lengths, Numbers};
pub use error::ReportError;
pub use html::{comparison_path, render_comparison, render_sweep};
pub use run_details::{Environment, RunDetails};
pub use run_report::{RunReport, Scores, WrittenReport, write_report};
pub use statistic::Statistic;
pub use sweep::{SweepRow, SweepRun, SweepSummary};
pub use task_report::{
    AnsweredQuestion, ChosenEnding, ClassScores, ClassifiedText, GlueReport, GlueScores, GlueSet,
    GoldSpan, Probabilities, RegressionExample, SHOWN_CLASSES, SHOWN_EXAMPLES, ScoreRow,
    SquadReport, SwagReport, TaskReport,
};
