//! Examples to padded batches in host memory, which another thread than the one that trains makes. Tensors of a device
//! are made on the training thread only.

use bert_features::batch::{Padding, TokenBatch};
use bert_model::{BertInput, PaddedRows};
use burn::tensor::Device;

use crate::Task;
use crate::batches::StepExamples;

/// A padded micro-batch in host memory.
#[derive(Debug, Clone)]
pub struct HostBatch<T> {
    /// The rows.
    pub tokens: TokenBatch,
    /// What the examples are to be.
    pub targets: T,
}

impl<T> HostBatch<T> {
    /// Sends the rows to a device.
    pub(crate) fn to_device(&self, device: &Device) -> BertInput {
        let rows = PaddedRows {
            width: self.tokens.width(),
            lengths: self.tokens.lengths(),
            input_ids: self.tokens.input_ids(),
            token_type_ids: self.tokens.token_type_ids(),
        };
        BertInput::from_rows(&rows, device)
    }
}

/// The micro-batches of one optimiser step.
#[derive(Debug, Clone)]
pub struct StepBatch<T> {
    /// In order.
    pub micro_batches: Vec<HostBatch<T>>,
    /// Examples in the step.
    pub examples: usize,
    /// Rows in the step.
    pub sequences: usize,
    /// Tokens that are not padding.
    pub tokens: usize,
    /// Tokens of the padded micro-batches.
    pub padded_tokens: usize,
}

/// Makes batches of a task's examples.
#[derive(Debug)]
pub struct Collator<'a, T> {
    task: &'a T,
    padding: Padding,
    /// Tokens of each example's longest row.
    lengths: Vec<usize>,
}

impl<'a, T: Task> Collator<'a, T> {
    /// Batches as wide as `padding` says.
    pub fn new(task: &'a T, padding: Padding) -> Self {
        let lengths = (0..task.len()).map(|example| task.longest_row(example));
        Self {
            task,
            padding,
            lengths: lengths.collect(),
        }
    }

    /// Tokens of each example's longest row.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// The width of a batch of these examples, in tokens.
    ///
    /// # Panics
    /// When there are none.
    pub fn width(&self, examples: &[usize]) -> usize {
        let longest = examples.iter().map(|example| self.lengths[*example]).max();
        let longest = longest.expect("a micro-batch has examples");
        self.padding.width(longest, self.task.max_width())
    }

    /// Pads the examples of a step.
    ///
    /// # Panics
    /// When a micro-batch is empty.
    pub fn collate(&self, step: &StepExamples) -> StepBatch<T::Targets> {
        let rows = self.task.rows_per_example();
        let mut batch = StepBatch {
            micro_batches: Vec::with_capacity(step.micro_batches.len()),
            examples: step.len(),
            sequences: step.len() * rows,
            tokens: 0,
            padded_tokens: 0,
        };
        for examples in &step.micro_batches {
            let width = self.width(examples);
            let tokens = examples.iter().map(|example| self.task.tokens(*example));
            batch.tokens += tokens.sum::<usize>();
            batch.padded_tokens += width * examples.len() * rows;
            batch.micro_batches.push(self.task.collate(examples, width));
        }
        batch
    }
}
