//! `features-glue`: a file's features as JSON Lines.

use bert_datasets::glue;
use bert_features::glue::{GlueRecord, convert_dataset};

use bert_tasks::classification::log_cut;
use bert_tasks::glue::data::log_skipped;
use bert_tasks::read_tokenizer;

use super::features::print_lines;
use crate::args::FeaturesGlueArgs;
use crate::resolve;

/// Prints one unpadded example a line, in the file's order.
///
/// # Errors
/// When a file is bad or the settings do not fit the data.
pub(crate) fn run(args: &FeaturesGlueArgs) -> anyhow::Result<()> {
    resolve::check_inputs([&args.data])?;
    let dir = resolve::checkpoint_dir(&args.bert_model)?;
    let tokenizer = read_tokenizer(&dir, args.features.casing.do_lower_case)?;
    let length = resolve::max_seq_length(&dir, args.features.max_seq_length)?;
    let dataset = glue::read(args.task, &args.data)?;
    log_skipped(&args.data, &dataset);
    let features = convert_dataset(&dataset, &tokenizer, length)?;
    log_cut(&features);
    let examples = 0..dataset.examples.len();
    print_lines(examples.map(|n| GlueRecord::new(&dataset, n, features.rows.row(n))))
}
