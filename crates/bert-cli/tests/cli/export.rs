//! `bert export`.

use std::env;
use std::fs;

use bert_test_support::{Prerequisite, skip};
use serde_json::Value;

use crate::front_door::model;
use crate::support::{bert_with, done, refused, stderr};

const LIBRARY: &str = "ORT_DYLIB_PATH";

#[test]
fn a_file_is_written_when_it_is_the_model() {
    if env::var_os(LIBRARY).is_none() {
        return skip(Prerequisite::OnnxRuntime, "ORT_DYLIB_PATH names no library");
    }
    let dir = tempfile::tempdir().unwrap();
    let mut sizes = Vec::new();
    for precision in ["fp32", "fp16", "int8"] {
        let file = dir.path().join(precision);
        let found = done(&[
            "export",
            "--model",
            model().to_str().unwrap(),
            "--precision",
            precision,
            "--output",
            file.to_str().unwrap(),
            "--json",
        ]);
        let found: Value = serde_json::from_str(&found).unwrap();
        assert_eq!(found["checked_rows"], 13);
        let apart = found["largest_difference"].as_f64().unwrap();
        assert_eq!(apart < 1e-4, precision == "fp32", "{precision}: {apart}");
        assert_eq!(found["bytes"], fs::metadata(&file).unwrap().len());
        sizes.push(found["bytes"].as_u64().unwrap());
    }
    assert!(
        sizes[0] > sizes[2] && sizes[2] > 0 && sizes[0] > 19 * sizes[1] / 10,
        "{sizes:?}"
    );
}

#[test]
fn without_the_library_a_file_is_not_called_good() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("model.onnx");
    let arguments = [
        "export",
        "--model",
        model().to_str().unwrap(),
        "--output",
        file.to_str().unwrap(),
    ];
    let output = bert_with(&[(LIBRARY, "")], &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let warning = "the file is not checked: found no ONNX Runtime";
    assert!(stderr(&output).contains(warning), "{}", stderr(&output));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("logits"));
    assert!(file.exists());
}

#[test]
fn what_is_wrong_is_one_line_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("model.onnx");
    let [model, file_name] = [model(), &*file].map(|path| path.to_str().unwrap());
    let export = |more: &[&str]| refused(&[&["export", "--output", file_name], more].concat());
    for (more, expected) in [
        (
            &["--model", model, "--onnxruntime", "/nowhere/lib.so"][..],
            "error: ONNX Runtime: failed to load from `/nowhere/lib.so`",
        ),
        (
            &["--model", "data/demo/bert-small"],
            "error: data/demo/bert-small/config.json: architectures: found BertModel, expected BertForQuestionAnswering, ",
        ),
    ] {
        let line = export(more);
        assert!(line.starts_with(expected), "{line}");
    }
    assert!(!file.exists());
}
