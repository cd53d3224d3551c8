//! `classify`: the classes of texts.

use bert_inference::{Passage, TextClassifier};
use bert_model::LabelList;
use bert_prediction::choice::{ChoicePrediction, ExamplePrediction};
use bert_tasks::classification::trained_label_threshold;
use bert_tasks::glue::TextTask;
use serde_json::{Map, Value, json};
use tracing::warn;

use super::inference::{on_one_line, open, printable, unless_interrupted};
use super::texts;
use crate::args::ClassifyArgs;
use crate::exit::bad_usage;
use crate::{resolve, terminal};

/// Prints the class of each text.
///
/// # Errors
/// When an input is bad, the head is untrained, or the device fails.
pub(crate) fn run(args: &ClassifyArgs) -> anyhow::Result<()> {
    let texts = texts(args)?;
    let opened = open(&args.model, &args.device)?;
    let device = &opened.backend.device;
    let length = resolve::max_seq_length(&opened.dir, args.max_seq_length)?;
    let classifier = TextClassifier::load(&opened.dir, device, opened.config, Some(length))?;
    let task = classifier.model_config().finetuning_task();
    if texts.iter().any(|(_, pair)| pair.is_none())
        && task
            .and_then(|task| task.parse::<TextTask>().ok())
            .is_some_and(TextTask::is_pair)
    {
        warn!("the model was trained on pairs of texts, and --pair gives none");
    }
    let passages: Vec<Passage<'_>> = texts
        .iter()
        .map(|(text, pair)| Passage {
            text,
            pair: pair.as_deref(),
        })
        .collect();
    let (classified, cut) = classifier.classify(&passages, unless_interrupted)?;
    if cut > 0 {
        warn!(
            "{cut} of {} texts are longer than the model was asked to read, and were cut (--max-seq-length)",
            texts.len()
        );
    }
    let names = match classifier.labels() {
        LabelList::Classes(names) | LabelList::Labels(names) => names,
        LabelList::Score => Vec::new(),
    };
    let threshold = trained_label_threshold(&opened.dir)?;
    for (passage, classified) in passages.iter().zip(classified) {
        if terminal::json() {
            terminal::line(&as_json(passage, &classified, &names, threshold).to_string())?
        } else {
            terminal::line(&as_text(passage, &classified, &names, threshold))?
        }
    }
    Ok(())
}

/// The texts of the command line, or those of standard input, each with the second of its pair.
fn texts(args: &ClassifyArgs) -> anyhow::Result<Vec<(String, Option<String>)>> {
    if !args.pair.is_empty() && args.pair.len() != args.texts.len() {
        bad_usage!(
            "--pair: found {} for {} texts, expected one for each",
            args.pair.len(),
            args.texts.len()
        );
    }
    let pairs = args
        .pair
        .iter()
        .cloned()
        .map(Some)
        .chain(std::iter::repeat(None));
    let texts: Vec<_> = if args.texts.is_empty() {
        let lines = texts::lines()?.into_iter();
        let parted = lines.map(|line| match line.split_once('\t') {
            Some((text, pair)) => (text.to_owned(), Some(pair.to_owned())),
            None => (line, None),
        });
        parted.collect()
    } else {
        args.texts.iter().cloned().zip(pairs).collect()
    };
    if let Some(number) = texts.iter().position(|(text, _)| text.trim().is_empty()) {
        bad_usage!(
            "text {}: found no words, expected a text to classify",
            number + 1
        );
    }
    Ok(texts)
}

/// A line; of several labels, those above `threshold` stand before the parenthesis.
fn as_text(
    passage: &Passage<'_>,
    classified: &ExamplePrediction,
    names: &[String],
    threshold: f64,
) -> String {
    let text = match passage.pair {
        Some(pair) => format!("{} | {}", on_one_line(passage.text), on_one_line(pair)),
        None => on_one_line(passage.text),
    };
    let text = printable(&text);
    match classified {
        ExamplePrediction::Score(score) => format!("{score:.3}  {text}"),
        ExamplePrediction::Class(ChoicePrediction {
            class,
            probabilities,
        }) => {
            let others = with_probabilities(probabilities, names, |other| other != *class);
            format!(
                "{}  ({:.1} %; {others})  {text}",
                printable(&names[*class]),
                100.0 * probabilities[*class],
            )
        }
        ExamplePrediction::Labels(labels) => {
            let above = labels.above(threshold);
            let above: Vec<String> = above.iter().map(|it| printable(&names[*it])).collect();
            let above = match above.is_empty() {
                true => "no label".to_owned(),
                false => above.join(", "),
            };
            let all = with_probabilities(&labels.probabilities, names, |_| true);
            format!("{above}  ({all})  {text}")
        }
    }
}

/// Classes with their probabilities, the likeliest first.
fn with_probabilities(
    probabilities: &[f64],
    names: &[String],
    shows: impl Fn(usize) -> bool,
) -> String {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
    let shown = order.into_iter().filter(|class| shows(*class));
    let shown: Vec<String> = shown
        .map(|class| {
            let percent = 100.0 * probabilities[class];
            format!("{} {percent:.1} %", printable(&names[class]))
        })
        .collect();
    shown.join(", ")
}

fn as_json(
    passage: &Passage<'_>,
    classified: &ExamplePrediction,
    names: &[String],
    threshold: f64,
) -> Value {
    let mut line = json!({"text": passage.text});
    if let Some(pair) = passage.pair {
        line["pair"] = json!(pair);
    }
    match classified {
        ExamplePrediction::Score(score) => line["score"] = json!(score),
        ExamplePrediction::Class(ChoicePrediction {
            class,
            probabilities,
        }) => {
            line["label"] = json!(names[*class]);
            line["probability"] = json!(probabilities[*class]);
            line["probabilities"] = by_name(names, probabilities);
        }
        ExamplePrediction::Labels(labels) => {
            let above = labels.above(threshold);
            line["labels"] = above.into_iter().map(|it| json!(names[it])).collect();
            line["threshold"] = json!(threshold);
            line["probabilities"] = by_name(names, &labels.probabilities);
        }
    }
    line
}

fn by_name(names: &[String], probabilities: &[f64]) -> Value {
    let named = names.iter().zip(probabilities);
    let named: Map<String, Value> = named.map(|(name, p)| (name.clone(), json!(p))).collect();
    Value::Object(named)
}
