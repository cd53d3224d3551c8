//! Predictions of whole examples as files have them.

use bert_files::Replacement;
use bert_model::LabelList;
use bert_prediction::choice::{ChoicePrediction, ExamplePrediction, LabelsPrediction};
use bert_records::{
    EVERY_PROBABILITY_UP_TO, LIKELIEST, likeliest, write_glue_submission, write_swag_predictions,
};
use bert_training::classification::Targets;
use serde_json::{Value, json};

use super::EvalSet;
use crate::TaskError;

/// What a model's outputs mean.
pub enum Outputs {
    /// The n-th choice of an example.
    Choices,
    /// One class each, in the order of the targets.
    Classes {
        /// The classes as the task's files write them.
        names: Vec<String>,
        /// The same classes as a configuration names them.
        config_names: Vec<String>,
        /// The model's output for each.
        model_output: Vec<usize>,
    },
    /// These labels, of which a text may have several or none.
    Labels(Vec<String>),
    /// A number.
    Score,
}

/// A leaderboard's file.
pub enum Submission {
    /// `predictions.csv`.
    Swag,
    /// A file of the GLUE leaderboard.
    Glue {
        /// The file's name.
        file: String,
        /// The index of each example.
        indices: Vec<String>,
    },
}

impl Outputs {
    /// As a configuration stores it; `None` for choices, which have no names.
    pub fn label_list(&self) -> Option<LabelList> {
        match self {
            Self::Choices => None,
            Self::Classes { config_names, .. } => Some(LabelList::Classes(config_names.clone())),
            Self::Labels(names) => Some(LabelList::Labels(names.clone())),
            Self::Score => Some(LabelList::Score),
        }
    }

    /// Whether a configuration's labels are these, in this order. Checkpoints name classes as `transformers` does, or,
    /// those of earlier versions of this program, as the task's files do.
    pub fn are_those_of(&self, found: &LabelList) -> bool {
        match (self, found) {
            (
                Self::Classes {
                    names,
                    config_names,
                    ..
                },
                LabelList::Classes(found),
            ) => found == config_names || found == names,
            (Self::Labels(names), LabelList::Labels(found)) => found == names,
            (Self::Score, LabelList::Score) => true,
            _ => false,
        }
    }

    /// One line of `predictions.jsonl`. Of more than 100 classes it has the probabilities of the ten likeliest, and says
    /// under `probabilities_left_out` how many are left out. Of labels, those above `threshold` are predicted.
    pub fn line(
        &self,
        set: &EvalSet,
        example: usize,
        answer: &ExamplePrediction,
        threshold: f64,
    ) -> Value {
        let gold = match &set.targets {
            Some(Targets::Classes(classes)) => self.class_value(classes[example]),
            Some(Targets::Scores(scores)) => json!(scores[example]),
            Some(Targets::Labels(rows)) => {
                let each = rows[example].iter().enumerate();
                self.values(each.filter(|(_, has)| **has).map(|(label, _)| label))
            }
            None => Value::Null,
        };
        let mut line = json!({"example_id": set.ids[example], "label": gold});
        match answer {
            ExamplePrediction::Score(score) => line["prediction"] = json!(score),
            ExamplePrediction::Class(ChoicePrediction {
                class,
                probabilities,
            }) => {
                line["prediction"] = self.class_value(*class);
                self.add_probabilities(&mut line, probabilities);
            }
            ExamplePrediction::Labels(labels) => {
                let LabelsPrediction { probabilities } = labels;
                line["prediction"] = self.values(labels.above(threshold).into_iter());
                self.add_probabilities(&mut line, probabilities);
            }
        }
        line
    }

    /// Those of all classes, or of the likeliest.
    fn add_probabilities(&self, line: &mut Value, probabilities: &[f64]) {
        let left_out = match probabilities.len() {
            0..=EVERY_PROBABILITY_UP_TO => 0,
            classes => classes - LIKELIEST,
        };
        if left_out > 0 {
            line["probabilities_left_out"] = json!(left_out);
        }
        line["probabilities"] = match self {
            Outputs::Classes { names, .. } | Outputs::Labels(names) => {
                let shown = likeliest(probabilities, probabilities.len() - left_out);
                let named = shown
                    .iter()
                    .map(|(class, p)| (names[*class].clone(), json!(p)));
                Value::Object(named.collect())
            }
            _ => json!(probabilities),
        };
    }

    fn values(&self, classes: impl Iterator<Item = usize>) -> Value {
        classes.map(|class| self.class_value(class)).collect()
    }

    fn class_value(&self, class: usize) -> Value {
        match self {
            Outputs::Classes { names, .. } | Outputs::Labels(names) => json!(names[class]),
            _ => json!(class),
        }
    }

    /// Adds what the leaderboard wants of a set, if anything, to the files.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_submission(
        &self,
        set: &EvalSet,
        answers: &[ExamplePrediction],
        files: &mut Replacement,
    ) -> Result<(), TaskError> {
        match &set.submission {
            None => {}
            Some(Submission::Swag) => {
                let rows = set.ids.iter().zip(answers);
                let rows = rows.filter_map(|(id, answer)| match answer {
                    ExamplePrediction::Class(ChoicePrediction {
                        class,
                        probabilities,
                    }) => Some((id.as_str(), probabilities.as_slice(), *class)),
                    ExamplePrediction::Labels(_) | ExamplePrediction::Score(_) => None,
                });
                write_swag_predictions(files, "predictions.csv", rows)?;
            }
            Some(Submission::Glue { file, indices }) => {
                let texts: Vec<String> = answers.iter().map(|a| self.text(a)).collect();
                let rows = indices.iter().zip(&texts);
                let rows = rows.map(|(index, text)| (index.as_str(), text.as_str()));
                write_glue_submission(files, file, rows)?;
            }
        }
        Ok(())
    }

    /// An answer as the leaderboard wants it: a label as the task's files write it, or a score with three
    /// decimals within STS-B's range.
    fn text(&self, answer: &ExamplePrediction) -> String {
        match (answer, self) {
            (ExamplePrediction::Score(score), _) => format!("{:.3}", score.clamp(0.0, 5.0)),
            (ExamplePrediction::Class(choice), Outputs::Classes { names, .. }) => {
                names[choice.class].clone()
            }
            (ExamplePrediction::Class(choice), _) => choice.class.to_string(),
            // No task of GLUE has several labels.
            (ExamplePrediction::Labels(_), _) => String::new(),
        }
    }
}
