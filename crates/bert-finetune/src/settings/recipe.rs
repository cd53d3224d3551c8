//! The numbers of a fine-tuning recipe.

use bert_tasks::compared;
use bert_training::Schedule;
use bert_training::optimizer::GradientClip;
use serde::{Deserialize, Serialize};

use super::out_of_range;
use crate::FinetuneError;

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
    /// How the optimiser clips gradients.
    pub(crate) fn clip(&self) -> GradientClip {
        match self.grad_clip {
            GradClip::Tensor => GradientClip::PerTensor(self.max_grad_norm),
            GradClip::Global => GradientClip::Global(self.max_grad_norm),
            GradClip::None => GradientClip::Off,
        }
    }

    /// Checks what the training itself does not: numbers so large that they are mistakes.
    pub(super) fn validate(&self) -> Result<(), FinetuneError> {
        let (size, epochs) = (self.train_batch_size, self.num_train_epochs);
        if size > MOST {
            return Err(out_of_range(
                "train_batch_size",
                size,
                format!("at most {MOST}"),
            ));
        }
        if epochs > MOST as f64 {
            return Err(out_of_range(
                "num_train_epochs",
                epochs,
                format!("at most {MOST}"),
            ));
        }
        Ok(())
    }
}
