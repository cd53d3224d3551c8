//! The configurations of the small BERTs that the demos train.

use serde::Serialize;

use crate::DemoDataError;

/// `config.json` with the keys of Hugging Face's `BertConfig`.
#[derive(Serialize)]
struct BertConfig {
    architectures: [&'static str; 1],
    model_type: &'static str,
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: &'static str,
    hidden_dropout_prob: f64,
    attention_probs_dropout_prob: f64,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    initializer_range: f64,
    layer_norm_eps: f64,
    pad_token_id: usize,
}

/// `tokenizer_config.json`.
#[derive(Serialize)]
struct TokenizerConfig {
    tokenizer_class: &'static str,
    do_lower_case: bool,
    model_max_length: usize,
}

pub(crate) const MAX_LENGTH: usize = 256;

/// What the two models differ in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    architecture: &'static str,
    heads: usize,
    pub(crate) hidden_size: usize,
    pub(crate) layers: usize,
    pub(crate) initializer_range: f64,
}

/// Trained from scratch by the demos of SWAG and GLUE.
pub(crate) const SMALL: Size = Size {
    architecture: "BertModel",
    heads: 4,
    hidden_size: 64,
    layers: 3,
    initializer_range: 0.1,
};

/// Pre-trained from the weights of [`crate::weights`], and fine-tuned by the demo of SQuAD.
pub(crate) const READER: Size = Size {
    architecture: "BertForQuestionAnswering",
    heads: 2,
    hidden_size: 64,
    layers: 2,
    initializer_range: 0.1,
};

/// The text of `config.json` for a vocabulary of `vocab_size` tokens.
pub(crate) fn config_json(size: Size, vocab_size: usize) -> Result<String, DemoDataError> {
    pretty(&BertConfig {
        architectures: [size.architecture],
        model_type: "bert",
        vocab_size,
        hidden_size: size.hidden_size,
        num_hidden_layers: size.layers,
        num_attention_heads: size.heads,
        intermediate_size: 4 * size.hidden_size,
        hidden_act: "gelu",
        hidden_dropout_prob: 0.0,
        attention_probs_dropout_prob: 0.0,
        max_position_embeddings: MAX_LENGTH,
        type_vocab_size: 2,
        initializer_range: size.initializer_range,
        layer_norm_eps: 1e-12,
        pad_token_id: 0,
    })
}

/// The text of `tokenizer_config.json`.
pub(crate) fn tokenizer_config_json() -> Result<String, DemoDataError> {
    pretty(&TokenizerConfig {
        tokenizer_class: "BertTokenizer",
        do_lower_case: true,
        model_max_length: MAX_LENGTH,
    })
}

fn pretty(value: &impl Serialize) -> Result<String, DemoDataError> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}
