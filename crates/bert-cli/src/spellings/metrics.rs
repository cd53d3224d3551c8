//! Names of the score by which `transformers` compares models, where it is the one that we compare them by.

use super::spelling::Verb;

/// The name of our score there, and what it is, for a command and its task.
pub(super) fn compared_by(verb: Verb, task: Option<&str>) -> (Option<&'static str>, &'static str) {
    let task = task.unwrap_or_default().to_lowercase().replace('-', "");
    match (verb, task.as_str()) {
        (Verb::Squad, _) => (Some("f1"), "F1"),
        (Verb::Swag, _) => (Some("accuracy"), "accuracy"),
        (Verb::Glue, "cola") => (Some("matthews_correlation"), "Matthews correlation"),
        (Verb::Glue, "mrpc" | "qqp") => (Some("combined_score"), "the mean of accuracy and F1"),
        (Verb::Glue, "stsb") => (Some("combined_score"), "the mean of the two correlations"),
        (Verb::Glue, "mnli") => (None, "the mean accuracy of both development sets"),
        (Verb::Glue, "csv" | "all") => (
            None,
            "the mean of the official scores, for a table macro F1 and accuracy",
        ),
        (Verb::Glue, _) => (Some("accuracy"), "accuracy"),
    }
}
