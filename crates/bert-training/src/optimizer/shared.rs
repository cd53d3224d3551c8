//! The update where the device's memory is the host's: the tensors' own buffers are updated in place.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::update::{sum_of_squares, update};
use super::{Moments, Rule, Step};
use crate::TrainError;

/// The moments.
#[derive(Default)]
pub(super) struct SharedState {
    moments: HashMap<ParamId, Moments>,
}

impl SharedState {
    pub(super) fn moments(&self) -> &HashMap<ParamId, Moments> {
        &self.moments
    }

    pub(super) fn set(&mut self, id: ParamId, moments: Moments) {
        self.moments.insert(id, moments);
    }

    /// Updates every parameter that has a gradient.
    pub(super) fn update<M: Module>(
        &mut self,
        rule: &Rule,
        model: M,
        gradients: GradientsParams,
        step: Step,
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
            rule,
            states: &mut self.moments,
            gradients: reader.read,
            all,
            step,
            result: Ok(()),
        };
        let model = model.map(&mut updater);
        updater.result?;
        Ok((model, Tensor::from_floats([all as f32], &device)))
    }
}

/// Takes every gradient's buffer. Norms are summed in the order of the module's fields, so that a run can be
/// repeated to the bit.
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
    rule: &'a Rule,
    states: &'a mut HashMap<ParamId, Moments>,
    gradients: HashMap<ParamId, Gradient>,
    all: f64,
    step: Step,
    result: Result<(), TrainError>,
}

impl ModuleMapper for Updater<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let Some(gradient) = self.gradients.remove(&id) else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let device = tensor.device();
        // Moved, not cloned: a buffer that is shared would have to be copied.
        let mut values = match tensor.without_autodiff().try_into_data_as::<f32>() {
            Ok(values) => values,
            Err(error) => {
                self.result = Err(TrainError::device(format!("{error:?}")));
                // The model is lost with the device.
                return Param::from_mapped_value(id, Tensor::empty([1; D], &device), mapper);
            }
        };
        let coefficients = self
            .rule
            .coefficients(id, &self.step, gradient.norm, self.all);
        let count = gradient.data.num_elements();
        let state = self.states.entry(id);
        let state = state.or_insert_with(|| Moments::zeros(count));
        update(
            values
                .as_mut_slice::<f32>()
                .expect("weights were read as f32"),
            slice(&gradient.data),
            state,
            &coefficients,
        );
        let updated = Tensor::<D>::from_data(values, &device).require_grad();
        Param::from_mapped_value(id, updated, mapper)
    }
}

fn slice(data: &TensorData) -> &[f32] {
    data.as_slice().expect("gradients were read as f32")
}
