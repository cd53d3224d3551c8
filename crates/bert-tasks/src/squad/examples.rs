//! What a report shows of answered questions.

use bert_datasets::squad::SquadDataset;
use bert_features::squad::SquadFeatures;
use bert_metrics::squad::{exact_match, f1};
use bert_prediction::squad::SquadAnswerPrediction;
use bert_report::{AnsweredQuestion, GoldSpan, SquadReport, TaskReport};

/// Sums up a dataset's answers, which are in question order. Questions that the file does not label are left out.
pub(super) fn report(
    dataset: &SquadDataset,
    features: &SquadFeatures,
    answers: &[SquadAnswerPrediction],
) -> TaskReport {
    let examples = answers
        .iter()
        .enumerate()
        .filter(|(number, _)| dataset.questions[*number].is_labelled);
    let examples = examples.map(|(number, answer)| example(dataset, features, number, answer));
    TaskReport::Squad(SquadReport::from_examples(examples))
}

fn example(
    dataset: &SquadDataset,
    features: &SquadFeatures,
    number: usize,
    answer: &SquadAnswerPrediction,
) -> AnsweredQuestion {
    let question = &dataset.questions[number];
    let context = &dataset.contexts[question.context];
    let gold = question.answers.iter().map(|gold| gold.text.as_str());
    let (exact, f1) = if question.answers.is_empty() {
        // The right answer of an unanswerable question is the empty text.
        (answer.text.is_empty(), f64::from(answer.text.is_empty()))
    } else {
        (
            gold.clone().any(|gold| exact_match(&answer.text, gold)),
            gold.map(|gold| f1(&answer.text, gold)).fold(0.0, f64::max),
        )
    };
    let entry = answer.n_best.iter().find(|entry| entry.text == answer.text);
    AnsweredQuestion {
        id: question.id.clone(),
        title: (!context.title.is_empty()).then(|| context.title.to_string()),
        question: question.text.clone(),
        context: context.text.clone(),
        gold: question
            .answers
            .iter()
            .map(|gold| GoldSpan {
                text: gold.text.clone(),
                start: gold.start,
            })
            .collect(),
        prediction: answer.text.clone(),
        predicted_span: answer.span.map(|span| (span.start, span.end)),
        probability: entry.map_or(f64::NAN, |entry| entry.probability),
        f1,
        exact,
        windows: features.windows_of(number).len(),
    }
}
