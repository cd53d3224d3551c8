//! `features-swag`: a file's features as JSON Lines.

use bert_features::swag::SwagRecord;

use bert_tasks::{read_tokenizer, swag};

use super::features::print_lines;

use crate::args::FeaturesSwagArgs;
use crate::resolve;

/// Prints one example a line, with an unpadded row for each ending, in the file's order.
///
/// # Errors
/// When a file is bad or the settings do not fit the data.
pub(crate) fn run(args: &FeaturesSwagArgs) -> anyhow::Result<()> {
    resolve::check_inputs([&args.data])?;
    let dir = resolve::checkpoint_dir(&args.bert_model)?;
    let tokenizer = read_tokenizer(&dir, args.features.casing.do_lower_case)?;
    let length = resolve::max_seq_length(&dir, args.features.max_seq_length)?;
    let (dataset, features) =
        swag::read(&args.data, &args.columns.asked(), &tokenizer, length, None)?;
    let examples = 0..dataset.examples.len();
    print_lines(examples.map(|example| SwagRecord::new(&dataset, &features, example)))
}
