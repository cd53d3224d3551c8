//! Parquet files of other writers hold the rows of the same files as JSON Lines; see `tests/golden/parquet`.

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

proptest! {
    #[test]
    fn broken_files_give_one_line(place in 0_usize..4000, byte: u8, is_cut: bool) {
        for name in ["texts-zstd", "texts-gzip", "texts-lz4", "questions-snappy"] {
            let mut bytes = fs::read(golden(&format!("{name}.parquet"))).unwrap();
            let place = place % bytes.len();
            if is_cut {
                bytes.truncate(place);
            } else {
                bytes[place] = byte;
            }
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("x.parquet");
            fs::write(&path, bytes).unwrap();
            if let Err(error) = read_table(&path, &TextColumns::default()) {
                prop_assert!(!error.to_string().contains('\n'), "{}", error);
            }
        }
    }
}
