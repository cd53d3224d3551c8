//! What a report shows of predicted examples of SWAG and GLUE.

use bert_datasets::swag::SwagExample;
use bert_prediction::choice::{ChoicePrediction, ExamplePrediction};
use bert_report::{
    ChosenEnding, ClassifiedText, GlueReport, GlueSet, RegressionExample, ReportError, SwagReport,
    TaskReport,
};
use bert_training::classification::Targets;

use super::{EvalSet, Outputs};
use crate::Seen;

/// What the examples of a set say.
pub enum Texts {
    /// Of SWAG.
    Choices(Vec<SwagExample>),
    /// Of GLUE: a text or two.
    Sentences(Vec<(String, Option<String>)>),
}

impl Texts {
    /// What the examples say, as digests.
    pub(crate) fn seen(&self) -> Seen {
        match self {
            Self::Choices(examples) => Seen::of(examples.iter().map(choice_texts)),
            Self::Sentences(texts) => {
                let rows = texts
                    .iter()
                    .map(|(one, other)| pair_texts(one, other.as_deref()));
                Seen::of(rows)
            }
        }
    }
}

/// The texts of an example of choices.
pub(crate) fn choice_texts(example: &SwagExample) -> impl Iterator<Item = &str> {
    let beginning = [example.sent1.as_str(), example.sent2.as_str()];
    beginning
        .into_iter()
        .chain(example.endings.iter().map(String::as_str))
}

/// The texts of an example of one or two.
pub(crate) fn pair_texts<'a>(one: &'a str, other: Option<&'a str>) -> [&'a str; 2] {
    [one, other.unwrap_or_default()]
}

/// The report's part on single examples, as it grows from set to set.
#[derive(Default)]
pub(super) struct Examples {
    swag: Option<SwagReport>,
    glue: Vec<GlueSet>,
}

impl Examples {
    /// Adds the examples of a development set; others have no labels, or are not to be looked at. Those with several labels have
    /// no part in a report.
    ///
    /// # Errors
    /// When a label is none of the task's.
    pub(super) fn add(
        &mut self,
        set: &EvalSet,
        outputs: &Outputs,
        answers: &[ExamplePrediction],
    ) -> Result<(), ReportError> {
        let Some(targets) = set.targets.as_ref().filter(|_| !set.is_test) else {
            return Ok(());
        };
        let name = set.path.file_stem().unwrap_or_default().to_string_lossy();
        match (&set.texts, targets) {
            (Texts::Choices(examples), Targets::Classes(gold)) => {
                let examples = examples.iter().zip(answers).zip(gold);
                let examples =
                    examples.filter_map(|((example, answer), gold)| choice(example, answer, *gold));
                self.swag = Some(SwagReport::from_examples(examples));
            }
            (Texts::Sentences(texts), Targets::Classes(gold)) => {
                let names = match outputs {
                    Outputs::Classes { names, .. } => names.clone(),
                    Outputs::Choices | Outputs::Labels(_) | Outputs::Score => Vec::new(),
                };
                let examples = texts.iter().zip(&set.ids).zip(answers).zip(gold);
                let examples = examples
                    .filter_map(|(((texts, id), answer), gold)| sentence(texts, id, answer, *gold));
                self.glue
                    .push(GlueSet::classification(name, names, examples)?);
            }
            (Texts::Sentences(texts), Targets::Scores(gold)) => {
                let examples = texts.iter().zip(&set.ids).zip(answers).zip(gold);
                let examples = examples.filter_map(|(((texts, id), answer), gold)| {
                    Some(RegressionExample {
                        id: id.clone(),
                        text_a: texts.0.clone(),
                        text_b: texts.1.clone(),
                        gold: *gold,
                        predicted: answer.score()?,
                    })
                });
                self.glue.push(GlueSet::regression(name, examples));
            }
            (Texts::Choices(_), Targets::Scores(_)) | (_, Targets::Labels(_)) => {}
        }
        Ok(())
    }

    /// The report's part; `None` where no set had labels.
    pub(super) fn finish(self) -> Option<TaskReport> {
        match self.swag {
            Some(swag) => Some(TaskReport::Swag(swag)),
            None if self.glue.is_empty() => None,
            None => Some(TaskReport::Glue(GlueReport { sets: self.glue })),
        }
    }
}

fn choice(example: &SwagExample, answer: &ExamplePrediction, gold: usize) -> Option<ChosenEnding> {
    let ExamplePrediction::Class(ChoicePrediction {
        class,
        probabilities,
    }) = answer
    else {
        return None;
    };
    Some(ChosenEnding {
        id: example.id.clone(),
        context: example.sent1.clone(),
        start: example.sent2.clone(),
        endings: example.endings.clone(),
        probabilities: probabilities.clone(),
        gold,
        chosen: *class,
    })
}

fn sentence(
    texts: &(String, Option<String>),
    id: &str,
    answer: &ExamplePrediction,
    gold: usize,
) -> Option<ClassifiedText> {
    let ExamplePrediction::Class(ChoicePrediction {
        class,
        probabilities,
    }) = answer
    else {
        return None;
    };
    Some(ClassifiedText {
        id: id.to_owned(),
        text_a: texts.0.clone(),
        text_b: texts.1.clone(),
        gold,
        predicted: *class,
        probabilities: probabilities.clone().into(),
    })
}
