//! The tensors of a checkpoint's weight files, by canonical name.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bert_files::{FileError, cut};
use half::{bf16, f16};
use pytorch_reader::PytorchReader;
use safetensors::{Dtype, SafeTensors};

use super::names::TensorNames;
use super::shards;
use crate::ModelError;

/// A checkpoint's opened weights. Tensors are converted to `f32` when they are taken.
pub struct Weights {
    path: PathBuf,
    files: Vec<WeightFile>,
    tensors: BTreeMap<String, Stored>,
    /// How many values all tensors have together.
    values: usize,
}

struct WeightFile {
    path: PathBuf,
    /// A safetensors file's content; empty for the PyTorch format.
    buffer: Vec<u8>,
}

/// The most bytes of weights that are read: those of fifty BERTs of the large size in double precision.
pub(super) const WEIGHTS_LIMIT: u64 = 128 << 30;

/// How many times the bytes of a PyTorch file its tensors may have: they share storages, as tied weights do, and one value may
/// stand for a whole tensor.
const MOST_VIEWS: u64 = 16;

/// The most values that are drawn for a tensor whatever the files hold: 64 MiB.
const MOST_DRAWN: usize = 1 << 24;

struct Stored {
    name: String,
    /// Which of the files it is in.
    file: usize,
    shape: Vec<usize>,
    /// `None` for integers and other types that hold no weights.
    kind: Option<FloatKind>,
    kind_name: String,
    data: Data,
}

enum Data {
    Bytes(Range<usize>),
    Pytorch(pytorch_reader::Tensor),
}

#[derive(Clone, Copy)]
enum FloatKind {
    F64,
    F32,
    F16,
    Bf16,
}

impl Weights {
    /// Opens the weights of a checkpoint folder, whose tensors have the names of an architecture: the first that is there
    /// of `model.safetensors`, the files that `model.safetensors.index.json` names, `pytorch_model.bin`, and those of
    /// `pytorch_model.bin.index.json`.
    ///
    /// # Errors
    /// When the folder has none of them, or a file is missing or damaged.
    pub fn open(dir: &Path, names: &TensorNames) -> Result<Self, ModelError> {
        let Some(found) = shards::find(dir)? else {
            return Err(ModelError::NoWeights {
                path: dir.to_owned(),
            });
        };
        let mut files = Vec::new();
        let mut stored = Vec::new();
        for path in &found.files {
            let buffer = if path.extension().is_some_and(|it| it == "safetensors") {
                let buffer = bert_files::read(path, WEIGHTS_LIMIT)?;
                stored.extend(in_safetensors(path, &buffer, files.len())?);
                buffer
            } else {
                stored.extend(in_pytorch(path, files.len())?);
                Vec::new()
            };
            files.push(WeightFile {
                path: path.clone(),
                buffer,
            });
        }
        found.check(
            stored
                .iter()
                .map(|it| (it.name.as_str(), &*files[it.file].path)),
        )?;
        let values = stored.iter().map(|it| count(&it.shape));
        let values = values.fold(0, usize::saturating_add);
        let tensors = index(&found.path, stored, names)?;
        Ok(Self {
            path: found.path,
            files,
            tensors,
            values,
        })
    }

    /// The weight file, or the index of several.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that a parameter that the files lack may be drawn: `config.json` alone says how large it is.
    ///
    /// # Errors
    /// When it has more values than all tensors of the files, and than a head of a small model.
    pub(crate) fn check_drawn(&self, name: &str, shape: &[usize]) -> Result<(), ModelError> {
        let most = self.values.max(MOST_DRAWN);
        if count(shape) <= most {
            return Ok(());
        }
        Err(ModelError::TooLargeToDraw {
            path: self.path.clone(),
            name: name.to_owned(),
            shape: shape.to_vec(),
            most,
        })
    }

    /// Takes a parameter out, row-major, as `f32`; `None` when the file lacks it.
    ///
    /// # Errors
    /// When the tensor has another shape, no float type, a value that is not finite, or is damaged.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, ModelError> {
        let Some(stored) = self.tensors.remove(name) else {
            return Ok(None);
        };
        let WeightFile { path, buffer } = &self.files[stored.file];
        if stored.shape != shape {
            return Err(ModelError::Shape {
                path: path.clone(),
                name: stored.name,
                found: stored.shape,
                expected: shape.to_vec(),
            });
        }
        let Some(kind) = stored.kind else {
            return Err(ModelError::DataType {
                path: path.clone(),
                name: stored.name,
                found: stored.kind_name,
            });
        };
        let values = match &stored.data {
            Data::Bytes(range) => widen(kind, &buffer[range.clone()]),
            Data::Pytorch(tensor) => {
                let bytes = tensor.read().map_err(|error| ModelError::WeightFile {
                    path: path.clone(),
                    reason: error.to_string(),
                })?;
                widen(kind, &bytes)
            }
        };
        match values.iter().position(|v| !v.is_finite()) {
            Some(index) => Err(ModelError::NotFinite {
                path: path.clone(),
                name: stored.name,
                found: values[index],
                index,
            }),
            None => Ok(Some(values)),
        }
    }

    /// Canonical names of the tensors that nothing took.
    pub(crate) fn remaining_canonical(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Names, as the file spells them, of the tensors that nothing took.
    pub fn remaining(&self) -> Vec<String> {
        self.tensors.values().map(|t| t.name.clone()).collect()
    }
}

/// How many values a tensor of this shape has.
fn count(shape: &[usize]) -> usize {
    shape.iter().copied().fold(1, usize::saturating_mul)
}

/// The tensors of a safetensors file, the `file`-th of its checkpoint.
fn in_safetensors(path: &Path, buffer: &[u8], file: usize) -> Result<Vec<Stored>, ModelError> {
    let parsed = SafeTensors::deserialize(buffer).map_err(|error| ModelError::WeightFile {
        path: path.to_owned(),
        reason: format!(
            "not a complete safetensors file: {}",
            cut(&error.to_string())
        ),
    })?;
    let start = buffer.as_ptr() as usize;
    let tensors = parsed.iter().map(|(name, view)| {
        let offset = view.data().as_ptr() as usize - start;
        Stored {
            name: name.to_owned(),
            file,
            shape: view.shape().to_vec(),
            kind: match view.dtype() {
                Dtype::F64 => Some(FloatKind::F64),
                Dtype::F32 => Some(FloatKind::F32),
                Dtype::F16 => Some(FloatKind::F16),
                Dtype::BF16 => Some(FloatKind::Bf16),
                _ => None,
            },
            kind_name: format!("{:?}", view.dtype()),
            data: Data::Bytes(offset..offset + view.data().len()),
        }
    });
    Ok(tensors.collect())
}

/// The tensors of a PyTorch file, the `file`-th of its checkpoint.
fn in_pytorch(path: &Path, file: usize) -> Result<Vec<Stored>, ModelError> {
    // The reader takes a path, and would wait for ever on a pipe.
    let opened = bert_files::open(path)?;
    let bytes = opened.metadata().map_err(FileError::read(path))?.len();
    let reader = PytorchReader::new(path).map_err(|error| ModelError::WeightFile {
        path: path.to_owned(),
        reason: format!(
            "not a readable PyTorch state dict: {}",
            cut(&error.to_string())
        ),
    })?;
    let tensors = reader.into_tensors();
    let sizes = tensors.values().map(|tensor| {
        let bytes = count(tensor.shape()).saturating_mul(tensor.dtype().size());
        bytes as u64
    });
    let (stated, most) = (
        sizes.fold(0, u64::saturating_add),
        bytes.saturating_mul(MOST_VIEWS),
    );
    if stated > most {
        return Err(ModelError::WeightFile {
            path: path.to_owned(),
            reason: format!(
                "found tensors of {stated} bytes in {bytes}, expected {most} at most, {MOST_VIEWS} times the file"
            ),
        });
    }
    let mut found: Vec<Stored> = tensors
        .into_iter()
        .map(|(name, tensor)| Stored {
            name,
            file,
            shape: tensor.shape().to_vec(),
            kind: match tensor.dtype() {
                pytorch_reader::DType::F64 => Some(FloatKind::F64),
                pytorch_reader::DType::F32 => Some(FloatKind::F32),
                pytorch_reader::DType::F16 => Some(FloatKind::F16),
                pytorch_reader::DType::BF16 => Some(FloatKind::Bf16),
                _ => None,
            },
            kind_name: format!("{:?}", tensor.dtype()),
            data: Data::Pytorch(tensor),
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn index(
    path: &Path,
    found: Vec<Stored>,
    names: &TensorNames,
) -> Result<BTreeMap<String, Stored>, ModelError> {
    let mut tensors: BTreeMap<String, Stored> = BTreeMap::new();
    for stored in found {
        let name = names.canonical(&stored.name);
        if let Some(first) = tensors.get(&name) {
            return Err(ModelError::Ambiguous {
                path: path.to_owned(),
                name,
                first: first.name.clone(),
                second: stored.name,
            });
        }
        tensors.insert(name, stored);
    }
    Ok(tensors)
}

fn widen(kind: FloatKind, bytes: &[u8]) -> Vec<f32> {
    match kind {
        FloatKind::F64 => convert(bytes, |b| f64::from_le_bytes(b) as f32),
        FloatKind::F32 => widen_f32(bytes),
        FloatKind::F16 => convert(bytes, |b| f16::from_le_bytes(b).to_f32()),
        FloatKind::Bf16 => convert(bytes, |b| bf16::from_le_bytes(b).to_f32()),
    }
}

/// The values of little-endian `f32` bytes.
pub(super) fn widen_f32(bytes: &[u8]) -> Vec<f32> {
    convert(bytes, f32::from_le_bytes)
}

fn convert<const N: usize>(bytes: &[u8], one: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| one(*chunk)).collect()
}
