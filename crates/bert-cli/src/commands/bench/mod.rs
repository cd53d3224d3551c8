//! Times of a model on random weights, as a line of JSON, and beside another program's.

mod against;
mod lengths;
mod peak;
pub(crate) mod predict;
pub(crate) mod train;
mod workload;

use bert_model::BertConfig;
use serde_json::json;

use crate::args::ModelShape;
use crate::exit::bad_usage;

/// The largest count that a flag may ask for.
const MOST: usize = 100_000;

/// Refuses counts that are out of their range: a flag, its value, and the least that it may be.
fn check_counts(counts: &[(&str, usize, usize)]) -> anyhow::Result<()> {
    for (flag, value, least) in counts {
        if !(*least..=MOST).contains(value) {
            bad_usage!("{flag}: found {value}, expected {least} to {MOST}");
        }
    }
    Ok(())
}

/// A model of a shape, with BERT's vocabulary.
fn model_config(model: ModelShape) -> anyhow::Result<BertConfig> {
    let [hidden, layers, heads, inner] = match model {
        ModelShape::Tiny => [128, 2, 2, 512],
        ModelShape::Minilm => [384, 6, 12, 1536],
        ModelShape::Base => [768, 12, 12, 3072],
        ModelShape::Large => [1024, 24, 16, 4096],
    };
    Ok(serde_json::from_value(json!({
        "vocab_size": 30522, "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads, "intermediate_size": inner,
    }))?)
}
