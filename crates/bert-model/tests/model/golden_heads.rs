//! The sequence-level heads against `transformers`, forward and backward (see
//! `tests/golden/tiny-bert-heads/README.md`).

use bert_test_device::test_device;
use std::fs;

use crate::support::{Golden, assert_close, golden, gradients};
use bert_model::checkpoint::{BERT, HeadPolicy, initialize, load};
use bert_model::heads::{
    BertForMultipleChoice, BertForQuestionAnswering, BertForSequenceClassification, ExampleModel,
    TaskModel, cross_entropy, parameter_count, squared_error,
};
use bert_model::{BertConfig, LabelList, Phase, parameters};
use burn::tensor::{Device, Tensor};

/// Largest difference allowed, as a share of the expected tensor's largest value.
const RELATIVE: f32 = 1e-5;

/// Compares logits, mean loss and every gradient of a head.
fn check<M: ExampleModel>(
    head: &str,
    rows_per_example: usize,
    losses: impl Fn(Tensor<2>, &Golden, &Device) -> Tensor<1>,
) {
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
    let device = test_device().autodiff();
    let plain = device.clone().without_autodiff();
    let loaded = load::<M>(dir.path(), HeadPolicy::MustBeTrained, &device).unwrap();
    assert_eq!(loaded.report.fresh, Vec::<String>::new());

    let batch = Golden::open(&case.join("input/batch.safetensors"));
    let expected = Golden::open(&case.join(format!("expected/{head}.safetensors")));
    let logits = loaded.model.logits(
        &batch.input(&plain),
        rows_per_example,
        Phase::Evaluation.into(),
    );
    assert_close("logits", logits.clone(), &expected, RELATIVE);
    let loss = losses(logits, &batch, &plain).mean();
    assert_close("loss", loss.clone(), &expected, RELATIVE);
    let expected = Golden::open(&case.join(format!("expected/{head}_gradients.safetensors")));
    gradients(&loaded.model, loss).assert_equal(&expected, RELATIVE, "");
}

#[test]
fn multiple_choice() {
    check::<BertForMultipleChoice>("multiple_choice", 4, |logits, batch, device| {
        assert_eq!(logits.dims(), [2, 4]);
        cross_entropy(logits, batch.ints("multiple_choice_labels", device))
    });
}

#[test]
fn classification() {
    check::<BertForSequenceClassification>("classification", 1, |logits, batch, device| {
        assert_eq!(logits.dims(), [8, 3]);
        cross_entropy(logits, batch.ints("classification_labels", device))
    });
}

#[test]
fn regression() {
    check::<BertForSequenceClassification>("regression", 1, |logits, batch, device| {
        assert_eq!(logits.dims(), [8, 1]);
        squared_error(logits, batch.floats("regression_labels", device))
    });
}

/// Each ending is scored on its own, so how many there are changes no score.
#[test]
fn examples_may_have_from_two_endings_on() {
    let device = test_device();
    let config = BertConfig::read(&golden("tiny-bert/input/config.json")).unwrap();
    let model: BertForMultipleChoice = initialize(&config, 1, &device);
    let batch = Golden::open(&golden("tiny-bert-heads").join("input/batch.safetensors"));
    let input = batch.input(&device);
    let scores = |endings: usize| {
        let logits = model.logits(&input, endings, Phase::Evaluation.into());
        assert_eq!(logits.dims(), [8 / endings, endings]);
        logits.try_into_vec_as::<f32>().unwrap()
    };
    let four = scores(4);
    assert_eq!(scores(2), four);
    assert_eq!(scores(8), four);
    assert_eq!(BertForMultipleChoice::ROWS_PER_EXAMPLE, 2..=26);
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
    let device = test_device();
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
    let device = test_device();
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

/// A model's trainable numbers are known without building it.
#[test]
fn parameters_are_counted() {
    fn count<M: TaskModel>(config: &BertConfig) -> u64 {
        let model: M = initialize(config, 1, &test_device());
        let parameters = parameters::list(&model, &BERT);
        let counted = parameters
            .iter()
            .map(|p| p.shape.num_elements() as u64)
            .sum();
        assert_eq!(parameter_count::<M>(config), counted);
        counted
    }
    let config: BertConfig = serde_json::from_value(serde_json::json!({
        "vocab_size": 31, "hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2,
        "intermediate_size": 20, "num_labels": 3, "max_position_embeddings": 17,
    }))
    .unwrap();
    let spans = count::<BertForQuestionAnswering>(&config);
    let choices = count::<BertForMultipleChoice>(&config);
    let (span_head, pooler, score_head) = (2 * 8 + 2, 8 * 8 + 8, 8 + 1);
    assert_eq!(choices + span_head, spans + pooler + score_head);
    count::<BertForSequenceClassification>(&config);
}
