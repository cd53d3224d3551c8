//! A device whose memory is tidied up, or short.

use std::process::Command;

use bert_backend::Backend;
use bert_finetune::train;
use bert_model::checkpoint::initialize;
use bert_model::heads::{BertForSequenceClassification, ExampleModel};
use bert_model::{BertInput, Pass, Precision};
use bert_records::RunRecord;
use bert_tasks::Unwatched;
use burn::tensor::Device;
use serde_json::Value;

use crate::support::{device, settings, tasks};

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

/// Names what a process of [`a_process_whose_device_is_small`] does.
const CASE: &str = "BERT_PARITY_CASE";

/// Trains in a process of its own, whose device has `memory`, and returns what it prints.
fn in_a_small_device(case: &str, memory: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "memory::a_process_whose_device_is_small",
            "--nocapture",
        ])
        .env(CASE, case)
        .env("CUDA_ON_CPU_MEMORY", memory)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

#[test]
fn a_process_whose_device_is_small() {
    let Ok(case) = std::env::var(CASE) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let [(_, questions), ..] = tasks();
    let mut settings = settings(device(), None, questions, &dir.path().join("out"));
    let run = &mut settings.run;
    // The estimate would refuse the training beforehand.
    run.execution.max_memory = Some(1 << 40);
    run.max_train_examples = Some(32);
    run.recipe.train_batch_size = 32;
    run.execution.auto_micro_batch = case == "auto";
    match train(&settings, &Unwatched) {
        Ok(_) => {
            let record = RunRecord::<Value>::read(&settings.run.output_dir).unwrap();
            let summary = record.unwrap().summary.unwrap();
            println!("said: trained, {summary}");
        }
        Err(error) => println!("said: {error}"),
    }
}

/// On the software device, whose memory is what it is told to be.
#[test]
fn a_training_without_enough_memory_says_what_would_fit_or_finds_it() {
    if !device().to_string().starts_with("cuda")
        || std::env::var_os("BERT_SOFTWARE_DEVICE").is_none()
    {
        return;
    }
    let said = in_a_small_device("step", SMALL);
    let line = said
        .lines()
        .find(|line| line.starts_with("said: "))
        .unwrap();
    assert!(line.starts_with("said: out of memory: "), "{line}");
    assert!(
        line.contains("; try `gradient_accumulation_steps`"),
        "{line}"
    );
    assert!(line.len() < 600, "{line}");
    let said = in_a_small_device("auto", SMALL);
    assert!(said.contains("said: trained"), "{said}");
    let nothing = in_a_small_device("step", "2m");
    assert!(nothing.contains("said: "), "{nothing}");
}

/// Enough for the model, and not for a step of 32 windows.
const SMALL: &str = "96m";
