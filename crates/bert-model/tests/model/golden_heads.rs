//! The sequence-level heads against `transformers`, forward and backward (see
//! `tests/golden/tiny-bert-heads/README.md`).

use std::fs;

use crate::support::{Golden, assert_close, golden, gradients};
use bert_model::checkpoint::{HeadPolicy, load};
use bert_model::heads::{
    BertForMultipleChoice, BertForSequenceClassification, ExampleModel, cross_entropy,
    squared_error,
};
use bert_model::{BertConfig, LabelList, Phase};
use burn::tensor::{Device, Tensor};

/// Largest difference allowed, as a share of the expected tensor's largest value.
const RELATIVE: f32 = 1e-5;

/// Compares logits, mean loss and every gradient of a head.
fn check<M: ExampleModel>(head: &str, losses: impl Fn(Tensor<2>, &Golden, &Device) -> Tensor<1>) {
    let case = golden("tiny-bert-heads");
    let dir = tempfile::tempdir().unwrap();
    let encoder = golden("tiny-bert/input");
    let own = case.join("input").join(head);
    fs::copy(own.join("config.json"), dir.path().join("config.json")).unwrap();
    // The span head that comes with the encoder is left over, as a pre-training head would be.
    crate::support::merge(
        &[
            encoder.join("model.safetensors"),
            encoder.join("pooler.safetensors"),
            own.join("head.safetensors"),
        ],
        &dir.path().join("model.safetensors"),
    );
    let device = Device::default().autodiff();
    let plain = device.clone().without_autodiff();
    let loaded = load::<M>(dir.path(), HeadPolicy::MustBeTrained, &device).unwrap();
    assert_eq!(loaded.report.fresh, Vec::<String>::new());

    let batch = Golden::open(&case.join("input/batch.safetensors"));
    let expected = Golden::open(&case.join(format!("expected/{head}.safetensors")));
    let logits = loaded
        .model
        .logits(&batch.input(&plain), Phase::Evaluation.into());
    assert_close("logits", logits.clone(), &expected, RELATIVE);
    let loss = losses(logits, &batch, &plain).mean();
    assert_close("loss", loss.clone(), &expected, RELATIVE);
    let expected = Golden::open(&case.join(format!("expected/{head}_gradients.safetensors")));
    gradients(&loaded.model, loss).assert_equal(&expected, RELATIVE, "");
}

#[test]
fn multiple_choice() {
    check::<BertForMultipleChoice>("multiple_choice", |logits, batch, device| {
        assert_eq!(logits.dims(), [2, 4]);
        cross_entropy(logits, batch.ints("multiple_choice_labels", device))
    });
}

#[test]
fn classification() {
    check::<BertForSequenceClassification>("classification", |logits, batch, device| {
        assert_eq!(logits.dims(), [8, 3]);
        cross_entropy(logits, batch.ints("classification_labels", device))
    });
}

#[test]
fn regression() {
    check::<BertForSequenceClassification>("regression", |logits, batch, device| {
        assert_eq!(logits.dims(), [8, 1]);
        squared_error(logits, batch.floats("regression_labels", device))
    });
}

#[test]
fn label_lists_are_those_of_transformers() {
    let read = |head: &str| {
        let case = golden("tiny-bert-heads/input").join(head);
        let config = BertConfig::read(&case.join("config.json")).unwrap();
        config.label_list()
    };
    let names = ["LABEL_0", "LABEL_1", "LABEL_2"].map(str::to_owned);
    assert_eq!(read("classification"), LabelList::Classes(names.to_vec()));
    assert_eq!(read("regression"), LabelList::Score);
}

#[test]
fn a_head_of_another_task_is_not_taken_for_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let case = golden("tiny-bert-heads/input/regression");
    let encoder = golden("tiny-bert/input");
    fs::copy(case.join("config.json"), dir.path().join("config.json")).unwrap();
    crate::support::merge(
        &[
            encoder.join("model.safetensors"),
            encoder.join("pooler.safetensors"),
            case.join("head.safetensors"),
        ],
        &dir.path().join("model.safetensors"),
    );
    let device = Device::default();
    // A regression's head has the shape of a choice's.
    let refused = load::<BertForMultipleChoice>(dir.path(), HeadPolicy::MustBeTrained, &device);
    let message = refused.err().unwrap().to_string();
    assert!(
        message.contains(
            "found \"BertForSequenceClassification\", expected \"BertForMultipleChoice\""
        ),
        "{message}"
    );
    let policy = HeadPolicy::FreshIfMissing { seed: 1 };
    let fresh = load::<BertForMultipleChoice>(dir.path(), policy, &device).unwrap();
    assert_eq!(fresh.report.fresh, ["classifier.weight", "classifier.bias"]);
    assert!(
        fresh
            .report
            .unexpected
            .contains(&"classifier.weight".to_owned())
    );
    let policy = HeadPolicy::Fresh { seed: 1 };
    let again = load::<BertForSequenceClassification>(dir.path(), policy, &device).unwrap();
    assert_eq!(again.report.fresh, ["classifier.weight", "classifier.bias"]);
}

#[test]
fn a_checkpoint_without_a_pooler_gets_a_fresh_one_for_training_only() {
    let device = Device::default();
    let encoder = golden("tiny-bert/input");
    let policy = HeadPolicy::FreshIfMissing { seed: 1 };
    let loaded = load::<BertForSequenceClassification>(&encoder, policy, &device).unwrap();
    assert_eq!(
        loaded.report.fresh,
        [
            "bert.pooler.dense.weight",
            "bert.pooler.dense.bias",
            "classifier.weight",
            "classifier.bias"
        ]
    );
    let policy = HeadPolicy::MustBeTrained;
    let refused = load::<BertForSequenceClassification>(&encoder, policy, &device);
    assert!(
        refused
            .err()
            .unwrap()
            .to_string()
            .contains("no trained head")
    );
}
