//! What a task family must tell the training loop.

use bert_model::Phase;
use bert_model::heads::TaskModel;
use burn::tensor::{Device, Tensor};

/// A set of training examples and the loss on them.
pub trait Task {
    /// The model that is fine-tuned.
    type Model: TaskModel;

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

    /// The loss of each of `examples`, padded to `width`.
    ///
    /// # Shapes
    /// - output: `[examples]`
    fn loss(
        &self,
        model: &Self::Model,
        examples: &[usize],
        width: usize,
        phase: Phase,
        device: &Device,
    ) -> Tensor<1>;
}
