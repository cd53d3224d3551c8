//! Gradient clipping by norm.

use serde::{Deserialize, Serialize};

/// Which norm is held below which bound. A gradient over the bound is scaled by
/// `bound / (norm + 1e-6)`, as `torch.nn.utils.clip_grad_norm_` does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GradientClip {
    /// Each tensor's norm, as the 2018 PyTorch scripts do.
    PerTensor(f64),
    /// The norm of all gradients together, as Devlin et al.'s code does.
    Global(f64),
    /// No clipping.
    Off,
}

/// Keeps the factor finite for a gradient of zeros.
pub(super) const NORM_EPSILON: f64 = 1e-6;

impl GradientClip {
    /// The factor on one tensor's gradient, given its own norm and that of all.
    pub(super) fn factor(self, own: f64, all: f64) -> f64 {
        match self {
            Self::PerTensor(bound) => (bound / (own + NORM_EPSILON)).min(1.0),
            Self::Global(bound) => (bound / (all + NORM_EPSILON)).min(1.0),
            Self::Off => 1.0,
        }
    }
}
