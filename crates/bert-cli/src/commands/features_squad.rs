//! `features-squad`: a file's features as JSON Lines.

use std::io::{BufWriter, Write};

use bert_datasets::squad;
use bert_features::squad::SquadMode;

use super::squad_data;
use crate::args::FeaturesSquadArgs;
use crate::resolve;

/// Prints one unpadded window a line, in example order.
///
/// # Errors
/// When a file is bad or the settings do not fit the data.
pub(crate) fn run(args: &FeaturesSquadArgs) -> anyhow::Result<()> {
    let dir = resolve::checkpoint_dir(&args.bert_model)?;
    let tokenizer = squad_data::tokenizer(&dir, args.features.do_lower_case)?;
    let dataset = squad::read(&args.data)?;
    let mode = match args.training {
        true => SquadMode::Training,
        false => SquadMode::Evaluation,
    };
    let settings = resolve::script_features(&args.features);
    let features = squad_data::convert(&dataset, &tokenizer, settings, mode)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for window in 0..features.windows.len() {
        serde_json::to_writer(&mut out, &features.jsonl_record(&dataset, window))
            .map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}
