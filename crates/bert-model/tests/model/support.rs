//! Golden files and comparisons, shared by this crate's tests.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use bert_model::checkpoint::BERT;
use bert_model::{BertInput, parameters};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// A folder of `tests/golden`.
pub(crate) fn golden(case: &str) -> PathBuf {
    bert_test_support::repository()
        .join("tests/golden")
        .join(case)
}

/// A safetensors file's floats and integers by name.
pub(crate) struct Golden(BTreeMap<String, (Vec<usize>, Vec<f64>)>);

impl Golden {
    pub(crate) fn open(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensors = file.iter().map(|(name, view)| {
            let values: Vec<f64> = match view.dtype() {
                Dtype::F32 => view
                    .data()
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|b| f64::from(f32::from_le_bytes(*b)))
                    .collect(),
                Dtype::I64 => view
                    .data()
                    .as_chunks::<8>()
                    .0
                    .iter()
                    .map(|b| i64::from_le_bytes(*b) as f64)
                    .collect(),
                other => panic!("{name}: {other:?}"),
            };
            (name.to_owned(), (view.shape().to_vec(), values))
        });
        Self(tensors.collect())
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    pub(crate) fn floats<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        let (shape, values) = &self.0[name];
        let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
        Tensor::from_data(TensorData::new(values, shape.clone()), device)
    }

    pub(crate) fn ints<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D, Int> {
        let (shape, values) = &self.0[name];
        let values: Vec<i64> = values.iter().map(|v| *v as i64).collect();
        Tensor::from_data(TensorData::new(values, shape.clone()), device)
    }

    pub(crate) fn input(&self, device: &Device) -> BertInput {
        BertInput {
            input_ids: self.ints("input_ids", device),
            token_type_ids: self.ints("token_type_ids", device),
            attention_mask: Some(self.ints::<2>("attention_mask", device).float()),
        }
    }
}

/// Fails unless `actual` differs from the golden tensor by at most `relative` of its largest value.
pub(crate) fn assert_close<const D: usize>(
    name: &str,
    actual: Tensor<D>,
    expected: &Golden,
    relative: f32,
) {
    let actual: Vec<f32> = actual.try_into_vec_as().unwrap();
    compare(name, &actual, &expected.0[name].1, relative, 0.0);
}

fn compare(name: &str, actual: &[f32], expected: &[f64], relative: f32, noise: f64) {
    assert_eq!(actual.len(), expected.len(), "{name}: number of values");
    let relative = relative.max(rounding_of_products());
    let allowed = (largest(expected) * f64::from(relative)).max(noise);
    for (n, (a, e)) in actual.iter().zip(expected).enumerate() {
        let difference = (f64::from(*a) - e).abs();
        assert!(
            difference <= allowed,
            "{name}[{n}]: found {a}, expected {e}, allowed a difference of {allowed:e}"
        );
    }
}

/// How far tensor cores, which cut mantissas to 10 bits, may put values off, relative to the largest of their tensor.
fn rounding_of_products() -> f32 {
    if bert_test_support::device_name().starts_with("cuda") {
        1e-2
    } else {
        0.0
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |m, v| v.abs().max(m))
}

/// Gradients in the layout of a checkpoint.
pub(crate) struct NamedGradients(BTreeMap<String, Vec<f32>>);

pub(crate) fn gradients<M: Module>(model: &M, loss: Tensor<1>) -> NamedGradients {
    struct Collect<'a> {
        gradients: &'a mut Gradients,
        names: HashMap<burn::module::ParamId, parameters::ParameterInfo>,
        found: BTreeMap<String, Vec<f32>>,
    }
    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let info = &self.names[&param.id];
            let Some(gradient) = param.val().grad_remove(self.gradients) else {
                panic!("{} received no gradient", info.name);
            };
            let gradient = if info.transposed_in_file {
                gradient.transpose()
            } else {
                gradient
            };
            self.found
                .insert(info.name.clone(), gradient.try_into_vec_as().unwrap());
        }
    }
    let mut gradients = loss.backward();
    let names = parameters::list(model, &BERT)
        .into_iter()
        .map(|info| (info.id, info))
        .collect();
    let mut collect = Collect {
        gradients: &mut gradients,
        names,
        found: BTreeMap::new(),
    };
    model.visit(&mut collect);
    NamedGradients(collect.found)
}

impl NamedGradients {
    /// Compares every gradient; `prefix` is put before this model's names.
    pub(crate) fn assert_equal(&self, expected: &Golden, relative: f32, prefix: &str) {
        let names: Vec<String> = self.0.keys().map(|n| format!("{prefix}{n}")).collect();
        assert_eq!(names, expected.names());
        // A gradient that is 0 in exact arithmetic, as a key's bias's is, is f32 rounding noise here.
        let noise = f64::from(rounding_of_products().max(1e-6))
            * expected
                .0
                .values()
                .map(|(_, v)| largest(v))
                .fold(0.0, f64::max);
        for (name, values) in &self.0 {
            let name = format!("{prefix}{name}");
            compare(&name, values, &expected.0[&name].1, relative, noise);
        }
    }
}

/// Writes the F32 tensors of several files into one.
pub(crate) fn merge(files: &[PathBuf], target: &Path) {
    let buffers: Vec<Vec<u8>> = files.iter().map(|f| std::fs::read(f).unwrap()).collect();
    let opened: Vec<SafeTensors<'_>> = buffers
        .iter()
        .map(|b| SafeTensors::deserialize(b).unwrap())
        .collect();
    let views = opened.iter().flat_map(|file| {
        file.iter().map(|(name, view)| {
            let view = TensorView::new(view.dtype(), view.shape().to_vec(), view.data()).unwrap();
            (name.to_owned(), view)
        })
    });
    std::fs::write(target, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// Splits a checkpoint's weights into two files and an index, as `transformers` does with large ones.
pub(crate) fn split(dir: &Path) {
    let whole = dir.join("model.safetensors");
    let bytes = std::fs::read(&whole).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut places = BTreeMap::new();
    for part in 0..2 {
        let name = format!("model-0000{}-of-00002.safetensors", part + 1);
        let tensors = file.iter().enumerate().filter(|(n, _)| n % 2 == part);
        let tensors: Vec<_> = tensors.map(|(_, tensor)| tensor).collect();
        places.extend(tensors.iter().map(|(tensor, _)| (*tensor, name.clone())));
        std::fs::write(
            dir.join(&name),
            safetensors::serialize(tensors, None).unwrap(),
        )
        .unwrap();
    }
    let index = serde_json::json!({"metadata": {"total_size": bytes.len()}, "weight_map": places});
    std::fs::write(dir.join("model.safetensors.index.json"), index.to_string()).unwrap();
    std::fs::remove_file(whole).unwrap();
}
