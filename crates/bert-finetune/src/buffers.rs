//! Whether a device holds the largest single tensor of a step. Graphics APIs limit a buffer, whatever the memory.

use bert_model::{LargestTensor, ModelError};
use bert_training::TrainConfig;
use bert_training::memory::{MemoryInput, accumulations, estimate};

/// Widths that are advised are multiples of this.
const WIDTH_STEP: usize = 16;

/// The largest tensor of a micro-batch.
fn largest(input: &MemoryInput<'_>, config: &TrainConfig) -> LargestTensor {
    let rows = estimate(input, config).rows;
    input.model.largest_activation(rows, input.width)
}

/// The fewest micro-batches, from the recipe's own number on, each tensor of which is allowed; `None` where a single
/// example is too large.
pub(crate) fn fitting_accumulation(
    input: &MemoryInput<'_>,
    config: &TrainConfig,
    allowed: Option<u64>,
) -> Option<usize> {
    let allowed = allowed?;
    let batches = config.batches();
    let counts = accumulations(batches.batch_size, batches.accumulation);
    let fits = |count: &usize| largest(input, &config.with_accumulation(*count)).bytes <= allowed;
    counts.into_iter().find(fits)
}

/// Refuses a training whose largest tensor is larger than a buffer may be. `kept` are the micro-batches of a run that
/// goes on, which it keeps.
///
/// # Errors
/// [`ModelError::BufferTooLarge`] with settings that fit.
pub(crate) fn check(
    input: &MemoryInput<'_>,
    config: &TrainConfig,
    allowed: Option<u64>,
    kept: Option<usize>,
) -> Result<(), ModelError> {
    largest(input, config).check(allowed, || {
        if kept.is_some() {
            return "the run keeps its micro-batches and goes on with the `device` it began on".to_owned();
        }
        match fitting_accumulation(input, config, allowed) {
            Some(steps) => format!(
                "it would fit with `gradient_accumulation_steps` {steps}, which leaves the results as they are, or with \
                 a smaller `train_batch_size`"
            ),
            None => narrower(input, config, allowed),
        }
    })
}

/// What fits where a micro-batch of one example does not.
fn narrower(input: &MemoryInput<'_>, config: &TrainConfig, allowed: Option<u64>) -> String {
    let batch_size = config.batches().batch_size;
    let one = MemoryInput {
        examples: 1,
        ..*input
    };
    let fits = |width: &usize| {
        let tried = MemoryInput {
            width: *width,
            ..one
        };
        allowed.is_some_and(|allowed| largest(&tried, config).bytes <= allowed)
    };
    let widths = (WIDTH_STEP..input.width).step_by(WIDTH_STEP).rev();
    match widths.into_iter().find(fits) {
        Some(width) => format!(
            "it would fit with `max_seq_length` {width} and `gradient_accumulation_steps` {batch_size}"
        ),
        None => "no setting makes it fit: another `device` is needed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bert_features::batch::Padding;
    use bert_model::{BertConfig, MaskSource, Precision};
    use bert_training::Recipe;
    use bert_training::collective::ReducePrecision;
    use bert_training::optimizer::Residency;

    #[test]
    fn what_is_advised_fits() {
        let model: BertConfig = serde_json::from_value(serde_json::json!({
            "vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12,
            "num_attention_heads": 12, "intermediate_size": 3072,
        }))
        .unwrap();
        let input = MemoryInput {
            model: &model,
            parameters: 108_893_186,
            embedding_parameters: 23_837_184,
            layer_parameters: 7_087_872,
            examples: 1000,
            rows_per_example: 1,
            width: 384,
            threads: None,
            processes: 1,
        };
        let config = TrainConfig {
            recipe: Recipe {
                train_batch_size: 32,
                ..Recipe::default()
            },
            padding: Padding::Fixed(384),
            residency: Residency::Device,
            seed: 1,
            precision: Precision::Fp32,
            gradient_checkpointing: false,
            masks: MaskSource::Device,
            reduce_precision: ReducePrecision::Fp32,
            reduce_backend: None,
            read_every: 10,
        };
        let line = |allowed: u64, kept| {
            let checked = check(&input, &config, Some(allowed), kept);
            checked.err().map(|error| error.to_string())
        };
        assert_eq!(line(1 << 30, None), None);
        assert_eq!(check(&input, &config, None, None).ok(), Some(()));
        // 32 rows have 216 MiB of scores, 16 rows 108 MiB.
        assert_eq!(
            fitting_accumulation(&input, &config, Some(128 << 20)),
            Some(2)
        );
        for (allowed, kept, advice) in [
            (128 << 20, None, "`gradient_accumulation_steps` 2, which"),
            (128 << 20, Some(1), "`device` it began on"),
            // One row of 384 tokens has 6.75 MiB of scores.
            (
                4 << 20,
                None,
                "`max_seq_length` 288 and `gradient_accumulation_steps` 32",
            ),
            (1 << 10, None, "another `device`"),
        ] {
            let line = line(allowed, kept).unwrap();
            assert!(line.contains(advice), "{line}");
        }
    }
}
