//! `config.json` in Hugging Face's keys.

use std::path::Path;

use bert_files::JsonFault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{HiddenAct, ModelError, labels};

/// The shape and regularisation of a BERT, as Hugging Face's `config.json` names them.
///
/// Keys that this crate does not use are kept in [`BertConfig::other`] and written back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BertConfig {
    /// Number of WordPieces.
    pub vocab_size: usize,
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Number of encoder layers.
    pub num_hidden_layers: usize,
    /// Attention heads per layer; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Activation of the feed-forward layer.
    #[serde(default)]
    pub hidden_act: HiddenAct,
    /// Dropout probability of the embeddings and of each sub-layer's output.
    #[serde(default = "default_dropout")]
    pub hidden_dropout_prob: f64,
    /// Dropout probability of the attention weights, after the softmax.
    #[serde(default = "default_dropout")]
    pub attention_probs_dropout_prob: f64,
    /// Longest sequence, in tokens.
    #[serde(default = "default_positions")]
    pub max_position_embeddings: usize,
    /// Number of segment types.
    #[serde(default = "default_types")]
    pub type_vocab_size: usize,
    /// Standard deviation of freshly initialised weights.
    #[serde(default = "default_initializer_range")]
    pub initializer_range: f64,
    /// Added to the variance in layer normalisation. Devlin et al.'s code uses 1e-12.
    #[serde(default = "default_layer_norm_eps")]
    pub layer_norm_eps: f64,
    /// Id of `[PAD]`, whose embedding receives no gradient.
    #[serde(default)]
    pub pad_token_id: usize,
    /// Every other key, kept as it was.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The most bytes of a configuration that are read: enough for a million labels.
const LIMIT: u64 = 256 << 20;

/// The most entries of a table of embeddings: as many as `bert-tokenization` takes ids.
const MOST_ENTRIES: usize = 1 << 24;

/// The largest width of a layer, and the most segment types: some sixty times those of the large size.
const MOST_WIDTH: usize = 1 << 16;

/// More layers than any BERT has.
const MOST_LAYERS: usize = 1000;

fn default_dropout() -> f64 {
    0.1
}
fn default_positions() -> usize {
    512
}
fn default_types() -> usize {
    2
}
fn default_initializer_range() -> f64 {
    0.02
}
fn default_layer_norm_eps() -> f64 {
    1e-12
}

impl BertConfig {
    /// Reads and validates a `config.json`.
    ///
    /// # Errors
    /// When the file cannot be read, is not a BERT configuration, or holds a value out of range.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let text = bert_files::read(path, LIMIT)?;
        let config: Self =
            serde_json::from_slice(&text).map_err(|error| ModelError::ConfigSyntax {
                path: path.to_owned(),
                source: JsonFault::from(error),
            })?;
        config.validate(path)?;
        Ok(config)
    }

    /// Checks every value; `path` is named in the error.
    ///
    /// # Errors
    /// When a size is zero, a probability is outside `[0, 1)`, the heads do not divide the width, or
    /// the model is not a BERT.
    pub fn validate(&self, path: &Path) -> Result<(), ModelError> {
        let fail = |key, found: String, expected| {
            Err(ModelError::ConfigValue {
                path: path.to_owned(),
                key,
                found,
                expected,
            })
        };
        if let Some(kind) = self.other.get("model_type")
            && kind != "bert"
        {
            return fail("model_type", kind.to_string(), "\"bert\"");
        }
        if let Some(kind) = self.other.get("position_embedding_type")
            && kind != "absolute"
        {
            return fail("position_embedding_type", kind.to_string(), "\"absolute\"");
        }
        if self.other.get("is_decoder").is_some_and(|v| v == true) {
            return fail("is_decoder", "true".into(), "false");
        }
        // A slip of the keyboard here would fill memory before the first missing tensor is named. Products of sizes below
        // these limits do not overflow.
        let (entries, width) = ("from 1 to 16777216", "from 1 to 65536");
        for (key, size, most, expected) in [
            ("vocab_size", self.vocab_size, MOST_ENTRIES, entries),
            ("hidden_size", self.hidden_size, MOST_WIDTH, width),
            (
                "num_hidden_layers",
                self.num_hidden_layers,
                MOST_LAYERS,
                "from 1 to 1000",
            ),
            (
                "num_attention_heads",
                self.num_attention_heads,
                MOST_WIDTH,
                width,
            ),
            (
                "intermediate_size",
                self.intermediate_size,
                MOST_WIDTH,
                width,
            ),
            (
                "max_position_embeddings",
                self.max_position_embeddings,
                MOST_ENTRIES,
                entries,
            ),
            ("type_vocab_size", self.type_vocab_size, MOST_WIDTH, width),
        ] {
            if !(1..=most).contains(&size) {
                return fail(key, size.to_string(), expected);
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            let found = format!(
                "{} for hidden_size {}",
                self.num_attention_heads, self.hidden_size
            );
            return fail("num_attention_heads", found, "a divisor of hidden_size");
        }
        for (key, p) in [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            (
                "attention_probs_dropout_prob",
                self.attention_probs_dropout_prob,
            ),
        ] {
            if !(0.0..1.0).contains(&p) {
                return fail(key, p.to_string(), "a probability below 1");
            }
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return fail(
                "layer_norm_eps",
                self.layer_norm_eps.to_string(),
                "between 0 and 1",
            );
        }
        if !(self.initializer_range > 0.0 && self.initializer_range.is_finite()) {
            return fail(
                "initializer_range",
                self.initializer_range.to_string(),
                "above 0",
            );
        }
        if self.pad_token_id >= self.vocab_size {
            return fail(
                "pad_token_id",
                self.pad_token_id.to_string(),
                "below vocab_size",
            );
        }
        labels::validate(self, path)
    }

    /// The names of `architectures`, by which a checkpoint says what head it has; none where it says nothing.
    pub fn architectures(&self) -> impl Iterator<Item = &str> {
        let names = self.other.get("architectures");
        let names = names.and_then(Value::as_array);
        names.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Width of one attention head.
    pub fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<BertConfig, ModelError> {
        let config: BertConfig = serde_json::from_str(text).unwrap();
        config.validate(Path::new("config.json"))?;
        Ok(config)
    }

    const BASE: &str = r#""vocab_size":99,"hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":37"#;

    #[test]
    fn unknown_keys_are_kept_and_defaults_are_bert_s() {
        let config = parse(&format!("{{{BASE},\"architectures\":[\"X\"]}}")).unwrap();
        assert_eq!(config.layer_norm_eps, 1e-12);
        assert_eq!(config.hidden_dropout_prob, 0.1);
        assert_eq!(config.hidden_act, HiddenAct::Gelu);
        let back = serde_json::to_value(&config).unwrap();
        assert_eq!(back["architectures"][0], "X");
        assert!(config.architectures().eq(["X"]));
        assert_eq!(
            parse(&format!("{{{BASE}}}"))
                .unwrap()
                .architectures()
                .count(),
            0
        );
    }

    #[test]
    fn a_bad_value_names_its_key() {
        let cases = [
            (
                "\"hidden_dropout_prob\":1.0",
                "config.json: hidden_dropout_prob: found 1, expected a probability below 1",
            ),
            (
                "\"model_type\":\"roberta\"",
                "config.json: model_type: found \"roberta\", expected \"bert\"",
            ),
            (
                "\"pad_token_id\":99",
                "config.json: pad_token_id: found 99, expected below vocab_size",
            ),
            (
                "\"type_vocab_size\":0",
                "config.json: type_vocab_size: found 0, expected from 1 to 65536",
            ),
            (
                "\"max_position_embeddings\":18446744073709551615",
                "config.json: max_position_embeddings: found 18446744073709551615, expected from 1 to 16777216",
            ),
        ];
        for (extra, message) in cases {
            let error = parse(&format!("{{{BASE},{extra}}}")).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
