//! The files of a run state besides those of a model, and the names in them.

/// Optimiser state.
pub(super) const OPTIMIZER: &str = "optimizer.safetensors";
/// Everything that is no tensor.
pub(super) const STATE: &str = "trainer_state.json";

/// Under PyTorch's names for Adam's state.
pub(super) fn first_moment(parameter: &str) -> String {
    format!("{parameter}.exp_avg")
}

/// Under PyTorch's names for Adam's state.
pub(super) fn second_moment(parameter: &str) -> String {
    format!("{parameter}.exp_avg_sq")
}

/// Weights that the next step goes on from, where a model's own are an average.
pub(super) fn last_weights(parameter: &str) -> String {
    format!("{parameter}.last")
}
