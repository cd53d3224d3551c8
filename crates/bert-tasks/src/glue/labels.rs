//! A task's labels beside those that a checkpoint names.

use std::path::Path;

use bert_datasets::glue::GlueTask;
use bert_files::cut;
use bert_model::{BertConfig, LabelList};
use tracing::warn;

use super::TextTask;
use crate::TaskError;
use crate::classification::Outputs;

/// The outputs of a model that is trained on a task.
pub fn of_task(task: &GlueTask) -> Outputs {
    if task.is_regression() {
        return Outputs::Score;
    }
    classes(task, (0..task.labels.len()).collect())
}

/// A task's classes, each with the output of the model that stands for it.
fn classes(task: &GlueTask, model_output: Vec<usize>) -> Outputs {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Outputs::Classes {
        names: owned(task.labels),
        config_names: owned(task.label_names),
        model_output,
    }
}

/// Classes that are a model's outputs in their own order.
pub fn in_order(names: Vec<String>) -> Outputs {
    Outputs::Classes {
        model_output: (0..names.len()).collect(),
        config_names: names.clone(),
        names,
    }
}

/// The task that a checkpoint says it was fine-tuned on, where that is another than `task`. Labels alone do not tell:
/// several tasks have the same.
pub fn other_task(config: &BertConfig, task: TextTask) -> Option<TextTask> {
    let own = config.finetuning_task()?.parse().ok()?;
    (own != task).then_some(own)
}

/// What a trained checkpoint's outputs mean for a task; `model` is its folder.
///
/// # Errors
/// When they are not the task's.
pub fn of_model(config: &BertConfig, task: TextTask, model: &Path) -> Result<Outputs, TaskError> {
    let path = model.join("config.json");
    config.check_problem_type(&path)?;
    if let Some(own) = other_task(config, task) {
        warn!(
            "{}: the checkpoint was fine-tuned on {own}; its predictions are read as those of {task}",
            path.display()
        );
    }
    match (task, config.label_list()) {
        (TextTask::Glue(task), labels) => of_checkpoint(task, &labels, &path),
        (TextTask::Csv, LabelList::Classes(names)) => Ok(in_order(names)),
        (TextTask::Csv, LabelList::Labels(names)) => Ok(Outputs::Labels(names)),
        (TextTask::Csv, LabelList::Score) => Ok(Outputs::Score),
    }
}

fn other(path: &Path, found: String, expected: String) -> TaskError {
    TaskError::OtherOutputs {
        path: path.to_owned(),
        found,
        expected,
    }
}

/// Finds each of a task's labels among a trained checkpoint's, whatever their order; `model` names the
/// checkpoint in errors.
///
/// # Errors
/// When the checkpoint is for another kind of task, has other labels, or does not say which is which.
fn of_checkpoint(task: &GlueTask, labels: &LabelList, model: &Path) -> Result<Outputs, TaskError> {
    let found = match (task.is_regression(), labels) {
        (true, LabelList::Score) => return Ok(Outputs::Score),
        (true, LabelList::Classes(found)) => {
            let found = format!("the classes {}", cut(&found.join(", ")));
            return Err(other(model, found, format!("one score, as {task} has")));
        }
        (false, LabelList::Score) => {
            let expected = format!("the classes of {task}: {}", task.labels.join(", "));
            return Err(other(model, "a model of one score".to_owned(), expected));
        }
        (_, LabelList::Labels(found)) => {
            let found = format!(
                "a model of several labels a text: {}",
                cut(&found.join(", "))
            );
            return Err(other(model, found, format!("one answer, as {task} has")));
        }
        (false, LabelList::Classes(found)) => found,
    };
    for names in [task.label_names, task.labels] {
        if let Some(model_output) = permutation(names, found) {
            return Ok(classes(task, model_output));
        }
    }
    let unnamed = found
        .iter()
        .enumerate()
        .all(|(id, name)| *name == format!("LABEL_{id}"));
    let same_number = found.len() == task.labels.len();
    if unnamed && same_number && task.unnamed_labels_are_in_order {
        return Ok(of_task(task));
    }
    let hint = if unnamed && same_number {
        "; predict-glue's `labels` says what they mean, in this order"
    } else {
        ""
    };
    Err(other(
        model,
        format!("the labels {}", cut(&found.join(", "))),
        format!("those of {task}: {}{hint}", task.labels.join(", ")),
    ))
}

/// For each of `names` its place in `found`, upper and lower case being the same; `None` where the two are
/// not the same names.
fn permutation(names: &[&str], found: &[String]) -> Option<Vec<usize>> {
    if names.len() != found.len() {
        return None;
    }
    let places = names.iter().map(|name| {
        let is_it = |other: &String| other.eq_ignore_ascii_case(name);
        found.iter().position(is_it)
    });
    places.collect()
}

/// Names the classes of a checkpoint that does not name them.
///
/// # Errors
/// When it names them otherwise, or the names do not fit its classes.
pub fn rename(config: &mut BertConfig, names: &[String]) -> Result<(), TaskError> {
    let (own, list): (_, fn(Vec<String>) -> LabelList) = match config.label_list() {
        LabelList::Classes(own) => (own, LabelList::Classes),
        LabelList::Labels(own) => (own, LabelList::Labels),
        LabelList::Score => {
            return Err(bad_labels(
                "a checkpoint of one score".to_owned(),
                "one of classes".to_owned(),
            ));
        }
    };
    let is_unnamed = |(id, name): (usize, &String)| *name == format!("LABEL_{id}");
    if own != names && !own.iter().enumerate().all(is_unnamed) {
        return Err(bad_labels(
            names.join(", "),
            format!("none, or config.json's {}", own.join(", ")),
        ));
    }
    if own.len() != names.len() {
        return Err(bad_labels(
            format!("{} names", names.len()),
            format!("one for each of the checkpoint's {} classes", own.len()),
        ));
    }
    for (n, name) in names.iter().enumerate() {
        if name.is_empty() || names[..n].contains(name) {
            return Err(bad_labels(
                format!("{name:?} as name {}", n + 1),
                "a name of its own for each class".to_owned(),
            ));
        }
    }
    config.set_label_list(&list(names.to_vec()));
    Ok(())
}

fn bad_labels(found: String, expected: String) -> TaskError {
    TaskError::Setting {
        setting: "labels",
        found,
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(task: &str, names: &[&str]) -> Result<Vec<usize>, String> {
        let labels = match names {
            [_] => LabelList::Score,
            _ => LabelList::Classes(names.iter().map(|&name| name.into()).collect()),
        };
        match of_checkpoint(task.parse().unwrap(), &labels, Path::new("m")) {
            Ok(Outputs::Classes { model_output, .. }) => Ok(model_output),
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn labels_are_found_by_name_in_any_order() {
        let cases: [(&str, &[&str], &[usize]); 10] = [
            ("rte", &["entailment", "not_entailment"], &[0, 1]),
            ("rte", &["NOT_ENTAILMENT", "ENTAILMENT"], &[1, 0]),
            ("rte", &["LABEL_0", "LABEL_1"], &[0, 1]),
            ("mrpc", &["not_equivalent", "equivalent"], &[0, 1]),
            ("mrpc", &["equivalent", "not_equivalent"], &[1, 0]),
            // As earlier versions of this program wrote them.
            ("mrpc", &["0", "1"], &[0, 1]),
            ("mrpc", &["1", "0"], &[1, 0]),
            ("sst-2", &["POSITIVE", "NEGATIVE"], &[1, 0]),
            (
                "mnli",
                &["entailment", "neutral", "contradiction"],
                &[2, 0, 1],
            ),
            ("sts-b", &["LABEL_0"], &[]),
        ];
        for (task, names, expected) in cases {
            assert_eq!(outputs(task, names).unwrap(), expected, "{task} {names:?}");
        }
    }

    #[test]
    fn a_configuration_gets_the_names_of_transformers_and_files_keep_theirs() {
        let outputs = of_task("mrpc".parse().unwrap());
        let list = |names: [&str; 2]| LabelList::Classes(names.map(str::to_owned).to_vec());
        let written = list(["not_equivalent", "equivalent"]);
        assert_eq!(outputs.label_list(), Some(written.clone()));
        let Outputs::Classes { names, .. } = &outputs else {
            panic!("classes are expected");
        };
        assert_eq!(names, &["0", "1"]);
        // A checkpoint of either naming is trained further with its head, one of another order is not.
        assert!(outputs.are_those_of(&written));
        assert!(outputs.are_those_of(&list(["0", "1"])));
        for other in [list(["1", "0"]), list(["equivalent", "not_equivalent"])] {
            assert!(!outputs.are_those_of(&other), "{other:?}");
        }
        assert!(!outputs.are_those_of(&LabelList::Score));
        assert!(of_task("sts-b".parse().unwrap()).are_those_of(&LabelList::Score));
    }

    #[test]
    fn labels_that_are_not_the_task_s_are_refused() {
        let cases: [(&str, &[&str], &str); 4] = [
            (
                "mnli",
                &["LABEL_0", "LABEL_1", "LABEL_2"],
                "predict-glue's `labels` says what they mean",
            ),
            (
                "mnli",
                &["entailment", "not_entailment"],
                "expected those of mnli: contradiction, entailment, neutral",
            ),
            ("sts-b", &["0", "1"], "expected one score"),
            ("rte", &["LABEL_0"], "found a model of one score"),
        ];
        for (task, names, expected) in cases {
            let message = outputs(task, names).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
