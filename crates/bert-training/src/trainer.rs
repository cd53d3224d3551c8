//! One optimiser step after another, and everything that changes from step to step.

use std::collections::{HashMap, HashSet};

use bert_model::heads::TaskModel;
use bert_model::parameters::{self, HostParameter};
use bert_model::{DropoutKey, Encoder, Pass, Phase, device_fault};
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use crate::audit::every_parameter_has_a_gradient;
use crate::backward::{GradientSums, PassConfig};
use crate::collate::StepBatch;
use crate::collective::Collective;
use crate::optimizer::{Adam, Moments, Residency, Step, TakeGradients};
use crate::reduction::{self, LookedUp, Way};
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
    collective: &'a dyn Collective,
    /// How the processes add up gradients.
    way: Way,
    plan: TrainPlan,
    optimizer: Adam,
    /// Absent only while the optimiser has it.
    model: Option<T::Model>,
    /// Steps done.
    step: usize,
    /// Micro-batches done.
    forward_passes: u64,
}

impl<'a, T: Task> Trainer<'a, T> {
    /// Prepares a run of `model`, which is on `device`, an autodiff device, together with the other processes of
    /// `collective`.
    ///
    /// # Errors
    /// When a setting is bad or there are no examples.
    pub fn new(
        task: &'a T,
        model: T::Model,
        config: &TrainConfig,
        device: &Device,
        collective: &'a dyn Collective,
    ) -> Result<Self, TrainError> {
        let (recipe, layers) = (&config.recipe, model.encoder().layers().len());
        recipe.check_layers(layers)?;
        let all = parameters::list(&model, <T::Model as TaskModel>::Encoder::NAMES);
        let model = match &recipe.freeze {
            Some(frozen) => frozen.apply(model, &all),
            None => model,
        };
        let trained = all.into_iter().filter(|info| recipe.trains(info.part));
        let plain = device.clone().without_autodiff();
        Ok(Self {
            task,
            config: *config,
            way: Way::choose(config.reduce_backend, collective, &plain)?,
            device: plain,
            collective,
            plan: TrainPlan::new(task.len(), config)?,
            optimizer: Adam::new(
                recipe.optimizer(),
                config.residency,
                trained.collect(),
                layers,
            ),
            model: Some(model),
            step: 0,
            forward_passes: 0,
        })
    }

    /// Ends the training; the model has the average of its weights, where one is kept.
    ///
    /// # Panics
    /// When an earlier step failed.
    pub fn into_model(self) -> T::Model {
        self.optimizer.averaged(self.model.expect(HAS_MODEL))
    }

    /// The model to evaluate: with the average of its weights, where one is kept.
    ///
    /// # Panics
    /// When an earlier step failed.
    pub fn averaged_model(&self) -> T::Model {
        self.optimizer.averaged(self.model().clone())
    }

    /// The model as the next step finds it.
    ///
    /// # Panics
    /// When an earlier step failed.
    pub fn model(&self) -> &T::Model {
        self.model.as_ref().expect(HAS_MODEL)
    }

    /// Says what adds up the gradients, where there are several processes.
    pub(crate) fn say_way(&self) {
        if let Some(way) = self.way.name() {
            tracing::info!("{way} adds up the gradients of all processes");
        }
    }

    /// What the run will do.
    pub fn plan(&self) -> TrainPlan {
        self.plan
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
            weights: parameters::to_host(self.model(), <T::Model as TaskModel>::Encoder::NAMES)?,
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
    pub fn step(&mut self, batch: &StepBatch<T::Targets>) -> Result<UnreadStep, TrainError> {
        // Where the device's memory is the host's, its kernels run in rayon's pool. A thread of the pool is one of those
        // that compute; another one would wake them for each kernel, and wait. Who waits for other processes stays out.
        if self.config.residency == Residency::Shared && self.collective.size() == 1 {
            rayon::scope(|_| self.step_here(batch))
        } else {
            self.step_here(batch)
        }
    }

    fn step_here(&mut self, batch: &StepBatch<T::Targets>) -> Result<UnreadStep, TrainError> {
        let recipe = &self.config.recipe;
        let total_steps = self.plan.total_steps;
        let learning_rate = recipe.learning_rate_after(self.step, total_steps);
        let step = Step {
            learning_rate,
            number: self.step + 1,
            share: recipe.average_share(self.step + 1, total_steps),
        };
        let model = self.model.take().expect(HAS_MODEL);
        let mut passes = Passes {
            task: self.task,
            config: &self.config,
            forward_passes: &mut self.forward_passes,
        };
        let parameters = self.optimizer.parameters().clone();
        let precision = self.config.reduce_precision;
        let table = LookedUp {
            table: model.encoder().input_table().id,
            rows: &batch.looked_up,
        };
        let mut reduction =
            reduction::start(&self.way, self.collective, precision, &parameters, table);
        let backward = |model: &T::Model, take: &mut TakeGradients<'_, T::Model>| {
            let mut seen = HashSet::new();
            let (mut sums, loss) = passes.gradients(model, batch, |gradients, finished| {
                seen.extend(finished.iter().copied());
                let whole = reduction.add(gradients, finished)?;
                take(model, gradients, &whole)
            })?;
            let reduced = reduction.finish(&mut sums, loss)?;
            take(model, &mut sums, &reduced.known)?;
            Ok((sums, (seen, reduced)))
        };
        let (model, norm, outcome) = self.optimizer.update(model, step, backward)?;
        let (seen, reduced) = outcome;
        if self.step == 0 {
            every_parameter_has_a_gradient(self.optimizer.parameters(), &seen)?;
        }
        self.model = Some(model);
        self.step += 1;
        Ok(UnreadStep {
            record: StepRecord {
                step: self.step,
                epoch: self.step as f64 / self.plan.steps_per_epoch as f64,
                loss: f32::NAN,
                learning_rate,
                gradient_norm: f32::NAN,
                examples: batch.examples,
                sequences: batch.sequences,
                tokens: batch.tokens,
                padded_tokens: batch.padded_tokens,
                waiting: reduced.waiting,
                slowest: reduced.slowest,
            },
            loss: reduced.loss,
            norm,
        })
    }

    /// Runs a step's batch forward and backward twice with memory taken for the moments where they live on the device,
    /// and waits for the device; nothing is updated. The second time, the allocator's pages are cut as the first left
    /// them, as in a training.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn rehearse(&mut self, batch: &StepBatch<T::Targets>) -> Result<(), TrainError> {
        let model = self.model.take().expect(HAS_MODEL);
        let mut passes = Passes {
            task: self.task,
            config: &self.config,
            forward_passes: &mut self.forward_passes,
        };
        let mut moments = Vec::new();
        for takes_moments in [self.config.residency == Residency::Device, false] {
            let (gradients, loss) = passes.gradients(&model, batch, |_, _| Ok(()))?;
            let mut rehearsal = Rehearsal {
                gradients,
                moments: takes_moments.then_some(&mut moments),
                // A failure shows only in what depends on it.
                sum: loss,
            };
            model.visit(&mut rehearsal);
            let read: Result<f32, _> = rehearsal.sum.try_into_scalar();
            read.map_err(|error| TrainError::device(format!("{error:?}")))?;
        }
        let waited = self.device.sync();
        waited.map_err(|error| TrainError::device(error.to_string()))?;
        Ok(device_fault::check()?)
    }
}

/// A step's forward and backward passes.
struct Passes<'a, T> {
    task: &'a T,
    config: &'a TrainConfig,
    forward_passes: &'a mut u64,
}

impl<T: Task> Passes<'_, T> {
    /// This process's part of the gradient of the mean loss over all of the step's examples, and of that loss, `[1]`:
    /// each micro-batch counts by its number of examples. `finished` may take gradients to which this process adds nothing
    /// any more.
    fn gradients(
        &mut self,
        model: &T::Model,
        batch: &StepBatch<T::Targets>,
        mut finished: impl FnMut(&mut GradientsParams, &[ParamId]) -> Result<(), TrainError>,
    ) -> Result<(GradientsParams, Tensor<1>), TrainError> {
        let mut sums = GradientSums::default();
        let mut loss: Option<Tensor<1>> = None;
        let last = batch.parts.len() - 1;
        for (n, part) in batch.parts.iter().enumerate() {
            let phase = Phase::Training(DropoutKey {
                seed: self.config.seed,
                step: *self.forward_passes + part.micro_batch as u64,
                first_row: part.first_row,
                masks: self.config.masks,
            });
            let how = PassConfig {
                pass: Pass {
                    phase,
                    precision: self.config.precision,
                },
                examples: batch.examples,
                counts: part.counts,
                checkpointing: self.config.gradient_checkpointing,
                frozen: self.config.recipe.freeze.map_or(0, |it| it.depth()),
            };
            let part = sums.add(self.task, model, &part.batch, &how, |sums, ids| {
                if n == last {
                    finished(sums, ids)
                } else {
                    Ok(())
                }
            })?;
            loss = Some(match loss {
                Some(sum) => sum + part,
                None => part,
            });
        }
        *self.forward_passes += batch.micro_batches as u64;
        let loss = loss.expect("a step has parts");
        Ok((sums.into_inner(), loss))
    }
}

/// Takes the memory that an update would, and makes one number depend on every gradient.
struct Rehearsal<'a> {
    gradients: GradientsParams,
    moments: Option<&'a mut Vec<Tensor<1>>>,
    sum: Tensor<1>,
}

impl ModuleVisitor for Rehearsal<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else {
            return;
        };
        if let Some(moments) = &mut self.moments {
            let count = gradient.shape().num_elements();
            let zeros = || Tensor::zeros([count], &gradient.device());
            moments.extend([zeros(), zeros()]);
        }
        self.sum = self.sum.clone() + gradient.sum();
    }
}
