//! Whether a training fits into memory, before it begins.

use bert_backend::Backend;
use bert_model::heads::{TaskModel, parameter_count};
use bert_model::{Encoder, ModelError};
use bert_tasks::Family;
use bert_training::collective::Collective;
use bert_training::memory::{
    Advice, MemoryEstimate, MemoryInput, Remedy, advise, estimate, fitting_accumulation,
};
use bert_training::{Task, TrainConfig, TrainError};
use tracing::info;

use crate::{FinetuneError, RunSettings, Settings, buffers};

/// What a training needs, and what there is.
pub(crate) struct Memory {
    /// For the micro-batches of `config`.
    pub estimate: MemoryEstimate,
    /// Bytes that the device has for it; `None` where that cannot be told.
    pub available: Option<u64>,
    /// The recipe, with more micro-batches where it must and may have them.
    pub config: TrainConfig,
    /// Changes with which it would need less: little enough, where it does not fit.
    pub advice: Vec<Advice>,
    /// Why the device does not hold the largest tensor of a step, whatever its memory.
    too_large: Option<ModelError>,
}

/// Estimates a training's memory and compares it with what there is. `kept` are the micro-batches of a run that goes
/// on, whatever the flags say. Several processes agree on the most micro-batches that one of them needs.
///
/// # Errors
/// When another process cannot be reached.
pub(crate) fn compare<F: Family>(
    family: &F,
    task: &F::Task<'_>,
    settings: &Settings,
    backend: &Backend,
    kept: Option<usize>,
    collective: &dyn Collective,
) -> Result<Memory, FinetuneError> {
    let run = &settings.run;
    let mut config = settings.train_config(backend);
    let lengths = (0..task.len()).map(|example| task.longest_row(example));
    let padding = config.padding;
    let size = <F::Model as TaskModel>::Encoder::size(family.config());
    let input = MemoryInput {
        model: family.config(),
        parameters: parameter_count::<F::Model>(family.config()),
        embedding_parameters: size.embeddings,
        layer_parameters: size.layer,
        examples: task.len(),
        rows_per_example: task.rows_per_example(),
        width: padding.width(lengths.max().unwrap_or(0), task.max_width()),
        threads: backend.kind().threads(),
        processes: collective.size(),
    };
    let available = run
        .execution
        .max_memory
        .or_else(|| Some(run.compute.device.memory()?.free));
    match (kept, available) {
        (Some(kept), _) => config = config.with_accumulation(kept),
        (None, Some(available)) if run.execution.auto_micro_batch => {
            if let Some(fitting) = fitting_accumulation(&input, &config, available) {
                config = config.with_accumulation(fitting);
            }
        }
        _ => {}
    }
    let allowed = backend.largest_buffer();
    if let (None, true) = (kept, run.execution.auto_micro_batch)
        && let Some(fitting) = buffers::fitting_accumulation(&input, &config, allowed)
    {
        config = config.with_accumulation(fitting);
    }
    if kept.is_none() && run.execution.auto_micro_batch {
        let own = config.recipe.gradient_accumulation_steps;
        config = config.with_accumulation(largest_of_all(collective, own)?);
    }
    let estimate = estimate(&input, &config);
    let target = match available {
        Some(available) if estimate.device() > available => available,
        _ => estimate.device() * 9 / 10,
    };
    let mut advice = advise(&input, &config, target);
    if kept.is_some() {
        // The run keeps its micro-batches.
        let is_kept = |remedy: &Remedy| !matches!(remedy, Remedy::Accumulation(_));
        advice.retain(|Advice(remedies)| remedies.iter().all(is_kept));
    }
    Ok(Memory {
        estimate,
        available,
        config,
        advice,
        too_large: buffers::check(&input, &config, allowed, kept).err(),
    })
}

/// The largest number that a process has.
///
/// # Errors
/// When another process cannot be reached.
pub(crate) fn largest_of_all(
    collective: &dyn Collective,
    own: usize,
) -> Result<usize, FinetuneError> {
    let all = collective.gather((own as u64).to_le_bytes().to_vec());
    let all = all.map_err(TrainError::from)?;
    let numbers = all
        .iter()
        .filter_map(|bytes| bytes.as_slice().try_into().ok());
    let largest = numbers.map(u64::from_le_bytes).max();
    Ok(largest.map_or(own, |largest| largest as usize))
}

impl Memory {
    /// Refuses a training that does not fit.
    ///
    /// # Errors
    /// When more is needed than there is, or one tensor is larger than the device allows.
    pub(crate) fn refuse(mut self, run: &RunSettings) -> Result<Self, FinetuneError> {
        if let Some(error) = self.too_large.take() {
            return Err(error.into());
        }
        let available = match self.available {
            Some(available) if self.estimate.device() > available => available,
            _ => return Ok(self),
        };
        let advice = match self.advice.as_slice() {
            [] => "smaller settings that fit were not found".to_owned(),
            advice => format!("it would fit with {}", one_of(advice)),
        };
        Err(FinetuneError::DoesNotFit {
            device: run.compute.device,
            needed: format!(
                "{} of memory ({})",
                size(self.estimate.device()),
                parts(&self.estimate)
            ),
            found: match run.execution.max_memory {
                Some(_) => format!("{} in `max_memory`", size(available)),
                None => format!("{} free (`max_memory` overrides it)", size(available)),
            },
            advice,
        })
    }

    /// Says what a training will take, and how many micro-batches it has where that is not what was `asked` for.
    pub(crate) fn log(&self, config: &TrainConfig, asked: usize) {
        let available = match self.available {
            Some(available) => format!(" of {}", size(available)),
            None => " (what is free cannot be told)".to_owned(),
        };
        if self.estimate.trained < self.estimate.parameters {
            info!(
                "{} of {} parameters are trained",
                self.estimate.trained, self.estimate.parameters
            );
        }
        info!(
            "memory: about {}{available}: {}",
            size(self.estimate.device()),
            parts(&self.estimate)
        );
        let found = config.recipe.gradient_accumulation_steps;
        if found != asked {
            info!("the run has {found} micro-batches a step, not {asked}, and keeps them");
        }
    }
}

/// Pieces of advice of which each is enough.
pub(crate) fn one_of(advice: &[Advice]) -> String {
    let advice: Vec<String> = advice.iter().map(Advice::to_string).collect();
    advice.join(", or ")
}

fn parts(estimate: &MemoryEstimate) -> String {
    let mut parts = vec![
        format!("weights {}", size(estimate.weights)),
        format!("gradients {}", size(estimate.gradients)),
        format!("moments {}", size(estimate.moments)),
        format!(
            "activations {} at {} x {} tokens",
            size(estimate.activations),
            estimate.rows,
            estimate.width
        ),
    ];
    if estimate.shared {
        parts.push(format!(
            "a run state being saved {}",
            size(estimate.host_checkpoint)
        ));
        parts.push(format!("the program {}", size(estimate.program)));
    }
    parts.join(", ")
}

fn size(bytes: u64) -> String {
    match bytes as f64 / f64::from(1 << 20) {
        mib if mib < 1024.0 => format!("{mib:.1} MiB"),
        mib => format!("{:.2} GiB", mib / 1024.0),
    }
}
