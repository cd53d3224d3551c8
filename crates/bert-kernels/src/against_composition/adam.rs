//! Adam's kernels.

use burn::tensor::Tensor;
use burn::tensor::kind::BridgeTensor;

use super::{assert_close, random};
use crate::{AdamStep, Clip, Updated};

fn vector(tensor: &BridgeTensor) -> Tensor<1> {
    Tensor::<1>::from_bridge(tensor.clone()).reshape([-1])
}

/// Three steps of parameters that a cube reads in part, as a whole, and not alone.
#[test]
fn adam() {
    let lengths = [1, 5, 8192, 8193, 20_000];
    let start = |seed: f64| {
        let tensor = |n: &usize, scale| random([*n]) * scale + seed;
        let parameter = |n: &usize| crate::Parameter {
            // A matrix, as its weights; moments of a run state are vectors.
            gradient: tensor(n, 1e-2).reshape([1, *n]).into_bridge(),
            weights: tensor(n, 1.0).reshape([1, *n]).into_bridge(),
            first: tensor(n, 1e-2).into_bridge(),
            second: (random([*n]).square() * 1e-4).into_bridge(),
            decays: n % 2 == 1,
            rate: [1.0, 0.9, 0.81][n % 3],
        };
        lengths.iter().map(parameter).collect::<Vec<_>>()
    };
    for (clip, [correction_1, correction_2]) in [
        (Clip::PerTensor(1.0), [1.0, 1.0]),
        (Clip::Global(1.0), [10.0, 31.6]),
        (Clip::Off, [3.69, 18.3]),
    ] {
        let with = AdamStep {
            learning_rate: 1e-2,
            beta_1: 0.9,
            beta_2: 0.999,
            correction_1,
            correction_2,
            epsilon: 1e-6,
            weight_decay: 0.01,
            clip,
            norm_epsilon: 1e-6,
        };
        let mut parameters = start(1e-3);
        for _ in 0..3 {
            let copies = parameters.iter().map(|it| crate::Parameter {
                gradient: it.gradient.clone(),
                weights: it.weights.clone(),
                first: it.first.clone(),
                second: it.second.clone(),
                decays: it.decays,
                rate: it.rate,
            });
            let (expected, of_all) = crate::adam::composed(copies.collect(), with);
            let gradients: Vec<_> = parameters.iter().map(|it| it.gradient.clone()).collect();
            let groups: Vec<_> = parameters.iter().map(|it| (it.decays, it.rate)).collect();
            let (found, norm) = crate::adam(parameters, with);
            assert_close("norm", norm, of_all);
            for (found, expected) in found.iter().zip(expected) {
                assert_eq!(found.weights.shape(), expected.weights.shape());
                let values = |of: &Updated| [&of.weights, &of.first, &of.second].map(vector);
                let [weights, first, second] = values(found);
                let [of_weights, of_first, of_second] = values(&expected);
                assert_close("weights", weights, of_weights);
                assert_close("first moment", first, of_first);
                assert_close("second moment", second, of_second);
            }
            let next = found.into_iter().zip(gradients).zip(groups);
            parameters = next
                .map(|((it, gradient), (decays, rate))| crate::Parameter {
                    gradient,
                    weights: it.weights,
                    first: it.first,
                    second: it.second,
                    decays,
                    rate,
                })
                .collect();
        }
    }
}

/// What something else still refers to is not updated in place.
#[test]
fn an_update_leaves_copies_alone() {
    let weights = random::<1>([700]);
    let before = weights.clone().try_into_vec_as::<f32>().unwrap();
    let with = AdamStep {
        learning_rate: 1.0,
        beta_1: 0.9,
        beta_2: 0.999,
        correction_1: 1.0,
        correction_2: 1.0,
        epsilon: 1e-6,
        weight_decay: 0.0,
        clip: Clip::Off,
        norm_epsilon: 1e-6,
    };
    let parameter = crate::Parameter {
        gradient: random([700]).into_bridge(),
        weights: weights.clone().into_bridge(),
        first: random([700]).into_bridge(),
        second: random([700]).square().into_bridge(),
        decays: false,
        rate: 1.0,
    };
    let (updated, _) = crate::adam(vec![parameter], with);
    let moved: f32 = (vector(&updated[0].weights) - weights.clone())
        .abs()
        .max()
        .into_scalar();
    assert!(moved > 0.1, "{moved}");
    assert_eq!(weights.try_into_vec_as::<f32>().unwrap(), before);
}
