//! The training loop.

use bert_model::{DropoutKey, MaskSource, Phase, parameters};
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor, Transaction};

use crate::audit::every_parameter_has_a_gradient;
use crate::batches::{BatchConfig, Padding, StepExamples, epoch, steps_per_epoch};
use crate::optimizer::{BertAdam, BertAdamConfig, GradientClip, Residency};
use crate::{Schedule, Task, TrainError};

/// A fine-tuning recipe, and how the device runs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainConfig {
    /// Passes over the examples; fractions work.
    pub num_train_epochs: f64,
    /// Batches, accumulation and padding.
    pub batches: BatchConfig,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Share of the steps in which the learning rate rises from 0.
    pub warmup_proportion: f64,
    /// How the learning rate moves.
    pub schedule: Schedule,
    /// The optimiser's constants.
    pub optimizer: BertAdamConfig,
    /// Where the optimiser's state lives.
    pub residency: Residency,
    /// Seed of the data order and of dropout.
    pub seed: u64,
    /// Where dropout masks are computed.
    pub masks: MaskSource,
    /// Steps whose losses are read from the device together. Reading waits for the device.
    pub read_every: usize,
}

impl TrainConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// [`TrainError::Setting`] with the command-line name of the first bad one.
    pub fn validate(&self) -> Result<(), TrainError> {
        let fail = |setting, found: String, expected: &str| {
            Err(TrainError::Setting {
                setting,
                found,
                expected: expected.to_owned(),
            })
        };
        let BatchConfig {
            batch_size,
            accumulation,
            padding,
        } = self.batches;
        if batch_size == 0 {
            return fail("--train-batch-size", "0".into(), "at least 1");
        }
        if accumulation == 0 || batch_size % accumulation != 0 {
            let expected = format!("a divisor of --train-batch-size {batch_size}");
            return fail(
                "--gradient-accumulation-steps",
                accumulation.to_string(),
                &expected,
            );
        }
        if matches!(padding, Padding::Longest { multiple_of: 0 }) {
            return fail("--pad-to-multiple-of", "0".into(), "at least 1");
        }
        if !(self.num_train_epochs > 0.0 && self.num_train_epochs.is_finite()) {
            return fail(
                "--num-train-epochs",
                self.num_train_epochs.to_string(),
                "above 0",
            );
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return fail("--learning-rate", self.learning_rate.to_string(), "above 0");
        }
        if !(0.0..1.0).contains(&self.warmup_proportion) {
            let found = self.warmup_proportion.to_string();
            return fail("--warmup-proportion", found, "at least 0 and below 1");
        }
        if let GradientClip::PerTensor(bound) | GradientClip::Global(bound) = self.optimizer.clip
            && !(bound > 0.0 && bound.is_finite())
        {
            return fail("--max-grad-norm", bound.to_string(), "above 0");
        }
        Ok(())
    }
}

/// What a run will do, known before its first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainPlan {
    /// Examples of one epoch.
    pub examples: usize,
    /// Optimiser steps of one epoch.
    pub steps_per_epoch: usize,
    /// Optimiser steps of the run: the batches that are really run.
    pub total_steps: usize,
}

impl TrainPlan {
    /// Plans a run over `examples` examples. A fraction of an epoch is rounded to whole steps, at
    /// least one.
    ///
    /// # Errors
    /// When there are no examples or a setting is out of its range.
    pub fn new(examples: usize, config: &TrainConfig) -> Result<Self, TrainError> {
        config.validate()?;
        if examples == 0 {
            return Err(TrainError::NoExamples);
        }
        let steps_per_epoch = steps_per_epoch(examples, &config.batches);
        let total_steps = (steps_per_epoch as f64 * config.num_train_epochs).round() as usize;
        Ok(Self {
            examples,
            steps_per_epoch,
            total_steps: total_steps.max(1),
        })
    }
}

/// One optimiser step, as it is logged.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct StepRecord {
    /// Counted from 1.
    pub step: usize,
    /// Epochs done after this step.
    pub epoch: f64,
    /// Mean loss of the step's examples.
    pub loss: f32,
    /// The learning rate applied.
    pub learning_rate: f64,
    /// Norm of all gradients before clipping.
    pub gradient_norm: f32,
    /// Examples in the step.
    pub examples: usize,
    /// Tokens that are not padding.
    pub tokens: usize,
    /// Tokens of the padded micro-batches.
    pub padded_tokens: usize,
}

/// Is told of each step, in order, possibly some steps later (see [`TrainConfig::read_every`]).
pub trait Observer {
    /// A step is done.
    fn step(&mut self, record: &StepRecord);
}

/// Fine-tunes `model` and returns it.
///
/// # Errors
/// When a setting is bad, a parameter receives no gradient in the first step, a loss is not finite, or
/// the device fails.
pub fn train<T: Task>(
    task: &T,
    model: T::Model,
    config: &TrainConfig,
    device: &Device,
    observer: &mut dyn Observer,
) -> Result<T::Model, TrainError> {
    let mut trainer = Trainer::new(task, model, config, device)?;
    let total_steps = trainer.plan.total_steps;
    let mut pending = Pending::new(total_steps);
    for epoch_number in 0.. {
        for examples in epoch(&trainer.lengths, &config.batches, config.seed, epoch_number) {
            pending.push(trainer.step(&examples)?);
            let step = trainer.step;
            if step % config.read_every == 0 || step == total_steps {
                pending.read(observer)?;
            }
            if step == total_steps {
                return Ok(trainer.into_model());
            }
        }
    }
    unreachable!("the loop over epochs ends by returning")
}

const HAS_MODEL: &str = "a trainer whose steps all succeeded has its model";

/// A model in training: everything that changes from step to step.
pub struct Trainer<'a, T: Task> {
    task: &'a T,
    config: TrainConfig,
    device: Device,
    plan: TrainPlan,
    /// Tokens of each example's longest row.
    lengths: Vec<usize>,
    optimizer: BertAdam,
    /// Absent only while the optimiser has it.
    model: Option<T::Model>,
    /// Steps done.
    step: usize,
    /// Micro-batches done.
    forward_passes: u64,
}

impl<'a, T: Task> Trainer<'a, T> {
    /// Prepares a run of `model`, which is on `device`, an autodiff device.
    ///
    /// # Errors
    /// When a setting is bad or there are no examples.
    pub fn new(
        task: &'a T,
        model: T::Model,
        config: &TrainConfig,
        device: &Device,
    ) -> Result<Self, TrainError> {
        Ok(Self {
            task,
            config: *config,
            device: device.clone().without_autodiff(),
            plan: TrainPlan::new(task.len(), config)?,
            lengths: (0..task.len())
                .map(|example| task.longest_row(example))
                .collect(),
            optimizer: BertAdam::new(config.optimizer, config.residency, &model),
            model: Some(model),
            step: 0,
            forward_passes: 0,
        })
    }

    /// Ends the training.
    ///
    /// # Panics
    /// When an earlier step failed.
    pub fn into_model(self) -> T::Model {
        self.model.expect(HAS_MODEL)
    }

    /// Does one optimiser step; its loss stays on the device until the step is read.
    ///
    /// # Errors
    /// When a parameter receives no gradient in the first step, or the device fails.
    ///
    /// # Panics
    /// When an earlier step failed.
    pub fn step(&mut self, examples: &StepExamples) -> Result<UnreadStep, TrainError> {
        let x = self.step as f64 / self.plan.total_steps as f64;
        let factor = self
            .config
            .schedule
            .factor(x, self.config.warmup_proportion);
        let learning_rate = self.config.learning_rate * factor;
        let model = self.model.take().expect(HAS_MODEL);
        let done = self.gradients(&model, examples);
        if self.step == 0 {
            audit(&model, &done.gradients)?;
        }
        let (model, norm) = self.optimizer.step(model, done.gradients, learning_rate)?;
        self.model = Some(model);
        self.step += 1;
        Ok(UnreadStep {
            record: StepRecord {
                step: self.step,
                epoch: self.step as f64 / self.plan.steps_per_epoch as f64,
                loss: f32::NAN,
                learning_rate,
                gradient_norm: f32::NAN,
                examples: examples.len(),
                tokens: done.tokens,
                padded_tokens: done.padded_tokens,
            },
            loss: done.loss,
            norm,
        })
    }

    /// Accumulates the gradient of the mean loss over all of the step's examples: each micro-batch
    /// counts by its number of examples.
    fn gradients(&mut self, model: &T::Model, step: &StepExamples) -> PassDone {
        let mut accumulator = GradientsAccumulator::new();
        let mut loss: Option<Tensor<1>> = None;
        let (mut tokens, mut padded_tokens) = (0, 0);
        for examples in &step.micro_batches {
            let longest = examples.iter().map(|e| self.lengths[*e]).max();
            let longest = longest.expect("a micro-batch has examples");
            let padding = self.config.batches.padding;
            let width = padding.width(longest, self.task.max_width());
            let phase = Phase::Training(DropoutKey {
                seed: self.config.seed,
                step: self.forward_passes,
                masks: self.config.masks,
            });
            self.forward_passes += 1;
            let losses = self.task.loss(model, examples, width, phase, &self.device);
            let share = losses.sum() / step.len() as f64;
            let part = share.clone().without_autodiff();
            loss = Some(match loss {
                Some(sum) => sum + part,
                None => part,
            });
            let gradients = GradientsParams::from_grads(share.backward(), model);
            accumulator.accumulate(model, gradients);
            tokens += examples.iter().map(|e| self.task.tokens(*e)).sum::<usize>();
            padded_tokens += width * examples.len() * self.task.rows_per_example();
        }
        PassDone {
            gradients: accumulator.grads(),
            loss: loss.expect("a step has micro-batches"),
            tokens,
            padded_tokens,
        }
    }
}

/// The forward and backward passes of one step.
struct PassDone {
    gradients: GradientsParams,
    /// Mean over the step's examples, `[1]`.
    loss: Tensor<1>,
    tokens: usize,
    padded_tokens: usize,
}

fn audit<M: Module>(model: &M, gradients: &GradientsParams) -> Result<(), TrainError> {
    let parameters = parameters::list(model);
    every_parameter_has_a_gradient(&parameters, |parameter| match parameter.shape.num_dims() {
        1 => gradients.get::<1>(parameter.id).is_some(),
        _ => gradients.get::<2>(parameter.id).is_some(),
    })
}

/// A step whose loss is still on the device.
pub struct UnreadStep {
    record: StepRecord,
    loss: Tensor<1>,
    norm: Tensor<1>,
}

/// The steps to be read in one transaction.
struct Pending {
    unread: Vec<UnreadStep>,
    total_steps: usize,
}

impl Pending {
    fn new(total_steps: usize) -> Self {
        Self {
            unread: Vec::new(),
            total_steps,
        }
    }

    fn push(&mut self, step: UnreadStep) {
        self.unread.push(step);
    }

    /// Reads every pending loss in one transaction, reports the steps, and stops at the first loss that
    /// is not finite.
    fn read(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let mut transaction = Transaction::default();
        let steps = std::mem::take(&mut self.unread);
        for step in &steps {
            transaction = transaction
                .register(step.loss.clone())
                .register(step.norm.clone());
        }
        let read = transaction
            .try_execute()
            .map_err(|error| TrainError::Device(error.to_string()))?;
        let values: Vec<f32> = read
            .into_iter()
            .flat_map(|data| data.iter::<f32>().collect::<Vec<_>>())
            .collect();
        for (step, pair) in steps.into_iter().zip(values.chunks_exact(2)) {
            let record = StepRecord {
                loss: pair[0],
                gradient_norm: pair[1],
                ..step.record
            };
            if !record.loss.is_finite() {
                return Err(TrainError::NotFinite {
                    loss: record.loss,
                    step: record.step,
                    total_steps: self.total_steps,
                    learning_rate: record.learning_rate,
                });
            }
            if !record.gradient_norm.is_finite() {
                return Err(TrainError::GradientNotFinite {
                    norm: record.gradient_norm,
                    step: record.step,
                    total_steps: self.total_steps,
                    learning_rate: record.learning_rate,
                });
            }
            observer.step(&record);
        }
        Ok(())
    }
}

impl UnreadStep {
    /// Waits for the device and reads this step's loss.
    ///
    /// # Errors
    /// [`TrainError::Device`] when the device fails.
    pub fn read(self) -> Result<f32, TrainError> {
        self.loss
            .try_into_scalar()
            .map_err(|error| TrainError::Device(format!("{error:?}")))
    }
}
