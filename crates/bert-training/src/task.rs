//! What a task family must tell the training loop.

use std::fmt::Debug;

use bert_model::Pass;
use bert_model::heads::TaskModel;
use burn::tensor::Tensor;

use crate::collate::HostBatch;

/// A set of training examples and the loss on them. Batches are made on another thread than the one that trains.
pub trait Task: Sync {
    /// The model that is fine-tuned.
    type Model: TaskModel;
    /// What the examples of a batch are to be.
    type Targets: Debug + Clone + Send + Sync;

    /// Number of examples.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tokens of an example's longest row, which decides how wide its batch is.
    fn longest_row(&self, example: usize) -> usize;

    /// Tokens of all of an example's rows.
    fn tokens(&self, example: usize) -> usize {
        self.longest_row(example)
    }

    /// Rows that one example adds to a batch: 1, or the number of choices.
    fn rows_per_example(&self) -> usize {
        1
    }

    /// The widest row that the features may have, in tokens.
    fn max_width(&self) -> usize;

    /// Examples as a batch in host memory, padded to `width`.
    fn collate(&self, examples: &[usize], width: usize) -> HostBatch<Self::Targets>;

    /// The loss of each example of a batch, by the encoder's output.
    ///
    /// # Shapes
    /// - `last_hidden_state`: `[examples * rows_per_example, seq, hidden]`
    /// - output: `[examples]`
    fn loss(
        &self,
        model: &Self::Model,
        last_hidden_state: Tensor<3>,
        targets: &Self::Targets,
        pass: Pass,
    ) -> Tensor<1>;
}
