//! A checkpoint folder to a model with a head.

use std::path::{Path, PathBuf};

use burn::tensor::Device;

use super::weights::Weights;
use crate::heads::TaskModel;
use crate::init::ParameterSource;
use crate::{BertConfig, Encoder, ModelError};

/// What to do when the checkpoint has no head for the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadPolicy {
    /// Draw a fresh one from this seed: the start of a fine-tune.
    FreshIfMissing {
        /// Seed of the draw.
        seed: u64,
    },
    /// Draw a fresh one from this seed, whatever the checkpoint has: the start of a fine-tune on other labels.
    Fresh {
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
    /// The head's tensors, and the pooler's, that were drawn afresh.
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

/// Architectures whose heads have the same tensor names, and mean different things by them.
const CLASSIFIERS: [&str; 3] = [
    "BertForSequenceClassification",
    "BertForMultipleChoice",
    "BertForTokenClassification",
];

/// Reads `config.json` and the weights of a checkpoint folder onto `device`.
///
/// # Errors
/// When a file is missing or damaged, a tensor of the encoder is missing (all are named), a shape
/// differs, the file has more layers than the configuration, or the head is missing or another task's and `policy` asks for a trained one.
pub fn load<M: TaskModel>(
    dir: &Path,
    policy: HeadPolicy,
    device: &Device,
) -> Result<Loaded<M>, ModelError> {
    let config = BertConfig::read(&dir.join("config.json"))?;
    load_as(dir, config, policy, device)
}

/// As [`load`], but as a model of this configuration, which may have other labels than the folder's.
///
/// # Errors
/// Those of [`load`].
pub fn load_as<M: TaskModel>(
    dir: &Path,
    config: BertConfig,
    policy: HeadPolicy,
    device: &Device,
) -> Result<Loaded<M>, ModelError> {
    load_reinitialized(dir, config, policy, 0, device)
}

/// As [`load_as`], with the top `layers` of the encoder and, where there are any, the pooler drawn anew from the seed of
/// `policy` (Zhang et al. 2021, "Revisiting few-sample BERT fine-tuning", 5).
///
/// # Errors
/// Those of [`load`].
pub fn load_reinitialized<M: TaskModel>(
    dir: &Path,
    config: BertConfig,
    policy: HeadPolicy,
    layers: usize,
    device: &Device,
) -> Result<Loaded<M>, ModelError> {
    let names = M::Encoder::NAMES;
    let mut weights = Weights::open(dir, names)?;
    let path = weights.path().to_owned();
    let foreign = foreign_head::<M>(&config);
    let (seed, redraw) = match (policy, foreign) {
        (HeadPolicy::FreshIfMissing { seed }, foreign) => (seed, foreign.is_some()),
        (HeadPolicy::Fresh { seed }, _) => (seed, true),
        (HeadPolicy::MustBeTrained, None) => (0, false),
        (HeadPolicy::MustBeTrained, Some(found)) => {
            return Err(ModelError::ForeignHead {
                path: dir.join("config.json"),
                found,
                expected: M::ARCHITECTURE,
            });
        }
    };
    let mut source =
        ParameterSource::checkpoint(names, &mut weights, seed, config.initializer_range, device);
    if redraw {
        source = source.redrawing(M::HEAD);
    }
    if layers > 0 {
        source = source.reinitializing(config.num_hidden_layers.saturating_sub(layers));
    }
    let model = M::build(&config, &mut source)?;
    let (head, encoder): (Vec<String>, Vec<String>) = source
        .into_fresh()
        .into_iter()
        // The pooler belongs to a sequence-level task: checkpoints of other tasks may lack it.
        .partition(|name| name.starts_with(M::HEAD) || names.is_pooler(name));
    if !encoder.is_empty() {
        return Err(ModelError::Missing {
            path,
            names: encoder,
        });
    }
    if !head.is_empty() && policy == HeadPolicy::MustBeTrained {
        return Err(ModelError::UntrainedHead { path, names: head });
    }
    let layers = weights.remaining_canonical();
    if let Some(last) = layers.filter_map(|name| names.layer(name)).max() {
        return Err(ModelError::ExtraLayers {
            path,
            found: last + 1,
            expected: config.num_hidden_layers,
        });
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

/// The architecture that the checkpoint's classifier belongs to, where it is another than `M`'s.
fn foreign_head<M: TaskModel>(config: &BertConfig) -> Option<String> {
    if !CLASSIFIERS.contains(&M::ARCHITECTURE) {
        return None;
    }
    config
        .architectures()
        .find(|name| CLASSIFIERS.contains(name) && *name != M::ARCHITECTURE)
        .map(str::to_owned)
}

/// Draws every parameter of a model anew, for training from scratch.
///
/// # Panics
/// Never: a fresh source has every tensor in the shape asked for.
pub fn initialize<M: TaskModel>(config: &BertConfig, seed: u64, device: &Device) -> M {
    let names = M::Encoder::NAMES;
    let mut source = ParameterSource::fresh(names, seed, config.initializer_range, device);
    M::build(config, &mut source).expect("a fresh source has every tensor")
}
