//! Which examples go together: a function of (seed, epoch) and the examples' lengths alone.

use bert_features::batch::Padding;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Optimiser batches in one sorted block. Larger blocks pad less but mix lengths less.
const BLOCK: usize = 50;

/// How examples are put into batches and padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchConfig {
    /// Examples of one optimiser step.
    pub batch_size: usize,
    /// Micro-batches of one optimiser step; divides `batch_size`.
    pub accumulation: usize,
    /// How wide a micro-batch is made.
    pub padding: Padding,
}

/// The examples of one optimiser step, in micro-batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepExamples {
    /// Indices of examples, micro-batch by micro-batch.
    pub micro_batches: Vec<Vec<usize>>,
}

impl StepExamples {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.micro_batches.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Optimiser steps in one epoch: a last, shorter batch is a step of its own.
pub fn steps_per_epoch(examples: usize, config: &BatchConfig) -> usize {
    examples.div_ceil(config.batch_size)
}

/// Draws an epoch's steps: every example once. With [`Padding::Longest`], shuffled blocks of
/// 50 batches are sorted by length before they are cut, and the batches shuffled again.
pub fn epoch(lengths: &[usize], config: &BatchConfig, seed: u64, epoch: u64) -> Vec<StepExamples> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(epoch);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.shuffle(&mut generator);
    if let Padding::Longest { .. } = config.padding {
        for block in order.chunks_mut(BLOCK.saturating_mul(config.batch_size)) {
            // Stable: examples of equal length keep their shuffled order.
            block.sort_by_key(|example| lengths[*example]);
        }
    }
    let micro_size = config.batch_size / config.accumulation;
    let mut steps: Vec<StepExamples> = order
        .chunks(config.batch_size)
        .map(|step| StepExamples {
            micro_batches: step.chunks(micro_size).map(<[usize]>::to_vec).collect(),
        })
        .collect();
    steps.shuffle(&mut generator);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: BatchConfig = BatchConfig {
        batch_size: 12,
        accumulation: 3,
        padding: Padding::Longest { multiple_of: 16 },
    };

    fn lengths() -> Vec<usize> {
        (0..1001).map(|n| 20 + (n * 7919) % 365).collect()
    }

    #[test]
    fn every_example_is_in_exactly_one_batch() {
        let steps = epoch(&lengths(), &CONFIG, 7, 0);
        assert_eq!(steps.len(), steps_per_epoch(1001, &CONFIG));
        let mut seen: Vec<usize> = steps
            .iter()
            .flat_map(|s| s.micro_batches.iter().flatten().copied())
            .collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..1001).collect::<Vec<_>>());
        let sizes: Vec<usize> = steps.iter().map(StepExamples::len).collect();
        assert_eq!(sizes.iter().filter(|n| **n == 12).count(), 83);
        assert_eq!(sizes.iter().filter(|n| **n == 5).count(), 1);
        assert!(
            steps
                .iter()
                .all(|s| s.micro_batches.iter().all(|m| m.len() <= 4))
        );
    }

    #[test]
    fn batches_depend_on_seed_and_epoch_only() {
        let lengths = lengths();
        assert_eq!(
            epoch(&lengths, &CONFIG, 7, 1),
            epoch(&lengths, &CONFIG, 7, 1)
        );
        assert_ne!(
            epoch(&lengths, &CONFIG, 7, 1),
            epoch(&lengths, &CONFIG, 7, 2)
        );
        assert_ne!(
            epoch(&lengths, &CONFIG, 7, 1),
            epoch(&lengths, &CONFIG, 8, 1)
        );
    }

    #[test]
    fn accumulation_does_not_change_what_a_step_sees() {
        let whole = BatchConfig {
            accumulation: 1,
            ..CONFIG
        };
        let flat = |steps: Vec<StepExamples>| -> Vec<Vec<usize>> {
            steps
                .into_iter()
                .map(|s| s.micro_batches.concat())
                .collect()
        };
        let lengths = lengths();
        assert_eq!(
            flat(epoch(&lengths, &CONFIG, 1, 0)),
            flat(epoch(&lengths, &whole, 1, 0))
        );
    }

    #[test]
    fn grouping_by_length_removes_most_padding() {
        let lengths = lengths();
        let share = |padding| {
            let config = BatchConfig {
                padding,
                accumulation: 1,
                ..CONFIG
            };
            let (mut real, mut padded) = (0, 0);
            for step in epoch(&lengths, &config, 3, 0) {
                let longest = step.micro_batches[0]
                    .iter()
                    .map(|e| lengths[*e])
                    .max()
                    .unwrap();
                padded += config.padding.width(longest, 512) * step.len();
                real += step.micro_batches[0]
                    .iter()
                    .map(|e| lengths[*e])
                    .sum::<usize>();
            }
            1.0 - real as f64 / padded as f64
        };
        assert!(share(Padding::Fixed(384)) > 0.4);
        assert!(share(Padding::Longest { multiple_of: 16 }) < 0.08);
    }
}
