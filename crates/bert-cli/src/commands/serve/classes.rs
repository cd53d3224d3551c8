//! Models of whole texts as the server asks them: classifiers, and those that choose among endings.

use std::ops::ControlFlow;

use bert_inference::{Beginning, ChoiceMaker, InferenceError, Passage, TextClassifier};
use bert_model::LabelList;
use bert_prediction::choice::{ChoicePrediction, ExamplePrediction, LabelsPrediction};
use bert_serve::{
    Answerer, Choice, Chosen, ClassProbability, Classified, ModelInfo, Refusal, Text,
};
use tracing::warn;

/// A classifier.
pub(super) struct Classifier {
    pub(super) classifier: TextClassifier,
    pub(super) info: ModelInfo,
}

/// A model that chooses among endings.
pub(super) struct Chooser {
    pub(super) chooser: ChoiceMaker,
    pub(super) info: ModelInfo,
}

impl Classifier {
    /// Asks a first time: what is made once is made before the first request.
    pub(super) fn warm_up(&mut self) {
        let text = Text {
            text: "It is a sentence.".to_owned(),
            pair: None,
        };
        warn_of(&self.answer(&[text]));
    }
}

impl Answerer<Text> for Classifier {
    fn answer(&mut self, texts: &[Text]) -> Vec<Result<Classified, Refusal>> {
        let passages: Vec<Passage<'_>> = texts
            .iter()
            .map(|text| Passage {
                text: &text.text,
                pair: text.pair.as_deref(),
            })
            .collect();
        let names = match self.classifier.labels() {
            LabelList::Classes(names) | LabelList::Labels(names) => names,
            LabelList::Score => Vec::new(),
        };
        match self
            .classifier
            .logits(&passages, |_| ControlFlow::Continue(()))
        {
            Ok((logits, _)) => {
                let shown = logits.iter().map(|logits| {
                    let predicted = self.classifier.prediction(logits);
                    let predicted = predicted.map_err(|it| Refusal::Failed(it.to_string()))?;
                    Ok(shown(predicted, logits, &names))
                });
                shown.collect()
            }
            Err(error) => all_failed(&error, texts.len()),
        }
    }

    fn model(&self) -> ModelInfo {
        self.info.clone()
    }
}

/// The classes or the labels by name, the most likely one first.
fn shown(predicted: ExamplePrediction, logits: &[f32], names: &[String]) -> Classified {
    match predicted {
        ExamplePrediction::Score(score) => Classified::Score { score },
        ExamplePrediction::Class(ChoicePrediction { probabilities, .. })
        | ExamplePrediction::Labels(LabelsPrediction { probabilities }) => {
            let named = names.iter().zip(probabilities).zip(logits);
            let mut classes: Vec<_> = named
                .map(|((name, probability), logit)| ClassProbability {
                    label: name.clone(),
                    probability,
                    logit: f64::from(*logit),
                })
                .collect();
            classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
            Classified::Classes { classes }
        }
    }
}

impl Chooser {
    /// Asks a first time: what is made once is made before the first request.
    pub(super) fn warm_up(&mut self) {
        let choice = Choice {
            context: "It is a sentence.".to_owned(),
            start: "It".to_owned(),
            endings: vec!["is.".to_owned(), "was.".to_owned()],
        };
        warn_of(&self.answer(&[choice]));
    }
}

impl Answerer<Choice> for Chooser {
    fn answer(&mut self, choices: &[Choice]) -> Vec<Result<Chosen, Refusal>> {
        let endings: Vec<Vec<&str>> = choices
            .iter()
            .map(|choice| choice.endings.iter().map(String::as_str).collect())
            .collect();
        let beginnings: Vec<Beginning<'_>> = choices
            .iter()
            .zip(&endings)
            .map(|(choice, endings)| Beginning {
                context: &choice.context,
                start: &choice.start,
                endings,
            })
            .collect();
        match self
            .chooser
            .choose(&beginnings, |_| ControlFlow::Continue(()))
        {
            Ok((chosen, _)) => {
                let shown = chosen.into_iter().map(|it| {
                    Ok(Chosen {
                        choice: it.class,
                        probabilities: it.probabilities,
                    })
                });
                shown.collect()
            }
            Err(error) => all_failed(&error, choices.len()),
        }
    }

    fn model(&self) -> ModelInfo {
        self.info.clone()
    }
}

/// What a batch is asked about together fails together.
fn all_failed<A: Clone>(error: &InferenceError, count: usize) -> Vec<Result<A, Refusal>> {
    vec![Err(Refusal::Failed(error.to_string())); count]
}

fn warn_of<A>(answers: &[Result<A, Refusal>]) {
    for answer in answers {
        if let Err(Refusal::Failed(reason) | Refusal::BadQuestion(reason)) = answer {
            warn!("the model did not answer a first question: {reason}");
        }
    }
}
