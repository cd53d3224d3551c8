//! How features are printed.

use std::io::{BufWriter, Write};

use serde::Serialize;

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
