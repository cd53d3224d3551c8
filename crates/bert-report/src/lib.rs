//! What a run leaves behind in its output directory.
//!
//! | file | written by |
//! | --- | --- |
//! | `predictions.json`, `nbest_predictions.json` | [`write_json`] over [`Entries`] |
//! | `eval_results.txt`, `eval_results.json` | [`write_eval_results`] |
//! | `predictions.jsonl` | [`write_json_lines`] |
//! | `MRPC.tsv` and so on, `predictions.csv` | [`write_glue_submission`], [`write_swag_predictions`] |
//! | `metrics.jsonl` | [`MetricsLog`] |
//! | `tensorboard/` | [`EventLog`] |
//! | `run.json` | [`RunRecord`] |
//! | `report.json` | [`RunDetails`] |
//! | `report.html` | [`write_report`] |
//!
//! Whole files are written to a temporary file beside their destination, synced and renamed, so a reader sees the old
//! file or the new one and never a part of it. The metrics log grows by whole lines and
//! an event log by whole records.
//!
//! A run that goes on with an earlier one reads its record again: [`differences`] and [`changed_inputs`] say whether it
//! is the same run. [`RunReport`] reads all of the folder and renders it as a page, and [`render_comparison`] puts
//! several runs side by side.

mod atomic;
mod clock;
mod differences;
mod error;
mod eval_results;
mod event_file;
mod event_record;
mod html;
mod input_file;
mod json;
mod metrics_history;
mod metrics_log;
mod predictions;
mod python_json;
mod run_details;
mod run_record;
mod run_report;
mod task_report;
mod tensorboard;

pub use atomic::{create_dir, write_atomically};
pub use differences::{Difference, differences};
pub use error::ReportError;
pub use eval_results::write_eval_results;
pub use html::render_comparison;
pub use input_file::{InputFile, changed_inputs};
pub use json::{Entries, write_json};
pub use metrics_history::{MetricsHistory, Series};
pub use metrics_log::MetricsLog;
pub use predictions::{write_glue_submission, write_json_lines, write_swag_predictions};
pub use python_json::{python_float, to_python_json};
pub use run_details::{Environment, RunDetails};
pub use run_record::{RunRecord, RunStatus};
pub use run_report::{RunReport, Scores, write_report};
pub use task_report::{
    AnsweredQuestion, ChosenEnding, ClassScores, ClassifiedText, GlueReport, GlueScores, GlueSet,
    GoldSpan, RegressionExample, SHOWN_EXAMPLES, ScoreRow, SquadReport, SwagReport, TaskReport,
};
pub use tensorboard::EventLog;
