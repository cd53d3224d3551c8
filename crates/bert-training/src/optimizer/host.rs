//! The update in host memory of weights that a device has: gradients come over as the backward pass finds them, a
//! thread updates moments and master weights with all cores while the device goes on with the layer below, and new
//! weights go back at the end.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::update::{sum_of_squares, update};
use super::{GradientClip, Moments, Rule, Step, TakeGradients};
use crate::TrainError;

/// Gradients that wait for the thread.
const WAITING: usize = 4;

/// What every failed conversion would contradict.
const READ_AS_F32: &str = "values were read as f32";

/// Moments, and the weights that the updates are made on.
#[derive(Default)]
pub(super) struct HostState {
    moments: HashMap<ParamId, Moments>,
    masters: HashMap<ParamId, TensorData>,
}

/// Gradients on their way from the device.
struct GradientStream {
    jobs: SyncSender<Job>,
    /// Parameters whose master weights are not in host memory yet.
    without_master: HashSet<ParamId>,
    device: Option<Device>,
}

/// A gradient in host memory.
struct Job {
    id: ParamId,
    gradient: TensorData,
    /// The weights, where there is no master copy of them yet.
    weights: Option<TensorData>,
}

/// What the thread has done.
struct Updated {
    weights: HashMap<ParamId, TensorData>,
    norm: f64,
}

impl HostState {
    pub(super) fn moments(&self) -> &HashMap<ParamId, Moments> {
        &self.moments
    }

    pub(super) fn set(&mut self, id: ParamId, moments: Moments) {
        self.moments.insert(id, moments);
    }

    /// Updates every parameter whose gradient `backward` hands over or returns.
    pub(super) fn update<M: Module, R>(
        &mut self,
        rule: &Rule,
        model: M,
        step: Step,
        backward: impl FnOnce(&M, &mut TakeGradients<'_, M>) -> Result<(GradientsParams, R), TrainError>,
    ) -> Result<(M, Tensor<1>, R), TrainError> {
        let without_master = rule.order.iter().copied();
        let without_master = without_master.filter(|id| !self.masters.contains_key(id));
        let without_master = without_master.collect();
        let ((outcome, device), updated) = std::thread::scope(|scope| {
            let (jobs, waiting) = sync_channel(WAITING);
            let worker =
                Builder::new().spawn_scoped(scope, move || self.work(rule, &step, waiting));
            let worker = worker.map_err(TrainError::Thread)?;
            // In here, so that a panic of `backward` drops it, which ends the thread.
            let mut stream = GradientStream {
                jobs,
                without_master,
                device: None,
            };
            let outcome = backward(&model, &mut |model, gradients, ids| {
                stream.send(model, gradients, ids)
            });
            let outcome = outcome.and_then(|(mut left, outcome)| {
                stream.send(&model, &mut left, &rule.order)?;
                Ok((outcome, stream.device.take()))
            });
            drop(stream);
            let updated = worker.join();
            let updated = updated.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok::<_, TrainError>((outcome?, updated))
        })?;
        let norm = Tensor::from_floats([updated.norm as f32], &device.unwrap_or_default());
        let model = model.map(&mut Uploader {
            weights: updated.weights,
        });
        Ok((model, norm, outcome))
    }

    /// Updates every parameter whose gradient comes. A bound on the norm of all gradients needs all of them first.
    fn work(&mut self, rule: &Rule, step: &Step, jobs: Receiver<Job>) -> Updated {
        let mut squares = HashMap::new();
        let mut weights = HashMap::new();
        let mut held = Vec::new();
        for job in jobs {
            let own = sum_of_squares(job.gradient.as_slice().expect(READ_AS_F32));
            squares.insert(job.id, own);
            match rule.config.clip {
                GradientClip::Global(_) => held.push(job),
                GradientClip::PerTensor(_) | GradientClip::Off => {
                    let id = job.id;
                    weights.insert(id, self.apply(rule, job, step, own.sqrt(), 0.0));
                }
            }
        }
        // In the order of the module's fields, as elsewhere.
        let all = rule.order.iter().filter_map(|id| squares.get(id));
        let norm = all.sum::<f64>().sqrt();
        for job in held {
            let (id, own) = (job.id, squares[&job.id].sqrt());
            weights.insert(id, self.apply(rule, job, step, own, norm));
        }
        Updated { weights, norm }
    }

    /// Updates one parameter's moments and master weights, and returns the latter.
    fn apply(
        &mut self,
        rule: &Rule,
        job: Job,
        step: &Step,
        own_norm: f64,
        all_norm: f64,
    ) -> TensorData {
        let coefficients = rule.coefficients(job.id, step, own_norm, all_norm);
        let count = job.gradient.num_elements();
        let moments = self.moments.entry(job.id);
        let moments = moments.or_insert_with(|| Moments::zeros(count));
        if let Some(weights) = job.weights {
            self.masters.insert(job.id, weights);
        }
        let master = self.masters.get_mut(&job.id);
        let master = master.expect("the first gradient of a parameter brings its weights");
        update(
            master.as_mut_slice::<f32>().expect(READ_AS_F32),
            job.gradient.as_slice().expect(READ_AS_F32),
            moments,
            &coefficients,
        );
        master.clone()
    }
}

impl GradientStream {
    /// Reads the gradients of some parameters, which takes them from the device's memory, and hands them to the
    /// thread.
    fn send<M: Module>(
        &mut self,
        model: &M,
        gradients: &mut GradientsParams,
        ids: &[ParamId],
    ) -> Result<(), TrainError> {
        let mut reader = Reader {
            stream: self,
            gradients,
            ids,
            result: Ok(()),
        };
        model.visit(&mut reader);
        reader.result
    }
}

struct Reader<'a> {
    stream: &'a mut GradientStream,
    gradients: &'a mut GradientsParams,
    ids: &'a [ParamId],
    result: Result<(), TrainError>,
}

impl ModuleVisitor for Reader<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.result.is_err() || !self.ids.contains(&param.id) {
            return;
        }
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return;
        };
        let stream = &mut *self.stream;
        stream.device.get_or_insert_with(|| gradient.device());
        let weights = stream.without_master.contains(&param.id).then(|| {
            let weights = param.val().without_autodiff();
            weights.try_into_data_as::<f32>()
        });
        let job = match (gradient.try_into_data_as::<f32>(), weights.transpose()) {
            (Ok(gradient), Ok(weights)) => Job {
                id: param.id,
                gradient,
                weights,
            },
            (Err(error), _) | (_, Err(error)) => {
                self.result = Err(TrainError::device(format!("{error:?}")));
                return;
            }
        };
        // The thread ends before the stream only by a panic, which the end of the step hands on.
        let _ = stream.jobs.send(job);
    }
}

struct Uploader {
    weights: HashMap<ParamId, TensorData>,
}

impl ModuleMapper for Uploader {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let Some(weights) = self.weights.remove(&id) else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let device = tensor.device();
        drop(tensor);
        let updated = Tensor::<D>::from_data(weights, &device).require_grad();
        Param::from_mapped_value(id, updated, mapper)
    }
}
