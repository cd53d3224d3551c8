//! Conversion of the bundled demo's files, as a user's command converts them.

use std::path::{Path, PathBuf};

use bert_datasets::glue::{self, GlueTask};
use bert_datasets::squad::{self, SquadDataset};
use bert_datasets::swag;
use bert_features::squad::{SquadFeatureConfig, SquadFeatures, SquadMode};
use bert_tokenization::BertTokenizer;
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/demo")
}

fn load(file: &str) -> (SquadDataset, BertTokenizer) {
    let dataset = squad::read(
        &demo().join("squad").join(file),
        &squad::QuestionColumns::default(),
    )
    .expect("the demo data are valid");
    (dataset, tokenizer())
}

fn tokenizer() -> BertTokenizer {
    BertTokenizer::from_dir(&demo().join("bert-small"), None).expect("the demo vocabulary is valid")
}

/// Items are questions.
fn convert(bencher: Bencher<'_, '_>, file: &str, mode: SquadMode, max_seq_length: usize) {
    let (dataset, tokenizer) = load(file);
    let config = SquadFeatureConfig {
        max_seq_length,
        doc_stride: 32,
        max_query_length: 32,
        ..SquadFeatureConfig::default()
    };
    bencher
        .counter(ItemsCount::new(dataset.questions.len()))
        .bench_local(|| {
            SquadFeatures::convert(&dataset, &tokenizer, &config, mode)
                .expect("the demo data convert")
        });
}

#[divan::bench]
fn evaluation_192(bencher: Bencher<'_, '_>) {
    convert(bencher, "dev-v1.1.json", SquadMode::Evaluation, 192);
}

#[divan::bench]
fn evaluation_64(bencher: Bencher<'_, '_>) {
    convert(bencher, "dev-v1.1.json", SquadMode::Evaluation, 64);
}

#[divan::bench]
fn training_192(bencher: Bencher<'_, '_>) {
    convert(bencher, "train-v1.1.json", SquadMode::Training, 192);
}

#[divan::bench]
fn read_json(bencher: Bencher<'_, '_>) {
    let path = demo().join("squad/train-v1.1.json");
    bencher.bench_local(|| {
        squad::read(&path, &squad::QuestionColumns::default()).expect("the demo data are valid")
    });
}

/// Items are examples, of four rows each.
#[divan::bench(args = [32, 80])]
fn swag(bencher: Bencher<'_, '_>, max_seq_length: usize) {
    let dataset = swag::read(&demo().join("swag/train.csv")).expect("the demo data are valid");
    let tokenizer = tokenizer();
    bencher
        .counter(ItemsCount::new(dataset.examples.len()))
        .bench_local(|| {
            bert_features::swag::convert(&dataset, &tokenizer, max_seq_length)
                .expect("the demo data convert")
        });
}

/// Items are examples.
#[divan::bench(args = ["cola", "mrpc"])]
fn glue(bencher: Bencher<'_, '_>, task: &str) {
    let task: &GlueTask = task.parse().expect("the task is in the table");
    let path = demo().join("glue").join(task.folder).join("train.tsv");
    let dataset = glue::read(task, &path).expect("the demo data are valid");
    let tokenizer = tokenizer();
    bencher
        .counter(ItemsCount::new(dataset.examples.len()))
        .bench_local(|| {
            bert_features::glue::convert_dataset(&dataset, &tokenizer, 128)
                .expect("the demo data convert")
        });
}
