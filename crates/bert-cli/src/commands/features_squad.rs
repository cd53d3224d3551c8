//! `features-squad`: a file's features as JSON Lines.

use bert_datasets::squad;
use bert_features::squad::SquadMode;
use bert_tasks::read_tokenizer;
use bert_tasks::squad::data;

use super::features::print_lines;

use crate::args::FeaturesSquadArgs;
use crate::resolve;

/// Prints one unpadded window a line, in example order.
///
/// # Errors
/// When a file is bad or the settings do not fit the data.
pub(crate) fn run(args: &FeaturesSquadArgs) -> anyhow::Result<()> {
    resolve::check_inputs([&args.data])?;
    let dir = resolve::checkpoint_dir(&args.bert_model)?;
    let tokenizer = read_tokenizer(&dir, args.casing.do_lower_case)?;
    let dataset = squad::read(&args.data, &args.columns.asked())?;
    let mode = if args.training {
        SquadMode::Training
    } else {
        SquadMode::Evaluation
    };
    let settings = resolve::windows(&dir, &args.windows)?;
    let features = data::convert(&dataset, &tokenizer, &settings, mode)?;
    let windows = 0..features.windows.len();
    print_lines(windows.map(|window| features.jsonl_record(&dataset, window)))
}
