//! SQuAD: windows to batches, and the span loss.

use bert_features::squad::{AnswerPositions, SquadFeatures};
use bert_model::Pass;
use bert_model::heads::{BertForQuestionAnswering, span_loss};
use burn::tensor::{Int, Tensor};

use crate::Task;
use crate::collate::HostBatch;

/// Windows with their answers' positions.
pub struct SquadTask<'a> {
    /// Converted in training mode: each window has its answer.
    pub features: &'a SquadFeatures,
    /// Id of `[PAD]`.
    pub pad_token_id: usize,
}

/// Where the answers of a batch's windows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSpans {
    /// The first token of each answer.
    pub start: Vec<i32>,
    /// The last token of each answer.
    pub end: Vec<i32>,
}

impl Task for SquadTask<'_> {
    type Model = BertForQuestionAnswering;
    type Targets = AnswerSpans;

    fn len(&self) -> usize {
        self.features.windows.len()
    }

    fn longest_row(&self, example: usize) -> usize {
        self.features.len_of(example)
    }

    fn max_width(&self) -> usize {
        self.features.config.max_seq_length
    }

    fn collate(&self, examples: &[usize], width: usize) -> HostBatch<AnswerSpans> {
        let position = |pick: fn(&AnswerPositions) -> u32| {
            let positions = examples.iter().map(|example| {
                let answer = self.features.windows[*example].answer.as_ref();
                pick(answer.expect("training windows have answers")) as i32
            });
            positions.collect()
        };
        HostBatch {
            tokens: self.features.batch(examples, width, self.pad_token_id),
            targets: AnswerSpans {
                start: position(|answer| answer.start),
                end: position(|answer| answer.end),
            },
        }
    }

    fn loss(
        &self,
        model: &BertForQuestionAnswering,
        last_hidden_state: Tensor<3>,
        targets: &AnswerSpans,
        _: Pass,
    ) -> Tensor<1> {
        let device = last_hidden_state.device().without_autodiff();
        let positions = |positions: &[i32]| Tensor::<1, Int>::from_ints(positions, &device);
        let logits = model.head(last_hidden_state);
        span_loss(logits, positions(&targets.start), positions(&targets.end))
    }
}
