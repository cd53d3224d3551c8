//! A device that goes on after its memory was tidied up.

use bert_backend::Backend;
use bert_model::checkpoint::initialize;
use bert_model::heads::{BertForSequenceClassification, ExampleModel};
use bert_model::{BertInput, Pass, Precision};
use burn::tensor::Device;

use crate::support::device;

fn logits(model: &BertForSequenceClassification, rows: usize, device: &Device) -> Vec<f32> {
    let ids: Vec<i32> = (0..rows * 24).map(|n| 1 + (n as i32 * 31) % 200).collect();
    let input = BertInput::from_rows(
        &bert_model::PaddedRows {
            width: 24,
            lengths: &vec![24; rows],
            input_ids: &ids,
            token_type_ids: &vec![0; rows * 24],
        },
        device,
    );
    let pass = Pass::evaluation(Precision::Fp32);
    model.logits(&input, 1, pass).try_into_vec_as().unwrap()
}

/// Cleaning up has taken buffers that were still in use (<https://github.com/tracel-ai/burn/issues/3927>).
#[test]
fn what_is_computed_after_a_cleanup_is_what_was_computed_before() {
    let backend = Backend::open(device()).unwrap();
    let config = serde_json::from_value(serde_json::json!({
        "vocab_size": 211, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 128, "max_position_embeddings": 64, "num_labels": 3,
    }))
    .unwrap();
    let model: BertForSequenceClassification = initialize(&config, 1, &backend.device);
    let before = logits(&model, 5, &backend.device);
    for rows in [1, 9, 3] {
        logits(&model, rows, &backend.device);
        backend.device.memory_cleanup();
    }
    let after = logits(&model, 5, &backend.device);
    bert_model::device_fault::check().unwrap();
    for (a, b) in after.iter().zip(&before) {
        assert!((a - b).abs() < 1e-5, "{a} after, {b} before");
    }
}
