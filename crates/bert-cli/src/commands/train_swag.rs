//! `train-swag`: a checkpoint and four-way choices to a fine-tuned checkpoint, predictions and scores.

use std::marker::PhantomData;

use bert_model::heads::BertForMultipleChoice;

use super::classification::{Classification, Metric, Outputs};
use super::scores::print_results;
use super::training::{self, RunOutcome};
use super::{checkpoint, seeds, swag_data};
use crate::args::TrainSwagArgs;
use crate::exit::bad_usage;
use crate::resolve::Settings;
use crate::resolve::swag::{SwagSettings, train_swag};

/// Trains, predicts and scores, as far as the files allow.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run(args: &TrainSwagArgs) -> anyhow::Result<()> {
    let settings = train_swag(args)?;
    let family = read(&settings)?;
    print(&training::run(&family, &settings)?)
}

/// Prints what a family of whole examples came to: every result of one run, or a table of several.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn print(outcomes: &[RunOutcome]) -> anyhow::Result<()> {
    let [outcome] = outcomes else {
        return Ok(seeds::print(outcomes)?);
    };
    if outcome.table.len() > 1 {
        outcome.table.print()?;
    }
    print_results(&outcome.results)
}

fn read(
    settings: &Settings<SwagSettings>,
) -> anyhow::Result<Classification<BertForMultipleChoice>> {
    let Settings { run, own } = settings;
    let length = own.max_seq_length;
    let (config, tokenizer) = checkpoint::read(&run.bert_model, run.do_lower_case, length)?;
    let training = match &own.train_file {
        None => None,
        Some(path) => {
            let most = run.max_train_examples;
            let (dataset, features) = swag_data::read(path, &tokenizer, length, most)?;
            let Some(targets) = swag_data::targets(&dataset) else {
                bad_usage!(
                    "{}: found no column label, expected it for training",
                    path.display()
                );
            };
            Some((path.clone(), features, targets))
        }
    };
    let evaluations = own.eval_file.iter().chain(&own.test_file);
    let evaluations = evaluations
        .map(|path| swag_data::eval_set(path, &tokenizer, length))
        .collect::<anyhow::Result<_>>()?;
    Ok(Classification {
        config,
        tokenizer,
        training,
        evaluations,
        outputs: Outputs::Choices,
        metric: Metric::Accuracy,
        other_labels: false,
        eval_batch_size: own.eval_batch_size,
        model: PhantomData,
    })
}
