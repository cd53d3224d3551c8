//! safetensors files of `f32`, written without a second copy of the tensors in memory.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use bert_files::{cut, write_atomically};
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensors};

use super::weights::{WEIGHTS_LIMIT, widen_f32};
use crate::ModelError;
use crate::parameters::NamedValues;

/// Writes tensors in the order given, the file whole or not at all.
///
/// # Errors
/// When the file cannot be written or a value is not finite.
pub fn write_tensors(path: &Path, tensors: &[NamedValues]) -> Result<(), ModelError> {
    for tensor in tensors {
        if let Some(index) = tensor.values.iter().position(|v| !v.is_finite()) {
            return Err(ModelError::NotFinite {
                path: path.to_owned(),
                name: tensor.name.clone(),
                found: tensor.values[index],
                index,
            });
        }
    }
    write_atomically(path, |out| {
        out.write_all(&header(tensors))?;
        for tensor in tensors {
            write_values(out, &tensor.values)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// The length of the description, and the description, padded so that the values are aligned.
fn header(tensors: &[NamedValues]) -> Vec<u8> {
    let mut offset = 0;
    let infos = tensors.iter().map(|tensor| {
        let start = offset;
        offset += 4 * tensor.values.len();
        let info = TensorInfo {
            dtype: Dtype::F32,
            shape: tensor.shape.clone(),
            data_offsets: (start, offset),
        };
        (tensor.name.clone(), info)
    });
    // `transformers` refuses a file of weights without this key.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let metadata = Metadata::new(Some(metadata), infos.collect())
        .expect("each tensor has a name of its own and as many values as its shape says");
    let mut json = serde_json::to_vec(&metadata).expect("the description is plain JSON");
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.append(&mut json);
    header
}

fn write_values(out: &mut dyn Write, values: &[f32]) -> io::Result<()> {
    if cfg!(target_endian = "little") {
        return out.write_all(bytemuck::cast_slice(values));
    }
    for value in values {
        out.write_all(&value.to_le_bytes())?;
    }
    Ok(())
}

/// Reads every tensor of a file that [`write_tensors`] wrote, by name.
///
/// # Errors
/// When the file cannot be read, is damaged, or holds another type than `f32`.
pub fn read_tensors(path: &Path) -> Result<HashMap<String, NamedValues>, ModelError> {
    let bytes = bert_files::read(path, WEIGHTS_LIMIT)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| ModelError::WeightFile {
        path: path.to_owned(),
        reason: format!(
            "not a complete safetensors file: {}",
            cut(&error.to_string())
        ),
    })?;
    let mut tensors = HashMap::new();
    for (name, view) in file.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(ModelError::DataType {
                path: path.to_owned(),
                name: name.to_owned(),
                found: format!("{:?}", view.dtype()),
            });
        }
        let tensor = NamedValues {
            name: name.to_owned(),
            shape: view.shape().to_vec(),
            values: widen_f32(view.data()),
        };
        tensors.insert(name.to_owned(), tensor);
    }
    Ok(tensors)
}
