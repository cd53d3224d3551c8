//! The processes that train one model together.
//!
//! Each process holds the whole model and computes the gradients of its share of a step's examples. The processes add up
//! the gradients of a layer as soon as these are known, while the backward pass of the layer below goes on; then each
//! makes the same update. Today every training is [`Alone`].

use std::collections::HashMap;

use bert_model::DeviceError;
use bert_model::parameters::ParameterInfo;
use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::TrainError;

/// One of the processes that train together, and its ways to the others. Every process calls the same methods in the
/// same order.
pub trait Collective: Sync {
    /// This process's number, from 0.
    fn rank(&self) -> usize;

    /// How many processes there are.
    fn size(&self) -> usize;

    /// Whether this is the process that writes files, holds the folder's lock and logs.
    fn leads(&self) -> bool {
        self.rank() == 0
    }

    /// Replaces each gradient of a bucket by its sum over all processes.
    ///
    /// # Errors
    /// When another process cannot be reached, or the device fails.
    fn sum(&self, bucket: &mut Bucket<'_>) -> Result<(), DeviceError>;

    /// Whether any process asks to stop; each says whether it does.
    fn any_asks_to_stop(&self, asks: bool) -> bool;

    /// The bytes of the leading process, in every process; those of the others are dropped.
    ///
    /// # Errors
    /// When the leading process cannot be reached.
    fn broadcast(&self, bytes: Vec<u8>) -> Result<Vec<u8>, DeviceError>;
}

/// What the leading process makes, in every process: a decision, a score, the result of work on files. It goes from
/// one to another as JSON.
///
/// # Errors
/// Those of `make` in the leading process, and [`TrainError::Led`] in the others.
pub fn made_by_leader<T, E>(
    collective: &dyn Collective,
    make: impl FnOnce() -> Result<T, E>,
) -> Result<T, E>
where
    T: Serialize + DeserializeOwned,
    E: From<TrainError> + std::fmt::Display,
{
    if collective.size() == 1 {
        return make();
    }
    let (bytes, made) = if collective.leads() {
        let made = make();
        let told: Result<&T, String> = made.as_ref().map_err(ToString::to_string);
        let bytes = serde_json::to_vec(&told).map_err(led)?;
        (bytes, Some(made))
    } else {
        (Vec::new(), None)
    };
    let bytes = collective.broadcast(bytes).map_err(TrainError::from)?;
    match made {
        Some(made) => made,
        None => {
            let told: Result<T, String> = serde_json::from_slice(&bytes).map_err(led)?;
            told.map_err(|reason| TrainError::Led(reason).into())
        }
    }
}

fn led(error: serde_json::Error) -> TrainError {
    TrainError::Led(error.to_string())
}

/// The only process of a training.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Collective for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum(&self, _: &mut Bucket<'_>) -> Result<(), DeviceError> {
        Ok(())
    }

    fn any_asks_to_stop(&self, asks: bool) -> bool {
        asks
    }

    fn broadcast(&self, bytes: Vec<u8>) -> Result<Vec<u8>, DeviceError> {
        Ok(bytes)
    }
}

/// Gradients that a backward pass has finished: those of a layer, or of what stands above or below the layers.
pub struct Bucket<'a> {
    pub(crate) gradients: &'a mut GradientsParams,
    pub(crate) finished: &'a [ParamId],
    pub(crate) parameters: &'a HashMap<ParamId, ParameterInfo>,
}

impl Bucket<'_> {
    /// Replaces each gradient by what `replace` makes of it, in an order that is the same in every process.
    ///
    /// # Shapes
    /// - each gradient: flattened, `[numbers of the parameter]`
    ///
    /// # Errors
    /// The first of `replace`.
    pub fn replace_each(
        &mut self,
        mut replace: impl FnMut(Tensor<1>) -> Result<Tensor<1>, DeviceError>,
    ) -> Result<(), DeviceError> {
        for id in self.finished {
            match self.parameters.get(id).map(|info| info.shape.num_dims()) {
                Some(1) => self.replace_one::<1>(*id, &mut replace)?,
                Some(2) => self.replace_one::<2>(*id, &mut replace)?,
                other => unreachable!("a parameter is a vector or a matrix, found {other:?}"),
            }
        }
        Ok(())
    }

    fn replace_one<const D: usize>(
        &mut self,
        id: ParamId,
        replace: &mut impl FnMut(Tensor<1>) -> Result<Tensor<1>, DeviceError>,
    ) -> Result<(), DeviceError> {
        if let Some(gradient) = self.gradients.remove::<D>(id) {
            let shape = gradient.shape();
            let replaced = replace(gradient.reshape([shape.num_elements()]))?;
            self.gradients.register(id, replaced.reshape::<D, _>(shape));
        }
        Ok(())
    }
}
