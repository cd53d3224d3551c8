//! The workloads of the PyTorch script: the same shapes, and steps that are read one by one as it waits for each.

use std::time::Instant;

use bert_backend::Backend;
use bert_features::batch::Padding;
use bert_features::synthetic::{sequences, windows};
use bert_model::checkpoint::initialize;
use bert_model::heads::{BertForMultipleChoice, TaskModel, parameter_count};
use bert_model::{Encoder, Precision};
use bert_training::batches::{BatchConfig, StepExamples};
use bert_training::classification::{ClassificationTask, Targets};
use bert_training::collate::Collator;
use bert_training::collective::{Alone, ReducePrecision};
use bert_training::memory::{MemoryInput, estimate};
use bert_training::optimizer::Residency;
use bert_training::share::Share;
use bert_training::squad::SquadTask;
use bert_training::{Recipe, Task, TrainConfig, Trainer};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::lengths::{PADDED, feature_config};
use super::{model_config, peak};
use crate::args::{BenchTrainArgs, Workload};

/// The published SWAG recipe: examples of a step, micro-batches, choices, tokens.
pub(super) const SWAG: [usize; 4] = [16, 4, 4, 80];
/// Tokens to whose multiple a batch's width is rounded up, as in training.
const MULTIPLE_OF: usize = 16;
/// Batches in a block that is sorted by length, as in the PyTorch script.
const BLOCK: usize = 50;

/// A benchmark's steps.
pub(super) struct Steps<'a> {
    pub(super) args: &'a BenchTrainArgs,
    /// Windows of a step, or choices.
    pub(super) batch: usize,
    /// Tokens of a window.
    pub(super) seq_length: usize,
    pub(super) residency: Residency,
    pub(super) precision: Precision,
    pub(super) backend: &'a Backend,
}

impl Steps<'_> {
    /// Steps of one shape: the median time.
    pub(super) fn fixed(&self) -> anyhow::Result<Value> {
        let args = self.args;
        let count = args.warmup + args.steps;
        let (measured, rows, length) = match args.workload {
            Workload::Swag => {
                let [examples, accumulation, choices, length] = SWAG;
                let features = sequences(examples, choices, length);
                let targets = Targets::Classes(vec![0; examples]);
                let task = ClassificationTask::<BertForMultipleChoice>::new(&features, &targets, 0);
                let batches = BatchConfig {
                    batch_size: examples,
                    accumulation,
                    padding: Padding::Fixed(length),
                };
                let step = split((0..examples).collect(), accumulation);
                let measured = self.time(&task, batches, &vec![step; count])?;
                (measured, examples * choices, length)
            }
            Workload::Squad | Workload::Lengths => {
                let length = self.seq_length;
                let features = windows(&vec![length; self.batch], feature_config(length));
                let task = SquadTask {
                    features: &features,
                    pad_token_id: 0,
                };
                let batches = BatchConfig {
                    batch_size: self.batch,
                    accumulation: 1,
                    padding: Padding::Fixed(length),
                };
                let step = split((0..self.batch).collect(), 1);
                let measured = self.time(&task, batches, &vec![step; count])?;
                (measured, self.batch, length)
            }
        };
        let timed = &measured.steps[args.warmup..];
        let middle = |seconds: fn(&StepTime) -> f64| {
            super::against::middle(timed.iter().map(seconds).collect())
        };
        let seconds = middle(|time| time.whole);
        Ok(json!({
            "ms_per_step": 1e3 * seconds,
            "host_ms_per_step": 1e3 * middle(|time| time.host),
            "sequences_per_s": rows as f64 / seconds,
            "tokens_per_s": (rows * length) as f64 / seconds,
            "estimate_mib": measured.estimate >> 20,
            "arithmetic": self.arithmetic(&[[rows, length]], seconds)?,
        }))
    }

    /// How many operations of products were done in a second, and how many the processor could do, where it is the
    /// device.
    fn arithmetic(&self, batches: &[[usize; 2]], seconds: f64) -> anyhow::Result<Option<Value>> {
        if !self.backend.kind().shares_host_memory {
            return Ok(None);
        }
        let flop = peak::flop_of_training(&model_config(self.args.model)?, batches);
        let most = peak::flop_per_second();
        Ok(Some(json!({
            "gflop": 1e-9 * flop,
            "gflop_per_s": 1e-9 * flop / seconds,
            "fp32_peak_gflop_per_s": most.map(|most| 1e-9 * most),
            "share_of_fp32_peak": most.map(|most| flop / seconds / most),
        })))
    }

    /// One pass over real lengths, padded to 384 and then grouped by length: windows a second.
    pub(super) fn lengths(&self, lengths: &[usize]) -> anyhow::Result<Value> {
        let args = self.args;
        let features = windows(lengths, feature_config(PADDED));
        let task = SquadTask {
            features: &features,
            pad_token_id: 0,
        };
        let mut result = serde_json::Map::new();
        for (name, padding) in [
            ("padded_384", Padding::Fixed(PADDED)),
            (
                "grouped",
                Padding::Longest {
                    multiple_of: MULTIPLE_OF,
                },
            ),
        ] {
            let batches = BatchConfig {
                batch_size: self.batch,
                accumulation: 1,
                padding,
            };
            let mut order: Vec<usize> = (0..lengths.len()).collect();
            if matches!(padding, Padding::Longest { .. }) {
                for block in order.chunks_mut(self.batch * BLOCK) {
                    block.sort_by_key(|window| lengths[*window]);
                }
            }
            let mut steps: Vec<StepExamples> = order
                .chunks(self.batch)
                .map(|windows| split(windows.to_vec(), 1))
                .collect();
            steps.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
            let measured = self.time(&task, batches, &steps)?;
            let timed = &measured.steps;
            let seconds: f64 = timed[args.warmup..].iter().map(|time| time.whole).sum();
            let rate = (self.batch * args.steps) as f64 / seconds;
            let width = |step: &StepExamples| {
                let windows = step.micro_batches.iter().flatten();
                let longest = windows.map(|window| lengths[*window]).max();
                [self.batch, padding.width(longest.unwrap_or(0), PADDED)]
            };
            let shapes: Vec<[usize; 2]> = steps[args.warmup..].iter().map(width).collect();
            let arithmetic = self.arithmetic(&shapes, seconds)?;
            result.insert(
                name.to_owned(),
                json!({"sequences_per_s": rate, "arithmetic": arithmetic}),
            );
        }
        Ok(Value::Object(result))
    }

    /// The time of each step. Collation is in it, as making the inputs is in the PyTorch script's.
    fn time<T: Task>(
        &self,
        task: &T,
        batches: BatchConfig,
        steps: &[StepExamples],
    ) -> anyhow::Result<Measured> {
        let device = self.backend.device.clone().autodiff();
        let config = TrainConfig {
            recipe: Recipe {
                train_batch_size: batches.batch_size,
                gradient_accumulation_steps: batches.accumulation,
                // Enough for a schedule that never ends.
                num_train_epochs: 1e6,
                ..Recipe::default()
            },
            padding: batches.padding,
            residency: self.residency,
            seed: 1,
            precision: self.precision,
            gradient_checkpointing: self.args.gradient_checkpointing,
            masks: self.backend.kind().masks,
            reduce_precision: ReducePrecision::Fp32,
            reduce_backend: None,
            read_every: 1,
        };
        let shape = model_config(self.args.model)?;
        let widest = (0..task.len())
            .map(|example| task.longest_row(example))
            .max();
        let size = <T::Model as TaskModel>::Encoder::size(&shape);
        let input = MemoryInput {
            model: &shape,
            parameters: parameter_count::<T::Model>(&shape),
            embedding_parameters: size.embeddings,
            layer_parameters: size.layer,
            examples: task.len(),
            rows_per_example: task.rows_per_example(),
            width: batches.padding.width(widest.unwrap_or(0), task.max_width()),
            threads: self.backend.kind().threads(),
            processes: 1,
        };
        let estimate = estimate(&input, &config).device();
        let model = initialize(&shape, 1, &device);
        let mut trainer = Trainer::new(task, model, &config, &device, &Alone)?;
        let collator = Collator::new(task, batches.padding);
        let mut timed = Vec::with_capacity(steps.len());
        for step in steps {
            let started = Instant::now();
            let unread = trainer.step(&collator.collate(step, Share::WHOLE))?;
            let host = started.elapsed().as_secs_f64();
            unread.read()?;
            timed.push(StepTime {
                host,
                whole: started.elapsed().as_secs_f64(),
            });
        }
        Ok(Measured {
            steps: timed,
            estimate,
        })
    }
}

/// What was measured of a workload, and estimated.
struct Measured {
    steps: Vec<StepTime>,
    /// Bytes that the device needs.
    estimate: u64,
}

/// Seconds of a step.
struct StepTime {
    /// Until everything was asked of the device.
    host: f64,
    /// Until the device had done it.
    whole: f64,
}

fn split(examples: Vec<usize>, accumulation: usize) -> StepExamples {
    let size = examples.len() / accumulation;
    StepExamples {
        micro_batches: examples.chunks(size).map(<[usize]>::to_vec).collect(),
    }
}
