//! A model's outputs for every example, batch by batch.

use std::ops::ControlFlow;

use burn::tensor::{Tensor, Transaction};

use crate::TrainError;
use crate::batches::{Padding, by_length};

/// How examples are scored.
#[derive(Debug, Clone, Copy)]
pub struct ScoreConfig {
    /// Examples in a batch.
    pub batch_size: usize,
    /// How wide a batch is made.
    pub padding: Padding,
    /// Id of `[PAD]`.
    pub pad_token_id: usize,
}

/// Hands batches of examples, longest first, with their width to `run`, which gives one value an example, and
/// returns the values in example order. `lengths` are those of each example's longest row, `limit` that of any;
/// `progress` is told the number of examples done, and may end the work.
pub(crate) fn score_batches<T>(
    lengths: &[usize],
    limit: usize,
    config: &ScoreConfig,
    mut progress: impl FnMut(usize) -> ControlFlow<()>,
    mut run: impl FnMut(&[usize], usize) -> Result<Vec<T>, TrainError>,
) -> Result<Vec<T>, TrainError> {
    let mut values: Vec<Option<T>> = lengths.iter().map(|_| None).collect();
    let mut done = 0;
    for examples in by_length(lengths, config.batch_size) {
        let longest = examples.iter().map(|e| lengths[*e]).max().unwrap_or(0);
        let width = config.padding.width(longest, limit);
        for (example, value) in examples.iter().zip(run(&examples, width)?) {
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
        .map_err(|error| TrainError::Device(error.to_string()))?;
    let values = read
        .into_iter()
        .map(|data| {
            data.try_into_vec::<f32>()
                .map_err(|error| TrainError::Device(format!("{error:?}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(values
        .try_into()
        .expect("a transaction returns what was registered"))
}
