//! Files of small models with random weights, in ONNX Runtime.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bert_model::BertConfig;
use bert_model::checkpoint::{initialize, save};
use bert_model::heads::{
    BertForMultipleChoice, BertForQuestionAnswering, BertForSequenceClassification, TaskModel,
};
use bert_onnx::{Exported, Precision, Runtime};
use bert_test_device::test_device;
use bert_test_support::{Prerequisite, skip};

const PRECISIONS: [Precision; 3] = [Precision::Fp32, Precision::Fp16, Precision::Int8];

/// ONNX Runtime, if `ORT_DYLIB_PATH` names it. CI installs it.
fn runtime() -> Option<&'static Runtime> {
    // A process has one.
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let load = || {
        let path = std::env::var_os("ORT_DYLIB_PATH")?;
        Some(Runtime::load(Path::new(&path)).unwrap())
    };
    let runtime = RUNTIME.get_or_init(load).as_ref();
    if runtime.is_none() {
        skip(Prerequisite::OnnxRuntime, "ORT_DYLIB_PATH names no library");
    }
    runtime
}

fn config(more: &str) -> BertConfig {
    let text = format!(
        r#"{{"vocab_size": 90, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 56,
            "max_position_embeddings": 70, "initializer_range": 0.3 {more}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

/// A checkpoint of random weights.
fn checkpoint<M: TaskModel>(dir: &Path, config: &BertConfig) -> PathBuf {
    let model = initialize::<M>(config, 7, &test_device());
    save(&model, config, dir).unwrap();
    dir.to_owned()
}

fn compare(dir: &Path, runtime: &Runtime) {
    for precision in PRECISIONS {
        let device = test_device();
        let exported = Exported::from_checkpoint(dir, precision, &device).unwrap();
        let difference = exported.check(runtime, &device).unwrap();
        println!("{precision:?}: {difference:?}");
        assert!(difference.of > 0.1, "logits say something: {difference:?}");
    }
}

#[test]
fn every_head_gives_the_model_s_logits() {
    let Some(runtime) = runtime() else { return };
    let dir = tempfile::tempdir().unwrap();
    let three = r#", "id2label": {"0": "a", "1": "b", "2": "c"}"#;
    compare(
        &checkpoint::<BertForQuestionAnswering>(dir.path(), &config("")),
        runtime,
    );
    compare(
        &checkpoint::<BertForSequenceClassification>(dir.path(), &config(three)),
        runtime,
    );
    let score = r#", "num_labels": 1, "problem_type": "regression""#;
    compare(
        &checkpoint::<BertForSequenceClassification>(dir.path(), &config(score)),
        runtime,
    );
    compare(
        &checkpoint::<BertForMultipleChoice>(dir.path(), &config("")),
        runtime,
    );
}

#[test]
fn every_activation_gives_the_model_s_logits() {
    let Some(runtime) = runtime() else { return };
    let dir = tempfile::tempdir().unwrap();
    for act in [
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
    ] {
        println!("{act}");
        let config = config(&format!(r#", "hidden_act": "{act}""#));
        compare(
            &checkpoint::<BertForQuestionAnswering>(dir.path(), &config),
            runtime,
        );
    }
}

#[test]
fn a_model_with_one_segment_and_few_places_has_a_file() {
    let Some(runtime) = runtime() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut small = config("");
    small.type_vocab_size = 1;
    small.max_position_embeddings = 9;
    compare(
        &checkpoint::<BertForQuestionAnswering>(dir.path(), &small),
        runtime,
    );
}

#[test]
fn a_checkpoint_without_a_head_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = serde_json::to_string(&config(r#", "architectures": ["BertModel"]"#)).unwrap();
    std::fs::write(dir.path().join("config.json"), config).unwrap();
    let exported = Exported::from_checkpoint(dir.path(), Precision::Fp32, &test_device());
    let Err(error) = exported else {
        panic!("it has no head")
    };
    assert!(error.is_bad_input(), "{error}");
    assert!(
        error
            .to_string()
            .contains("found BertModel, expected BertForQuestionAnswering"),
        "{error}"
    );
}
