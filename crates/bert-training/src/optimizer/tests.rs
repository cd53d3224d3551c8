//! Three steps against the plain NumPy reference of `tests/golden/bert-adam`.

use bert_test_device::test_device;
use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::schedule::{Moment, Schedule, Warmup};
use bert_model::checkpoint::BERT;
use bert_model::parameters;

type Tensors = BTreeMap<String, Value>;

#[derive(Deserialize)]
struct Case {
    settings: Settings,
    params: Tensors,
    gradients: Vec<Tensors>,
}

#[derive(Deserialize)]
struct Settings {
    learning_rate: f64,
    warmup: f64,
    total_steps: usize,
}

#[derive(Deserialize)]
struct Expected {
    steps: Vec<ExpectedStep>,
}

#[derive(Deserialize)]
struct ExpectedStep {
    learning_rate: f64,
    params: Tensors,
    m: Tensors,
    v: Tensors,
}

/// The golden case's three tensors under their names.
#[derive(Module, Debug)]
struct Golden {
    layers: Vec<Layer>,
}
#[derive(Module, Debug)]
struct Layer {
    attention: SelfAttention,
    attention_output: Output,
}
#[derive(Module, Debug)]
struct SelfAttention {
    query: Linear,
}
#[derive(Module, Debug)]
struct Output {
    layer_norm: Norm,
}
#[derive(Module, Debug)]
struct Norm {
    weight: Param<Tensor<1>>,
}

const WEIGHT: &str = "encoder.layer.0.attention.self.query.weight";
const BIAS: &str = "encoder.layer.0.attention.self.query.bias";
const LAYER_NORM: &str = "encoder.layer.0.attention.output.LayerNorm.weight";

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn tensor<const D: usize>(
    tensors: &Tensors,
    name: &str,
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    let values: Vec<f32> = flat(&tensors[name]).iter().map(|v| *v as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn model(params: &Tensors, device: &Device) -> Golden {
    let param = |t| Param::from_tensor(t);
    Golden {
        layers: vec![Layer {
            attention: SelfAttention {
                query: Linear {
                    // The file's layout is [output, input].
                    weight: Param::from_tensor(tensor(params, WEIGHT, [4, 3], device).transpose()),
                    bias: Some(param(tensor(params, BIAS, [4], device))),
                },
            },
            attention_output: Output {
                layer_norm: Norm {
                    weight: param(tensor(params, LAYER_NORM, [4], device)),
                },
            },
        }],
    }
}

fn read_json<T: serde::de::DeserializeOwned>(file: &str) -> T {
    let path = format!(
        "{}/../../tests/golden/bert-adam/{file}",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn assert_close(name: &str, found: &[f32], expected: &Value) {
    let expected = flat(expected);
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(&expected) {
        let allowed = 1e-6 + 1e-5 * e.abs();
        assert!(
            (f64::from(*f) - e).abs() <= allowed,
            "{name}: found {f}, expected {e}"
        );
    }
}

fn transpose_to_file(values: &[f32]) -> Vec<f32> {
    let (inputs, outputs) = (3, 4);
    (0..outputs)
        .flat_map(|o| (0..inputs).map(move |i| values[i * outputs + o]))
        .collect()
}

#[test]
fn three_steps_equal_the_reference() {
    for residency in [Residency::Device, Residency::Host, Residency::Shared] {
        for (file, clip) in [
            ("expected/per-tensor.json", GradientClip::PerTensor(1.0)),
            ("expected/global.json", GradientClip::Global(1.0)),
        ] {
            run(residency, clip, &read_json(file));
        }
    }
}

fn run(residency: Residency, clip: GradientClip, expected: &Expected) {
    let case: Case = read_json("input/case.json");
    let device = test_device().autodiff();
    let plain = device.clone().without_autodiff();
    let mut model = model(&case.params, &device);
    let config = AdamConfig {
        clip,
        ..AdamConfig::default()
    };
    let mut optimizer = Adam::new(config, residency, parameters::list(&model, &BERT), 1);
    assert_eq!(expected.steps.len(), 3);
    for (n, (gradients, expected)) in case.gradients.iter().zip(&expected.steps).enumerate() {
        let learning_rate = case.settings.learning_rate;
        let factor = Schedule::WarmupLinear.factor(&Moment {
            step: n,
            total_steps: case.settings.total_steps,
            warmup: Warmup::Share(case.settings.warmup),
            learning_rate,
        });
        let learning_rate = learning_rate * factor;
        assert!((learning_rate - expected.learning_rate).abs() < 1e-12);

        let query = &model.layers[0].attention.query;
        let norm = &model.layers[0].attention_output.layer_norm;
        let mut params = GradientsParams::new();
        params.register(
            query.weight.id,
            tensor(gradients, WEIGHT, [4, 3], &plain).transpose(),
        );
        let bias = query.bias.as_ref().unwrap().id;
        params.register(bias, tensor(gradients, BIAS, [4], &plain));
        params.register(norm.weight.id, tensor(gradients, LAYER_NORM, [4], &plain));
        let all: f64 = gradients
            .values()
            .flat_map(flat)
            .map(|g| g * g)
            .sum::<f64>()
            .sqrt();

        let backward = |_: &Golden, _: &mut TakeGradients<'_, Golden>| Ok((params, ()));
        let step = Step {
            learning_rate,
            number: n + 1,
            share: None,
        };
        let (updated, norm, ()) = optimizer.update(model, step, backward).unwrap();
        model = updated;
        let norm: f32 = norm.into_scalar();
        assert!((f64::from(norm) - all).abs() < 1e-5 * all);
        for named in parameters::values(&model, &BERT) {
            assert_close(&named.name, &named.values, &expected.params[&named.name]);
        }
        let moments = optimizer.moments().unwrap();
        for (name, Moments { first, second, .. }) in &moments {
            let layout = |v: &[f32]| match name.as_str() {
                WEIGHT => transpose_to_file(v),
                _ => v.to_vec(),
            };
            assert_close(name, &layout(first), &expected.m[name]);
            assert_close(name, &layout(second), &expected.v[name]);
        }
        assert_eq!(moments.len(), 3);
    }
}
