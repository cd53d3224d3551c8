//! Parquet files of other writers hold the rows of the same files as JSON Lines; see `tests/golden/parquet`.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::fs;
use std::path::PathBuf;

use bert_datasets::squad::{self, QuestionColumns};
use bert_datasets::swag::{self, ChoiceColumns};
use bert_datasets::table::{TextColumns, read_table};
use bert_test_support::repository;
use proptest::prelude::*;

fn golden(name: &str) -> PathBuf {
    repository()
        .join("tests/golden/parquet/expected")
        .join(name)
}

#[test]
fn texts_of_every_packing() {
    let read = |name: &str| read_table(&golden(name), &TextColumns::default());
    let expected = read("texts.jsonl").unwrap();
    assert_eq!(expected.rows.len(), 3);
    for packing in [
        "none", "snappy", "gzip", "zstd", "lz4", "polars", "datasets",
    ] {
        let table = read(&format!("texts-{packing}.parquet")).unwrap();
        assert_eq!(table, expected, "{packing}");
    }
    let line = read("texts-brotli.parquet").unwrap_err().to_string();
    assert!(
        line.contains("texts-brotli.parquet: not Parquet that can be read: ")
            && line.contains("brotli")
            && !line.contains('\n'),
        "{line}"
    );
}

#[test]
fn questions_and_choices() {
    for writer in ["snappy", "polars", "datasets"] {
        let read = |name: &str| squad::read(&golden(name), &QuestionColumns::default()).unwrap();
        assert_eq!(
            read(&format!("questions-{writer}.parquet")),
            read("questions.jsonl")
        );
        let read = |name: &str| {
            let mut dataset = swag::read_choices(&golden(name), &ChoiceColumns::default()).unwrap();
            // Ids have the file's name.
            for example in &mut dataset.examples {
                example.id.clear();
            }
            dataset
        };
        assert_eq!(
            read(&format!("choices-{writer}.parquet")),
            read("choices.jsonl")
        );
    }
}

/// What is wrong with a golden file whose bytes are changed; `None` where it is read all the same.
fn changed(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Option<String> {
    let mut bytes = fs::read(golden(&format!("{name}.parquet"))).unwrap();
    change(&mut bytes);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    fs::write(&path, bytes).unwrap();
    let error = read_table(&path, &TextColumns::default()).err()?;
    Some(error.to_string())
}

#[test]
fn a_file_on_which_the_reader_panics_is_one_line() {
    let line = changed("texts-zstd", |bytes| bytes[750] = 187).unwrap();
    assert!(
        line.ends_with("x.parquet: not Parquet that can be read: the file is damaged"),
        "{line}"
    );
}

proptest! {
    #[test]
    fn broken_files_give_one_line(place in 0_usize..4000, byte: u8, is_cut: bool) {
        for name in ["texts-zstd", "texts-gzip", "texts-lz4", "questions-snappy"] {
            let line = changed(name, |bytes| {
                let place = place % bytes.len();
                if is_cut {
                    bytes.truncate(place);
                } else {
                    bytes[place] = byte;
                }
            });
            if let Some(line) = line {
                prop_assert!(!line.contains('\n'), "{}", line);
            }
        }
    }
}
