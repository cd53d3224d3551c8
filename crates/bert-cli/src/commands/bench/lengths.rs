//! Windows of real lengths.

use std::path::Path;

use bert_features::squad::SquadFeatureConfig;
use bert_features::synthetic::SHORTEST_WINDOW;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::exit::bad_usage;

/// The width to which `run_squad.py` pads.
pub(super) const PADDED: usize = 384;

/// The lengths in a file, one a line, cut to [`PADDED`] and shuffled.
///
/// # Errors
/// When the file is missing, empty, or a line is no length.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<usize>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => bad_usage!("{}: {error}", path.display()),
    };
    let mut lengths = Vec::new();
    for (n, line) in text.lines().enumerate() {
        match line.trim() {
            "" => {}
            line => match line.parse::<usize>() {
                Ok(length) if length >= SHORTEST_WINDOW => lengths.push(length.min(PADDED)),
                _ => bad_usage!(
                    "{}:{}: found {line:?}, expected a length of at least {SHORTEST_WINDOW}",
                    path.display(),
                    n + 1
                ),
            },
        }
    }
    if lengths.is_empty() {
        bad_usage!(
            "{}: found no lengths, expected at least one",
            path.display()
        );
    }
    lengths.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    Ok(lengths)
}

/// Windows of at most `length` tokens.
pub(super) fn feature_config(length: usize) -> SquadFeatureConfig {
    SquadFeatureConfig {
        max_seq_length: length,
        ..SquadFeatureConfig::default()
    }
}
