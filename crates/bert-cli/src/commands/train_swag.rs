//! `train-swag`: a checkpoint and four-way choices to a fine-tuned checkpoint, predictions and scores.

use std::marker::PhantomData;

use bert_model::heads::BertForMultipleChoice;

use super::answers::Outputs;
use super::classification::{Classification, Training};
use super::metrics::Metric;
use super::{checkpoint, swag_data, training};
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
    let (family, seconds) = training::timed(|| read(&settings))?;
    training::print(&training::run(&family, &settings, seconds)?)
}

fn read(
    settings: &Settings<SwagSettings>,
) -> anyhow::Result<Classification<BertForMultipleChoice>> {
    let Settings { run, own } = settings;
    let length = own.max_seq_length;
    let (mut config, tokenizer) = checkpoint::read(&run.bert_model, run.do_lower_case, length)?;
    if run.trains {
        config.clear_labels();
    }
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
            Some(Training {
                path: path.clone(),
                left_out: swag_data::left_out(path, &features),
                features,
                targets,
            })
        }
    };
    let mut evaluations = Vec::new();
    // Alone, a labelled test.csv is what is scored.
    let test = if own.eval_file.is_some() { "_test" } else { "" };
    let dev = own.eval_file.iter().map(|path| (path, "", false));
    let tests = own.test_file.iter().map(|path| (path, test, true));
    for (path, suffix, is_test) in dev.chain(tests) {
        let mut set = swag_data::eval_set(path, &tokenizer, length, suffix)?;
        set.is_test = is_test;
        evaluations.push(set);
    }
    if let (Some(path), Some(set)) = (&own.eval_file, evaluations.first())
        && set.targets.is_none()
    {
        bad_usage!(
            "{}: found no column label, expected it for scoring; predict-swag predicts without",
            path.display()
        );
    }
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
