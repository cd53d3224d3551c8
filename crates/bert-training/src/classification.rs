//! Classes, choices and scores of whole examples: SWAG and GLUE.

use std::marker::PhantomData;

use bert_features::pair::SequenceFeatures;
use bert_model::Pass;
use bert_model::heads::{ExampleModel, cross_entropy, squared_error};
use burn::tensor::{Int, Tensor};

use crate::Task;
use crate::collate::HostBatch;

/// What the examples of a data set are to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// The class, or the right choice, of each example.
    Classes(Vec<usize>),
    /// The score of each example.
    Scores(Vec<f64>),
}

impl Targets {
    /// Number of examples.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Scores(scores) => scores.len(),
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
}

/// Examples with their targets, for a model that scores whole examples. The loss is the cross-entropy of
/// classes, and the squared error of scores.
pub struct ClassificationTask<'a, M> {
    features: &'a SequenceFeatures,
    targets: &'a Targets,
    pad_token_id: usize,
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
            model: PhantomData,
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
            BatchTargets::Classes(classes) => {
                cross_entropy(logits, Tensor::<1, Int>::from_ints(&classes[..], &device))
            }
            BatchTargets::Scores(scores) => {
                squared_error(logits, Tensor::from_floats(&scores[..], &device))
            }
        }
    }
}
