//! A file's logits beside the model's, for rows drawn at random.

use bert_model::heads::ExampleModel;
use bert_model::{BertConfig, BertInput, PaddedRows, Pass, Precision as Arithmetic};
use burn::tensor::{Device, Tensor};
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::head::Model;
use crate::runtime::{Rows, run};
use crate::{Exported, OnnxError, Precision, Runtime};

/// How far a file's logits are from the model's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Rows compared.
    pub rows: usize,
    /// The largest difference of two logits.
    pub largest: f32,
    /// The root of their mean square.
    pub typical: f32,
    /// The largest absolute logit.
    pub of: f32,
}

/// Batches of rows: examples, and tokens of the longest.
const BATCHES: [(usize, usize); 5] = [(1, 8), (3, 17), (2, 64), (5, 33), (2, 128)];
/// Endings of a choice.
const CHOICES: usize = 3;

impl Difference {
    /// The measure of a precision, and what the arithmetic explains of it, as a share of the largest logit, or of one where
    /// that is less. A few logits of quantised models are far off, whoever quantises them: the typical ones decide.
    fn judged(&self, precision: Precision) -> (f32, f32) {
        let (found, share) = match precision {
            Precision::Fp32 => (self.largest, 1e-4),
            Precision::Fp16 => (self.largest, 1e-2),
            Precision::Int8 => (self.typical, 0.1),
        };
        (found, share * self.of.max(1.0))
    }
}

impl Exported {
    /// Runs the file in ONNX Runtime and the model on `device`, its own, over the same random rows of several lengths, some of
    /// them padded.
    ///
    /// # Errors
    /// When their logits differ by more than the precision explains, or one of the two fails.
    pub fn check(&self, runtime: &Runtime, device: &Device) -> Result<Difference, OnnxError> {
        let mut session = runtime.open(&self.bytes)?;
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let mut difference = Difference {
            rows: 0,
            largest: 0.0,
            typical: 0.0,
            of: 0.0,
        };
        let (mut squares, mut count) = (0.0, 0);
        for (examples, width) in BATCHES {
            let width = width.min(self.config.max_position_embeddings);
            let batch = Batch::draw(&mut random, &self.config, self.rows_of(examples), width);
            let found = run(&mut session, &batch.rows(self.choices()), self.outputs())?;
            let expected = self.logits(&batch, device)?;
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found.len(), expected.len(), "shapes of {examples}, {width}");
                for (found, expected) in found.iter().zip(expected) {
                    let apart = f64::from(found - expected).abs();
                    // What is not a number is no small difference.
                    let apart = if apart.is_nan() { f64::INFINITY } else { apart };
                    difference.largest = difference.largest.max(apart as f32);
                    difference.of = difference.of.max(expected.abs());
                    squares += apart * apart;
                }
                count += expected.len();
            }
            difference.rows += batch.lengths.len();
        }
        difference.typical = (squares / count as f64).sqrt() as f32;
        let (found, limit) = difference.judged(self.precision);
        if found > limit {
            return Err(OnnxError::Differs {
                rows: difference.rows,
                found,
                limit,
            });
        }
        Ok(difference)
    }

    fn outputs(&self) -> &'static [&'static str] {
        match self.model {
            Model::Spans(_) => &["start_logits", "end_logits"],
            Model::Classes(_) | Model::Choices(_) => &["logits"],
        }
    }

    fn choices(&self) -> Option<usize> {
        matches!(self.model, Model::Choices(_)).then_some(CHOICES)
    }

    fn rows_of(&self, examples: usize) -> usize {
        examples * self.choices().unwrap_or(1)
    }

    /// The model's own logits, for each of [`Self::outputs`].
    fn logits(&self, batch: &Batch, device: &Device) -> Result<Vec<Vec<f32>>, OnnxError> {
        let rows = PaddedRows {
            width: batch.width,
            lengths: &batch.lengths,
            input_ids: &batch.input_ids,
            token_type_ids: &batch.token_type_ids,
        };
        let input = BertInput::from_rows(&rows, device);
        let pass = Pass::evaluation(Arithmetic::Fp32);
        match &self.model {
            Model::Spans(model) => {
                let both = values(model.forward(&input, pass).0)?;
                let column = |column: usize| both.iter().skip(column).step_by(2).copied().collect();
                Ok(vec![column(0), column(1)])
            }
            Model::Classes(model) => Ok(vec![values(model.logits(&input, 1, pass))?]),
            Model::Choices(model) => Ok(vec![values(model.logits(&input, CHOICES, pass))?]),
        }
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, OnnxError> {
    let read = tensor.try_into_vec_as();
    read.map_err(|error| OnnxError::Device(format!("{error:?}")))
}

/// Random rows of one width.
struct Batch {
    width: usize,
    lengths: Vec<usize>,
    input_ids: Vec<i32>,
    token_type_ids: Vec<i32>,
}

impl Batch {
    fn draw(random: &mut ChaCha8Rng, config: &BertConfig, rows: usize, width: usize) -> Self {
        let mut batch = Self {
            width,
            lengths: Vec::new(),
            input_ids: Vec::new(),
            token_type_ids: Vec::new(),
        };
        for row in 0..rows {
            // The first row is as wide as the batch.
            let length = if row == 0 {
                width
            } else {
                random.random_range(1..=width)
            };
            let second = random.random_range(0..=length);
            for place in 0..width {
                let is_text = place < length;
                let id = random.random_range(0..config.vocab_size);
                let segment = is_text && place >= second && config.type_vocab_size > 1;
                batch.input_ids.push(if is_text {
                    id as i32
                } else {
                    config.pad_token_id as i32
                });
                batch.token_type_ids.push(i32::from(segment));
            }
            batch.lengths.push(length);
        }
        batch
    }

    fn rows(&self, choices: Option<usize>) -> Rows {
        let rows = self.lengths.len();
        let shape = match choices {
            Some(choices) => vec![rows / choices, choices, self.width],
            None => vec![rows, self.width],
        };
        let wide = |values: &[i32]| values.iter().map(|value| i64::from(*value)).collect();
        let is_text = |length: &usize, place: usize| i64::from(place < *length);
        let of_row = |length| (0..self.width).map(move |place| is_text(length, place));
        Rows {
            shape,
            input_ids: wide(&self.input_ids),
            attention_mask: self.lengths.iter().flat_map(of_row).collect(),
            token_type_ids: wide(&self.token_type_ids),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bert_model::checkpoint::{initialize, save};
    use bert_model::heads::BertForQuestionAnswering;
    use bert_test_device::test_device;
    use bert_test_support::{Prerequisite, skip};

    use super::*;

    #[test]
    fn a_file_of_another_model_is_refused() {
        let Some(library) = std::env::var_os("ORT_DYLIB_PATH") else {
            return skip(Prerequisite::OnnxRuntime, "ORT_DYLIB_PATH names no library");
        };
        let runtime = Runtime::load(Path::new(&library)).unwrap();
        let device = test_device();
        let dir = tempfile::tempdir().unwrap();
        let [mut one, other] = [1e-12, 0.1].map(|epsilon| {
            let config = format!(
                r#"{{"vocab_size": 90, "hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 3,
                    "intermediate_size": 56, "initializer_range": 0.3, "layer_norm_eps": {epsilon}}}"#
            );
            let config = serde_json::from_str(&config).unwrap();
            let model = initialize::<BertForQuestionAnswering>(&config, 7, &device);
            save(&model, &config, dir.path()).unwrap();
            Exported::from_checkpoint(dir.path(), Precision::Fp32, &device).unwrap()
        });
        one.check(&runtime, &device).unwrap();
        one.bytes = other.bytes;
        let error = one.check(&runtime, &device).unwrap_err();
        assert!(matches!(error, OnnxError::Differs { .. }), "{error}");
    }
}
