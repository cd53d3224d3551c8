//! SQuAD: windows to batches, and the span loss.

use bert_features::squad::SquadFeatures;
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

/// Where the answers of a batch's windows are: the first and the last token of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSpans(pub Vec<[i32; 2]>);

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
        let spans = examples.iter().map(|example| {
            let answer = self.features.windows[*example].answer.as_ref();
            let answer = answer.expect("training windows have answers");
            [answer.start as i32, answer.end as i32]
        });
        HostBatch {
            tokens: self.features.batch(examples, width, self.pad_token_id),
            targets: AnswerSpans(spans.collect()),
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
        let AnswerSpans(spans) = targets;
        let positions = Tensor::<1, Int>::from_ints(spans.as_flattened(), &device);
        let logits = model.head(last_hidden_state);
        span_loss(logits, positions.reshape([spans.len(), 2]))
    }
}
