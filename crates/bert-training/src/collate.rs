//! Examples to padded batches in host memory: what can be done ahead of the training thread. Tensors of a device are
//! made on that thread only.

use crate::Task;
use crate::batches::{Padding, StepExamples};
use crate::token_batch::TokenBatch;

/// A padded micro-batch in host memory.
#[derive(Debug, Clone)]
pub struct HostBatch {
    /// The rows.
    pub tokens: TokenBatch,
    /// What the examples are to be.
    pub targets: BatchTargets,
}

/// What the examples of a micro-batch are to be, one value an example.
#[derive(Debug, Clone, PartialEq)]
pub enum BatchTargets {
    /// The first and the last token of each answer.
    Spans {
        /// First tokens.
        start: Vec<i32>,
        /// Last tokens.
        end: Vec<i32>,
    },
    /// Classes, or right choices.
    Classes(Vec<i32>),
    /// Scores.
    Scores(Vec<f32>),
}

/// The micro-batches of one optimiser step.
#[derive(Debug, Clone)]
pub struct StepBatch {
    /// In order.
    pub micro_batches: Vec<HostBatch>,
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
    pub fn collate(&self, step: &StepExamples) -> StepBatch {
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
