//! Every `hidden_act`, value and derivative, against `tests/golden/activations`.

use bert_test_device::test_device;
use std::collections::BTreeMap;

use crate::support::golden;
use bert_model::HiddenAct;
use burn::tensor::Tensor;
use serde::Deserialize;

#[derive(Deserialize)]
struct Points {
    x: Vec<f64>,
}

#[derive(Deserialize)]
struct Curve {
    y: Vec<f64>,
    dy_dx: Vec<f64>,
}

const NAMES: [&str; 11] = [
    "gelu",
    "gelu_new",
    "gelu_pytorch_tanh",
    "gelu_fast",
    "quick_gelu",
    "relu",
    "silu",
    "swish",
    "mish",
    "tanh",
    "sigmoid",
];

#[test]
fn values_and_derivatives() {
    let case = golden("activations");
    let points: Points =
        serde_json::from_slice(&std::fs::read(case.join("input/points.json")).unwrap()).unwrap();
    let expected = std::fs::read(case.join("expected/activations.json")).unwrap();
    let expected: BTreeMap<String, Curve> = serde_json::from_slice(&expected).unwrap();
    let device = test_device().autodiff();
    for name in NAMES {
        let activation: HiddenAct = serde_json::from_value(name.into()).unwrap();
        let x: Vec<f32> = points.x.iter().map(|x| *x as f32).collect();
        let x = Tensor::<1>::from_floats(x.as_slice(), &device).require_grad();
        let y = activation.forward(x.clone());
        let gradients = y.clone().sum().backward();
        let slope = x.grad(&gradients).unwrap();
        let close = |what: &str, found: Vec<f32>, expected: &[f64]| {
            for ((f, e), at) in found.iter().zip(expected).zip(&points.x) {
                // relu has no derivative at 0.
                if name == "relu" && *at == 0.0 {
                    continue;
                }
                // Far out a GPU's tanh is 1 already, and the derivative 0 where it is 1.5e-6.
                let allowed = 2e-6 + 1e-5 * e.abs();
                assert!(
                    (f64::from(*f) - e).abs() <= allowed,
                    "{name} {what} at {at}: found {f}, expected {e}"
                );
            }
        };
        close("value", y.try_into_vec_as().unwrap(), &expected[name].y);
        close(
            "derivative",
            slope.try_into_vec_as().unwrap(),
            &expected[name].dy_dx,
        );
    }
}
