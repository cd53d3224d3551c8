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
//! Training and inference see what stands under a head as an [`Encoder`], of which [`BertModel`] is the first. Each
//! encoder has a table of its tensors' names in Hugging Face checkpoints ([`checkpoint::TensorNames`]). Nothing here
//! knows about data files, tokenizers or training loops.

pub mod activation;
mod attention;
mod buffers;
pub mod checkpoint;
pub mod config;
mod dropout_sites;
mod embeddings;
mod encoder;
mod error;
pub mod heads;
mod init;
mod input;
mod labels;
mod layer;
mod layer_norm;
mod linear;
mod model;
pub mod parameters;
mod pooler;

pub use activation::HiddenAct;
pub use bert_kernels::{DeviceError, DropoutKey, MaskSource, Pass, Phase, Precision, device_fault};
pub use buffers::LargestTensor;
pub use config::BertConfig;
pub use encoder::{Encoder, EncoderLayer, EncoderSize, InputLimits};
pub use error::ModelError;
pub use init::ParameterSource;
pub use input::{BertInput, PaddedRows};
pub use labels::LabelList;
pub use layer::BertLayer;
pub use model::{BertModel, BertOutput};
