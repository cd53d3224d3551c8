//! Classes, choices and scores of whole examples: SWAG and GLUE.

use std::marker::PhantomData;

use bert_features::pair::SequenceFeatures;
use bert_model::Pass;
use bert_model::heads::{
    ExampleModel, binary_cross_entropy, cross_entropy, squared_error, weighted_cross_entropy,
};
use burn::tensor::{Int, Tensor, TensorData};

use crate::Task;
use crate::collate::HostBatch;

/// What the examples of a data set are to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// The class, or the right choice, of each example.
    Classes(Vec<usize>),
    /// The score of each example.
    Scores(Vec<f64>),
    /// Which of the labels each example has.
    Labels(Vec<Vec<bool>>),
}

impl Targets {
    /// Number of examples.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Scores(scores) => scores.len(),
            Self::Labels(labels) => labels.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the examples of a batch are to be, as the device takes them.
#[derive(Debug, Clone, PartialEq)]
pub enum BatchTargets {
    /// The class, or the right choice, of each example.
    Classes(Vec<i32>),
    /// The score of each example.
    Scores(Vec<f32>),
    /// 1 for each label that an example has and 0 for the others, row-major.
    Labels(Vec<f32>),
}

/// How the loss of classes departs from plain cross-entropy: as `torch.nn.CrossEntropyLoss` with `weight` and
/// `label_smoothing` has it for each example. A step's loss is the mean over its examples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClassLoss {
    /// What an example of each class counts; `None`: 1.
    pub weights: Option<Vec<f64>>,
    /// The share of an example's target that is spread over all classes (Szegedy et al. 2016, 7).
    pub label_smoothing: f64,
}

impl ClassLoss {
    /// Whether it is cross-entropy itself.
    fn is_plain(&self) -> bool {
        self.weights.is_none() && self.label_smoothing == 0.0
    }

    /// The weight of each of `count` log-probabilities in the loss of each example, row-major.
    fn weights_of(&self, classes: &[i32], count: usize) -> Vec<f32> {
        let weight = |class: usize| self.weights.as_ref().map_or(1.0, |all| all[class]);
        let spread = self.label_smoothing / count as f64;
        let of_example = |own: &i32| {
            let own = *own as usize;
            (0..count).map(move |class| {
                let kept = if class == own {
                    1.0 - self.label_smoothing
                } else {
                    0.0
                };
                ((kept + spread) * weight(class)) as f32
            })
        };
        classes.iter().flat_map(of_example).collect()
    }
}

/// Examples with their targets, for a model that scores whole examples. The loss is the cross-entropy of
/// classes, the squared error of scores, and the mean binary cross-entropy of labels.
pub struct ClassificationTask<'a, M> {
    features: &'a SequenceFeatures,
    targets: &'a Targets,
    pad_token_id: usize,
    /// `None`: cross-entropy.
    class_loss: Option<&'a ClassLoss>,
    model: PhantomData<fn() -> M>,
}

impl<'a, M: ExampleModel> ClassificationTask<'a, M> {
    /// Puts features and targets together.
    ///
    /// # Panics
    /// When there is not one target for each example, or the model cannot have so many rows in an example.
    pub fn new(features: &'a SequenceFeatures, targets: &'a Targets, pad_token_id: usize) -> Self {
        assert_eq!(features.len(), targets.len(), "one target an example");
        assert!(M::ROWS_PER_EXAMPLE.contains(&features.rows_per_example));
        Self {
            features,
            targets,
            pad_token_id,
            class_loss: None,
            model: PhantomData,
        }
    }

    /// With another loss of classes.
    pub fn with_class_loss(self, loss: &'a ClassLoss) -> Self {
        Self {
            class_loss: Some(loss).filter(|loss| !loss.is_plain()),
            ..self
        }
    }
}

impl<M: ExampleModel> Task for ClassificationTask<'_, M> {
    type Model = M;
    type Targets = BatchTargets;

    fn len(&self) -> usize {
        self.features.len()
    }

    fn longest_row(&self, example: usize) -> usize {
        self.features.longest_row(example)
    }

    fn tokens(&self, example: usize) -> usize {
        self.features.tokens(example)
    }

    fn rows_per_example(&self) -> usize {
        self.features.rows_per_example
    }

    fn max_width(&self) -> usize {
        self.features.max_seq_length
    }

    fn collate(&self, examples: &[usize], width: usize) -> HostBatch<BatchTargets> {
        HostBatch {
            tokens: self.features.batch(examples, width, self.pad_token_id),
            targets: match self.targets {
                Targets::Classes(classes) => {
                    BatchTargets::Classes(examples.iter().map(|e| classes[*e] as i32).collect())
                }
                Targets::Scores(scores) => {
                    BatchTargets::Scores(examples.iter().map(|e| scores[*e] as f32).collect())
                }
                Targets::Labels(labels) => {
                    let rows = examples.iter().flat_map(|e| &labels[*e]);
                    BatchTargets::Labels(rows.map(|has| f32::from(u8::from(*has))).collect())
                }
            },
        }
    }

    fn loss(
        &self,
        model: &M,
        last_hidden_state: Tensor<3>,
        targets: &BatchTargets,
        pass: Pass,
    ) -> Tensor<1> {
        let device = last_hidden_state.device().without_autodiff();
        let logits = model.head(last_hidden_state, self.rows_per_example(), pass);
        match targets {
            BatchTargets::Classes(classes) if let Some(loss) = self.class_loss => {
                let [examples, count] = logits.dims();
                let weights = loss.weights_of(classes, count);
                let weights = TensorData::new(weights, [examples, count]);
                weighted_cross_entropy(logits, Tensor::from_data(weights, &device))
            }
            BatchTargets::Classes(classes) => {
                cross_entropy(logits, Tensor::<1, Int>::from_ints(&classes[..], &device))
            }
            BatchTargets::Scores(scores) => {
                squared_error(logits, Tensor::from_floats(&scores[..], &device))
            }
            BatchTargets::Labels(labels) => {
                let shape = logits.dims();
                let labels = TensorData::new(labels.clone(), shape);
                binary_cross_entropy(logits, Tensor::from_data(labels, &device))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bert_test_device::test_device;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Case {
        logits: Vec<Vec<f64>>,
        classes: Vec<i32>,
        weights: Option<Vec<f64>>,
        label_smoothing: f64,
        losses: Vec<f64>,
        gradients: Vec<Vec<f64>>,
    }

    fn assert_close(found: Tensor<1>, expected: &[f64]) {
        let found: Vec<f32> = found.try_into_vec_as().unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-5,
                "{found} for {expected}"
            );
        }
    }

    #[test]
    fn losses_and_gradients_equal_those_of_pytorch() {
        let golden = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/golden/class-losses/expected/cases.json"
        );
        // Other cases, where a variable names them.
        let path = std::env::var("BERT_CLASS_LOSSES").unwrap_or_else(|_| golden.to_owned());
        let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(cases.len(), 12);
        let device = test_device();
        for case in cases {
            let (examples, count) = (case.logits.len(), case.logits[0].len());
            let tensor = |values: Vec<f32>| {
                Tensor::<2>::from_data(TensorData::new(values, [examples, count]), &device)
            };
            let logits = case.logits.concat().iter().map(|it| *it as f32).collect();
            let logits = tensor(logits).autodiff().require_grad();
            let loss = ClassLoss {
                weights: case.weights,
                label_smoothing: case.label_smoothing,
            };
            let weights = tensor(loss.weights_of(&case.classes, count));
            let losses = weighted_cross_entropy(logits.clone(), weights.autodiff());
            assert_close(losses.clone().without_autodiff(), &case.losses);
            let gradients = losses.mean().backward();
            let gradient = logits.grad(&gradients).unwrap();
            assert_close(gradient.reshape([-1]), &case.gradients.concat());
        }
    }

    #[derive(Deserialize)]
    struct MultiLabelCase {
        logits: Vec<Vec<f32>>,
        labels: Vec<Vec<f32>>,
        loss: f64,
        gradients: Vec<Vec<f64>>,
    }

    #[test]
    fn the_loss_of_labels_and_its_gradients_equal_those_of_pytorch() {
        let golden = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/golden/multi-label-loss/expected/cases.json"
        );
        let cases: Vec<MultiLabelCase> =
            serde_json::from_slice(&std::fs::read(golden).unwrap()).unwrap();
        assert_eq!(cases.len(), 5);
        let device = test_device();
        for case in cases {
            let shape = [case.logits.len(), case.logits[0].len()];
            let tensor = |rows: &[Vec<f32>]| {
                Tensor::<2>::from_data(TensorData::new(rows.concat(), shape), &device).autodiff()
            };
            let logits = tensor(&case.logits).require_grad();
            let losses = binary_cross_entropy(logits.clone(), tensor(&case.labels));
            assert_eq!(losses.dims(), [shape[0]]);
            let loss = losses.mean();
            assert_close(loss.clone().without_autodiff(), &[case.loss]);
            let gradient = logits.grad(&loss.backward()).unwrap();
            assert_close(gradient.reshape([-1]), &case.gradients.concat());
        }
    }
}
