//! Checkpoints of a few kilobytes.

use bert_test_device::test_device;
use std::ops::ControlFlow;

use bert_features::batch::Padding;
use bert_inference::InferenceConfig;
use bert_model::checkpoint::{initialize, save};
use bert_model::heads::TaskModel;
use bert_model::{BertConfig, Precision};
use bert_tokenization::{BertTokenizer, save_tokenizer};
use tempfile::TempDir;

/// Every word of the tests' texts.
const VOCABULARY: &str = "[PAD] [UNK] [CLS] [SEP] [MASK] the a red blue old boat house sea bird \
    sails sleeps sings falls fast . ? who what where";

pub(crate) fn config() -> BertConfig {
    serde_json::from_value(serde_json::json!({
        "vocab_size": VOCABULARY.split_whitespace().count(), "hidden_size": 16, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 48,
        "initializer_range": 0.5,
    }))
    .unwrap()
}

/// A folder with a model of random weights.
pub(crate) fn checkpoint<M: TaskModel>(config: &BertConfig) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let model: M = initialize(config, 7, &test_device());
    save(&model, config, dir.path()).unwrap();
    let vocab = dir.path().join("words.txt");
    let words: Vec<&str> = VOCABULARY.split_whitespace().collect();
    std::fs::write(&vocab, words.join("\n")).unwrap();
    let tokenizer = BertTokenizer::from_vocab_file(&vocab, true).unwrap();
    save_tokenizer(&tokenizer, config.max_position_embeddings, dir.path()).unwrap();
    dir
}

/// One row after another, and batches of several rows at once.
pub(crate) fn ways_to_run() -> [InferenceConfig; 3] {
    let way = |batch_size, padding, concurrent| InferenceConfig {
        batch_size,
        padding,
        precision: Precision::Fp32,
        concurrent,
        largest_buffer: None,
    };
    [
        way(1, Padding::Longest { multiple_of: 1 }, 1),
        way(3, Padding::Longest { multiple_of: 8 }, 1),
        way(2, Padding::Fixed(48), 2),
    ]
}

/// Fails unless the probabilities are those expected, up to the rounding that batches of other shapes bring.
pub(crate) fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{found} for {expected}");
    }
}

pub(crate) fn go_on(_: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
