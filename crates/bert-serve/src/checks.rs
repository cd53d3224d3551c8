//! What every protocol checks of texts before a model is asked about them.

use crate::{ServeConfig, refusals::ApiError};

/// Checks the number of questions or texts of a request.
pub(crate) fn counted(
    name: &'static str,
    found: usize,
    config: &ServeConfig,
) -> Result<(), ApiError> {
    if (1..=config.max_questions).contains(&found) {
        return Ok(());
    }
    Err(ApiError::unprocessable(
        "question_count",
        format!(
            "Found {found} {name}, expected 1 to {}.",
            config.max_questions
        ),
    ))
}

/// Checks a text that may not be blank.
pub(crate) fn within(name: &'static str, text: &str, limit: usize) -> Result<(), ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::unprocessable(
            "empty",
            format!("The {name} is empty."),
        ));
    }
    no_longer(name, text, limit)
}

/// Checks the length of a text.
pub(crate) fn no_longer(name: &'static str, text: &str, limit: usize) -> Result<(), ApiError> {
    let length = text.chars().count();
    if length > limit {
        return Err(ApiError::unprocessable(
            "too_long",
            format!("The {name} has {length} characters, expected {limit} at most."),
        ));
    }
    Ok(())
}
