//! Times reading and conversion of a SQuAD file, or prints its windows as JSON Lines.
//!
//!     cargo run --release -p bert-features --example time_squad -- CHECKPOINT DATA.json [--training] [--print] [LENGTH STRIDE QUERY]

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use bert_datasets::squad;
use bert_features::squad::{SquadFeatureConfig, SquadFeatures, SquadMode};
use bert_tokenization::BertTokenizer;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (flags, values): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|value| value.starts_with("--"));
    let [checkpoint, data, numbers @ ..] = values.as_slice() else {
        return Err("expected CHECKPOINT DATA.json [LENGTH STRIDE QUERY]".into());
    };
    let flag = |name: &str| flags.iter().any(|flag| flag == name);
    let mode = if flag("--training") {
        SquadMode::Training
    } else {
        SquadMode::Evaluation
    };
    let mut config = SquadFeatureConfig::default();
    if let [length, stride, query] = numbers {
        config = SquadFeatureConfig {
            max_seq_length: length.parse()?,
            doc_stride: stride.parse()?,
            max_query_length: query.parse()?,
        };
    }
    let start = Instant::now();
    let tokenizer = BertTokenizer::from_dir(Path::new(checkpoint), None)?;
    let loaded = start.elapsed();
    let dataset = squad::read(Path::new(data))?;
    let read = start.elapsed();
    let features = SquadFeatures::convert(&dataset, &tokenizer, &config, mode)?;
    let converted = start.elapsed();
    if flag("--print") {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        for window in 0..features.windows.len() {
            serde_json::to_writer(&mut out, &features.jsonl_record(&dataset, window))?;
            writeln!(out)?;
        }
        out.flush()?;
    }
    eprintln!(
        "tokenizer {loaded:.1?}, reading {:.1?}, conversion {:.1?}, all {:.1?}; {} questions, {} windows, skipped: {} not found, {} too long, {} windows, {} extra answers",
        read - loaded,
        converted - read,
        start.elapsed(),
        dataset.questions.len(),
        features.windows.len(),
        features.skipped.answers_not_found.len(),
        features.skipped.answers_in_no_window.len(),
        features.skipped.windows_without_answer,
        features.skipped.extra_answers_ignored,
    );
    Ok(())
}
