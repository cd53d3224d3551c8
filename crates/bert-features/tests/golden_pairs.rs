//! SWAG and GLUE rows against the 2018 scripts' semantics (see `tests/golden/pair-features/README.md`).

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use bert_datasets::glue;
use bert_datasets::swag;
use bert_features::glue::{GlueRecord, convert_dataset};
use bert_features::swag::SwagRecord;
use bert_tokenization::BertTokenizer;
use serde_json::Value;

const LENGTHS: [usize; 3] = [80, 32, 17];

fn case() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/pair-features")
}

fn tokenizer() -> BertTokenizer {
    BertTokenizer::from_dir(&case().join("input"), None).unwrap()
}

fn expected(name: &str, length: usize) -> Vec<Value> {
    let path = case().join(format!("expected/{name}-{length}.jsonl"));
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn swag_rows_are_those_of_the_2018_script() {
    let dataset = swag::read(&case().join("input/swag.csv")).unwrap();
    for length in LENGTHS {
        let features = bert_features::swag::convert(&dataset, &tokenizer(), length).unwrap();
        let records = expected("swag", length);
        assert_eq!(features.len(), records.len());
        for (n, expected) in records.iter().enumerate() {
            let record = SwagRecord::new(&dataset, &features, n);
            let found = serde_json::to_value(record).unwrap();
            assert_eq!(&found, expected, "length {length}");
        }
        assert_eq!(features.truncated > 0, length < 80);
    }
}

#[test]
fn glue_rows_are_those_of_the_2018_script() {
    for name in ["mrpc", "sst-2"] {
        let path = case().join(format!("input/{name}.tsv"));
        let dataset = glue::read(name.parse().unwrap(), &path).unwrap();
        for length in LENGTHS {
            let features = convert_dataset(&dataset, &tokenizer(), length).unwrap();
            let records = expected(name, length);
            assert_eq!(features.len(), records.len());
            for (n, expected) in records.iter().enumerate() {
                let record = GlueRecord::new(&dataset, n, features.rows.row(n));
                let found = serde_json::to_value(record).unwrap();
                assert_eq!(&found, expected, "{name} at {length}");
            }
        }
    }
}
