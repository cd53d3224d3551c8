//! One file a command, and what the commands share.

mod answers;
mod checkpoint;
mod classification;
pub(crate) mod evaluate_squad;
mod features;
pub(crate) mod features_glue;
pub(crate) mod features_squad;
pub(crate) mod features_swag;
mod glue_data;
mod glue_labels;
mod metrics;
pub(crate) mod predict_glue;
pub(crate) mod predict_squad;
pub(crate) mod predict_swag;
mod prediction;
mod scores;
mod seeds;
mod squad_data;
mod squad_results;
mod swag_data;
pub(crate) mod train_glue;
pub(crate) mod train_squad;
pub(crate) mod train_swag;
mod training;
