//! `train-glue`: a checkpoint and labelled texts to a fine-tuned checkpoint, predictions and scores, for one
//! task or all of them.

use std::collections::BTreeMap;
use std::io::Write;
use std::marker::PhantomData;
use std::path::Path;

use bert_model::BertConfig;
use bert_model::heads::BertForSequenceClassification;
use bert_report::write_json;
use bert_tokenization::BertTokenizer;
use serde_json::{Value, json};
use tracing::info;

use super::classification::{Classification, EvalSet, Metric, Outputs};
use super::glue_data::{self, Training};
use super::train_swag::print;
use super::training::{self, RunOutcome};
use super::{checkpoint, glue_labels, seeds};
use crate::args::{TaskArg, TrainGlueArgs, TrainTaskArg};
use crate::resolve::Settings;
use crate::resolve::glue::{GlueSettings, train_glue};

/// Trains, predicts and scores, as far as the files allow.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run(args: &TrainGlueArgs) -> anyhow::Result<()> {
    let settings = train_glue(args)?;
    if args.task != TrainTaskArg::All {
        return match settings.as_slice() {
            [settings] => print(&training::run(&read(settings)?, settings)?),
            _ => unreachable!("one task has one set of settings"),
        };
    }
    let mut tasks = Vec::new();
    for (n, settings) in settings.iter().enumerate() {
        let task = settings.own.task;
        info!("{task} ({} of the tasks found)", n + 1);
        let outcomes = training::run(&read(settings)?, settings)?;
        tasks.push((task.to_string(), outcomes));
    }
    if args.run.dry_run {
        return Ok(());
    }
    if let Some(dir) = settings.first().and_then(|s| s.run.output_dir.parent()) {
        write_summary(dir, &tasks)?;
    }
    print_tasks(&tasks)
}

/// Writes `glue_results.json`: every task's results by seed.
fn write_summary(dir: &Path, tasks: &[(String, Vec<RunOutcome>)]) -> anyhow::Result<()> {
    let of_runs = |outcomes: &[RunOutcome]| -> Value {
        let by_seed: BTreeMap<String, Value> = outcomes
            .iter()
            .map(|outcome| (outcome.seed.to_string(), json!(outcome.results)))
            .collect();
        json!(by_seed)
    };
    let by_task: BTreeMap<&str, Value> = tasks
        .iter()
        .map(|(task, outcomes)| (task.as_str(), of_runs(outcomes)))
        .collect();
    write_json(&dir.join("glue_results.json"), &by_task)?;
    Ok(())
}

/// Prints one line a task: its official scores, over the seeds where there are several.
fn print_tasks(tasks: &[(String, Vec<RunOutcome>)]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for (task, outcomes) in tasks {
        write!(out, "{task:<6}")?;
        let scores = outcomes.first().map_or(&[][..], |o| o.table.last());
        for (n, score) in scores.iter().enumerate() {
            let value = seeds::summary_cell(outcomes, n);
            write!(out, "  {:>10} {value:<14}", score.name)?;
        }
        let degenerate = outcomes
            .iter()
            .filter_map(|o| o.degenerate.as_ref())
            .count();
        if degenerate > 0 {
            write!(out, "  {degenerate} of {} runs degenerate", outcomes.len())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn read(
    settings: &Settings<GlueSettings>,
) -> anyhow::Result<Classification<BertForSequenceClassification>> {
    let Settings { run, own } = settings;
    let dir = &run.bert_model;
    let length = own.max_seq_length;
    let (mut config, tokenizer) = checkpoint::read(dir, run.do_lower_case, length)?;
    let inputs = Inputs {
        config: &config,
        tokenizer: &tokenizer,
        settings,
    };
    let (training, outputs) = match own.files.train.as_deref() {
        Some(path) => {
            let (training, outputs) = inputs.training(path)?;
            (Some(training), outputs)
        }
        None => (None, inputs.outputs_of_the_checkpoint()?),
    };
    let evaluations = inputs.evaluations(&outputs)?;
    let labels = outputs.label_list();
    let other_labels = labels.as_ref() != Some(&config.label_list());
    if training.is_some()
        && let Some(labels) = labels
    {
        config.set_label_list(&labels);
        config.set_finetuning_task(&own.task.to_string());
    }
    Ok(Classification {
        config,
        tokenizer,
        training,
        evaluations,
        outputs,
        metric: metric(own.task),
        other_labels,
        eval_batch_size: own.eval_batch_size,
        model: PhantomData,
    })
}

/// A task's official metrics.
pub(crate) fn metric(task: TaskArg) -> Metric {
    match task {
        TaskArg::Glue(task) => glue_data::metric(task),
        TaskArg::Csv => Metric::MacroF1AndAccuracy,
    }
}

/// What data files are read with.
struct Inputs<'a> {
    config: &'a BertConfig,
    tokenizer: &'a BertTokenizer,
    settings: &'a Settings<GlueSettings>,
}

impl Inputs<'_> {
    fn training(&self, path: &Path) -> anyhow::Result<(Training, Outputs)> {
        let Settings { run, own } = self.settings;
        let (length, most) = (own.max_seq_length, run.max_train_examples);
        let (features, targets, outputs) = match own.task {
            TaskArg::Glue(task) => {
                let (dataset, features) =
                    glue_data::read(task, path, self.tokenizer, length, most)?;
                let targets = glue_data::targets(&dataset);
                (features, targets, glue_labels::of_task(task))
            }
            TaskArg::Csv => {
                let (table, features) = glue_data::read_own(path, self.tokenizer, length, most)?;
                let names = table.labels();
                glue_data::check_classes(path, &names)?;
                let targets = glue_data::table_targets(path, &table, &names)?;
                (features, targets, glue_labels::in_order(names))
            }
        };
        let Some(targets) = targets else {
            return glue_data::no_labels(path);
        };
        Ok(((path.to_owned(), features, targets), outputs))
    }

    fn outputs_of_the_checkpoint(&self) -> anyhow::Result<Outputs> {
        outputs_of_checkpoint(
            self.config,
            self.settings.own.task,
            &self.settings.run.bert_model,
        )
    }

    fn evaluations(&self, outputs: &Outputs) -> anyhow::Result<Vec<EvalSet>> {
        let own = &self.settings.own;
        let files = own.files.dev.iter().chain(&own.files.test);
        let read = |path| eval_set(own.task, path, self.tokenizer, own.max_seq_length, outputs);
        files.map(|path| read(path)).collect()
    }
}

/// What a trained checkpoint's outputs mean for a task.
///
/// # Errors
/// When they are not the task's.
pub(crate) fn outputs_of_checkpoint(
    config: &BertConfig,
    task: TaskArg,
    model: &Path,
) -> anyhow::Result<Outputs> {
    let path = model.join("config.json");
    config.check_problem_type(&path)?;
    let labels = config.label_list();
    match (task, labels) {
        (TaskArg::Glue(task), labels) => {
            glue_labels::of_checkpoint(task, &labels, &path.display().to_string())
        }
        (TaskArg::Csv, bert_model::LabelList::Classes(names)) => Ok(glue_labels::in_order(names)),
        (TaskArg::Csv, bert_model::LabelList::Score) => crate::exit::bad_usage!(
            "{}: found a model of one score, expected classes, as a table's labels are",
            path.display()
        ),
    }
}

/// A file that is predicted.
///
/// # Errors
/// When it is bad or has labels that the model does not know.
pub(crate) fn eval_set(
    task: TaskArg,
    path: &Path,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
    outputs: &Outputs,
) -> anyhow::Result<EvalSet> {
    match (task, outputs) {
        (TaskArg::Glue(task), _) => glue_data::eval_set(task, path, tokenizer, max_seq_length),
        (TaskArg::Csv, Outputs::Classes { names, .. }) => {
            glue_data::own_eval_set(path, tokenizer, max_seq_length, names)
        }
        (TaskArg::Csv, _) => glue_data::own_eval_set(path, tokenizer, max_seq_length, &[]),
    }
}
