//! A model's outputs for every window or example, batch by batch.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use bert_features::batch::{TokenBatch, ahead, by_length};
use bert_features::pair::SequenceFeatures;
use bert_features::squad::SquadFeatures;
use bert_model::heads::{BertForQuestionAnswering, ExampleModel, TaskModel};
use bert_model::{BertInput, DeviceError, Encoder, LargestTensor, PaddedRows, Pass, device_fault};
use bert_prediction::squad::WindowLogits;
use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

use crate::{Collective, InferenceConfig, InferenceError, together};

/// Runs the model over every window, the longest first, and returns the logits in window order; `progress` is told the
/// number of windows done, and may end the work. Several processes share the batches, and each returns all logits.
///
/// # Errors
/// [`InferenceError::Setting`] when a setting is out of its range, [`InferenceError::Device`] when the device fails,
/// [`InferenceError::Stopped`] when `progress` ends the work in any process, [`InferenceError::Elsewhere`] when another
/// process fails.
pub fn score_windows(
    model: &BertForQuestionAnswering,
    features: &SquadFeatures,
    config: &InferenceConfig,
    device: &Device,
    collective: &dyn Collective,
    progress: impl FnMut(usize) -> ControlFlow<()> + Send,
) -> Result<Vec<WindowLogits>, InferenceError> {
    let lengths: Vec<usize> = (0..features.windows.len())
        .map(|window| features.len_of(window))
        .collect();
    let examples = Examples {
        lengths: &lengths,
        limit: features.config.max_seq_length,
        largest: &|windows, width| model.encoder().largest_activation(windows, width),
    };
    let pad_token_id = model.encoder().pad_token_id();
    let collate = |windows: &[usize], width| features.batch(windows, width, pad_token_id);
    let pass = Pass::evaluation(config.precision);
    let run = |windows: &[usize], batch: &TokenBatch| {
        let width = batch.width();
        let logits = model.forward(&to_device(batch, device), pass);
        let numbers = read(logits.0)?; // [windows, width, 2]
        let rows = windows.iter().enumerate().map(|(row, window)| {
            let first = 2 * row * width;
            numbers[first..first + 2 * lengths[*window]].to_vec()
        });
        Ok(rows.collect())
    };
    let numbers = score_batches(examples, config, collective, collate, progress, run)?;
    let logits = numbers.iter().map(|numbers| {
        let (pairs, _) = numbers.as_chunks();
        let (start, end) = pairs.iter().map(|[start, end]| (*start, *end)).unzip();
        WindowLogits { start, end }
    });
    Ok(logits.collect())
}

/// Runs the model over every example, the longest first, and returns each one's logits in example order; `progress` is
/// told the number of examples done, and may end the work.
///
/// # Errors
/// Those of [`score_windows`].
pub fn score_examples<M: ExampleModel + Sync>(
    model: &M,
    features: &SequenceFeatures,
    config: &InferenceConfig,
    device: &Device,
    collective: &dyn Collective,
    progress: impl FnMut(usize) -> ControlFlow<()> + Send,
) -> Result<Vec<Vec<f32>>, InferenceError> {
    let lengths: Vec<usize> = (0..features.len())
        .map(|example| features.longest_row(example))
        .collect();
    let rows = features.rows_per_example;
    let examples = Examples {
        lengths: &lengths,
        limit: features.max_seq_length,
        largest: &|examples, width| model.encoder().largest_activation(examples * rows, width),
    };
    let pad_token_id = model.encoder().pad_token_id();
    let collate = |examples: &[usize], width| features.batch(examples, width, pad_token_id);
    let pass = Pass::evaluation(config.precision);
    let run = |_: &[usize], batch: &TokenBatch| {
        let logits = model.logits(&to_device(batch, device), rows, pass);
        let [_, outputs] = logits.dims();
        let values = read(logits)?;
        Ok(values.chunks_exact(outputs).map(<[f32]>::to_vec).collect())
    };
    score_batches(examples, config, collective, collate, progress, run)
}

fn to_device(batch: &TokenBatch, device: &Device) -> BertInput {
    let rows = PaddedRows {
        width: batch.width(),
        lengths: batch.lengths(),
        input_ids: batch.input_ids(),
        token_type_ids: batch.token_type_ids(),
    };
    BertInput::from_rows(&rows, device)
}

/// How large the examples are that are scored.
struct Examples<'a> {
    /// Tokens of each example's longest row.
    lengths: &'a [usize],
    /// Tokens that no row exceeds.
    limit: usize,
    /// The largest tensor that is computed from so many examples of a width.
    largest: &'a (dyn Fn(usize, usize) -> LargestTensor + Sync),
}

impl Examples<'_> {
    /// Examples of a batch: as many as asked for, or fewer where the device does not hold a tensor of that many.
    fn batch_size(&self, config: &InferenceConfig) -> Result<usize, InferenceError> {
        let (Some(allowed), Some(longest)) = (config.largest_buffer, self.lengths.iter().max())
        else {
            return Ok(config.batch_size);
        };
        let width = config.padding.width(*longest, self.limit);
        let one = (self.largest)(1, width);
        let fitting = usize::try_from(allowed / one.bytes.max(1)).unwrap_or(usize::MAX);
        one.check(Some(allowed), || {
            "a smaller `max_seq_length` makes it smaller".to_owned()
        })?;
        Ok(config.batch_size.min(fitting))
    }
}

/// Runs a model over batches of examples and returns the numbers of each example, in example order. `collate` makes a
/// batch of a width, on another thread, and `run` gives the numbers of each example of a batch. Several processes take
/// the batches of one in turn.
fn score_batches(
    examples: Examples<'_>,
    config: &InferenceConfig,
    collective: &dyn Collective,
    collate: impl Fn(&[usize], usize) -> TokenBatch + Sync,
    progress: impl FnMut(usize) -> ControlFlow<()> + Send,
    run: impl Fn(&[usize], &TokenBatch) -> Result<Vec<Vec<f32>>, InferenceError> + Sync,
) -> Result<Vec<Vec<f32>>, InferenceError> {
    config.validate()?;
    let batch_size = examples.batch_size(config)?;
    let Examples { lengths, limit, .. } = examples;
    // No thread is without work while there are examples enough.
    let concurrent = together::of_leader(collective, config.concurrent)?;
    let share = lengths.len().div_ceil(concurrent).max(1);
    let batches = by_length(lengths, batch_size.min(share));
    let own = together::own(&batches, collective);
    let collate = |examples: &[usize]| {
        let longest = examples.iter().map(|e| lengths[*e]).max().unwrap_or(0);
        collate(examples, config.padding.width(longest, limit))
    };
    let progress = Mutex::new((0, progress));
    let tell = |examples: usize| {
        // The counter is right even where the callback panicked.
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, progress) = &mut *progress;
        // The others are about as far.
        *done = (*done + examples * collective.size()).min(lengths.len());
        match progress(*done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(InferenceError::Stopped {
                done: *done,
                of: lengths.len(),
            }),
        }
    };
    let compute = || {
        if config.concurrent > 1 && own.len() > 1 {
            let computed = own.par_iter().with_max_len(1).map(|examples| {
                let outputs = run(examples, &collate(examples))?;
                tell(examples.len())?;
                Ok(outputs)
            });
            return computed.collect::<Result<Vec<_>, InferenceError>>();
        }
        let batches = own.iter().map(|examples| (*examples, collate(examples)));
        std::thread::scope(|scope| {
            let mut computed = Vec::with_capacity(own.len());
            for (examples, batch) in ahead(scope, batches).map_err(InferenceError::Thread)? {
                computed.push(run(examples, &batch)?);
                tell(examples.len())?;
            }
            Ok(computed)
        })
    };
    let computed = together::exchange(&batches, compute(), lengths.len(), collective)?;
    let mut values: Vec<Option<Vec<f32>>> = lengths.iter().map(|_| None).collect();
    for (examples, outputs) in batches.iter().zip(computed) {
        for (example, value) in examples.iter().zip(outputs) {
            values[*example] = Some(value);
        }
    }
    let values = values.into_iter();
    Ok(values
        .map(|value| value.expect("every example is in one batch"))
        .collect())
}

/// Reads a tensor from the device, row-major.
fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, InferenceError> {
    let read = tensor.try_into_vec_as();
    let values = read.map_err(|error| DeviceError::from_reason(error.to_string()))?;
    device_fault::check()?;
    Ok(values)
}
