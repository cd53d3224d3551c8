//! SQuAD: windows to batches, the span loss, and the logits of every window.

use bert_features::squad::SquadFeatures;
use bert_model::heads::{BertForQuestionAnswering, span_loss};
use bert_model::{BertInput, Phase};
use burn::tensor::{Device, Int, Tensor, TensorData, Transaction};

use crate::batches::{Padding, by_length};
use crate::token_batch::TokenBatch;
use crate::{Task, TrainError};

/// Windows with their answers' positions.
pub struct SquadTask<'a> {
    /// Converted in training mode: each window has its answer.
    pub features: &'a SquadFeatures,
    /// Id of `[PAD]`.
    pub pad_token_id: usize,
}

impl Task for SquadTask<'_> {
    type Model = BertForQuestionAnswering;

    fn len(&self) -> usize {
        self.features.windows.len()
    }

    fn tokens(&self, example: usize) -> usize {
        self.features.len_of(example)
    }

    fn max_width(&self) -> usize {
        self.features.config.max_seq_length
    }

    fn loss(
        &self,
        model: &BertForQuestionAnswering,
        examples: &[usize],
        width: usize,
        phase: Phase,
        device: &Device,
    ) -> Tensor<1> {
        let positions = |pick: fn(&bert_features::squad::AnswerPositions) -> u32| {
            let positions: Vec<i32> = examples
                .iter()
                .map(|example| {
                    let answer = self.features.windows[*example].answer.as_ref();
                    pick(answer.expect("training windows have answers")) as i32
                })
                .collect();
            let count = positions.len();
            Tensor::<1, Int>::from_data(TensorData::new(positions, [count]), device)
        };
        let input = batch(self.features, examples, width, self.pad_token_id, device);
        let logits = model.forward(&input, phase);
        span_loss(logits, positions(|a| a.start), positions(|a| a.end))
    }
}

fn batch(
    features: &SquadFeatures,
    windows: &[usize],
    width: usize,
    pad_token_id: usize,
    device: &Device,
) -> BertInput {
    let mut batch = TokenBatch::with_width(width);
    let mut ids = Vec::with_capacity(width);
    for window in windows {
        ids.clear();
        features.write_input_ids(*window, &mut ids);
        batch.push(&ids, features.segment_b_start(*window), pad_token_id);
    }
    batch.to_device(device)
}

/// The scores of one window's tokens, padding left aside.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowScores {
    /// One for each token of the window's sequence.
    pub start: Vec<f32>,
    /// One for each token of the window's sequence.
    pub end: Vec<f32>,
}

/// Settings of [`score_windows`].
#[derive(Debug, Clone, Copy)]
pub struct ScoreConfig {
    /// Windows in a batch.
    pub batch_size: usize,
    /// How wide a batch is made.
    pub padding: Padding,
    /// Id of `[PAD]`.
    pub pad_token_id: usize,
}

/// Runs the model over every window, longest first, and returns the scores in window order;
/// `progress` is told the number of windows done.
///
/// # Errors
/// [`TrainError::Device`] when the device fails.
pub fn score_windows(
    model: &BertForQuestionAnswering,
    features: &SquadFeatures,
    config: &ScoreConfig,
    device: &Device,
    mut progress: impl FnMut(usize),
) -> Result<Vec<WindowScores>, TrainError> {
    let lengths: Vec<usize> = (0..features.windows.len())
        .map(|w| features.len_of(w))
        .collect();
    let mut scores: Vec<Option<WindowScores>> = vec![None; lengths.len()];
    let mut done = 0;
    for windows in by_length(&lengths, config.batch_size) {
        let longest = windows.iter().map(|w| lengths[*w]).max().unwrap_or(0);
        let width = config
            .padding
            .width(longest, features.config.max_seq_length);
        let input = batch(features, &windows, width, config.pad_token_id, device);
        let logits = model.forward(&input, Phase::Evaluation);
        let read = Transaction::default()
            .register(logits.start)
            .register(logits.end)
            .try_execute()
            .map_err(|error| TrainError::Device(error.to_string()))?;
        let mut columns = read.into_iter().map(|data| {
            data.try_into_vec::<f32>()
                .map_err(|error| TrainError::Device(format!("{error:?}")))
        });
        let mut next = || {
            columns
                .next()
                .expect("a transaction returns what was registered")
        };
        let (start, end) = (next()?, next()?);
        for (row, window) in windows.iter().enumerate() {
            let range = row * width..row * width + lengths[*window];
            scores[*window] = Some(WindowScores {
                start: start[range.clone()].to_vec(),
                end: end[range].to_vec(),
            });
        }
        done += windows.len();
        progress(done);
    }
    let scores = scores.into_iter();
    Ok(scores
        .map(|s| s.expect("every window is in one batch"))
        .collect())
}
