//! BERT (Devlin et al. 2019) on Burn.
//!
//! Configuration and weights go in, hidden states and logits come out:
//!
//! ```text
//! config.json ─→ BertConfig ─┐
//! model.safetensors ─→ checkpoint::Weights ─→ BertModel ─→ heads ─→ logits
//! pytorch_model.bin ─┘
//! ```
//!
//! Module fields mirror the tensor names of Hugging Face checkpoints, so a parameter's path is its
//! name in the file (see [`parameters`]). Nothing here knows about data files, tokenizers or training
//! loops.

pub mod activation;
mod attention;
pub mod checkpoint;
pub mod config;
mod dropout_sites;
mod embeddings;
mod encoder;
mod error;
pub mod heads;
mod init;
mod labels;
mod layer_norm;
mod linear;
mod model;
pub mod parameters;
mod pooler;

pub use activation::HiddenAct;
pub use bert_kernels::{DropoutKey, MaskSource, Pass, Phase, Precision};
pub use config::BertConfig;
pub use embeddings::Embeddings;
pub use encoder::EncoderLayer;
pub use error::ModelError;
pub use init::ParameterSource;
pub use labels::LabelList;
pub use model::{BertInput, BertModel, BertOutput};
