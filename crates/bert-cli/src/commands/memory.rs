//! Whether a training fits into memory, before it begins.

use bert_model::heads::parameter_count;
use bert_training::memory::{
    MemoryEstimate, MemoryInput, estimate, fitting_accumulation, fitting_flags,
};
use bert_training::optimizer::Residency;
use bert_training::{Task, TrainConfig};
use sysinfo::{MemoryRefreshKind, RefreshKind, System};
use tracing::info;

use super::family::Family;
use crate::backend::Backend;
use crate::exit::bad_usage;
use crate::monitor;
use crate::resolve::RunSettings;

/// What a training needs, and what there is.
pub(crate) struct Memory {
    /// For the micro-batches of `config`.
    pub(crate) estimate: MemoryEstimate,
    /// Bytes that the device has for it; `None` where that cannot be told.
    pub(crate) available: Option<u64>,
    /// The recipe, with more micro-batches where it must and may have them.
    pub(crate) config: TrainConfig,
    /// Flags of a recipe that would need less.
    pub(crate) advice: Vec<String>,
}

/// Estimates a training's memory and compares it with what there is.
///
/// # Errors
/// When it does not fit, and --auto-micro-batch does not make it.
pub(crate) fn check<F: Family>(
    family: &F,
    task: &F::Task<'_>,
    run: &RunSettings,
    backend: &Backend,
    config: &TrainConfig,
) -> anyhow::Result<Memory> {
    let longest = (0..task.len())
        .map(|example| task.longest_row(example))
        .max();
    let padding = config.batches.padding;
    let input = MemoryInput {
        model: family.config(),
        parameters: parameter_count::<F::Model>(family.config()),
        rows_per_example: task.rows_per_example(),
        width: padding.width(longest.unwrap_or(0), task.max_width()),
        fused: backend.residency == Residency::Shared,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let available = run.max_memory.or_else(|| free(run));
    let mut config = *config;
    if run.auto_micro_batch
        && let Some(available) = available
        && let Some(accumulation) = fitting_accumulation(&input, &config, available)
    {
        config.batches.accumulation = accumulation;
    }
    let estimate = estimate(&input, &config);
    let advice = match available {
        Some(available) => fitting_flags(&input, &config, available),
        None => Vec::new(),
    };
    if let Some(available) = available
        && estimate.device() > available
    {
        let advice = match advice.as_slice() {
            [] => "smaller settings that fit were not found".to_owned(),
            flags => format!("it would fit with {}", flags.join(", or ")),
        };
        bad_usage!(
            "training on {1} needs about {0} of memory ({2}), found {3} {4}; {advice}",
            gib(estimate.device()),
            run.device_choice,
            parts(&estimate),
            gib(available),
            match run.max_memory {
                Some(_) => "in --max-memory",
                None => "free (--max-memory says otherwise)",
            },
        );
    }
    let smaller = fitting_flags(&input, &config, estimate.device() * 9 / 10);
    Ok(Memory {
        estimate,
        available,
        config,
        advice: smaller,
    })
}

/// Memory of the device that nobody uses.
fn free(run: &RunSettings) -> Option<u64> {
    if let Some(index) = run.device_choice.cuda_index() {
        return Some(monitor::device_info(index)?.free);
    }
    let what = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(what);
    let free = system.available_memory();
    let limited = system.cgroup_limits().map(|limits| limits.free_memory);
    // A container may have less than its machine.
    let free = limited.map_or(free, |limited| limited.min(free));
    (free > 0).then_some(free)
}

impl Memory {
    /// Says what a training will take.
    pub(crate) fn log(&self, asked: usize) {
        let available = match self.available {
            Some(available) => format!(" of {}", gib(available)),
            None => String::new(),
        };
        info!(
            "memory: about {}{available}: {}",
            gib(self.estimate.device()),
            parts(&self.estimate)
        );
        let found = self.config.batches.accumulation;
        if found != asked {
            info!("--auto-micro-batch: {found} micro-batches a step, not {asked}");
        }
    }
}

fn parts(estimate: &MemoryEstimate) -> String {
    let mut parts = vec![
        format!("weights {}", gib(estimate.weights)),
        format!("gradients {}", gib(estimate.gradients)),
        format!("moments {}", gib(estimate.moments)),
        format!(
            "activations {} at {} x {} tokens",
            gib(estimate.activations),
            estimate.rows,
            estimate.width
        ),
    ];
    if estimate.shared {
        parts.push(format!("a checkpoint {}", gib(estimate.host_checkpoint)));
    }
    parts.join(", ")
}

fn gib(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30))
}
