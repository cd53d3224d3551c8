//! The model that a run begins with.

use bert_model::checkpoint::{HeadPolicy, initialize, load_reinitialized};
use bert_model::heads::TaskModel;
use bert_tasks::{Family, log_unused_tensors};
use burn::tensor::Device;
use tracing::info;

use crate::{FinetuneError, RunSettings};

/// The model that a run begins with.
///
/// # Errors
/// When the checkpoint is bad, or its head is untrained and nothing trains it.
pub(crate) fn starting_model<F: Family>(
    family: &F,
    run: &RunSettings,
    device: &Device,
) -> Result<F::Model, FinetuneError> {
    let config = family.config();
    if run.from_scratch && run.trains {
        info!("every weight is drawn anew (seed {})", run.seed);
        return Ok(initialize(config, run.seed, device));
    }
    let policy = if run.trains {
        family.head_policy(run.seed)
    } else {
        HeadPolicy::MustBeTrained
    };
    let layers = if run.trains {
        run.recipe.reinit_layers
    } else {
        0
    };
    let dir = &run.bert_model;
    let loaded = load_reinitialized::<F::Model>(dir, config.clone(), policy, layers, device)?;
    let path = loaded.report.path.display();
    if layers > 0 {
        let first = config.num_hidden_layers - layers;
        info!(
            "{path}: drawn anew from N(0, {}²) with seed {}: the layers from {first} up{}",
            config.initializer_range,
            run.seed,
            if F::Model::POOLED {
                ", and the pooler"
            } else {
                ""
            }
        );
    }
    if !loaded.report.fresh.is_empty() {
        let range = config.initializer_range;
        info!(
            "{path}: found no head for this task and these labels; drawn anew from N(0, {range}²) with seed {}: {}",
            run.seed,
            loaded.report.fresh.join(", ")
        );
    }
    log_unused_tensors(&loaded.report);
    Ok(loaded.model)
}
