//! Examples to padded batches in host memory, which another thread than the one that trains makes. Tensors of a device
//! are made on the training thread only.

use std::collections::BTreeSet;

use bert_features::batch::{Padding, TokenBatch};
use bert_model::{BertInput, PaddedRows};
use burn::tensor::Device;

use crate::Task;
use crate::batches::StepExamples;
use crate::share::{Share, deal};

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

/// One process's part of one optimiser step; the numbers are those of the whole step.
#[derive(Debug, Clone)]
pub struct StepBatch<T> {
    /// In order, at least one.
    pub parts: Vec<Part<T>>,
    /// Micro-batches of the step.
    pub micro_batches: usize,
    /// The rows of the input table that the whole step looks up, in order, each once; none for a process alone.
    pub looked_up: Vec<usize>,
    /// Examples in the step.
    pub examples: usize,
    /// Rows in the step.
    pub sequences: usize,
    /// Tokens that are not padding.
    pub tokens: usize,
    /// Tokens of the padded micro-batches.
    pub padded_tokens: usize,
}

/// A micro-batch, or the rows of one that a process computes.
#[derive(Debug, Clone)]
pub struct Part<T> {
    /// The rows.
    pub batch: HostBatch<T>,
    /// The micro-batch's place in the step.
    pub micro_batch: usize,
    /// The place of the first row in the micro-batch.
    pub first_row: usize,
    /// Whether its loss and gradients count.
    pub counts: bool,
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

    /// Pads a process's share of a step's examples.
    ///
    /// # Panics
    /// When a micro-batch is empty.
    pub fn collate(&self, step: &StepExamples, share: Share) -> StepBatch<T::Targets> {
        let rows = self.task.rows_per_example();
        let micro_batches = &step.micro_batches;
        let widths: Vec<usize> = micro_batches.iter().map(|it| self.width(it)).collect();
        let tokens = micro_batches.iter().flatten();
        let padded = micro_batches.iter().zip(&widths);
        let mut dealt = deal(step, share.size, |micro_batch| widths[micro_batch]);
        let parts = dealt.swap_remove(share.rank).into_iter().map(|piece| {
            let examples = &micro_batches[piece.micro_batch][piece.examples.clone()];
            Part {
                batch: self.task.collate(examples, widths[piece.micro_batch]),
                micro_batch: piece.micro_batch,
                first_row: piece.examples.start * rows,
                counts: piece.counts,
            }
        });
        StepBatch {
            parts: parts.collect(),
            micro_batches: micro_batches.len(),
            looked_up: if share.size == 1 {
                Vec::new()
            } else {
                self.looked_up(step, &widths)
            },
            examples: step.len(),
            sequences: step.len() * rows,
            tokens: tokens.map(|example| self.task.tokens(*example)).sum(),
            padded_tokens: padded.map(|(it, width)| width * it.len() * rows).sum(),
        }
    }

    fn looked_up(&self, step: &StepExamples, widths: &[usize]) -> Vec<usize> {
        let micro_batches = step.micro_batches.iter().zip(widths);
        let batches = micro_batches.map(|(examples, width)| self.task.collate(examples, *width));
        let ids = batches.flat_map(|batch| batch.tokens.input_ids().to_vec());
        let rows: BTreeSet<usize> = ids.map(|id| id as usize).collect();
        rows.into_iter().collect()
    }

    /// How much more padded tokens the process with most of a step has than the mean of all, over some steps: 0 where all
    /// have as many.
    pub fn imbalance(&self, steps: &[StepExamples], processes: usize) -> f64 {
        let (mut most, mut all) = (0, 0);
        for step in steps {
            let widths: Vec<usize> = step.micro_batches.iter().map(|it| self.width(it)).collect();
            let dealt = deal(step, processes, |micro_batch| widths[micro_batch]);
            let work = dealt.iter().map(|own| {
                own.iter()
                    .filter(|piece| piece.counts)
                    .map(|piece| piece.examples.len() * widths[piece.micro_batch])
                    .sum::<usize>()
            });
            let work: Vec<usize> = work.collect();
            most += work.iter().max().copied().unwrap_or(0);
            all += work.iter().sum::<usize>();
        }
        (most * processes) as f64 / all.max(1) as f64 - 1.0
    }
}
