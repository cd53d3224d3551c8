//! One optimiser step after another, and everything that changes from step to step.

use std::collections::HashMap;

use bert_model::parameters::{self, HostParameter};
use bert_model::{DropoutKey, Phase};
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};

use crate::audit::every_parameter_has_a_gradient;
use crate::batches::StepExamples;
use crate::optimizer::{BertAdam, Moments};
use crate::{StepRecord, Task, TrainConfig, TrainError, TrainPlan, UnreadStep};

/// What a step depends on besides weights, moments and settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// Steps done: the place in the data, and in the schedule.
    pub(crate) step: usize,
    /// Micro-batches done: the place in the dropout masks.
    pub(crate) forward_passes: u64,
}

/// Weights and moments in host memory, in the module's layout.
pub(crate) struct Snapshot {
    pub(crate) weights: Vec<HostParameter>,
    /// By the parameter's name in a checkpoint.
    pub(crate) moments: HashMap<String, Moments>,
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

    /// The model as it is now.
    ///
    /// # Panics
    /// When an earlier step failed.
    pub fn model(&self) -> &T::Model {
        self.model.as_ref().expect(HAS_MODEL)
    }

    /// What the run will do.
    pub fn plan(&self) -> TrainPlan {
        self.plan
    }

    /// Tokens of each example's longest row.
    pub(crate) fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Where the run stands.
    pub(crate) fn position(&self) -> Position {
        Position {
            step: self.step,
            forward_passes: self.forward_passes,
        }
    }

    /// Goes on from where a run of these settings stood, whose model this trainer was made with.
    pub(crate) fn continue_from(&mut self, position: Position, moments: HashMap<String, Moments>) {
        self.step = position.step;
        self.forward_passes = position.forward_passes;
        self.optimizer.set_moments(moments, &self.device);
    }

    /// Copies to host memory everything that the next step depends on.
    ///
    /// # Errors
    /// [`TrainError::Device`] when something cannot be read.
    ///
    /// # Panics
    /// When an earlier step failed.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, TrainError> {
        Ok(Snapshot {
            weights: parameters::to_host(self.model())?,
            moments: self.optimizer.moments()?,
        })
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
                sequences: examples.len() * self.task.rows_per_example(),
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
