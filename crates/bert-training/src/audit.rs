//! The check of a run's first step that every trainable tensor is trained.

use std::collections::{HashMap, HashSet};

use bert_model::parameters::ParameterInfo;
use burn::module::ParamId;

use crate::TrainError;

/// Fails when a parameter is not among those that received a gradient, naming each.
///
/// # Errors
/// [`TrainError::NoGradient`].
pub(crate) fn every_parameter_has_a_gradient(
    parameters: &HashMap<ParamId, ParameterInfo>,
    with_gradient: &HashSet<ParamId>,
) -> Result<(), TrainError> {
    let without = parameters
        .iter()
        .filter(|(id, _)| !with_gradient.contains(id));
    let mut names: Vec<String> = without.map(|(_, info)| info.name.clone()).collect();
    if names.is_empty() {
        return Ok(());
    }
    names.sort_unstable();
    Err(TrainError::NoGradient { names })
}
