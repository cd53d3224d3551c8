//! The numbers of a fine-tuning recipe.

use bert_records::compared;
use serde::{Deserialize, Serialize};

use crate::optimizer::{BertAdamConfig, GradientClip};
use crate::{Schedule, TrainError};

/// More examples of a step, or more passes over the data, than any recipe has.
const MOST: usize = 1_000_000;

compared! {
    /// The numbers of a fine-tuning recipe. The defaults are those of `run_squad.py`, `run_swag.py` and
    /// `run_classifier.py` 0.4.
    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    #[cfg_attr(feature = "clap", derive(clap::Args), command(next_help_heading = "Recipe"))]
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
        /// Share of the steps in which the learning rate rises from 0
        #[cfg_attr(feature = "clap", arg(long, value_name = "SHARE", default_value_t = Self::default().warmup_proportion, allow_negative_numbers = true))]
        pub warmup_proportion: f64 => Role::Setting,
        /// How the learning rate moves after the warm-up
        #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t))]
        pub schedule: Schedule => Role::Setting,
        /// Which gradients are clipped
        #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t))]
        pub grad_clip: GradClip => Role::Setting,
        /// Norm above which gradients are clipped
        #[cfg_attr(feature = "clap", arg(long, value_name = "NORM", default_value_t = Self::default().max_grad_norm, allow_negative_numbers = true))]
        pub max_grad_norm: f64 => Role::Setting,
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
        Self {
            train_batch_size: 32,
            gradient_accumulation_steps: 1,
            learning_rate: 5e-5,
            num_train_epochs: 3.0,
            warmup_proportion: 0.1,
            schedule: Schedule::default(),
            grad_clip: GradClip::default(),
            max_grad_norm: 1.0,
        }
    }
}

impl Recipe {
    /// The optimiser's constants.
    pub fn optimizer(&self) -> BertAdamConfig {
        BertAdamConfig {
            clip: match self.grad_clip {
                GradClip::Tensor => GradientClip::PerTensor(self.max_grad_norm),
                GradClip::Global => GradientClip::Global(self.max_grad_norm),
                GradClip::None => GradientClip::Off,
            },
            ..BertAdamConfig::default()
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`TrainError::Setting`] with the name of the first bad one.
    pub fn validate(&self) -> Result<(), TrainError> {
        let (batch_size, accumulation) = (self.train_batch_size, self.gradient_accumulation_steps);
        let divides = accumulation > 0 && batch_size.is_multiple_of(accumulation);
        let (is_above_0, most) = (|x: f64| x > 0.0 && x.is_finite(), MOST as f64);
        let checks = [
            (
                batch_size > 0,
                "train_batch_size",
                batch_size.to_string(),
                "at least 1".to_owned(),
            ),
            (
                batch_size <= MOST,
                "train_batch_size",
                batch_size.to_string(),
                format!("at most {MOST}"),
            ),
            (
                divides,
                "gradient_accumulation_steps",
                accumulation.to_string(),
                format!("a divisor of `train_batch_size` {batch_size}"),
            ),
            (
                is_above_0(self.num_train_epochs),
                "num_train_epochs",
                self.num_train_epochs.to_string(),
                "above 0".to_owned(),
            ),
            (
                self.num_train_epochs <= most,
                "num_train_epochs",
                self.num_train_epochs.to_string(),
                format!("at most {MOST}"),
            ),
            (
                is_above_0(self.learning_rate),
                "learning_rate",
                self.learning_rate.to_string(),
                "above 0".to_owned(),
            ),
            (
                (0.0..1.0).contains(&self.warmup_proportion),
                "warmup_proportion",
                self.warmup_proportion.to_string(),
                "at least 0 and below 1".to_owned(),
            ),
            (
                self.grad_clip == GradClip::None || is_above_0(self.max_grad_norm),
                "max_grad_norm",
                self.max_grad_norm.to_string(),
                "above 0".to_owned(),
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
