//! SQuAD conversion: the bundled demo's development file, as a user's command converts it.

use std::path::{Path, PathBuf};

use bert_datasets::squad::{self, SquadDataset};
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
    let dataset = squad::read(&demo().join("squad").join(file)).expect("the demo data are valid");
    let tokenizer = BertTokenizer::from_dir(&demo().join("bert-small"), None)
        .expect("the demo vocabulary is valid");
    (dataset, tokenizer)
}

/// Items are questions.
fn convert(bencher: Bencher<'_, '_>, file: &str, mode: SquadMode, max_seq_length: usize) {
    let (dataset, tokenizer) = load(file);
    let config = SquadFeatureConfig {
        max_seq_length,
        doc_stride: 32,
        max_query_length: 32,
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
    bencher.bench_local(|| squad::read(&path).expect("the demo data are valid"));
}
