//! What classes count in the loss, from the settings and the training data.

use std::collections::BTreeMap;
use std::path::Path;

use bert_training::classification::{ClassLoss, Targets};
use tracing::info;

use super::GlueSettings;
use crate::TaskError;
use crate::classification::{Outputs, Training};

/// The weights by which all classes count alike.
pub(super) const BALANCED: &str = "balanced";
/// The most bytes of a file of weights that are read.
const LIMIT: u64 = 16 << 20;

/// The loss that the settings ask for.
///
/// # Errors
/// When they do not fit the task, or the file of the weights is bad.
pub(super) fn read(
    settings: &GlueSettings,
    training: Option<&Training>,
    outputs: &Outputs,
) -> Result<ClassLoss, TaskError> {
    let smoothing = settings.label_smoothing;
    if !(0.0..1.0).contains(&smoothing) {
        return Err(setting(
            "label_smoothing",
            smoothing.to_string(),
            "at least 0 and below 1",
        ));
    }
    let asked = match (&settings.class_weights, smoothing > 0.0) {
        (Some(_), _) => "class_weights",
        (None, true) => "label_smoothing",
        (None, false) => return Ok(ClassLoss::default()),
    };
    let Some(training) = training else {
        let found = "nothing to train on".to_owned();
        return Err(setting(asked, found, "training data"));
    };
    let (Outputs::Classes { names, .. }, Targets::Classes(gold)) = (outputs, &training.targets)
    else {
        let found = match outputs {
            Outputs::Labels(_) => "several labels a text",
            _ => "numbers to predict",
        };
        return Err(setting(asked, found.to_owned(), "classes"));
    };
    let weights = match (settings.weights_file(), &settings.class_weights) {
        (Some(path), _) => Some(of_file(path, names)?),
        (None, Some(_)) => Some(balanced(gold, names)?),
        (None, None) => None,
    };
    if let Some(weights) = &weights {
        let each = names.iter().zip(weights);
        let each: Vec<String> = each
            .map(|(name, weight)| format!("{name} {weight:.4}"))
            .collect();
        info!("class_weights: {}", each.join(", "));
    }
    Ok(ClassLoss {
        weights,
        label_smoothing: smoothing,
    })
}

fn setting(setting: &'static str, found: String, expected: &str) -> TaskError {
    TaskError::Setting {
        setting,
        found,
        expected: expected.to_owned(),
    }
}

/// Examples by classes times those of the class, inverted: `compute_class_weight("balanced")` of scikit-learn.
///
/// # Errors
/// When a class has no example.
fn balanced(gold: &[usize], names: &[String]) -> Result<Vec<f64>, TaskError> {
    let mut counts = vec![0_usize; names.len()];
    for class in gold {
        counts[*class] += 1;
    }
    if let Some(class) = counts.iter().position(|count| *count == 0) {
        let found = format!("no training example of {}", names[class]);
        return Err(setting("class_weights", found, "some of each class"));
    }
    let share = gold.len() as f64 / names.len() as f64;
    Ok(counts.iter().map(|count| share / *count as f64).collect())
}

/// The weights of a JSON object.
///
/// # Errors
/// When the file cannot be read, or does not have a number above 0 for each class and no other.
fn of_file(path: &Path, names: &[String]) -> Result<Vec<f64>, TaskError> {
    let bad = |found: String| TaskError::Files {
        path: path.to_owned(),
        found,
        expected: format!(
            "a JSON object with a number above 0 for each of {}",
            names.join(", ")
        ),
    };
    let bytes = bert_files::read(path, LIMIT)?;
    let mut stored: BTreeMap<String, f64> =
        serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    let weights = names.iter().map(|name| match stored.remove(name) {
        Some(weight) if weight > 0.0 && (weight as f32).is_finite() => Ok(weight),
        Some(weight) => Err(bad(format!("{weight} for {name}"))),
        None => Err(bad(format!("none for {name}"))),
    });
    let weights = weights.collect::<Result<Vec<f64>, TaskError>>()?;
    match stored.keys().next() {
        None => Ok(weights),
        Some(name) => Err(bad(format!("one for {name}"))),
    }
}
