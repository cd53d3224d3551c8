//! The weights that the pre-training of `bert-reader` starts from.
//!
//! They are drawn, not trained, but not all at random. A question is answered by two steps: find the words of the question in the
//! passage, then look near them. From random weights a small model takes hours of text to find these steps; here its attention
//! starts from them (the idea is that of Trockman and Kolter 2023, "Mimetic initialization of self-attention layers").
//! An embedding has two halves, places in the first and words in the second. Queries and keys start as multiples of the
//! identity, so that the heads of the first half look at what is near, and those of the second at equal words.
//! What the words mean, what a question asks for and what the answer's place is, is left to training.

use std::f64::consts::TAU;

use half::f16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use crate::DemoDataError;
use crate::random::Random;
use crate::small_model::{MAX_LENGTH, Size};

/// The random stream of the weights.
const STREAM: u64 = 4_000;
/// Wave lengths of the places, in tokens: the shortest and the longest.
const WAVES: [f64; 2] = [4.0, 200.0];
/// Queries and keys of the first half, as a multiple of the identity.
const NEAR: f64 = 1.2;
/// Queries and keys of the second half.
const EQUAL: f64 = 1.1;
/// Standard deviation of the noise on queries and keys.
const NOISE: f64 = 0.02;

/// What a tensor starts as.
#[derive(Debug, Clone, Copy)]
enum Fill {
    Zeros,
    Ones,
    /// Drawn from a normal distribution.
    Drawn,
    /// Word embeddings: drawn, in the second half.
    Words,
    /// Position embeddings: waves, in the first half.
    Places,
    /// Embeddings of question and passage: drawn, in the first half.
    Types,
    /// Queries and keys: near the identity.
    Attention,
}

/// `model.safetensors` of a `BertForQuestionAnswering`, in half precision.
///
/// # Errors
///
/// If the tensors cannot be written.
pub(crate) fn weights(size: Size, vocab_size: usize, seed: u64) -> Result<Vec<u8>, DemoDataError> {
    let mut random = Random::new(seed, STREAM);
    let mut tensors = Vec::new();
    for (name, shape, fill) in parameters(size, vocab_size) {
        let columns = shape[shape.len() - 1];
        let count: usize = shape.iter().product();
        let bytes: Vec<u8> = (0..count)
            .map(|index| value(fill, index / columns, index % columns, size, &mut random))
            .flat_map(|value| f16::from_f64(value).to_le_bytes())
            .collect();
        tensors.push((name, shape, bytes));
    }
    let mut views = Vec::new();
    for (name, shape, bytes) in &tensors {
        views.push((name, TensorView::new(Dtype::F16, shape.clone(), bytes)?));
    }
    Ok(serialize(views, None)?)
}

/// Name, shape and start of each tensor. A matrix is `[out, in]`.
fn parameters(size: Size, vocab_size: usize) -> Vec<(String, Vec<usize>, Fill)> {
    let hidden = size.hidden_size;
    let mut all = Vec::new();
    for (name, rows, fill) in [
        ("word_embeddings", vocab_size, Fill::Words),
        ("position_embeddings", MAX_LENGTH, Fill::Places),
        ("token_type_embeddings", 2, Fill::Types),
    ] {
        all.push((
            format!("bert.embeddings.{name}.weight"),
            vec![rows, hidden],
            fill,
        ));
    }
    // Name, rows, columns and start of each weight; 0 columns for a vector. Each has a bias.
    let mut modules = vec![(
        "bert.embeddings.LayerNorm".to_owned(),
        hidden,
        0,
        Fill::Ones,
    )];
    for layer in 0..size.layers {
        for (part, rows, columns, fill) in [
            ("attention.self.query", hidden, hidden, Fill::Attention),
            ("attention.self.key", hidden, hidden, Fill::Attention),
            ("attention.self.value", hidden, hidden, Fill::Drawn),
            ("attention.output.dense", hidden, hidden, Fill::Drawn),
            ("attention.output.LayerNorm", hidden, 0, Fill::Ones),
            ("intermediate.dense", 4 * hidden, hidden, Fill::Drawn),
            ("output.dense", hidden, 4 * hidden, Fill::Drawn),
            ("output.LayerNorm", hidden, 0, Fill::Ones),
        ] {
            modules.push((
                format!("bert.encoder.layer.{layer}.{part}"),
                rows,
                columns,
                fill,
            ));
        }
    }
    modules.push(("qa_outputs".to_owned(), 2, hidden, Fill::Drawn));
    for (name, rows, columns, fill) in modules {
        let shape = if columns == 0 {
            vec![rows]
        } else {
            vec![rows, columns]
        };
        all.push((format!("{name}.weight"), shape, fill));
        all.push((format!("{name}.bias"), vec![rows], Fill::Zeros));
    }
    all
}

fn value(fill: Fill, row: usize, column: usize, size: Size, random: &mut Random) -> f64 {
    let half = size.hidden_size / 2;
    let deviation = size.initializer_range;
    match fill {
        Fill::Ones => 1.0,
        Fill::Drawn => deviation * random.normal(),
        Fill::Words if column >= half => deviation * random.normal(),
        Fill::Types if column < half => 0.5 * deviation * random.normal(),
        Fill::Places if column < half => {
            let waves = half / 2;
            let exponent = (column % waves) as f64 / (waves - 1) as f64;
            let angle = TAU * row as f64 / (WAVES[0] * (WAVES[1] / WAVES[0]).powf(exponent));
            let wave = if column < waves {
                angle.sin()
            } else {
                angle.cos()
            };
            // The deviation of a wave is its amplitude divided by the root of two.
            deviation * 2f64.sqrt() * wave
        }
        Fill::Attention => {
            let multiple = if row < half { NEAR } else { EQUAL };
            let identity = if row == column { multiple } else { 0.0 };
            identity + NOISE * random.normal()
        }
        Fill::Zeros | Fill::Words | Fill::Types | Fill::Places => 0.0,
    }
}
