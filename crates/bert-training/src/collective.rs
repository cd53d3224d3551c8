//! The processes that train one model together.
//!
//! Each process holds the whole model and computes the gradients of its [share](crate::share) of a step's examples. The
//! processes add up the gradients of a layer as soon as these are known, while the backward pass of the layer below goes
//! on; then each makes the same update. Most trainings are [`Alone`].

pub use bert_collective::{Alone, Collective, CollectiveError, ReducePrecision};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::TrainError;

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
