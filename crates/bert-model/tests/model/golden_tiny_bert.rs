//! Forward and backward passes against `transformers` (see `tests/golden/tiny-bert/README.md`).

use crate::support::{Golden, assert_close, golden, gradients};
use bert_model::checkpoint::{BERT, HeadPolicy, Weights, load};
use bert_model::heads::{BertForQuestionAnswering, span_loss};
use bert_model::{
    BertConfig, BertInput, BertModel, Encoder, ParameterSource, Phase, Precision, parameters,
};
use bert_test_device::test_device;
use burn::tensor::{Device, Int, Tensor};

/// Largest difference allowed, as a share of the expected tensor's largest value.
const RELATIVE: f32 = 1e-5;

fn spans(batch: &Golden, device: &Device) -> Tensor<2, Int> {
    let positions = ["start_positions", "end_positions"];
    Tensor::stack(
        positions.map(|name| batch.ints::<1>(name, device)).into(),
        1,
    )
}

#[test]
fn hidden_states_pooled_output_logits_and_loss() {
    let device = test_device();
    let case = golden("tiny-bert");
    let batch = Golden::open(&case.join("input/batch.safetensors"));
    let expected = Golden::open(&case.join("expected/outputs.safetensors"));

    let loaded =
        load::<BertForQuestionAnswering>(&case.join("input"), HeadPolicy::MustBeTrained, &device)
            .unwrap();
    let input = batch.input(&device);
    let logits = loaded.model.forward(&input, Phase::Evaluation.into());
    for (n, name) in ["start_logits", "end_logits"].into_iter().enumerate() {
        let logits = logits.0.clone().slice_dim(2, n..n + 1);
        assert_close(name, logits.squeeze_dim::<2>(2), &expected, RELATIVE);
    }
    let loss = span_loss(logits, spans(&batch, &device));
    assert_close("loss", loss.mean(), &expected, RELATIVE);

    let output = encoder_with_pooler(&device).forward(&input, Phase::Evaluation.into());
    assert_eq!(output.hidden_states.len(), 3);
    for (n, state) in output.hidden_states.into_iter().enumerate() {
        assert_close(&format!("hidden_states.{n}"), state, &expected, RELATIVE);
    }
    let pooled = output.pooled_output.unwrap();
    assert_close("pooled_output", pooled, &expected, RELATIVE);
}

#[test]
fn every_gradient_of_the_question_answering_loss() {
    let device = test_device().autodiff();
    let case = golden("tiny-bert");
    let batch = Golden::open(&case.join("input/batch.safetensors"));
    let loaded =
        load::<BertForQuestionAnswering>(&case.join("input"), HeadPolicy::MustBeTrained, &device)
            .unwrap();
    let plain = device.clone().without_autodiff();
    let logits = loaded
        .model
        .forward(&batch.input(&plain), Phase::Evaluation.into());
    let loss = span_loss(logits, spans(&batch, &plain)).mean();
    let expected = Golden::open(&case.join("expected/gradients.safetensors"));
    gradients(&loaded.model, loss).assert_equal(&expected, RELATIVE, "");
}

#[test]
fn every_gradient_through_the_pooler() {
    let device = test_device().autodiff();
    let case = golden("tiny-bert");
    let batch = Golden::open(&case.join("input/batch.safetensors"));
    let model = encoder_with_pooler(&device);
    let plain = device.clone().without_autodiff();
    let weights: Tensor<2> = batch.floats("pooled_weights", &plain);
    let loss = (model.pool(
        model.encode(&batch.input(&plain), Phase::Evaluation.into()),
        Precision::Fp32,
    ) * weights)
        .sum();
    let expected = Golden::open(&case.join("expected/pooler_gradients.safetensors"));
    gradients(&model, loss).assert_equal(&expected, RELATIVE, "bert.");
}

/// The golden encoder with the golden pooler, which live in two files.
fn encoder_with_pooler(device: &Device) -> BertModel {
    let case = golden("tiny-bert/input");
    let dir = tempfile::tempdir().unwrap();
    crate::support::merge(
        &[
            case.join("model.safetensors"),
            case.join("pooler.safetensors"),
        ],
        &dir.path().join("model.safetensors"),
    );
    let config = BertConfig::read(&case.join("config.json")).unwrap();
    let mut weights = Weights::open(dir.path(), &BERT).unwrap();
    let mut source = ParameterSource::checkpoint(&BERT, &mut weights, 0, 0.02, device);
    let model = source
        .at("bert", |source| BertModel::build(&config, true, source))
        .unwrap();
    assert_eq!(source.into_fresh(), Vec::<String>::new());
    assert_eq!(parameters::list(&model, &BERT).len(), 39);
    model
}

#[test]
fn padding_does_not_change_real_tokens() {
    let device = test_device();
    let case = golden("tiny-bert");
    let batch = Golden::open(&case.join("input/batch.safetensors"));
    let input = batch.input(&device);
    let model =
        load::<BertForQuestionAnswering>(&case.join("input"), HeadPolicy::MustBeTrained, &device)
            .unwrap()
            .model;
    let whole = model.bert.encode(&input, Phase::Evaluation.into());
    // The third row has 9 real tokens: alone and unpadded it must come out the same.
    let row = |t: &Tensor<2, burn::tensor::Int>| t.clone().slice([2..3, 0..9]);
    let alone = BertInput {
        input_ids: row(&input.input_ids),
        token_type_ids: row(&input.token_type_ids),
        attention_mask: None,
    };
    let alone = model.bert.encode(&alone, Phase::Evaluation.into());
    let [_, _, hidden] = whole.dims();
    let difference: f32 = (whole.slice([2..3, 0..9, 0..hidden]) - alone)
        .abs()
        .max()
        .into_scalar();
    assert!(difference < 1e-5, "{difference}");
}
