//! A model's outputs for every example, batch by batch.

use std::ops::ControlFlow;

use bert_model::Precision;
use burn::tensor::{Tensor, Transaction};

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
    mut progress: impl FnMut(usize) -> ControlFlow<()>,
    mut run: impl FnMut(&[usize], &TokenBatch) -> Result<Vec<T>, TrainError>,
) -> Result<Vec<T>, TrainError> {
    let mut values: Vec<Option<T>> = lengths.iter().map(|_| None).collect();
    let mut done = 0;
    let batches = by_length(lengths, config.batch_size).into_iter();
    let batches = batches.map(|examples| {
        let longest = examples.iter().map(|e| lengths[*e]).max().unwrap_or(0);
        let batch = collate(&examples, config.padding.width(longest, limit));
        (examples, batch)
    });
    std::thread::scope(|scope| {
        for (examples, batch) in ahead(scope, batches) {
            for (example, value) in examples.iter().zip(run(&examples, &batch)?) {
                values[*example] = Some(value);
            }
            done += examples.len();
            if progress(done).is_break() {
                return Err(TrainError::Stopped {
                    done,
                    of: lengths.len(),
                });
            }
        }
        Ok(())
    })?;
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
