//! Answers from logits: the bundled demo's development file with made-up scores.

use std::path::Path;

use bert_datasets::squad;
use bert_features::squad::{SquadFeatureConfig, SquadFeatures, SquadMode};
use bert_prediction::squad::{SquadPredictionConfig, WindowLogits, predict};
use bert_tokenization::BertTokenizer;
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

#[divan::bench(args = [1, 20])]
fn answers(bencher: Bencher<'_, '_>, n_best_size: usize) {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/demo");
    let dataset = squad::read(
        &demo.join("squad/dev-v1.1.json"),
        &squad::QuestionColumns::default(),
    )
    .expect("the demo data are valid");
    let tokenizer = BertTokenizer::from_dir(&demo.join("bert-small"), None)
        .expect("the demo vocabulary is valid");
    let config = SquadFeatureConfig {
        max_seq_length: 128,
        doc_stride: 32,
        max_query_length: 32,
        ..SquadFeatureConfig::default()
    };
    let features = SquadFeatures::convert(&dataset, &tokenizer, &config, SquadMode::Evaluation)
        .expect("the demo data convert");
    // Scores without structure: a multiplicative hash of the position.
    let score = |window: usize, token: usize, salt: u32| {
        let hash = ((window * 512 + token) as u32 ^ salt).wrapping_mul(0x9E37_79B1);
        (hash >> 8) as f32 / (1 << 20) as f32 - 8.0
    };
    let logits: Vec<WindowLogits> = (0..features.windows.len())
        .map(|window| {
            let scores = |salt| {
                let tokens = 0..features.len_of(window);
                tokens.map(|token| score(window, token, salt)).collect()
            };
            WindowLogits {
                start: scores(1),
                end: scores(2),
            }
        })
        .collect();
    let config = SquadPredictionConfig {
        n_best_size,
        ..SquadPredictionConfig::default()
    };
    bencher
        .counter(ItemsCount::new(dataset.questions.len()))
        .bench_local(|| {
            predict(&dataset, &features, &tokenizer, &logits, &config)
                .expect("the scores are finite")
        });
}
