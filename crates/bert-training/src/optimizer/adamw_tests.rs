//! Fifty steps against PyTorch: `tests/golden/adamw`.

use std::collections::BTreeMap;

use bert_model::checkpoint::BERT;
use bert_model::parameters::{self, NamedValues};
use bert_test_device::test_device;
use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::Device;
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::averaging::AverageWeights;
use crate::{GradClip, Optim, Recipe, Schedule};

type Tensors = BTreeMap<String, Value>;

#[derive(Deserialize)]
struct Case {
    params: Tensors,
    gradients: Vec<Tensors>,
}

#[derive(Deserialize)]
struct Expected {
    schedule: Schedule,
    layer_decay: bool,
    average: Option<String>,
    params: BTreeMap<String, Tensors>,
    averaged: Option<Tensors>,
}

#[derive(Deserialize)]
struct Larger {
    input: Case,
    expected: Vec<Expected>,
}

#[derive(Module, Debug)]
struct Golden {
    bert: Encoder,
    classifier: Linear,
}
#[derive(Module, Debug)]
struct Encoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
}
#[derive(Module, Debug)]
struct Embeddings {
    layer_norm: Norm,
}
#[derive(Module, Debug)]
struct Norm {
    weight: Param<Tensor<1>>,
}
#[derive(Module, Debug)]
struct Layer {
    attention: Attention,
}
#[derive(Module, Debug)]
struct Attention {
    query: Linear,
}

fn flat(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

/// A vector or a matrix in a file's layout.
fn in_file(name: &str, value: &Value) -> NamedValues {
    let rows = value.as_array().unwrap();
    let columns = rows[0].as_array().map(Vec::len);
    NamedValues {
        name: name.to_owned(),
        shape: std::iter::once(rows.len()).chain(columns).collect(),
        values: flat(value),
    }
}

fn linear(params: &Tensors, name: &str, device: &Device) -> Linear {
    let weight = in_file(name, &params[&format!("{name}.weight")]);
    let shape = [weight.shape[0], weight.shape[1]];
    let weight = Tensor::<2>::from_data(TensorData::new(weight.values, shape), device);
    let bias = flat(&params[&format!("{name}.bias")]);
    Linear {
        weight: Param::from_tensor(weight.transpose()),
        bias: Some(Param::from_tensor(Tensor::from_floats(
            bias.as_slice(),
            device,
        ))),
    }
}

fn model(params: &Tensors, device: &Device) -> Golden {
    let norm = flat(&params["bert.embeddings.LayerNorm.weight"]);
    let layer = |n: usize| {
        let name = format!("bert.encoder.layer.{n}.attention.self.query");
        let query = linear(params, &name, device);
        Layer {
            attention: Attention { query },
        }
    };
    Golden {
        bert: Encoder {
            embeddings: Embeddings {
                layer_norm: Norm {
                    weight: Param::from_tensor(Tensor::from_floats(norm.as_slice(), device)),
                },
            },
            layers: vec![layer(0), layer(1)],
        },
        classifier: linear(params, "classifier", device),
    }
}

/// Gradients of a step, on a device.
fn gradients(model: &Golden, of: &Tensors, device: &Device) -> GradientsParams {
    let mut gradients = GradientsParams::new();
    for info in parameters::list(model, &BERT) {
        let values = info
            .from_file(in_file(&info.name, &of[&info.name]))
            .unwrap();
        let data = TensorData::new(values, info.shape.clone());
        match info.shape.num_dims() {
            1 => gradients.register(info.id, Tensor::<1>::from_data(data, device)),
            _ => gradients.register(info.id, Tensor::<2>::from_data(data, device)),
        }
    }
    gradients
}

/// The largest difference.
fn difference(model: &Golden, expected: &Tensors) -> f32 {
    let found = parameters::values(model, &BERT);
    assert_eq!(found.len(), expected.len());
    let of_tensor = |it: &NamedValues| {
        let expected = flat(&expected[&it.name]);
        let both = it.values.iter().zip(expected);
        both.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    found.iter().map(of_tensor).fold(0.0, f32::max)
}

fn run(case: &Case, expected: &Expected, residency: Residency) {
    let device = test_device().autodiff();
    let plain = device.clone().without_autodiff();
    let average = expected.average.as_deref().map(|kind| match kind {
        "ema" => AverageWeights::Exponential(0.9),
        _ => AverageWeights::Stochastic(0.25),
    });
    let recipe = Recipe {
        optim: Optim::Adamw,
        schedule: expected.schedule,
        learning_rate: 1e-3,
        warmup_steps: Some(5),
        grad_clip: GradClip::Global,
        layer_lr_decay: if expected.layer_decay { 0.9 } else { 1.0 },
        average_weights: average,
        ..Recipe::default()
    };
    let total = case.gradients.len();
    let mut model = model(&case.params, &device);
    let listed = parameters::list(&model, &BERT);
    let mut optimizer = Adam::new(recipe.optimizer(), residency, listed, 2);
    let what = format!("{residency:?} {:?} {average:?}", expected.schedule);
    for (n, of_step) in case.gradients.iter().enumerate() {
        let step = Step {
            learning_rate: recipe.learning_rate_after(n, total),
            number: n + 1,
            share: recipe.average_share(n + 1, total),
        };
        let given = gradients(&model, of_step, &plain);
        let backward = |_: &Golden, _: &mut TakeGradients<'_, Golden>| Ok((given, ()));
        model = optimizer.update(model, step, backward).unwrap().0;
        if let Some(expected) = expected.params.get(&(n + 1).to_string()) {
            let off = difference(&model, expected);
            assert!(off < 1e-6, "{what}, step {}: {off:e}", n + 1);
        }
    }
    let averaged = optimizer.averaged(model.clone());
    match &expected.averaged {
        None => {
            let last = &expected.params[&total.to_string()];
            assert_eq!(difference(&averaged, last), difference(&model, last));
        }
        Some(expected) => {
            let off = difference(&averaged, expected);
            assert!(off < 1e-6, "{what}, average: {off:e}");
            assert!(difference(&model, expected) > 2e-6, "{what}: it averages");
        }
    }
}

fn check(case: &Case, expected: &[Expected]) {
    assert_eq!(expected.len(), 10);
    for residency in [Residency::Device, Residency::Host, Residency::Shared] {
        for expected in expected {
            run(case, expected, residency);
        }
    }
}

#[test]
fn steps_equal_those_of_pytorch() {
    let read = |file: &str| {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/adamw/");
        std::fs::read(format!("{golden}{file}")).unwrap()
    };
    let case = serde_json::from_slice(&read("input/case.json")).unwrap();
    let expected: Vec<Expected> = serde_json::from_slice(&read("expected/runs.json")).unwrap();
    check(&case, &expected);
    // Another case, where a variable names one.
    if let Ok(path) = std::env::var("BERT_ADAMW_CASE") {
        let larger: Larger = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        check(&larger.input, &larger.expected);
    }
}
