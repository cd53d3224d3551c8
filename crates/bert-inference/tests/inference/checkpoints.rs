//! Checkpoints and settings that are refused, each in one line.

use bert_test_device::test_device;
use std::fs;
use std::path::Path;

use crate::support::{checkpoint, config, go_on};
use bert_features::batch::Padding;
use bert_inference::{
    Beginning, ChoiceMaker, InferenceConfig, InferenceError, QuestionAnswerer, QuestionConfig,
    TextClassifier,
};
use bert_model::heads::{BertForMultipleChoice, BertForQuestionAnswering};

/// The line with which a folder is refused as a question answerer, without the folder's path.
fn refused(dir: &Path) -> String {
    let (inference, config) = (InferenceConfig::default(), QuestionConfig::default());
    let loaded = QuestionAnswerer::load(dir, &test_device(), inference, config);
    let line = loaded.err().expect("it is refused").to_string();
    assert!(!line.contains('\n'));
    line.replace(&dir.display().to_string(), "DIR")
}

#[test]
fn a_head_of_another_task_is_refused() {
    let dir = checkpoint::<BertForMultipleChoice>(&config());
    let line = refused(dir.path());
    assert!(
        line.contains("has no trained head (qa_outputs.weight"),
        "{line}"
    );
    let inference = InferenceConfig::default();
    let loaded = TextClassifier::load(dir.path(), &test_device(), inference, None);
    let line = loaded.err().expect("it is refused").to_string();
    assert!(line.contains("found \"BertForMultipleChoice\""), "{line}");
}

#[test]
fn a_tokenizer_that_the_model_cannot_read_is_refused() {
    let dir = checkpoint::<BertForQuestionAnswering>(&config());
    let tokens = config().vocab_size;
    fs::remove_file(dir.path().join("tokenizer.json")).unwrap();
    let path = dir.path().join("vocab.txt");
    let vocab = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{vocab}wind\n")).unwrap();
    assert_eq!(
        refused(dir.path()),
        format!(
            "DIR: found a vocabulary of {} tokens, expected at most config.json's vocab_size {tokens}",
            tokens + 1
        )
    );
}

#[test]
fn a_model_with_one_segment_is_refused() {
    let mut one = config();
    one.type_vocab_size = 1;
    let dir = checkpoint::<BertForQuestionAnswering>(&one);
    assert!(
        refused(dir.path()).starts_with("DIR: found type_vocab_size 1"),
        "{}",
        refused(dir.path())
    );
}

#[test]
fn settings_out_of_their_range_are_named() {
    let dir = checkpoint::<BertForMultipleChoice>(&config());
    let default = InferenceConfig::default();
    for (config, setting) in [
        (
            InferenceConfig {
                batch_size: 0,
                ..default
            },
            "batch_size",
        ),
        (
            InferenceConfig {
                padding: Padding::Longest { multiple_of: 0 },
                ..default
            },
            "pad_to_multiple_of",
        ),
        (
            InferenceConfig {
                concurrent: 0,
                ..default
            },
            "concurrent",
        ),
    ] {
        let chooser = ChoiceMaker::load(dir.path(), &test_device(), config, None).unwrap();
        let beginning = Beginning {
            context: "The sea.",
            start: "",
            endings: &["sings.", "sleeps."],
        };
        let error = chooser.choose(&[beginning], go_on).unwrap_err();
        assert!(matches!(error, InferenceError::Setting { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            format!("{setting}: found 0, expected at least 1")
        );
    }
}
