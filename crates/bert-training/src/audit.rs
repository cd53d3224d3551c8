//! The check of a run's first step that every trainable tensor is trained.

use bert_model::parameters::ParameterInfo;

use crate::TrainError;

/// Fails when a parameter received no gradient, naming each.
///
/// # Errors
/// [`TrainError::NoGradient`].
pub fn every_parameter_has_a_gradient(
    parameters: &[ParameterInfo],
    has_gradient: impl Fn(&ParameterInfo) -> bool,
) -> Result<(), TrainError> {
    let names: Vec<String> = parameters
        .iter()
        .filter(|parameter| !has_gradient(parameter))
        .map(|parameter| parameter.name.clone())
        .collect();
    match names.is_empty() {
        true => Ok(()),
        false => Err(TrainError::NoGradient { names }),
    }
}
