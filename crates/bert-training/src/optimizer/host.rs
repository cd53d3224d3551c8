//! The update in host memory of weights that a device has: gradients come over as the backward pass finds them, a
//! thread updates moments and master weights with all cores while the device goes on with the layer below, and new
//! weights go back at the end.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::update::{Coefficients, State, sum_of_squares, update};
use super::{BertAdam, GradientClip};
use crate::TrainError;

/// Gradients that wait for the thread.
const WAITING: usize = 4;

const ONCE: &str = "values were read as f32";

/// Gradients on their way from the device.
pub(crate) struct GradientStream {
    jobs: SyncSender<Job>,
    /// Parameters whose master weights are not in host memory yet.
    without_master: HashSet<ParamId>,
    device: Option<Device>,
    result: Result<(), TrainError>,
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

/// Does a step: `backward` hands every gradient to the stream.
pub(super) fn step<M: Module, R>(
    optimizer: &mut BertAdam,
    model: M,
    learning_rate: f64,
    backward: impl FnOnce(&M, &mut GradientStream) -> R,
) -> Result<(M, Tensor<1>, R), TrainError> {
    let masters = optimizer.masters.keys().copied().collect();
    let all: HashSet<ParamId> = optimizer.order.iter().copied().collect();
    let without_master = &all - &masters;
    let (outcome, updated) = std::thread::scope(|scope| {
        let (jobs, waiting) = sync_channel(WAITING);
        let worker = scope.spawn(move || work(optimizer, learning_rate, waiting));
        // In here, so that a panic of `backward` drops it, which ends the thread.
        let mut stream = GradientStream {
            jobs,
            without_master,
            device: None,
            result: Ok(()),
        };
        let outcome = backward(&model, &mut stream);
        let GradientStream {
            jobs,
            device,
            result,
            ..
        } = stream;
        drop(jobs);
        let updated = worker.join();
        let updated = updated.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (outcome, result.map(|()| (updated, device)))
    });
    let (updated, device) = updated?;
    let device = device.unwrap_or_default();
    let model = model.map(&mut Uploader {
        weights: updated.weights,
    });
    let norm = Tensor::from_floats([updated.norm as f32], &device);
    Ok((model, norm, outcome))
}

impl GradientStream {
    /// Reads the gradients of some parameters, which takes them from the device's memory, and hands them to the
    /// thread.
    pub(crate) fn send<M: Module>(
        &mut self,
        model: &M,
        gradients: &mut GradientsParams,
        ids: &[ParamId],
    ) {
        let mut reader = Reader {
            stream: self,
            gradients,
            ids,
        };
        model.visit(&mut reader);
    }
}

struct Reader<'a> {
    stream: &'a mut GradientStream,
    gradients: &'a mut GradientsParams,
    ids: &'a [ParamId],
}

impl ModuleVisitor for Reader<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.stream.result.is_err() || !self.ids.contains(&param.id) {
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
                stream.result = Err(TrainError::device(format!("{error:?}")));
                return;
            }
        };
        // The thread ends before the stream only by a panic, which the end of the step hands on.
        let _ = stream.jobs.send(job);
    }
}

/// Updates every parameter whose gradient comes. A bound on the norm of all gradients needs all of them first.
fn work(optimizer: &mut BertAdam, learning_rate: f64, jobs: Receiver<Job>) -> Updated {
    let mut squares = HashMap::new();
    let mut weights = HashMap::new();
    let mut held = Vec::new();
    for job in jobs {
        let own = sum_of_squares(job.gradient.as_slice().expect(ONCE));
        squares.insert(job.id, own);
        match optimizer.config.clip {
            GradientClip::Global(_) => held.push(job),
            GradientClip::PerTensor(_) | GradientClip::Off => {
                let id = job.id;
                weights.insert(id, apply(optimizer, job, learning_rate, own.sqrt(), 0.0));
            }
        }
    }
    // In the order of the module's fields, as elsewhere.
    let all = optimizer.order.iter().filter_map(|id| squares.get(id));
    let norm = all.sum::<f64>().sqrt();
    for job in held {
        let (id, own) = (job.id, squares[&job.id].sqrt());
        weights.insert(id, apply(optimizer, job, learning_rate, own, norm));
    }
    Updated { weights, norm }
}

/// Updates one parameter's moments and master weights, and returns the latter.
fn apply(
    optimizer: &mut BertAdam,
    job: Job,
    learning_rate: f64,
    own_norm: f64,
    all_norm: f64,
) -> TensorData {
    let coefficients = Coefficients {
        clip: optimizer.config.clip.factor(own_norm, all_norm) as f32,
        learning_rate: learning_rate as f32,
        decay: optimizer.decay_of(job.id) as f32,
        config: optimizer.config,
    };
    let count = job.gradient.num_elements();
    let states = &mut optimizer.host;
    let state = states.entry(job.id).or_insert_with(|| State::zeros(count));
    if let Some(weights) = job.weights {
        optimizer.masters.insert(job.id, weights);
    }
    let master = optimizer.masters.get_mut(&job.id);
    let master = master.expect("the first gradient of a parameter brings its weights");
    let gradient = job.gradient.as_slice().expect(ONCE);
    update(
        master.as_mut_slice::<f32>().expect(ONCE),
        gradient,
        state,
        &coefficients,
    );
    master.clone()
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
