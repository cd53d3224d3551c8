//! Classes, choices and scores of whole examples: SWAG and GLUE.

use std::ops::ControlFlow;

use std::marker::PhantomData;

use bert_features::pair::SequenceFeatures;
use bert_model::Pass;
use bert_model::heads::{ExampleModel, cross_entropy, squared_error};
use burn::tensor::{Device, Int, Tensor};

use crate::collate::{BatchTargets, HostBatch};
use crate::score::{ScoreConfig, read, score_batches};
use crate::token_batch::TokenBatch;
use crate::{Task, TrainError};

/// What the examples of a training set are to be.
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
    /// When there is not one target for each example, or the model reads another number of rows.
    pub fn new(features: &'a SequenceFeatures, targets: &'a Targets, pad_token_id: usize) -> Self {
        assert_eq!(features.len(), targets.len(), "one target an example");
        assert_eq!(features.rows_per_example, M::ROWS_PER_EXAMPLE);
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
        M::ROWS_PER_EXAMPLE
    }

    fn max_width(&self) -> usize {
        self.features.max_seq_length
    }

    fn collate(&self, examples: &[usize], width: usize) -> HostBatch {
        HostBatch {
            tokens: batch(self.features, examples, width, self.pad_token_id),
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
        let logits = model.head(last_hidden_state, pass);
        match targets {
            BatchTargets::Classes(classes) => {
                cross_entropy(logits, Tensor::<1, Int>::from_ints(&classes[..], &device))
            }
            BatchTargets::Scores(scores) => {
                squared_error(logits, Tensor::from_floats(&scores[..], &device))
            }
            BatchTargets::Spans { .. } => unreachable!("this task's batches have no spans"),
        }
    }
}

fn batch(
    features: &SequenceFeatures,
    examples: &[usize],
    width: usize,
    pad_token_id: usize,
) -> TokenBatch {
    let mut batch = TokenBatch::with_width(width);
    for row in examples.iter().flat_map(|e| features.rows_of(*e)) {
        batch.push(row.input_ids, row.segment_b_start, pad_token_id);
    }
    batch
}

/// Runs the model over every example, longest first, and returns each one's logits in example order;
/// `progress` is told the number of examples done, and may end the work.
///
/// # Errors
/// [`TrainError::Device`] when the device fails, [`TrainError::Stopped`] when `progress` ends the work.
pub fn score_examples<M: ExampleModel + Sync>(
    model: &M,
    features: &SequenceFeatures,
    config: &ScoreConfig,
    device: &Device,
    progress: impl FnMut(usize) -> ControlFlow<()> + Send,
) -> Result<Vec<Vec<f32>>, TrainError> {
    let lengths: Vec<usize> = (0..features.len())
        .map(|example| features.longest_row(example))
        .collect();
    let limit = features.max_seq_length;
    let collate = |examples: &[usize], width| batch(features, examples, width, config.pad_token_id);
    let pass = Pass::evaluation(config.precision);
    score_batches(&lengths, limit, config, collate, progress, |_, batch| {
        let logits = model.logits(&batch.to_device(device), pass);
        let [_, outputs] = logits.dims();
        let [values] = read([logits])?;
        Ok(values.chunks_exact(outputs).map(<[f32]>::to_vec).collect())
    })
}
