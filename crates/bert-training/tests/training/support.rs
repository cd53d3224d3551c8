//! A model and a data set of a few kilobytes, shared by this crate's tests.

use bert_features::batch::Padding;
use bert_features::squad::{
    AnswerPositions, ContextTokens, SquadFeatureConfig, SquadFeatures, SquadSkips, SquadWindow,
    TokenSpan,
};
use bert_model::checkpoint::initialize;
use bert_model::heads::BertForQuestionAnswering;
use bert_model::{BertConfig, MaskSource, Precision};
use bert_training::collective::ReducePrecision;
use bert_training::optimizer::Residency;
use bert_training::{Observer, Optim, Recipe, StepRecord, TrainConfig};
use burn::tensor::Device;

/// Remembers every step.
#[derive(Default)]
pub(crate) struct Losses(pub(crate) Vec<StepRecord>);

impl Observer for Losses {
    fn step(&mut self, record: &StepRecord) {
        self.0.push(*record);
    }
}

pub(crate) fn config() -> BertConfig {
    serde_json::from_str(
        r#"{"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
            "intermediate_size": 64, "max_position_embeddings": 64, "initializer_range": 0.1}"#,
    )
    .unwrap()
}

pub(crate) fn tiny_model(device: &Device) -> BertForQuestionAnswering {
    initialize(&config(), 1, device)
}

pub(crate) fn tiny_model_without_dropout(device: &Device) -> BertForQuestionAnswering {
    let config = BertConfig {
        hidden_dropout_prob: 0.0,
        attention_probs_dropout_prob: 0.0,
        ..config()
    };
    initialize(&config, 1, device)
}

pub(crate) fn train_config() -> TrainConfig {
    TrainConfig {
        recipe: Recipe {
            num_train_epochs: 150.0,
            train_batch_size: 8,
            learning_rate: 5e-3,
            ..Recipe::default()
        },
        padding: Padding::Longest { multiple_of: 8 },
        residency: Residency::Shared,
        seed: 1,
        precision: Precision::Fp32,
        gradient_checkpointing: false,
        masks: MaskSource::Host,
        reduce_precision: ReducePrecision::Fp32,
        reduce_backend: None,
        read_every: 1,
    }
}

/// Eight questions on eight contexts of different lengths, as token ids, with answers anywhere.
pub(crate) fn eight_questions() -> SquadFeatures {
    let contexts: Vec<ContextTokens> = (0..8)
        .map(|n: u32| ContextTokens {
            words: Vec::new(),
            ids: (0..10 + 3 * n).map(|i| 5 + (i * 7 + n * 13) % 50).collect(),
            token_to_word: Vec::new(),
        })
        .collect();
    let queries: Vec<Vec<u32>> = (0..8).map(|n: u32| vec![5 + n, 20 + n, 40 + n]).collect();
    let windows = contexts
        .iter()
        .enumerate()
        .map(|(n, context)| SquadWindow {
            question: n as u32,
            index: 0,
            span: TokenSpan {
                start: 0,
                end: context.ids.len(),
            },
            // [CLS], three tokens of the query and [SEP] come first.
            answer: Some(AnswerPositions {
                start: 5 + n as u32,
                end: 6 + n as u32 + n as u32 % 3,
            }),
        })
        .collect();
    SquadFeatures {
        config: SquadFeatureConfig {
            max_seq_length: 48,
            doc_stride: 16,
            max_query_length: 8,
            ..SquadFeatureConfig::default()
        },
        contexts,
        queries,
        question_contexts: (0..8).collect(),
        windows,
        cls_id: 2,
        sep_id: 3,
        skipped: SquadSkips::default(),
    }
}

/// Kinds of updates besides BertAdam's of everything.
pub(crate) const UPDATES: [&str; 7] = [
    "adamw",
    "layer_lr_decay",
    "freeze",
    "freeze in the middle",
    "ema",
    "swa",
    "all",
];

/// A recipe with one of [`UPDATES`].
pub(crate) fn changed(recipe: &mut Recipe, update: &str) {
    let is = |own| update == own || update == "all";
    if is("adamw") {
        recipe.optim = Optim::Adamw;
    }
    if is("layer_lr_decay") {
        recipe.layer_lr_decay = 0.8;
    }
    if is("freeze") {
        recipe.freeze = Some("embeddings,0".parse().unwrap());
    }
    if update == "freeze in the middle" {
        recipe.freeze = Some("0".parse().unwrap());
    }
    if update == "ema" {
        recipe.average_weights = Some("ema:0.75".parse().unwrap());
    }
    if is("swa") {
        recipe.average_weights = Some("swa:0.5".parse().unwrap());
    }
}
