//! `features-swag`: a file's features as JSON Lines.

use bert_features::swag::{DEFAULT_MAX_SEQ_LENGTH, SwagRecord};

use super::features::print_lines;
use super::{checkpoint, swag_data};
use crate::args::FeaturesSwagArgs;
use crate::resolve;

/// Prints one example a line, its four rows unpadded, in the file's order.
///
/// # Errors
/// When a file is bad or the settings do not fit the data.
pub(crate) fn run(args: &FeaturesSwagArgs) -> anyhow::Result<()> {
    let dir = resolve::checkpoint_dir(&args.bert_model)?;
    let tokenizer = checkpoint::tokenizer(&dir, args.features.do_lower_case)?;
    let length = args
        .features
        .max_seq_length
        .unwrap_or(DEFAULT_MAX_SEQ_LENGTH);
    let (dataset, features) = swag_data::read(&args.data, &tokenizer, length, None)?;
    let examples = 0..dataset.examples.len();
    print_lines(examples.map(|example| SwagRecord::new(&dataset, &features, example)))
}
