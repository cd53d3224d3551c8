//! A model to `config.json` and `model.safetensors`, as `transformers` loads them.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use atomic_write_file::AtomicWriteFile;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};
use serde_json::{Value, json};

use crate::heads::TaskModel;
use crate::parameters;
use crate::{BertConfig, ModelError};

/// Writes the model into `dir`, each file whole or not at all.
///
/// # Errors
/// When a file cannot be written.
pub fn save<M: TaskModel>(model: &M, config: &BertConfig, dir: &Path) -> Result<(), ModelError> {
    let tensors = parameters::values(model);
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)
            .expect("the bytes are the shape's");
        (tensor.name.as_str(), view)
    });
    // `transformers` refuses a file without this key.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let serialized = serialize(views, Some(metadata)).expect("parameters have distinct names");
    write(&dir.join("model.safetensors"), &serialized)?;

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
    let value: Value = serde_json::to_value(&config).expect("a configuration is plain JSON");
    let text = format!("{value:#}\n");
    write(&dir.join("config.json"), text.as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let attempt = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    attempt().map_err(|source| ModelError::Write {
        path: path.to_owned(),
        source,
    })
}
