//! What a run keeps in its folder.
//!
//! | file | written by |
//! | --- | --- |
//! | `run.json` | [`RunRecord`] |
//! | `metrics.jsonl` | [`MetricsLog`]; read back by [`MetricsHistory`] |
//! | `tensorboard/` | [`EventLog`] |
//! | `eval_results.txt`, `eval_results.json` | [`write_eval_results`]; read back by [`read_eval_results`] |
//! | `predictions.json`, `nbest_predictions.json` | [`write_json`] over [`Entries`] |
//! | `predictions.jsonl` | [`write_json_lines`] |
//! | `MRPC.tsv` and so on, `predictions.csv` | [`write_glue_submission`], [`write_swag_predictions`] |
//! | `checkpoints/step-00000100/` | [`RunStateStore`] |
//!
//! A *run state* is all that a run needs to go on after a step: the weights with their configuration and vocabulary,
//! which make each such folder a checkpoint that other programs load, and beside them the optimiser's moments and the
//! counters of `bert-training`'s type `RunState`. This crate stores run states and does not look into them.
//!
//! Whole files are written as `bert-files` does it. The metrics log grows by whole lines and an event log by whole
//! records. A run that goes on with an earlier one reads its record again: [`differences`] and [`changed_inputs`] say
//! whether it is the same run.

mod clock;
pub mod compare;
mod differences;
mod error;
mod eval_results;
mod event_file;
mod event_record;
mod hex;
mod input_file;
mod json;
mod metrics_history;
mod metrics_log;
mod predictions;
mod python_json;
mod run_record;
mod run_state;
mod tensorboard;
mod whole_appends;

pub use clock::seconds_of;
pub use differences::{Difference, differences};
pub use error::RecordError;
pub use eval_results::{read_eval_results, write_eval_results};
pub use input_file::{InputFile, changed_inputs};
pub use json::{Entries, write_json};
pub use metrics_history::{MetricsHistory, Series, UnreadableLines};
pub use metrics_log::MetricsLog;
pub use predictions::{
    EVERY_PROBABILITY_UP_TO, LIKELIEST, likeliest, write_glue_submission, write_json_lines,
    write_swag_predictions,
};
pub use python_json::{python_float, to_python_json};
pub use run_record::{RunRecord, RunStatus};
pub use run_state::{NewestIntact, RunStateStore};
pub use tensorboard::EventLog;
