//! One file a command, and what the SQuAD commands share.

pub(crate) mod evaluate_squad;
pub(crate) mod features_squad;
pub(crate) mod predict_squad;
mod squad_data;
mod squad_results;
pub(crate) mod train_squad;
