//! A task's labels beside those that a checkpoint names.

use std::path::Path;

use bert_datasets::glue::GlueTask;
use bert_model::{BertConfig, LabelList};
use tracing::warn;

use super::TextTask;
use crate::TaskError;
use crate::classification::Outputs;

/// What `transformers` and its datasets call the classes of the tasks whose files have numbers, in the
/// numbers' order.
fn other_names(task: GlueTask) -> &'static [&'static str] {
    match task {
        GlueTask::Cola => &["unacceptable", "acceptable"],
        GlueTask::Sst2 => &["negative", "positive"],
        GlueTask::Mrpc => &["not_equivalent", "equivalent"],
        GlueTask::Qqp => &["not_duplicate", "duplicate"],
        GlueTask::Wnli => &["not_entailment", "entailment"],
        GlueTask::StsB | GlueTask::Mnli | GlueTask::Qnli | GlueTask::Rte => &[],
    }
}

/// The outputs of a model that is trained on a task: the labels as the task's files write them.
pub fn of_task(task: GlueTask) -> Outputs {
    match task.is_regression() {
        true => Outputs::Score,
        false => in_order(task.labels().iter().map(|&label| label.into()).collect()),
    }
}

/// Classes that are a model's outputs in their own order.
pub fn in_order(names: Vec<String>) -> Outputs {
    Outputs::Classes {
        model_output: (0..names.len()).collect(),
        names,
    }
}

/// The task that a checkpoint says it was fine-tuned on, where that is another than `task`. Labels alone do not
/// tell: five tasks have `0` and `1`.
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
        (TextTask::Csv, LabelList::Score) => Err(other(
            &path,
            "a model of one score".to_owned(),
            "classes, as a table's labels are".to_owned(),
        )),
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
fn of_checkpoint(task: GlueTask, labels: &LabelList, model: &Path) -> Result<Outputs, TaskError> {
    let found = match (task.is_regression(), labels) {
        (true, LabelList::Score) => return Ok(Outputs::Score),
        (true, LabelList::Classes(found)) => {
            let found = format!("the classes {}", found.join(", "));
            return Err(other(model, found, format!("one score, as {task} has")));
        }
        (false, LabelList::Score) => {
            let expected = format!("the classes of {task}: {}", task.labels().join(", "));
            return Err(other(model, "a model of one score".to_owned(), expected));
        }
        (false, LabelList::Classes(found)) => found,
    };
    for names in [task.labels(), other_names(task)] {
        if let Some(model_output) = permutation(names, found) {
            let names = task.labels().iter().map(|&name| name.into()).collect();
            return Ok(Outputs::Classes {
                names,
                model_output,
            });
        }
    }
    let unnamed = found
        .iter()
        .enumerate()
        .all(|(id, name)| *name == format!("LABEL_{id}"));
    let same_number = found.len() == task.labels().len();
    // The files of MNLI write words, and its scripts have numbered them in different ways.
    if unnamed && same_number && task != GlueTask::Mnli {
        return Ok(of_task(task));
    }
    let hint = if unnamed && same_number {
        "; predict-glue's `labels` says what they mean, in this order"
    } else {
        ""
    };
    Err(other(
        model,
        format!("the labels {}", found.join(", ")),
        format!("those of {task}: {}{hint}", task.labels().join(", ")),
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
    let LabelList::Classes(own) = config.label_list() else {
        return Err(bad_labels(
            "a checkpoint of one score".to_owned(),
            "one of classes".to_owned(),
        ));
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
    config.set_label_list(&LabelList::Classes(names.to_vec()));
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

    fn outputs(task: GlueTask, names: &[&str]) -> Result<Vec<usize>, String> {
        let labels = match names {
            [_] => LabelList::Score,
            _ => LabelList::Classes(names.iter().map(|&name| name.into()).collect()),
        };
        match of_checkpoint(task, &labels, Path::new("m")) {
            Ok(Outputs::Classes { model_output, .. }) => Ok(model_output),
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn labels_are_found_by_name_in_any_order() {
        let cases: [(GlueTask, &[&str], &[usize]); 7] = [
            (GlueTask::Rte, &["entailment", "not_entailment"], &[0, 1]),
            (GlueTask::Rte, &["NOT_ENTAILMENT", "ENTAILMENT"], &[1, 0]),
            (GlueTask::Rte, &["LABEL_0", "LABEL_1"], &[0, 1]),
            (GlueTask::Mrpc, &["not_equivalent", "equivalent"], &[0, 1]),
            (GlueTask::Sst2, &["POSITIVE", "NEGATIVE"], &[1, 0]),
            (
                GlueTask::Mnli,
                &["entailment", "neutral", "contradiction"],
                &[2, 0, 1],
            ),
            (GlueTask::StsB, &["LABEL_0"], &[]),
        ];
        for (task, names, expected) in cases {
            assert_eq!(outputs(task, names).unwrap(), expected, "{task} {names:?}");
        }
    }

    #[test]
    fn labels_that_are_not_the_task_s_are_refused() {
        let cases: [(GlueTask, &[&str], &str); 4] = [
            (
                GlueTask::Mnli,
                &["LABEL_0", "LABEL_1", "LABEL_2"],
                "predict-glue's `labels` says what they mean",
            ),
            (
                GlueTask::Mnli,
                &["entailment", "not_entailment"],
                "expected those of mnli: contradiction, entailment, neutral",
            ),
            (GlueTask::StsB, &["0", "1"], "expected one score"),
            (GlueTask::Rte, &["LABEL_0"], "found a model of one score"),
        ];
        for (task, names, expected) in cases {
            let message = outputs(task, names).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
