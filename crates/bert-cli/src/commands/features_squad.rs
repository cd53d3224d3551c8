//! `features-squad`: a file's features as JSON Lines.

use bert_datasets::squad;
use bert_features::squad::SquadMode;

use super::features::print_lines;
use super::{checkpoint, squad_data};
use crate::args::FeaturesSquadArgs;
use crate::resolve::{self, squad::script_features};

/// Prints one unpadded window a line, in example order.
///
/// # Errors
/// When a file is bad or the settings do not fit the data.
pub(crate) fn run(args: &FeaturesSquadArgs) -> anyhow::Result<()> {
    let dir = resolve::checkpoint_dir(&args.bert_model)?;
    let tokenizer = checkpoint::tokenizer(&dir, args.features.do_lower_case)?;
    let dataset = squad::read(&args.data)?;
    let mode = match args.training {
        true => SquadMode::Training,
        false => SquadMode::Evaluation,
    };
    let settings = script_features(&args.features);
    let features = squad_data::convert(&dataset, &tokenizer, settings, mode)?;
    let windows = 0..features.windows.len();
    print_lines(windows.map(|window| features.jsonl_record(&dataset, window)))
}
