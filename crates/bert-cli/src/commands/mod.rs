//! One file a command, and what the commands share.

pub(crate) mod ask;
pub(crate) mod bench_train;
pub(crate) mod choose;
pub(crate) mod classify;
pub(crate) mod completions;
pub(crate) mod docs_flags;
pub(crate) mod download;
pub(crate) mod evaluate_squad;
mod features;
pub(crate) mod features_glue;
pub(crate) mod features_squad;
pub(crate) mod features_swag;
mod inference;
pub(crate) mod info;
pub(crate) mod predict_glue;
pub(crate) mod predict_squad;
pub(crate) mod predict_swag;
mod prediction;
pub(crate) mod recipes;
pub(crate) mod report;
mod results;
pub(crate) mod serve;
mod texts;
pub(crate) mod train_glue;
pub(crate) mod train_squad;
pub(crate) mod train_swag;
