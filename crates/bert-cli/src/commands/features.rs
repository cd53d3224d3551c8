//! Features of whole examples: what was cut, and how they are printed.

use std::io::{BufWriter, Write};

use bert_features::pair::SequenceFeatures;
use serde::Serialize;
use tracing::info;

/// Prints records to stdout as JSON Lines.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn print_lines<T: Serialize>(records: impl Iterator<Item = T>) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for record in records {
        serde_json::to_writer(&mut out, &record).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}

/// Logs how many examples lost tokens.
pub(crate) fn say_what_was_cut(features: &SequenceFeatures) {
    if let Some(line) = cut(features) {
        info!("{line}");
    }
}

/// How many examples lost tokens, where any did.
pub(crate) fn cut(features: &SequenceFeatures) -> Option<String> {
    (features.truncated > 0).then(|| {
        format!(
            "{} of {} examples cut to --max-seq-length {}",
            features.truncated,
            features.len(),
            features.max_seq_length
        )
    })
}
