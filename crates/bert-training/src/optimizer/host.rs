//! The update in host memory: one parallel pass over weight, gradient and both moments.
//!
//! On a CPU backend the tensors' own buffers are updated in place. On other devices gradients come
//! over and new weights go back; a master copy of the weights stays here.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::{BertAdam, BertAdamConfig};
use crate::TrainError;

/// Elements of one parallel task; fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 1 << 15;

/// One parameter's state, in the module's layout.
pub(super) struct State {
    pub(super) first: Vec<f32>,
    pub(super) second: Vec<f32>,
    /// The weights, where the device's memory is not the host's.
    master: Option<TensorData>,
}

impl State {
    pub(super) fn new(first: Vec<f32>, second: Vec<f32>) -> Self {
        Self {
            first,
            second,
            master: None,
        }
    }
}

pub(super) fn step<M: Module>(
    optimizer: &mut BertAdam,
    model: M,
    gradients: GradientsParams,
    learning_rate: f64,
) -> Result<(M, Tensor<1>), TrainError> {
    let mut reader = Reader {
        gradients,
        read: HashMap::new(),
        all_squares: 0.0,
        device: None,
        result: Ok(()),
    };
    model.visit(&mut reader);
    reader.result?;
    let all = reader.all_squares.sqrt();
    let device = reader.device.unwrap_or_default();
    let mut updater = Updater {
        optimizer,
        gradients: reader.read,
        all,
        learning_rate,
        result: Ok(()),
    };
    let model = model.map(&mut updater);
    updater.result?;
    Ok((model, Tensor::from_floats([all as f32], &device)))
}

/// Brings every gradient to host memory, without a copy where it is there already. Norms are summed in
/// the order of the module's fields, so that a run can be repeated to the bit.
struct Reader {
    gradients: GradientsParams,
    read: HashMap<ParamId, Gradient>,
    all_squares: f64,
    device: Option<Device>,
    result: Result<(), TrainError>,
}

struct Gradient {
    data: TensorData,
    norm: f64,
}

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return;
        };
        self.device.get_or_insert_with(|| gradient.device());
        match gradient.try_into_data_as::<f32>() {
            Ok(data) => {
                let squares = sum_of_squares(slice(&data));
                self.all_squares += squares;
                let norm = squares.sqrt();
                self.read.insert(param.id, Gradient { data, norm });
            }
            Err(error) => self.result = Err(TrainError::device(format!("{error:?}"))),
        }
    }
}

struct Updater<'a> {
    optimizer: &'a mut BertAdam,
    gradients: HashMap<ParamId, Gradient>,
    all: f64,
    learning_rate: f64,
    result: Result<(), TrainError>,
}

impl ModuleMapper for Updater<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let Some(gradient) = self.gradients.remove(&id) else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let device = tensor.device();
        let count = gradient.data.num_elements();
        let state = self
            .optimizer
            .host
            .entry(id)
            .or_insert_with(|| State::new(vec![0.0; count], vec![0.0; count]));
        // Moved, not cloned: a buffer that is shared would have to be copied.
        let values = match state.master.take() {
            Some(master) => Ok(master),
            None => tensor.without_autodiff().try_into_data_as::<f32>(),
        };
        let mut values = match values {
            Ok(values) => values,
            Err(error) => {
                self.result = Err(TrainError::device(format!("{error:?}")));
                // The model is lost with the device.
                return Param::from_mapped_value(id, Tensor::empty([1; D], &device), mapper);
            }
        };
        let coefficients = Coefficients {
            clip: self.optimizer.config.clip.factor(gradient.norm, self.all) as f32,
            learning_rate: self.learning_rate as f32,
            decay: self.optimizer.decay_of(id) as f32,
            config: self.optimizer.config,
        };
        let state = self
            .optimizer
            .host
            .get_mut(&id)
            .expect("the state was made above");
        update(
            values
                .as_mut_slice::<f32>()
                .expect("weights were read as f32"),
            slice(&gradient.data),
            state,
            &coefficients,
        );
        if self.optimizer.master_copies {
            state.master = Some(values.clone());
        }
        let updated = Tensor::<D>::from_data(values, &device).require_grad();
        Param::from_mapped_value(id, updated, mapper)
    }
}

fn slice(data: &TensorData) -> &[f32] {
    data.as_slice().expect("gradients were read as f32")
}

fn sum_of_squares(values: &[f32]) -> f64 {
    let partial: Vec<f64> = values
        .par_chunks(CHUNK)
        .map(|chunk| {
            // Lanes let the compiler vectorise a sum that it may not reorder.
            let mut lanes = [0.0_f64; 8];
            let (groups, rest) = chunk.as_chunks::<8>();
            for group in groups {
                for (lane, value) in lanes.iter_mut().zip(group) {
                    *lane += f64::from(*value) * f64::from(*value);
                }
            }
            let rest: f64 = rest.iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
            lanes.iter().sum::<f64>() + rest
        })
        .collect();
    partial.iter().sum()
}

struct Coefficients {
    clip: f32,
    learning_rate: f32,
    decay: f32,
    config: BertAdamConfig,
}

fn update(weights: &mut [f32], gradient: &[f32], state: &mut State, with: &Coefficients) {
    let (beta_1, beta_2) = (with.config.beta_1 as f32, with.config.beta_2 as f32);
    // 1 - β in f64 first: f32 would lose a third of 0.001's digits.
    let new_1 = (1.0 - with.config.beta_1) as f32;
    let new_2 = (1.0 - with.config.beta_2) as f32;
    let epsilon = with.config.epsilon as f32;
    weights
        .par_chunks_mut(CHUNK)
        .zip(gradient.par_chunks(CHUNK))
        .zip(state.first.par_chunks_mut(CHUNK))
        .zip(state.second.par_chunks_mut(CHUNK))
        .for_each(|(((weights, gradient), first), second)| {
            let moments = first.iter_mut().zip(second);
            for ((w, g), (m, v)) in weights.iter_mut().zip(gradient).zip(moments) {
                let g = g * with.clip;
                *m = beta_1 * *m + new_1 * g;
                *v = beta_2 * *v + new_2 * g * g;
                *w -= with.learning_rate * (*m / (v.sqrt() + epsilon) + with.decay * *w);
            }
        });
}
