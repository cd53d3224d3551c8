//! A checkpoint folder to a model with a head.

use std::path::{Path, PathBuf};

use burn::tensor::Device;

use super::weights::Weights;
use crate::heads::TaskModel;
use crate::init::ParameterSource;
use crate::{BertConfig, ModelError};

/// What to do when the checkpoint has no head for the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadPolicy {
    /// Draw a fresh one from this seed: the start of a fine-tune.
    FreshIfMissing {
        /// Seed of the draw.
        seed: u64,
    },
    /// Refuse: a prediction by an untrained head means nothing.
    MustBeTrained,
}

/// What a load found besides the model's own tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadReport {
    /// The weight file.
    pub path: PathBuf,
    /// The head's tensors that were drawn afresh.
    pub fresh: Vec<String>,
    /// Tensors of the file that the model has no place for, e.g. a pre-training head.
    pub unexpected: Vec<String>,
}

/// A loaded model and what was noticed on the way.
pub struct Loaded<M> {
    /// The model.
    pub model: M,
    /// Its configuration.
    pub config: BertConfig,
    /// What was missing and what was left over.
    pub report: LoadReport,
}

/// Reads `config.json` and the weights of a checkpoint folder onto `device`.
///
/// # Errors
/// When a file is missing or damaged, a tensor of the encoder is missing (all are named), a shape
/// differs, or the head is missing and `policy` asks for a trained one.
pub fn load<M: TaskModel>(
    dir: &Path,
    policy: HeadPolicy,
    device: &Device,
) -> Result<Loaded<M>, ModelError> {
    let config = BertConfig::read(&dir.join("config.json"))?;
    let mut weights = Weights::open(dir)?;
    let path = weights.path().to_owned();
    let seed = match policy {
        HeadPolicy::FreshIfMissing { seed } => seed,
        HeadPolicy::MustBeTrained => 0,
    };
    let mut source =
        ParameterSource::checkpoint(&mut weights, seed, config.initializer_range, device);
    let model = M::build(&config, &mut source)?;
    let (head, encoder): (Vec<String>, Vec<String>) = source
        .into_fresh()
        .into_iter()
        .partition(|name| name.starts_with(M::HEAD));
    if !encoder.is_empty() {
        return Err(ModelError::Missing {
            path,
            names: encoder,
        });
    }
    if !head.is_empty() && policy == HeadPolicy::MustBeTrained {
        return Err(ModelError::UntrainedHead { path, names: head });
    }
    Ok(Loaded {
        model,
        config,
        report: LoadReport {
            path,
            fresh: head,
            unexpected: weights.remaining(),
        },
    })
}

/// Draws every parameter of a model anew, for training from scratch.
///
/// # Panics
/// Never: a fresh source has every tensor in the shape asked for.
pub fn initialize<M: TaskModel>(config: &BertConfig, seed: u64, device: &Device) -> M {
    let mut source = ParameterSource::fresh(seed, config.initializer_range, device);
    M::build(config, &mut source).expect("a fresh source has every tensor")
}
