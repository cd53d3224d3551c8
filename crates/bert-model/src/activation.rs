//! The activations that a BERT `config.json` may name in `hidden_act`.

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// `hidden_act`, by the names of `transformers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HiddenAct {
    /// `x Φ(x)` with the Gaussian distribution function by `erf` (Hendrycks & Gimpel 2016).
    #[default]
    Gelu,
    /// The tanh approximation of GELU, as in GPT-2 and Google's BERT code.
    GeluNew,
    /// The tanh approximation again, under PyTorch's name.
    GeluPytorchTanh,
    /// The tanh approximation with rounded constants.
    GeluFast,
    /// `x σ(1.702 x)`.
    QuickGelu,
    /// `max(x, 0)`.
    Relu,
    /// `x σ(x)`.
    Silu,
    /// Another name of SiLU.
    Swish,
    /// `x tanh(softplus(x))`.
    Mish,
    /// Hyperbolic tangent.
    Tanh,
    /// Logistic function.
    Sigmoid,
}

impl HiddenAct {
    /// Applies the activation element by element.
    ///
    /// # Shapes
    /// - `x`: any; the output has the same
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Gelu => bert_kernels::gelu(x),
            Self::GeluNew | Self::GeluPytorchTanh => {
                gelu_tanh(x, std::f64::consts::FRAC_2_PI.sqrt())
            }
            Self::GeluFast => gelu_tanh(x, 0.797_884_560_8),
            Self::QuickGelu => x.clone() * activation::sigmoid(x * 1.702),
            Self::Relu => activation::relu(x),
            Self::Silu | Self::Swish => x.clone() * activation::sigmoid(x),
            Self::Mish => x.clone() * activation::softplus(x, 1.0).tanh(),
            Self::Tanh => x.tanh(),
            Self::Sigmoid => activation::sigmoid(x),
        }
    }
}

fn gelu_tanh<const D: usize>(x: Tensor<D>, scale: f64) -> Tensor<D> {
    let cubic = x.clone() * x.clone() * x.clone() * 0.044715;
    let inner = (x.clone() + cubic) * scale;
    x * 0.5 * (inner.tanh() + 1.0)
}
