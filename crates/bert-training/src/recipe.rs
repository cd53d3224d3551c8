//! The numbers of a fine-tuning recipe.

use bert_model::parameters::Part;
use bert_records::compared;
use serde::{Deserialize, Serialize};

use crate::averaging::AverageWeights;
use crate::freeze::Freeze;
use crate::optimizer::{AdamConfig, GradientClip};
use crate::schedule::{Moment, POLYNOMIAL_END, Warmup};
use crate::{Schedule, TrainError};

/// More examples of a step, or more passes over the data, than any recipe has.
const MOST: usize = 1_000_000;

compared! {
    /// The numbers of a fine-tuning recipe. The defaults are those of `run_squad.py`, `run_swag.py` and
    /// `run_classifier.py` 0.4.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    #[cfg_attr(feature = "clap", derive(clap::Args), command(next_help_heading = "Recipe"))]
    // A record of a version that had fewer settings ran with these.
    #[serde(default)]
    pub struct Recipe {
        /// Examples of one optimiser step
        #[cfg_attr(feature = "clap", arg(long, value_name = "EXAMPLES", default_value_t = Self::default().train_batch_size))]
        pub train_batch_size: usize => Role::Setting,
        /// Micro-batches of one optimiser step; divides --train-batch-size
        #[cfg_attr(feature = "clap", arg(long, value_name = "N", default_value_t = Self::default().gradient_accumulation_steps))]
        pub gradient_accumulation_steps: usize => Role::Setting,
        /// Peak learning rate
        #[cfg_attr(feature = "clap", arg(long, value_name = "RATE", default_value_t = Self::default().learning_rate, allow_negative_numbers = true))]
        pub learning_rate: f64 => Role::Setting,
        /// Passes over the training data; fractions work
        #[cfg_attr(feature = "clap", arg(long, value_name = "EPOCHS", default_value_t = Self::default().num_train_epochs, allow_negative_numbers = true))]
        pub num_train_epochs: f64 => Role::Setting,
        /// Optimiser steps of the run, in place of --num-train-epochs
        #[cfg_attr(feature = "clap", arg(long, value_name = "N", conflicts_with = "num_train_epochs"))]
        pub max_steps: Option<usize> => Role::Setting,
        /// Share of the steps in which the learning rate rises from 0
        #[cfg_attr(feature = "clap", arg(long, value_name = "SHARE", default_value_t = Self::default().warmup_proportion, allow_negative_numbers = true))]
        pub warmup_proportion: f64 => Role::Setting,
        /// Steps in which the learning rate rises from 0, in place of --warmup-proportion
        #[cfg_attr(feature = "clap", arg(long, value_name = "N", conflicts_with = "warmup_proportion"))]
        pub warmup_steps: Option<usize> => Role::Setting,
        /// How the learning rate moves after the warm-up
        #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t))]
        pub schedule: Schedule => Role::Setting,
        /// Which optimiser
        #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t))]
        #[serde(skip_serializing_if = "is_default")]
        pub optim: Optim => Role::Setting,
        /// Which gradients are clipped
        #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t))]
        pub grad_clip: GradClip => Role::Setting,
        /// Norm above which gradients are clipped
        #[cfg_attr(feature = "clap", arg(long, value_name = "NORM", default_value_t = Self::default().max_grad_norm, allow_negative_numbers = true))]
        pub max_grad_norm: f64 => Role::Setting,
        /// Decoupled weight decay of all parameters but biases and LayerNorm
        #[cfg_attr(feature = "clap", arg(long, value_name = "DECAY", default_value_t = Self::default().weight_decay, allow_negative_numbers = true))]
        pub weight_decay: f64 => Role::Setting,
        /// Decay of the optimiser's first moment
        #[cfg_attr(feature = "clap", arg(long, value_name = "BETA", default_value_t = Self::default().adam_beta1, allow_negative_numbers = true))]
        pub adam_beta1: f64 => Role::Setting,
        /// Decay of the optimiser's second moment
        #[cfg_attr(feature = "clap", arg(long, value_name = "BETA", default_value_t = Self::default().adam_beta2, allow_negative_numbers = true))]
        pub adam_beta2: f64 => Role::Setting,
        /// Added to the root of the second moment [default: 0.000001, with --optim adamw 0.00000001]
        #[cfg_attr(feature = "clap", arg(long, value_name = "EPSILON", allow_negative_numbers = true))]
        pub adam_epsilon: Option<f64> => Role::Setting,
        /// Learning rate of each layer as a share of that of the layer above; the head and the pooler have the whole
        #[cfg_attr(feature = "clap", arg(long, value_name = "FACTOR", default_value_t = Self::default().layer_lr_decay, allow_negative_numbers = true))]
        #[serde(skip_serializing_if = "is_one")]
        pub layer_lr_decay: f64 => Role::Setting,
        /// Parts that are not trained: embeddings, layers counted from 0 at the input, and ranges of them, such as
        /// embeddings,0-5
        #[cfg_attr(feature = "clap", arg(long, value_name = "PARTS"))]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub freeze: Option<Freeze> => Role::Setting,
        /// Draw the top N layers, and the pooler, anew, by the seed
        #[cfg_attr(feature = "clap", arg(long, value_name = "N", default_value_t = Self::default().reinit_layers))]
        #[serde(skip_serializing_if = "is_default")]
        pub reinit_layers: usize => Role::Setting,
        /// Evaluate and save an average of the weights: ema:DECAY, swa (over the last quarter of the steps), or swa:SHARE
        #[cfg_attr(feature = "clap", arg(long, value_name = "HOW"))]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub average_weights: Option<AverageWeights> => Role::Setting,
    }
}

/// Whether a setting is one that records of earlier versions do not have.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The same for a factor.
fn is_one(value: &f64) -> bool {
    *value == 1.0
}

/// How weights follow from gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Optim {
    /// Adam without bias correction, as Devlin et al. train BERT
    #[default]
    #[cfg_attr(feature = "clap", value(alias = "bert_adam"))]
    BertAdam,
    /// Adam with bias correction, as `torch.optim.AdamW`
    #[cfg_attr(feature = "clap", value(aliases = ["adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw_apex_fused"]))]
    Adamw,
}

impl Optim {
    /// What is added to the root of the second moment where nothing else is asked for: as Devlin et al. and as PyTorch do.
    pub fn epsilon(self) -> f64 {
        match self {
            Self::BertAdam => AdamConfig::default().epsilon,
            Self::Adamw => 1e-8,
        }
    }
}

/// Which norm is held below `max_grad_norm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum GradClip {
    /// Each tensor's norm, as the 2018 PyTorch scripts do
    #[default]
    Tensor,
    /// The norm of all gradients together, as Devlin et al.'s code does
    Global,
    /// No clipping
    None,
}

impl Default for Recipe {
    fn default() -> Self {
        let optimizer = AdamConfig::default();
        Self {
            train_batch_size: 32,
            gradient_accumulation_steps: 1,
            learning_rate: 5e-5,
            num_train_epochs: 3.0,
            max_steps: None,
            warmup_proportion: 0.1,
            warmup_steps: None,
            schedule: Schedule::default(),
            optim: Optim::default(),
            grad_clip: GradClip::default(),
            max_grad_norm: 1.0,
            weight_decay: optimizer.weight_decay,
            adam_beta1: optimizer.beta_1,
            adam_beta2: optimizer.beta_2,
            adam_epsilon: None,
            layer_lr_decay: optimizer.layer_lr_decay,
            freeze: None,
            reinit_layers: 0,
            average_weights: None,
        }
    }
}

impl Recipe {
    /// The optimiser's constants.
    pub fn optimizer(&self) -> AdamConfig {
        AdamConfig {
            bias_correction: self.optim == Optim::Adamw,
            clip: match self.grad_clip {
                GradClip::Tensor => GradientClip::PerTensor(self.max_grad_norm),
                GradClip::Global => GradientClip::Global(self.max_grad_norm),
                GradClip::None => GradientClip::Off,
            },
            beta_1: self.adam_beta1,
            beta_2: self.adam_beta2,
            epsilon: self.epsilon(),
            weight_decay: self.weight_decay,
            layer_lr_decay: self.layer_lr_decay,
        }
    }

    /// What is added to the root of the second moment.
    pub fn epsilon(&self) -> f64 {
        self.adam_epsilon.unwrap_or(self.optim.epsilon())
    }

    /// Whether a part of the model is trained.
    pub fn trains(&self, part: Part) -> bool {
        !self.freeze.is_some_and(|frozen| frozen.holds(part))
    }

    /// The share of the weights after `step` steps in their average; `None` where none is kept, or it has not begun.
    pub fn average_share(&self, step: usize, total_steps: usize) -> Option<f64> {
        self.average_weights?.share(step, total_steps)
    }

    /// The recipe in one of `divisor` parts of its steps, the warm-up likewise.
    pub fn shortened(&self, divisor: usize) -> Self {
        Self {
            num_train_epochs: self.num_train_epochs / divisor as f64,
            max_steps: self.max_steps.map(|steps| steps.div_ceil(divisor)),
            warmup_steps: self.warmup_steps.map(|steps| steps / divisor),
            ..*self
        }
    }

    /// Checks that a model with `layers` layers has those that are frozen and drawn anew.
    ///
    /// # Errors
    /// [`TrainError::Setting`].
    pub fn check_layers(&self, layers: usize) -> Result<(), TrainError> {
        if let Some(frozen) = &self.freeze {
            frozen.check(layers)?;
        }
        let anew = layers.checked_sub(self.reinit_layers);
        let frozen = anew.map(|first| (first..layers).find(|n| !self.trains(Part::Layer(*n))));
        let expected = match frozen {
            Some(None) => return Ok(()),
            Some(Some(n)) => format!("layers that are trained: layer {n} is frozen"),
            None => format!("at most the {layers} layers of this model"),
        };
        Err(TrainError::Setting {
            setting: "reinit_layers",
            found: self.reinit_layers.to_string(),
            expected,
        })
    }

    /// How long the learning rate rises.
    pub fn warmup(&self) -> Warmup {
        self.warmup_steps
            .map_or(Warmup::Share(self.warmup_proportion), Warmup::Steps)
    }

    /// The learning rate of the step that follows `step` of a run's `total_steps`.
    pub fn learning_rate_after(&self, step: usize, total_steps: usize) -> f64 {
        let at = Moment {
            step,
            total_steps,
            warmup: self.warmup(),
            learning_rate: self.learning_rate,
        };
        self.learning_rate * self.schedule.factor(&at)
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`TrainError::Setting`] with the name of the first bad one.
    pub fn validate(&self) -> Result<(), TrainError> {
        let (batch_size, accumulation) = (self.train_batch_size, self.gradient_accumulation_steps);
        let divides = accumulation > 0 && batch_size.is_multiple_of(accumulation);
        let (is_above_0, most) = (|x: f64| x > 0.0 && x.is_finite(), MOST as f64);
        let is_share = |x: f64| (0.0..1.0).contains(&x);
        let at_most = || format!("at most {MOST}");
        let text = |expected: &str| expected.to_owned();
        let float = |value: f64| value.to_string();
        let count = |value: usize| value.to_string();
        let checks = [
            (
                batch_size > 0,
                "train_batch_size",
                count(batch_size),
                text("at least 1"),
            ),
            (
                batch_size <= MOST,
                "train_batch_size",
                count(batch_size),
                at_most(),
            ),
            (
                divides,
                "gradient_accumulation_steps",
                count(accumulation),
                format!("a divisor of `train_batch_size` {batch_size}"),
            ),
            (
                is_above_0(self.num_train_epochs),
                "num_train_epochs",
                float(self.num_train_epochs),
                text("above 0"),
            ),
            (
                self.num_train_epochs <= most,
                "num_train_epochs",
                float(self.num_train_epochs),
                at_most(),
            ),
            (
                self.max_steps != Some(0),
                "max_steps",
                text("0"),
                text("at least 1"),
            ),
            (
                is_above_0(self.learning_rate),
                "learning_rate",
                float(self.learning_rate),
                text("above 0"),
            ),
            (
                self.schedule != Schedule::Polynomial || self.learning_rate > POLYNOMIAL_END,
                "learning_rate",
                float(self.learning_rate),
                format!("above {POLYNOMIAL_END:e}, at which the polynomial schedule ends"),
            ),
            (
                is_share(self.warmup_proportion),
                "warmup_proportion",
                float(self.warmup_proportion),
                text("at least 0 and below 1"),
            ),
            (
                self.grad_clip == GradClip::None || is_above_0(self.max_grad_norm),
                "max_grad_norm",
                float(self.max_grad_norm),
                text("above 0"),
            ),
            (
                self.weight_decay >= 0.0 && self.weight_decay.is_finite(),
                "weight_decay",
                float(self.weight_decay),
                text("at least 0"),
            ),
            (
                is_share(self.adam_beta1),
                "adam_beta1",
                float(self.adam_beta1),
                text("at least 0 and below 1"),
            ),
            (
                is_share(self.adam_beta2),
                "adam_beta2",
                float(self.adam_beta2),
                text("at least 0 and below 1"),
            ),
            (
                is_above_0(self.epsilon()),
                "adam_epsilon",
                float(self.epsilon()),
                text("above 0"),
            ),
            (
                self.layer_lr_decay > 0.0 && self.layer_lr_decay <= 1.0,
                "layer_lr_decay",
                float(self.layer_lr_decay),
                text("above 0 and at most 1"),
            ),
            (
                self.average_weights.is_none_or(AverageWeights::is_valid),
                "average_weights",
                self.average_weights.map_or_else(String::new, String::from),
                text("a decay above 0 and below 1, or a share above 0 and at most 1"),
            ),
        ];
        match checks.into_iter().find(|(is_good, ..)| !is_good) {
            None => Ok(()),
            Some((_, setting, found, expected)) => Err(TrainError::Setting {
                setting,
                found,
                expected,
            }),
        }
    }
}
