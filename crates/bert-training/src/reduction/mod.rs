//! The gradients of a step, added up over the processes while the backward pass goes on. This is the only place that moves
//! gradients between processes.
//!
//! The gradient of the input table, which comes last and is large, is that of the rows that the step looks up: the others are
//! 0 in every process.

#[cfg(feature = "cuda")]
mod device;
mod host;
mod way;

use std::collections::HashMap;

use bert_model::parameters::ParameterInfo;
use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

pub use self::way::ReduceBackend;
pub(crate) use self::way::Way;
use crate::TrainError;
use crate::collective::{Collective, ReducePrecision};

/// What one step's gradients go through.
pub(crate) trait Reduction {
    /// Takes this process's gradients of some parameters, and puts back those whose sums are known: they are returned.
    ///
    /// # Errors
    /// When a gradient cannot be read, or a process not be reached.
    fn add(
        &mut self,
        gradients: &mut GradientsParams,
        finished: &[ParamId],
    ) -> Result<Vec<ParamId>, TrainError>;

    /// Puts back the other sums.
    ///
    /// # Shapes
    /// - `loss`: this process's part, `[1]`
    ///
    /// # Errors
    /// When a value cannot be read, or a process not be reached.
    fn finish(
        &mut self,
        gradients: &mut GradientsParams,
        loss: Tensor<1>,
    ) -> Result<Reduced, TrainError>;
}

/// What the end of a step's sums gives.
pub(crate) struct Reduced {
    /// The parameters whose sums were put back last.
    pub(crate) known: Vec<ParamId>,
    /// The loss of all processes, `[1]`.
    pub(crate) loss: Tensor<1>,
    /// Seconds that this process waited for others, where it knows.
    pub(crate) waiting: Option<f64>,
    /// The process that took longest for its own part, where that is known.
    pub(crate) slowest: Option<usize>,
}

/// The rows of the input table that a step looks up, in all processes.
pub(crate) struct LookedUp<'a> {
    pub(crate) table: ParamId,
    pub(crate) rows: &'a [usize],
}

/// The sums of one step.
pub(crate) fn start<'a>(
    way: &'a Way,
    collective: &'a dyn Collective,
    precision: ReducePrecision,
    parameters: &'a HashMap<ParamId, ParameterInfo>,
    looked_up: LookedUp<'a>,
) -> Box<dyn Reduction + 'a> {
    match way {
        Way::None => Box::new(Own),
        Way::Host => Box::new(host::HostReduction::new(
            collective, precision, parameters, looked_up,
        )),
        #[cfg(feature = "cuda")]
        Way::Device(group) => Box::new(device::DeviceReduction::new(
            group, precision, parameters, looked_up,
        )),
    }
}

/// The gradients of the only process.
struct Own;

impl Reduction for Own {
    fn add(
        &mut self,
        _: &mut GradientsParams,
        finished: &[ParamId],
    ) -> Result<Vec<ParamId>, TrainError> {
        Ok(finished.to_vec())
    }

    fn finish(&mut self, _: &mut GradientsParams, loss: Tensor<1>) -> Result<Reduced, TrainError> {
        Ok(Reduced {
            known: Vec::new(),
            loss,
            waiting: None,
            slowest: None,
        })
    }
}
