//! What a training will take of memory, known before its first step.
//!
//! Weights, gradients and moments are counted exactly. Activations are those that a layer keeps for its backward
//! pass, at the widest micro-batch. Buffers of an allocator that are free are not counted.

use std::fmt;

use bert_model::{BertConfig, Precision};
use serde::Serialize;

use crate::TrainConfig;
use crate::optimizer::Residency;
use crate::share::pieces_of;

/// Bytes of a 32-bit number.
const F32: u64 = 4;

/// Peak memory of short trainings of a MiniLM was up to 104 MB above the sum of the other parts.
const PROGRAM: u64 = 128 << 20;

/// What decides how much memory a step takes besides the recipe.
#[derive(Debug, Clone, Copy)]
pub struct MemoryInput<'a> {
    /// The model's shape.
    pub model: &'a BertConfig,
    /// Its parameters, in numbers.
    pub parameters: u64,
    /// Those below the first layer.
    pub embedding_parameters: u64,
    /// Those of one layer.
    pub layer_parameters: u64,
    /// Training examples there are.
    pub examples: usize,
    /// Rows that an example adds to a batch.
    pub rows_per_example: usize,
    /// The widest batch, in tokens.
    pub width: usize,
    /// Threads of the processor where it computes: attention's weights are computed again in the backward pass, each
    /// thread's in buffers of its own. `None` on a GPU, which keeps them.
    pub threads: Option<usize>,
    /// Processes that train together, each of which computes its part of a step.
    pub processes: usize,
}

/// Memory in bytes. On a CPU, whose device memory is the host's, both together count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryEstimate {
    /// The model's parameters, in numbers.
    pub parameters: u64,
    /// Those that are trained.
    pub trained: u64,
    /// Weights, on the device.
    pub weights: u64,
    /// Gradients, on the device.
    pub gradients: u64,
    /// Moments, and averages of the weights where they are kept, on the device.
    pub moments: u64,
    /// What the forward pass keeps and the backward pass uses, at the widest micro-batch, on the device.
    pub activations: u64,
    /// Moments, averages, master weights and gradients in host memory, where the optimiser works there.
    pub host_optimizer: u64,
    /// The program itself and small buffers, where the device's memory is the host's: measured, rounded up.
    pub program: u64,
    /// The copy of weights, moments and averages that a checkpoint is written from, in host memory.
    pub host_checkpoint: u64,
    /// Rows of the widest micro-batch.
    pub rows: usize,
    /// Its width in tokens.
    pub width: usize,
    /// Whether the device's memory is the host's.
    pub shared: bool,
}

impl MemoryEstimate {
    /// What the device must have.
    pub fn device(&self) -> u64 {
        let device = self.weights + self.gradients + self.moments + self.activations;
        if self.shared {
            device + self.program + self.host_optimizer + self.host_checkpoint
        } else {
            device
        }
    }
}

/// Estimates a recipe's memory.
pub fn estimate(input: &MemoryInput<'_>, config: &TrainConfig) -> MemoryEstimate {
    let (parameters, trained) = (input.parameters, trained(input, config));
    let averages = match config.recipe.average_weights {
        Some(_) => F32 * trained,
        None => 0,
    };
    let batches = config.batches();
    let examples = batches.batch_size.div_ceil(batches.accumulation);
    let examples = examples.min(input.examples);
    let examples = examples.div_ceil(pieces_of(batches.accumulation, input.processes));
    let rows = examples * input.rows_per_example;
    let host = config.residency == Residency::Host;
    let one_layer = match batches.accumulation {
        0 | 1 => 0,
        _ => F32 * input.layer_parameters,
    };
    // The largest bucket of gradients, and what comes back of it: in host memory.
    let exchanged = match (input.processes, config.residency) {
        (1, _) | (_, Residency::Host | Residency::Device) => 0,
        (_, Residency::Shared) => {
            let table = input.model.vocab_size as u64 * input.model.hidden_size as u64;
            2 * F32 * table.max(input.layer_parameters)
        }
    };
    MemoryEstimate {
        parameters,
        trained,
        weights: F32 * parameters,
        gradients: F32 * trained + one_layer + exchanged,
        moments: if host {
            0
        } else {
            2 * F32 * trained + averages
        },
        activations: activations(input, config, rows as u64),
        host_optimizer: if host {
            4 * F32 * trained + averages
        } else {
            0
        },
        program: if config.residency == Residency::Shared {
            PROGRAM
        } else {
            0
        },
        host_checkpoint: F32 * parameters + 2 * F32 * trained + averages,
        rows,
        width: input.width,
        shared: config.residency == Residency::Shared,
    }
}

/// The parameters that are not frozen.
fn trained(input: &MemoryInput<'_>, config: &TrainConfig) -> u64 {
    let Some(freeze) = &config.recipe.freeze else {
        return input.parameters;
    };
    let layers = freeze.layer_numbers();
    let layers = layers
        .take_while(|n| *n < input.model.num_hidden_layers)
        .count() as u64;
    let embeddings = if freeze.embeddings() {
        input.embedding_parameters
    } else {
        0
    };
    input.parameters - embeddings - layers * input.layer_parameters
}

fn activations(input: &MemoryInput<'_>, config: &TrainConfig, rows: u64) -> u64 {
    let model = input.model;
    let width = input.width as u64;
    let tokens = rows * width;
    let hidden = tokens * model.hidden_size as u64;
    let inner = tokens * model.intermediate_size as u64;
    let scores = tokens * width * model.num_attention_heads as u64;
    // Frozen ones at the input keep nothing.
    let without = config
        .recipe
        .freeze
        .map_or(0, |freeze| freeze.depth().saturating_sub(1));
    let layers = model.num_hidden_layers.saturating_sub(without) as u64;
    // The CPU's products round 32-bit operands.
    let operand = match (config.precision, input.threads) {
        (Precision::Bf16, None) => 2,
        _ => F32,
    };
    // In the type of products' operands: queries, keys, values; the context; the inputs of both sub-layers; both sides
    // of the activation. In 32 bits: two normalised sums.
    let mut kept = hidden * (6 * operand + 2 * F32) + 2 * operand * inner;
    // Gradients of the feed-forward network and of the residuals.
    let mut working = 2 * operand * inner + 4 * F32 * hidden;
    if let Some(threads) = input.threads {
        working += 3 * F32 * width * width * threads as u64;
    } else {
        // The softmax; its gradient, and what dropout leaves of it, which is computed again.
        kept += operand * scores;
        working += 2 * operand * scores;
        // Weights as operands: those of queries, keys and values side by side, the others where they are cast.
        kept += operand
            * if operand == F32 {
                3 * (model.hidden_size as u64).pow(2)
            } else {
                input.layer_parameters
            };
    }
    let ends = 5 * F32 * hidden;
    if config.gradient_checkpointing {
        layers * F32 * hidden + kept + working + ends
    } else {
        layers * kept + working + ends
    }
}

/// Micro-batches of a step that divide its batch, from `least` on, in order.
pub fn accumulations(batch_size: usize, least: usize) -> Vec<usize> {
    let small = (1..=batch_size.isqrt()).filter(|n| batch_size.is_multiple_of(*n));
    let mut all: Vec<usize> = small.flat_map(|n| [n, batch_size / n]).collect();
    all.sort_unstable();
    all.dedup();
    all.retain(|n| *n >= least);
    all
}

/// The fewest micro-batches, from the recipe's own number on, with which it fits; `None` where it never does.
pub fn fitting_accumulation(
    input: &MemoryInput<'_>,
    config: &TrainConfig,
    available: u64,
) -> Option<usize> {
    let batches = config.batches();
    let counts = accumulations(batches.batch_size, batches.accumulation);
    counts.into_iter().find(|accumulation| {
        let tried = config.with_accumulation(*accumulation);
        estimate(input, &tried).device() <= available
    })
}

/// A setting with which a training takes less memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// `gradient_accumulation_steps`: the micro-batches of a step.
    Accumulation(usize),
    /// `gradient_checkpointing`: layers are computed again in the backward pass.
    Checkpointing,
    /// `optimize_on_cpu`: the optimiser's state lives in host memory.
    OptimizeOnCpu,
}

impl fmt::Display for Remedy {
    /// The setting in backticks, and its value where it is not a switch.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accumulation(steps) => write!(f, "`gradient_accumulation_steps` {steps}"),
            Self::Checkpointing => f.write_str("`gradient_checkpointing`"),
            Self::OptimizeOnCpu => f.write_str("`optimize_on_cpu`"),
        }
    }
}

/// Remedies that are enough together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice(pub Vec<Remedy>);

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let remedies: Vec<String> = self.0.iter().map(Remedy::to_string).collect();
        f.write_str(&remedies.join(" "))
    }
}

/// Changes that would make a recipe fit, the least one first: each is enough. Empty where the recipe fits, or nothing
/// makes it fit.
pub fn advise(input: &MemoryInput<'_>, config: &TrainConfig, available: u64) -> Vec<Advice> {
    let fits = |config: &TrainConfig| estimate(input, config).device() <= available;
    if fits(config) {
        return Vec::new();
    }
    let checkpointing = TrainConfig {
        gradient_checkpointing: true,
        ..*config
    };
    let host = TrainConfig {
        residency: match config.residency {
            Residency::Device => Residency::Host,
            other => other,
        },
        ..*config
    };
    let both = TrainConfig {
        gradient_checkpointing: true,
        ..host
    };
    let can_move = host.residency != config.residency;
    // What the recipe does already is no change.
    let checkpointing_is_new = (!config.gradient_checkpointing).then_some(Remedy::Checkpointing);
    let mut found = Vec::new();
    if let Some(accumulation) = fitting_accumulation(input, config, available)
        && accumulation != config.recipe.gradient_accumulation_steps
    {
        found.push(Advice(vec![Remedy::Accumulation(accumulation)]));
    }
    if !config.gradient_checkpointing && fits(&checkpointing) {
        found.push(Advice(vec![Remedy::Checkpointing]));
    }
    if can_move && fits(&host) {
        found.push(Advice(vec![Remedy::OptimizeOnCpu]));
    }
    if found.is_empty() && can_move && fits(&both) {
        let remedies = checkpointing_is_new.into_iter();
        found.push(Advice(remedies.chain([Remedy::OptimizeOnCpu]).collect()));
    }
    if found.is_empty() {
        let moved = can_move.then_some(Remedy::OptimizeOnCpu);
        let tries = [(&checkpointing, None), (&both, moved)];
        let last = tries.into_iter().find_map(|(tried, moved)| {
            let accumulation = fitting_accumulation(input, tried, available)?;
            let remedies = checkpointing_is_new.into_iter().chain(moved);
            let remedies = remedies.chain([Remedy::Accumulation(accumulation)]);
            Some(Advice(remedies.collect()))
        });
        found.extend(last);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recipe;
    use bert_collective::ReducePrecision;
    use bert_features::batch::Padding;
    use bert_model::MaskSource;

    fn base() -> BertConfig {
        serde_json::from_value(serde_json::json!({
            "vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12,
            "num_attention_heads": 12, "intermediate_size": 3072,
        }))
        .unwrap()
    }

    fn input(model: &BertConfig, threads: Option<usize>) -> MemoryInput<'_> {
        MemoryInput {
            model,
            parameters: 108_893_186,
            embedding_parameters: 23_837_184,
            layer_parameters: 7_087_872,
            examples: 1000,
            rows_per_example: 1,
            width: 384,
            threads,
            processes: 1,
        }
    }

    fn config(residency: Residency) -> TrainConfig {
        TrainConfig {
            recipe: Recipe {
                train_batch_size: 12,
                ..Recipe::default()
            },
            padding: Padding::Fixed(384),
            residency,
            seed: 1,
            precision: Precision::Fp32,
            gradient_checkpointing: false,
            masks: MaskSource::Host,
            reduce_precision: ReducePrecision::Fp32,
            reduce_backend: None,
            read_every: 1,
        }
    }

    #[test]
    fn the_host_takes_eight_bytes_a_parameter_off_the_device() {
        let model = base();
        let input = input(&model, None);
        let on_device = estimate(&input, &config(Residency::Device));
        let on_host = estimate(&input, &config(Residency::Host));
        assert_eq!(
            on_device.device() - on_host.device(),
            8 * on_device.parameters
        );
    }

    #[test]
    fn what_is_frozen_takes_no_gradient_and_no_moments() {
        let model = base();
        let input = input(&model, None);
        for residency in [Residency::Device, Residency::Host, Residency::Shared] {
            let mut tried = config(residency);
            let all = estimate(&input, &tried);
            assert_eq!(all.trained, all.parameters);
            tried.recipe.freeze = Some("embeddings,0-5".parse().unwrap());
            let frozen = estimate(&input, &tried);
            let left = 108_893_186 - 23_837_184 - 6 * 7_087_872;
            assert_eq!(frozen.trained, left);
            assert_eq!(frozen.weights, all.weights);
            assert_eq!(
                all.gradients - frozen.gradients,
                4 * (all.parameters - left)
            );
            assert!(2 * frozen.activations < all.activations + all.activations / 5);
            tried.recipe.average_weights = Some("swa".parse().unwrap());
            let averaged = estimate(&input, &tried);
            let [more, before] = [averaged, frozen].map(|it| it.moments + it.host_optimizer);
            assert_eq!(more - before, 4 * left, "{residency:?}");
            assert_eq!(averaged.host_checkpoint - frozen.host_checkpoint, 4 * left);
        }
    }

    #[test]
    fn activations_are_in_16_bits_on_gpus_only() {
        let model = base();
        let of = |threads, precision| {
            let config = TrainConfig {
                precision,
                ..config(Residency::Shared)
            };
            estimate(&input(&model, threads), &config)
        };
        let [full, half] = [Precision::Fp32, Precision::Bf16].map(|it| of(None, it).activations);
        assert!(half < full, "{half} of {full}");
        let cpu = Some(2);
        assert_eq!(of(cpu, Precision::Bf16), of(cpu, Precision::Fp32));
    }

    #[test]
    fn a_batch_has_no_more_examples_than_there_are() {
        let model = base();
        let input = input(&model, Some(2));
        let mut huge = config(Residency::Shared);
        huge.recipe.train_batch_size = 1_000_000_000_000_000;
        assert_eq!(estimate(&input, &huge).rows, 1000);
        let mut all = huge;
        all.recipe.train_batch_size = 1000;
        assert_eq!(estimate(&input, &huge), estimate(&input, &all));
    }

    #[test]
    fn micro_batches_divide_the_batch() {
        assert_eq!(accumulations(12, 1), [1, 2, 3, 4, 6, 12]);
        assert_eq!(accumulations(36, 5), [6, 9, 12, 18, 36]);
        assert_eq!(accumulations(13, 2), [13]);
    }

    #[test]
    fn what_is_advised_fits() {
        let model = base();
        for threads in [Some(2), None] {
            let input = input(&model, threads);
            let config = config(Residency::Shared);
            let whole = estimate(&input, &config).device();
            assert!(advise(&input, &config, whole).is_empty());
            assert_eq!(fitting_accumulation(&input, &config, whole), Some(1));
            let tight = whole * 7 / 10;
            let accumulation = fitting_accumulation(&input, &config, tight).unwrap();
            assert!(accumulation > 1 && 12 % accumulation == 0);
            let advice = advise(&input, &config, tight);
            assert_eq!(advice[0].0, [Remedy::Accumulation(accumulation)]);
            assert_eq!(advice[1].to_string(), "`gradient_checkpointing`");
            assert!(advise(&input, &config, 1 << 20).is_empty());
        }
    }

    /// What a recipe does already is not advised again.
    #[test]
    fn remedies_are_changes() {
        let model = base();
        let input = input(&model, None);
        for (checkpointing, residency, expected) in [
            (
                false,
                Residency::Device,
                vec![
                    Remedy::Checkpointing,
                    Remedy::OptimizeOnCpu,
                    Remedy::Accumulation(12),
                ],
            ),
            (
                true,
                Residency::Device,
                vec![Remedy::OptimizeOnCpu, Remedy::Accumulation(12)],
            ),
            (true, Residency::Host, vec![Remedy::Accumulation(12)]),
        ] {
            let tried = TrainConfig {
                gradient_checkpointing: checkpointing,
                ..config(residency)
            };
            let mut least = config(Residency::Host).with_accumulation(12);
            least.gradient_checkpointing = true;
            let available = estimate(&input, &least).device();
            assert_eq!(advise(&input, &tried, available), [Advice(expected)]);
        }
    }

    #[test]
    fn checkpointing_and_smaller_batches_take_less() {
        let model = base();
        let input = input(&model, Some(2));
        let config = config(Residency::Shared);
        let checkpointing = TrainConfig {
            gradient_checkpointing: true,
            ..config
        };
        let activations = |config: &TrainConfig| estimate(&input, config).activations;
        assert!(activations(&checkpointing) * 4 < activations(&config));
    }
}
