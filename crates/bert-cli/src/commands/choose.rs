//! `choose`: the ending that follows a beginning.

use bert_inference::{Beginning, ChoiceMaker};
use serde_json::json;
use tracing::warn;

use super::inference::{on_one_line, open, printable, unless_interrupted};
use super::texts;
use crate::args::ChooseArgs;
use crate::exit::bad_usage;
use crate::{resolve, terminal};

/// Prints the most probable ending first.
///
/// # Errors
/// When an input is bad, the head is untrained, or the device fails.
pub(crate) fn run(args: &ChooseArgs) -> anyhow::Result<()> {
    let endings: Vec<&str> = args.endings.iter().map(String::as_str).collect();
    if let Some(number) = endings.iter().position(|ending| ending.trim().is_empty()) {
        bad_usage!("ending {}: found no words, expected an ending", number + 1);
    }
    let context = texts::context(&args.context)?;
    let opened = open(&args.model, &args.device)?;
    let device = &opened.backend.device;
    let length = resolve::max_seq_length(&opened.dir, args.max_seq_length)?;
    let chooser = ChoiceMaker::load(&opened.dir, device, opened.config, Some(length))?;
    let beginning = Beginning {
        context: &context,
        start: &args.start,
        endings: &endings,
    };
    let (chosen, cut) = chooser.choose(&[beginning], unless_interrupted)?;
    if cut > 0 {
        warn!(
            "the text is longer than the model was asked to read, and was cut (--max-seq-length)"
        );
    }
    for prediction in chosen {
        let probabilities = &prediction.probabilities;
        if terminal::json() {
            let line = json!({
                "choice": prediction.class,
                "ending": endings[prediction.class],
                "probability": probabilities[prediction.class],
                "probabilities": probabilities,
            });
            terminal::line(&line.to_string())?;
            continue;
        }
        let mut order: Vec<usize> = (0..endings.len()).collect();
        order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
        for ending in order {
            let text = printable(&on_one_line(endings[ending]));
            terminal::line(&format!("{:>5.1} %  {text}", 100.0 * probabilities[ending]))?;
        }
    }
    Ok(())
}
