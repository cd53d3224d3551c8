//! Each kernel against its composition from tensor operations, values and gradients, on the device that
//! `BERT_TEST_DEVICE` names.

use std::cell::RefCell;

use bert_test_device::test_device;
use bert_test_support::device_name;
use burn::tensor::{DType, Device, Gradients, Int, Tensor, TensorData};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use crate::dropout::{Dropout, DropoutKey, MaskSource, Phase};
use crate::{
    Attention, EmbeddingTables, LayerNormParameters, LinearParameters, Precision, device_fault,
    processor_has_bf16,
};

mod adam;
mod layer;

const BATCH: usize = 3;
const SEQ: usize = 37;
const HIDDEN: usize = 24;

/// How far two forms may be apart, relative to the largest number of a tensor, or to 1 where that is smaller.
const ROUNDING: f32 = 5e-6;

/// The same where their products round in other places: on tensor cores, to mantissas of 10 bits.
fn rounding_of_products() -> f32 {
    if device_name().starts_with("cuda") {
        4e-3
    } else {
        ROUNDING
    }
}

/// The arithmetic of products in kernels whose tensors are in 32 bits, and how far apart it lets two forms be.
fn precisions() -> Vec<(Precision, f32)> {
    let mut precisions = vec![(Precision::Fp32, rounding_of_products())];
    if device_name() == "cpu" && processor_has_bf16() {
        // Mantissas of 7 bits.
        precisions.push((Precision::Bf16, 3e-2));
    }
    precisions
}

fn device() -> Device {
    test_device().autodiff()
}

thread_local! {
    /// Each test has a thread of its own, and so the same numbers in each run.
    static NUMBERS: RefCell<ChaCha8Rng> = RefCell::new(ChaCha8Rng::seed_from_u64(0));
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    let count = shape.iter().product();
    let values: Vec<f32> = NUMBERS
        .with_borrow_mut(|numbers| StandardNormal.sample_iter(numbers).take(count).collect());
    let data = TensorData::new(values, shape);
    Tensor::from_data(data, &device().without_autodiff())
}

/// The dropout of the third row on, of a tensor with 21 elements a row.
fn dropout(site: u64) -> Option<Dropout> {
    let key = DropoutKey {
        seed: 3,
        step: 5,
        first_row: 2,
        masks: MaskSource::Device,
    };
    Dropout::at(site, 0.3, Phase::Training(key), 21)
}

/// Runs both forms on the same leaves, with a random weight on the output so that every element's
/// gradient matters.
fn compare<const N: usize, const D: usize>(
    leaves: [Tensor<D>; N],
    kernel: impl Fn([Tensor<D>; N]) -> Tensor<3>,
    composed: impl Fn([Tensor<D>; N]) -> Tensor<3>,
) {
    compare_within(ROUNDING, leaves, kernel, composed);
}

fn compare_within<const N: usize, const D: usize>(
    allowed: f32,
    leaves: [Tensor<D>; N],
    kernel: impl Fn([Tensor<D>; N]) -> Tensor<3>,
    composed: impl Fn([Tensor<D>; N]) -> Tensor<3>,
) {
    let run = |form: &dyn Fn([Tensor<D>; N]) -> Tensor<3>, weight: Option<Tensor<3>>| {
        let leaves = leaves.clone().map(|leaf| leaf.autodiff().require_grad());
        let out = crate::to_fp32(form(leaves.clone()));
        let weight = weight.unwrap_or_else(|| random(out.dims()));
        let gradients = (out.clone() * weight.clone()).sum().backward();
        let gradients = leaves.map(|leaf| leaf.grad(&gradients).unwrap());
        (out.without_autodiff(), gradients, weight)
    };
    let (expected, expected_gradients, weight) = run(&composed, None);
    let (found, found_gradients, _) = run(&kernel, Some(weight));
    assert_within(allowed, "value", found, expected);
    for (n, (found, expected)) in found_gradients
        .into_iter()
        .zip(expected_gradients)
        .enumerate()
    {
        assert_within(allowed, &format!("gradient {n}"), found, expected);
    }
    // Without a graph the kernel gives the same values.
    let plain = crate::to_fp32(kernel(leaves.clone()));
    assert_within(allowed, "plain value", plain, composed(leaves));
}

fn assert_close<const D: usize>(what: &str, found: Tensor<D>, expected: Tensor<D>) {
    assert_within(ROUNDING, what, found, expected);
}

fn assert_within<const D: usize>(allowed: f32, what: &str, found: Tensor<D>, expected: Tensor<D>) {
    let largest: f32 = expected.clone().abs().max().into_scalar();
    let difference: f32 = (found - expected).abs().max().into_scalar();
    assert!(
        difference <= allowed * largest.max(1.0),
        "{what}: off by {difference:e}, largest {largest}"
    );
}

/// Rows that units share in several turns, one row of one token, and rows of padding only.
#[test]
fn attention() {
    for [batch, seq, hidden, heads] in [[BATCH, SEQ, HIDDEN, 4], [1, 1, 6, 2], [2, 150, 10, 2]] {
        let x = random([batch, seq, hidden]);
        // Larger ones give a softmax that is 0 or 1.
        let scale = (hidden as f64).sqrt().recip();
        let [q, k, v] = [(); 3].map(|()| random([1, hidden, hidden]) * scale);
        let [of_q, of_k, of_v] = [[1, 1, hidden]; 3].map(random);
        let leaves = [x, q, k, v, of_q, of_k, of_v];
        let mask_of = |lengths: &[usize]| mask(&lengths[..batch], seq);
        // The same added to all keys changes no weight: the gradient of their bias is zero but for rounding, which this
        // keeps below what is allowed.
        let of_keys = |bias: Tensor<3>| bias / 64.0;
        for (mask, least) in [
            (None, 0.0),
            (Some(mask_of(&[seq, seq / 2 + 1, 1])), 0.0),
            // Beside a score of padding only the first digits of another are left.
            (Some(mask_of(&[0; 3])), 4e-3),
        ] {
            let cases = precisions()
                .into_iter()
                .flat_map(|of| [(of, None), (of, dropout(1))]);
            for ((precision, allowed), dropout) in cases {
                let with = Attention {
                    heads,
                    mask: mask.as_ref(),
                    dropout,
                };
                compare_within(
                    allowed.max(least),
                    leaves.clone(),
                    |[x, q, k, v, of_q, of_k, of_v]| {
                        let layers = [(q, of_q), (k, of_keys(of_k)), (v, of_v)].map(layer);
                        crate::attention(x, layers, &with, precision)
                    },
                    |[x, q, k, v, of_q, of_k, of_v]| {
                        let [q, k, v] = [(q, of_q), (k, of_keys(of_k)), (v, of_v)]
                            .map(|layer| composed_linear(x.clone(), layer));
                        crate::attention::composed(q, k, v, &with)
                    },
                );
            }
        }
    }
}

/// 1 for the first tokens of each row.
fn mask(lengths: &[usize], seq: usize) -> Tensor<2> {
    let mask: Vec<f32> = lengths
        .iter()
        .flat_map(|length| (0..seq).map(move |n| if n < *length { 1.0 } else { 0.0 }))
        .collect();
    Tensor::<1>::from_floats(mask.as_slice(), &device().without_autodiff())
        .reshape([lengths.len(), seq])
}

/// A linear layer of leaves, all of which have one rank.
fn layer((weight, bias): (Tensor<3>, Tensor<3>)) -> LinearParameters {
    let [_, input, output] = weight.dims();
    LinearParameters {
        weight: weight.reshape([input, output]),
        bias: bias.reshape([output]),
    }
}

fn composed_linear(x: Tensor<3>, leaves: (Tensor<3>, Tensor<3>)) -> Tensor<3> {
    let LinearParameters { weight, bias } = layer(leaves);
    crate::linear::composed(x, weight, bias)
}

/// More rows than a unit sums, more columns than a cube has units, and one of each.
const LINEAR_SHAPES: [[usize; 4]; 3] = [[BATCH, SEQ, HIDDEN, 17], [1, 1, 7, 2], [2, 140, 9, 150]];

#[test]
fn gelu() {
    for shape in [[BATCH, SEQ, HIDDEN], [1, 1, 1], [2, 140, 150]] {
        compare(
            [random(shape)],
            |[x]| crate::gelu(x),
            |[x]| crate::gelu::composed(x),
        );
    }
}

#[test]
fn linear() {
    for [batch, seq, hidden, inner] in LINEAR_SHAPES {
        for (precision, allowed) in precisions() {
            compare_within(
                allowed,
                [[batch, seq, hidden], [1, hidden, inner], [1, 1, inner]].map(random),
                |[x, w, b]| crate::linear(x, layer((w, b)), precision),
                |[x, w, b]| composed_linear(x, (w, b)),
            );
        }
    }
}

/// More rows than a cube sums, rows that units share in several turns, and one row.
#[test]
fn linear_residual_layer_norm() {
    for [batch, seq, hidden] in [[BATCH, SEQ, HIDDEN], [1, 1, 7], [2, 9, 300]] {
        let leaves = [
            [batch, seq, 5],
            [1, 5, hidden],
            [1, 1, hidden],
            [batch, seq, hidden],
            [1, 1, hidden],
            [1, 1, hidden],
        ]
        .map(random);
        let norm = |w: Tensor<3>, b: Tensor<3>| LayerNormParameters {
            weight: w.reshape([hidden]),
            bias: b.reshape([hidden]),
            epsilon: 1e-12,
        };
        let cases = precisions()
            .into_iter()
            .flat_map(|of| [(of, None), (of, dropout(2))]);
        for ((precision, allowed), dropout) in cases {
            compare_within(
                allowed,
                leaves.clone(),
                |[x, w, b, r, nw, nb]| {
                    let (layer, norm) = (layer((w, b)), norm(nw, nb));
                    crate::linear_residual_layer_norm(x, layer, r, norm, dropout, precision)
                },
                |[x, w, b, r, nw, nb]| {
                    crate::residual::composed(composed_linear(x, (w, b)), r, norm(nw, nb), dropout)
                },
            );
        }
    }
}

#[test]
fn a_mask_is_the_same_wherever_it_is_made() {
    let x = Tensor::<2>::ones([7, 1001], &device().without_autodiff());
    let at = |masks| {
        let key = DropoutKey {
            seed: 1,
            step: 2,
            first_row: 3,
            masks,
        };
        crate::dropout::dropout(x.clone(), Dropout::at(3, 0.1, Phase::Training(key), 1001))
    };
    assert_close("mask", at(MaskSource::Host), at(MaskSource::Device));
}

#[test]
fn a_backward_pass_goes_on_where_another_stopped() {
    let gradient = random([BATCH, SEQ, HIDDEN]);
    compare(
        [random([BATCH, SEQ, HIDDEN])],
        |[x]| continued(x, |out| crate::backward_from(out, gradient.clone())),
        |[x]| continued(x, |out| crate::seed::composed(out, gradient.clone())),
    );
}

/// The gradient of a function in which one pass stops, as a tensor that depends on `x` by another.
fn continued(x: Tensor<3>, go_on: impl Fn(Tensor<3>) -> Gradients) -> Tensor<3> {
    if !x.is_autodiff() {
        return x;
    }
    let leaf = x.clone().without_autodiff().autodiff().require_grad();
    let gradients = go_on(leaf.clone() * leaf.clone());
    x * leaf.grad(&gradients).unwrap()
}

/// More classes than a cube has units, and two; one choice, and more.
#[test]
fn cross_entropy() {
    for (classes, choices) in [(300, 1), (300, 2), (2, 1), (7, 3)] {
        let of_rows: Vec<i32> = (0..SEQ * choices)
            .map(|n| (n * 11 % classes) as i32)
            .collect();
        let of_rows = Tensor::<1, Int>::from_ints(of_rows.as_slice(), &device().without_autodiff())
            .reshape([SEQ, choices]);
        let loss = |logits, form: fn(Tensor<3>, Tensor<2, Int>) -> Tensor<1>| {
            form(logits, of_rows.clone()).unsqueeze()
        };
        compare(
            [random([SEQ, classes, choices]) * 5.0],
            |[logits]| loss(logits, crate::cross_entropy_of_columns),
            |[logits]| loss(logits, crate::cross_entropy::composed),
        );
    }
}

#[test]
fn sums_are_added_in_place() {
    let [sum, part] = [(); 2].map(|()| random([SEQ, HIDDEN]));
    assert_close(
        "sum",
        crate::add_into(sum.clone(), part.clone()),
        sum + part,
    );
}

#[test]
fn the_gradient_of_a_table_is_the_sum_of_its_rows_gradients() {
    // More entries than one task has, some of them more than once.
    let entries = 1500;
    let table = random([entries, HIDDEN]);
    let rows = random([BATCH, SEQ, HIDDEN]);
    let ids: Vec<i32> = (0..BATCH * SEQ)
        .map(|n| (n * 613 % 1500 / 3) as i32)
        .collect();
    let ids = Tensor::<1, Int>::from_ints(ids.as_slice(), &table.device()).reshape([BATCH, SEQ]);
    let found = crate::add_rows_into(table.clone(), ids.clone(), rows.clone(), 0);
    let expected = crate::accumulate::composed(table.clone(), ids, rows, 0);
    let moved: f32 = (found.clone() - table.clone()).abs().sum().into_scalar();
    assert!(moved > 1.0, "the table's gradient has changed");
    let constant: f32 = (found.clone() - table)
        .slice([0..1, 0..HIDDEN])
        .abs()
        .max()
        .into_scalar();
    assert_eq!(constant, 0.0);
    assert_close("table", found, expected);
}

/// Products in 16 bits are those of 32 bits, but for the 8 bits of a mantissa. WGSL has none: the read fails, or CubeCL's
/// thread panics, the read gives numbers all the same, and only the log tells.
#[test]
fn products_in_bf16_are_near_those_in_32_bits_or_a_fault() {
    device_fault::listen();
    let x = random([BATCH, SEQ, HIDDEN]);
    let [weight, bias] = [random([1, HIDDEN, 17]), random([1, 1, 17])];
    let run = |precision| {
        let layer = layer((weight.clone(), bias.clone()));
        crate::linear(x.clone(), layer, precision)
    };
    let (full, half) = (run(Precision::Fp32), run(Precision::Bf16));
    let rounded_in_products = device_name() == "cpu" && processor_has_bf16();
    assert_eq!(half.dtype() == DType::F32, rounded_in_products);
    let largest: f32 = full.clone().abs().max().into_scalar();
    let difference = (crate::to_fp32(half) - full).abs().max();
    let difference = difference.try_into_scalar::<f32>();
    if device_name().starts_with("wgpu") {
        assert!(difference.is_err() || device_fault::check().is_err());
        return;
    }
    let difference = difference.unwrap();
    assert!(
        difference > 0.0 && difference < 0.02 * largest,
        "{difference} of {largest}"
    );
}

#[test]
#[should_panic(expected = "linear: expected operands of one type")]
fn operands_of_two_types_are_refused() {
    let x = random([BATCH, SEQ, HIDDEN]).cast(burn::tensor::FloatDType::BF16);
    crate::linear::composed(x, random([HIDDEN, 17]), random([17]));
}

#[test]
fn embed() {
    // More positions than the batch has, and a segment that no token is in.
    let leaves = [
        random([BATCH, SEQ, HIDDEN]),
        random([1, SEQ + 5, HIDDEN]),
        random([1, 1, HIDDEN]),
        random([1, 1, HIDDEN]),
    ];
    for kinds in [2, 3] {
        let ids: Vec<i32> = (0..BATCH * SEQ).map(|n| (n / 5 % 2) as i32).collect();
        let ids = Tensor::<1, Int>::from_ints(ids.as_slice(), &device().without_autodiff())
            .reshape([BATCH, SEQ]);
        let tables = |positions: Tensor<3>| EmbeddingTables {
            // The segments' vectors are among the positions', which gives each a gradient of both kinds.
            types: positions
                .clone()
                .reshape([SEQ + 5, HIDDEN])
                .slice([0..kinds, 0..HIDDEN]),
            positions: positions.reshape([SEQ + 5, HIDDEN]),
        };
        let norm = |w: Tensor<3>, b: Tensor<3>| LayerNormParameters {
            weight: w.reshape([HIDDEN]),
            bias: b.reshape([HIDDEN]),
            epsilon: 1e-12,
        };
        for dropout in [None, dropout(4)] {
            compare(
                leaves.clone(),
                |[x, p, w, b]| crate::embed(x, tables(p), &ids, norm(w, b), dropout),
                |[x, p, w, b]| crate::embedding::composed(x, tables(p), &ids, norm(w, b), dropout),
            );
        }
    }
}

#[test]
fn padded_rows() {
    // Full, empty and in between, in more elements than a cube has units.
    let lengths = [50, 0, 49, 1, 30];
    let width = 50;
    let tokens = lengths.len() * width;
    let packed: Vec<i32> = (0..2 * tokens as i32).map(|n| n * 613 % 30_522).collect();
    let packed = [&packed[..], &lengths].concat();
    let unpack = |form: fn(_, _) -> crate::PaddedRows| {
        let device = device().without_autodiff();
        let packed = Tensor::<1, Int>::from_ints(packed.as_slice(), &device);
        let rows = form(packed, [lengths.len(), width]);
        let [ids, types] =
            [rows.ids, rows.types].map(|ints| ints.try_into_vec_as::<i32>().unwrap());
        (ids, types, rows.mask.try_into_vec_as::<f32>().unwrap())
    };
    let (ids, types, mask) = unpack(crate::padded_rows);
    assert_eq!([&ids[..], &types].concat(), packed[..2 * tokens]);
    let of_row = |row: usize| mask[row * width..][..width].iter().sum::<f32>();
    for (row, length) in lengths.into_iter().enumerate() {
        assert_eq!(of_row(row), length as f32);
        assert!(length == 0 || mask[row * width] == 1.0);
    }
    assert_eq!((ids, types, mask), unpack(crate::rows::composed));
}
