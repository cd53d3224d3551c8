//! A model's outputs for every example, batch by batch.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use bert_model::Precision;
use burn::tensor::{Tensor, Transaction};
use rayon::prelude::*;

use crate::TrainError;
use crate::ahead::ahead;
use crate::batches::{Padding, by_length};
use crate::token_batch::TokenBatch;

/// How examples are scored.
#[derive(Debug, Clone, Copy)]
pub struct ScoreConfig {
    /// Examples in a batch.
    pub batch_size: usize,
    /// How wide a batch is made.
    pub padding: Padding,
    /// Id of `[PAD]`.
    pub pad_token_id: usize,
    /// The arithmetic of products.
    pub precision: Precision,
    /// Batches that are computed at once. On a processor as many as it has threads: each then goes through the whole
    /// model without waiting for the others after every operation. On a device 1.
    pub concurrent: usize,
}

/// Runs a model over batches of examples, longest first, and returns one value an example, in example order.
/// `lengths` are those of each example's longest row, `limit` that of any; `collate` makes a batch of a width, on a
/// thread of its own, and `run` gives one value for each of its examples; `progress` is told the number of examples
/// done, and may end the work.
pub(crate) fn score_batches<T>(
    lengths: &[usize],
    limit: usize,
    config: &ScoreConfig,
    collate: impl Fn(&[usize], usize) -> TokenBatch + Sync,
    progress: impl FnMut(usize) -> ControlFlow<()> + Send,
    run: impl Fn(&[usize], &TokenBatch) -> Result<Vec<T>, TrainError> + Sync,
) -> Result<Vec<T>, TrainError>
where
    T: Send,
{
    let mut values: Vec<Option<T>> = lengths.iter().map(|_| None).collect();
    // No thread is without work while there are examples enough.
    let share = lengths.len().div_ceil(config.concurrent.max(1)).max(1);
    let batches = by_length(lengths, config.batch_size.min(share));
    let collate = |examples: &[usize]| {
        let longest = examples.iter().map(|e| lengths[*e]).max().unwrap_or(0);
        collate(examples, config.padding.width(longest, limit))
    };
    let progress = Mutex::new((0, progress));
    let tell = |examples: usize| {
        // A progress bar that panicked has nothing to say.
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, progress) = &mut *progress;
        *done += examples;
        match progress(*done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(TrainError::Stopped {
                done: *done,
                of: lengths.len(),
            }),
        }
    };
    if config.concurrent > 1 && batches.len() > 1 {
        let computed = batches.par_iter().with_max_len(1).map(|examples| {
            let outputs = run(examples, &collate(examples))?;
            tell(examples.len())?;
            Ok((examples, outputs))
        });
        for (examples, outputs) in computed.collect::<Result<Vec<_>, TrainError>>()? {
            for (example, value) in examples.iter().zip(outputs) {
                values[*example] = Some(value);
            }
        }
    } else {
        let batches = batches.into_iter().map(|examples| {
            let batch = collate(&examples);
            (examples, batch)
        });
        std::thread::scope(|scope| {
            for (examples, batch) in ahead(scope, batches) {
                for (example, value) in examples.iter().zip(run(&examples, &batch)?) {
                    values[*example] = Some(value);
                }
                tell(examples.len())?;
            }
            Ok::<(), TrainError>(())
        })?;
    }
    let values = values.into_iter();
    Ok(values
        .map(|value| value.expect("every example is in one batch"))
        .collect())
}

/// Reads tensors from the device in one transaction, each row-major.
pub(crate) fn read<const N: usize>(tensors: [Tensor<2>; N]) -> Result<[Vec<f32>; N], TrainError> {
    let mut transaction = Transaction::default();
    for tensor in tensors {
        transaction = transaction.register(tensor);
    }
    let read = transaction
        .try_execute()
        .map_err(|error| TrainError::device(error.to_string()))?;
    let values = read
        .into_iter()
        .map(|data| {
            data.try_into_vec::<f32>()
                .map_err(|error| TrainError::device(format!("{error:?}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(values
        .try_into()
        .expect("a transaction returns what was registered"))
}
