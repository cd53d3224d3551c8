//! A model to `config.json` and `model.safetensors`, as `transformers` loads them.

use std::path::Path;

use bert_files::write_atomically;
use serde_json::{Value, json};

use super::tensor_file::write_tensors;
use crate::heads::TaskModel;
use crate::parameters::{self, HostParameter, NamedValues};
use crate::{BertConfig, Encoder, ModelError};

/// Writes the model into `dir`, each file whole or not at all.
///
/// # Errors
/// When a weight is not finite, a file cannot be written, or the device fails.
pub fn save<M: TaskModel>(model: &M, config: &BertConfig, dir: &Path) -> Result<(), ModelError> {
    let parameters = parameters::to_host(model, M::Encoder::NAMES)?.into_iter();
    let values: Vec<NamedValues> = parameters.map(HostParameter::into_file).collect();
    save_values::<M>(&values, config, dir)
}

/// As [`save`], for a model of type `M` whose parameters are in host memory.
///
/// # Errors
/// Those of [`save`].
pub fn save_values<M: TaskModel>(
    parameters: &[NamedValues],
    config: &BertConfig,
    dir: &Path,
) -> Result<(), ModelError> {
    write_tensors(&dir.join("model.safetensors"), parameters)?;
    let config = config_of::<M>(config);
    let value: Value = serde_json::to_value(&config).expect("a configuration is plain JSON");
    let text = format!("{value:#}\n");
    write_atomically(&dir.join("config.json"), |out| {
        out.write_all(text.as_bytes())
    })?;
    Ok(())
}

/// The configuration that [`save`] writes: that of a model of type `M`, whatever it was made from.
pub fn config_of<M: TaskModel>(config: &BertConfig) -> BertConfig {
    let mut config = config.clone();
    for (key, value) in [
        ("architectures", json!([M::ARCHITECTURE])),
        ("model_type", json!("bert")),
        ("dtype", json!("float32")),
    ] {
        config.other.insert(key.to_owned(), value);
    }
    // The older name of `dtype` would contradict it.
    config.other.remove("torch_dtype");
    config
}
