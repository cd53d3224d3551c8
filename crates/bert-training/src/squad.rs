//! SQuAD: windows to batches, the span loss, and the logits of every window.

use std::ops::ControlFlow;

use bert_features::squad::{AnswerPositions, SquadFeatures};
use bert_model::Pass;
use bert_model::heads::{BertForQuestionAnswering, span_loss};
use burn::tensor::{Device, Int, Tensor};

use crate::collate::{BatchTargets, HostBatch};
use crate::score::{ScoreConfig, read, score_batches};
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

    fn longest_row(&self, example: usize) -> usize {
        self.features.len_of(example)
    }

    fn max_width(&self) -> usize {
        self.features.config.max_seq_length
    }

    fn collate(&self, examples: &[usize], width: usize) -> HostBatch {
        let position = |pick: fn(&AnswerPositions) -> u32| {
            let positions = examples.iter().map(|example| {
                let answer = self.features.windows[*example].answer.as_ref();
                pick(answer.expect("training windows have answers")) as i32
            });
            positions.collect()
        };
        HostBatch {
            tokens: batch(self.features, examples, width, self.pad_token_id),
            targets: BatchTargets::Spans {
                start: position(|answer| answer.start),
                end: position(|answer| answer.end),
            },
        }
    }

    fn loss(
        &self,
        model: &BertForQuestionAnswering,
        last_hidden_state: Tensor<3>,
        targets: &BatchTargets,
        pass: Pass,
    ) -> Tensor<1> {
        let BatchTargets::Spans { start, end } = targets else {
            unreachable!("this task's batches have spans")
        };
        let device = last_hidden_state.device().without_autodiff();
        let positions = |positions: &[i32]| Tensor::<1, Int>::from_ints(positions, &device);
        let logits = model.head(last_hidden_state, pass);
        span_loss(logits, positions(start), positions(end))
    }
}

fn batch(
    features: &SquadFeatures,
    windows: &[usize],
    width: usize,
    pad_token_id: usize,
) -> TokenBatch {
    let mut batch = TokenBatch::with_width(width);
    let mut ids = Vec::with_capacity(width);
    for window in windows {
        ids.clear();
        features.write_input_ids(*window, &mut ids);
        batch.push(&ids, features.segment_b_start(*window), pad_token_id);
    }
    batch
}

/// The scores of one window's tokens, padding left aside.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowScores {
    /// One for each token of the window's sequence.
    pub start: Vec<f32>,
    /// One for each token of the window's sequence.
    pub end: Vec<f32>,
}

/// Runs the model over every window, longest first, and returns the scores in window order;
/// `progress` is told the number of windows done, and may end the work.
///
/// # Errors
/// [`TrainError::Device`] when the device fails, [`TrainError::Stopped`] when `progress` ends the work.
pub fn score_windows(
    model: &BertForQuestionAnswering,
    features: &SquadFeatures,
    config: &ScoreConfig,
    device: &Device,
    progress: impl FnMut(usize) -> ControlFlow<()> + Send,
) -> Result<Vec<WindowScores>, TrainError> {
    let lengths: Vec<usize> = (0..features.windows.len())
        .map(|w| features.len_of(w))
        .collect();
    let limit = features.config.max_seq_length;
    let collate = |windows: &[usize], width| batch(features, windows, width, config.pad_token_id);
    let pass = Pass::evaluation(config.precision);
    score_batches(
        &lengths,
        limit,
        config,
        collate,
        progress,
        |windows, batch| {
            let width = batch.width();
            let logits = model.forward(&batch.to_device(device), pass);
            let [start, end] = read([logits.start, logits.end])?;
            let rows = windows.iter().enumerate().map(|(row, window)| {
                let range = row * width..row * width + lengths[*window];
                WindowScores {
                    start: start[range.clone()].to_vec(),
                    end: end[range].to_vec(),
                }
            });
            Ok(rows.collect())
        },
    )
}
