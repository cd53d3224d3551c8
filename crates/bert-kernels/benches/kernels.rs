//! Each operation, forward and backward, on the default device, at the shape of a layer of MiniLM: 12 rows of 192
//! tokens, 384 wide, 12 heads, with dropout. Items are tokens. What has products is timed in 32 bits, and in bf16 where the
//! device is a processor that has it.

use bert_kernels::{
    Activation, Attention, Dropout, DropoutKey, EmbeddingTables, LayerNormParameters,
    LayerParameters, LinearParameters, MaskSource, Phase, Precision, processor_has_bf16,
};
use bert_test_device::test_device;
use bert_test_support::device_name;
use burn::tensor::{Distribution, Int, Tensor};
use divan::Bencher;
use divan::counter::ItemsCount;

const BATCH: usize = 12;
const SEQ: usize = 192;
const HIDDEN: usize = 384;
const INNER: usize = 4 * HIDDEN;
const WORDS: usize = 30_522;

fn main() {
    divan::main();
}

fn precisions() -> &'static [Precision] {
    if device_name() == "cpu" && processor_has_bf16() {
        &[Precision::Fp32, Precision::Bf16]
    } else {
        &[Precision::Fp32]
    }
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(
        shape,
        Distribution::Normal(0.0, 1.0),
        &test_device().autodiff(),
    )
    .require_grad()
}

fn ids(below: i32) -> Tensor<2, Int> {
    let ids: Vec<i32> = (0..(BATCH * SEQ) as i32).map(|n| n * 613 % below).collect();
    Tensor::<1, Int>::from_ints(ids.as_slice(), &test_device()).reshape([BATCH, SEQ])
}

fn dropout() -> Option<Dropout> {
    let key = DropoutKey {
        seed: 1,
        step: 2,
        first_row: 0,
        masks: MaskSource::Host,
    };
    Dropout::at(3, 0.1, Phase::Training(key), 1)
}

fn norm() -> LayerNormParameters {
    LayerNormParameters {
        weight: random([HIDDEN]),
        bias: random([HIDDEN]),
        epsilon: 1e-12,
    }
}

/// Times an operation and its backward pass.
fn both_ways(bencher: Bencher<'_, '_>, operation: impl Fn() -> Tensor<3>) {
    let gradient = operation().without_autodiff().ones_like();
    bencher
        .counter(ItemsCount::new(BATCH * SEQ))
        .bench_local(|| bert_kernels::backward_from(operation(), gradient.clone()));
}

fn layer(input: usize, output: usize) -> LinearParameters {
    LinearParameters {
        weight: random([input, output]),
        bias: random([output]),
    }
}

#[divan::bench(args = precisions())]
fn attention(bencher: Bencher<'_, '_>, precision: Precision) {
    let x = random([BATCH, SEQ, HIDDEN]);
    let projections = [(); 3].map(|()| layer(HIDDEN, HIDDEN));
    let with = Attention {
        heads: 12,
        mask: None,
        dropout: dropout(),
    };
    both_ways(bencher, || {
        bert_kernels::attention(x.clone(), projections.clone(), &with, precision)
    });
}

#[divan::bench(args = precisions())]
fn linear(bencher: Bencher<'_, '_>, precision: Precision) {
    let (x, layer) = (random([BATCH, SEQ, HIDDEN]), layer(HIDDEN, INNER));
    both_ways(bencher, || {
        bert_kernels::linear(x.clone(), layer.clone(), precision)
    });
}

#[divan::bench]
fn gelu(bencher: Bencher<'_, '_>) {
    let x = random([BATCH, SEQ, INNER]);
    both_ways(bencher, || bert_kernels::gelu(x.clone()));
}

#[divan::bench(args = precisions())]
fn encoder_layer(bencher: Bencher<'_, '_>, precision: Precision) {
    let x = random([BATCH, SEQ, HIDDEN]);
    let parameters = LayerParameters {
        attention: [(); 3].map(|()| layer(HIDDEN, HIDDEN)),
        attention_output: layer(HIDDEN, HIDDEN),
        attention_norm: norm(),
        intermediate: layer(HIDDEN, INNER),
        output: layer(INNER, HIDDEN),
        output_norm: norm(),
    };
    let with = Attention {
        heads: 12,
        mask: None,
        dropout: dropout(),
    };
    let dropouts = [dropout(); 2];
    both_ways(bencher, || {
        let (x, parameters) = (x.clone(), parameters.clone());
        bert_kernels::encoder_layer(x, parameters, &with, &Activation::Gelu, dropouts, precision)
    });
}

#[divan::bench(args = precisions())]
fn linear_residual_layer_norm(bencher: Bencher<'_, '_>, precision: Precision) {
    let (x, layer) = (random([BATCH, SEQ, INNER]), layer(INNER, HIDDEN));
    let residual = random([BATCH, SEQ, HIDDEN]);
    let (norm, dropout) = (norm(), dropout());
    both_ways(bencher, || {
        let (layer, norm) = (layer.clone(), norm.clone());
        let (x, residual) = (x.clone(), residual.clone());
        bert_kernels::linear_residual_layer_norm(x, layer, residual, norm, dropout, precision)
    });
}

#[divan::bench]
fn embed(bencher: Bencher<'_, '_>) {
    let words = random([BATCH, SEQ, HIDDEN]);
    let tables = EmbeddingTables {
        positions: random([512, HIDDEN]),
        types: random([2, HIDDEN]),
    };
    let (norm, dropout, kinds) = (norm(), dropout(), ids(2));
    both_ways(bencher, || {
        bert_kernels::embed(words.clone(), tables.clone(), &kinds, norm.clone(), dropout)
    });
}

/// The gradient of the table of words: only that, there is no forward pass.
#[divan::bench]
fn add_rows_into(bencher: Bencher<'_, '_>) {
    let rows = random([BATCH, SEQ, HIDDEN]).without_autodiff();
    let ids = ids(WORDS as i32);
    let mut table = Some(Tensor::<2>::zeros([WORDS, HIDDEN], &test_device()));
    bencher
        .counter(ItemsCount::new(BATCH * SEQ))
        .bench_local(|| {
            let sum = table.take().expect("it is put back each time");
            table = Some(bert_kernels::add_rows_into(
                sum,
                ids.clone(),
                rows.clone(),
                0,
            ));
        });
}
