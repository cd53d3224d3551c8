//! Fine-tuned models as ONNX files.
//!
//! ```text
//! checkpoint ─→ Exported ─┬─→ bytes of model.onnx
//!                         └─→ check: the same rows through the model and through ONNX Runtime
//! ```
//!
//! A file has the inputs `input_ids`, `attention_mask` and `token_type_ids`, 64-bit integers `[batch, sequence]` or, of
//! choices, `[batch, choices, sequence]`; the outputs are the 32-bit `start_logits` and `end_logits`, `[batch, sequence]`, or
//! `logits`, `[batch, labels]` or `[batch, choices]`. Batch, choices and sequence may be of any size. It needs opset 17.

mod bert;
mod check;
mod error;
mod graph;
mod head;
mod linear;
mod proto;
mod runtime;

use std::path::Path;

use bert_model::checkpoint::{HeadPolicy, load_as};
use bert_model::heads::{
    BertForMultipleChoice, BertForQuestionAnswering, BertForSequenceClassification, TaskModel,
};
use bert_model::parameters::{HostParameter, to_host};
use bert_model::{BertConfig, Encoder};
use burn::tensor::Device;
use prost::Message;

pub use check::Difference;
pub use error::OnnxError;
pub use head::Head;
pub use runtime::Runtime;

use head::Model;
use proto::{ModelProto, OperatorSetIdProto};

/// The arithmetic of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Precision {
    /// Weights and activations in 32 bits.
    #[default]
    Fp32,
    /// Weights and activations in 16 bits, half the size.
    Fp16,
    /// Products of bytes in the encoder's layers: each output's weights have one scale, activations are quantised as they
    /// come. Everything else is in 32 bits.
    Int8,
}

/// ONNX's version of operators, the first with `LayerNormalization`.
const OPSET: i64 = 17;
/// The version of the file format that came with it.
const IR_VERSION: i64 = 8;

/// A model and its file.
pub struct Exported {
    config: BertConfig,
    model: Model,
    precision: Precision,
    bytes: Vec<u8>,
}

impl Exported {
    /// Reads a fine-tuned checkpoint of any head onto a device of Burn and makes its file in memory.
    ///
    /// # Errors
    /// When the checkpoint is bad or its head is untrained.
    pub fn from_checkpoint(
        dir: &Path,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, OnnxError> {
        let config = BertConfig::read(&dir.join("config.json"))?;
        let Some(head) = Head::of(&config) else {
            return Err(OnnxError::Head {
                path: dir.join("config.json"),
                found: config.architectures().map(str::to_owned).collect(),
            });
        };
        Ok(match head {
            Head::Spans => {
                let (model, bytes) =
                    load::<BertForQuestionAnswering>(dir, &config, head, precision, device)?;
                Self::new(config, Model::Spans(model), precision, bytes)
            }
            Head::Classes => {
                config.check_problem_type(&dir.join("config.json"))?;
                let (model, bytes) =
                    load::<BertForSequenceClassification>(dir, &config, head, precision, device)?;
                Self::new(config, Model::Classes(model), precision, bytes)
            }
            Head::Choices => {
                let (model, bytes) =
                    load::<BertForMultipleChoice>(dir, &config, head, precision, device)?;
                Self::new(config, Model::Choices(model), precision, bytes)
            }
        })
    }

    fn new(config: BertConfig, model: Model, precision: Precision, bytes: Vec<u8>) -> Self {
        Self {
            config,
            model,
            precision,
            bytes,
        }
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn load<M: TaskModel>(
    dir: &Path,
    config: &BertConfig,
    head: Head,
    precision: Precision,
    device: &Device,
) -> Result<(M, Vec<u8>), OnnxError> {
    let model = load_as::<M>(dir, config.clone(), HeadPolicy::MustBeTrained, device)?.model;
    let parameters = to_host(&model, M::Encoder::NAMES)?.into_iter();
    let values: Vec<_> = parameters.map(HostParameter::into_file).collect();
    let weights = bert::Weights::new(&values);
    let file = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "bert".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(bert::graph(config, head, &weights, precision)),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET,
        }],
    };
    Ok((model, file.encode_to_vec()))
}
