//! Batches, steps, schedule and optimiser.

use super::{Deciding, whole};
use crate::exit::bad_usage;

/// Examples of a device's batch, where `TrainingArguments` names none.
const DEVICE_BATCH: usize = 8;

/// The names of AdamW in `TrainingArguments.optim` begin with this.
const ADAMW: &str = "adamw";

impl Deciding {
    pub(super) fn batch(&mut self) -> anyhow::Result<()> {
        let parts = match self.words.own("gradient-accumulation-steps") {
            // What is no number is refused as the flag's own value.
            Some(text) => text.parse::<usize>().unwrap_or(1),
            None => 1,
        };
        let of_device = self.get("per-device-train-batch-size");
        let Some(text) = of_device else {
            if self.is_transformers && !self.words.has_own("train-batch-size") {
                let batch = DEVICE_BATCH.saturating_mul(parts);
                self.defaults.push(("train_batch_size", batch.to_string()));
                self.decisions.push(batch_line(DEVICE_BATCH, parts));
            }
            return Ok(());
        };
        if self.words.has_own("train-batch-size") {
            bad_usage!(
                "found both --per-device-train-batch-size and --train-batch-size, expected one: the latter is the batch of a step"
            );
        }
        let size = whole("per-device-train-batch-size", &text)?;
        self.push("train-batch-size", size.saturating_mul(parts));
        self.decisions.push(batch_line(size, parts));
        Ok(())
    }

    pub(super) fn steps(&mut self) -> anyhow::Result<()> {
        let Some(text) = self.get("max-steps") else {
            return Ok(());
        };
        match text.parse::<i64>() {
            Ok(steps) if steps <= 0 => {}
            Ok(steps) => {
                if self.words.has_own("num-train-epochs") {
                    self.words.remove_own("num-train-epochs");
                    self.notes.push(format!(
                        "--num-train-epochs does nothing here: --max-steps {steps} comes before it, as in transformers"
                    ));
                }
                self.push("max-steps", steps);
            }
            Err(_) => bad_usage!("--max-steps: found {text}, expected a number of steps"),
        }
        Ok(())
    }

    pub(super) fn schedule(&mut self) -> anyhow::Result<()> {
        let kind = self.get("lr-scheduler-type");
        let mut warms_up = true;
        let schedule = match kind.as_deref() {
            None => None,
            Some("linear") => Some("linear"),
            Some("polynomial") => Some("polynomial"),
            Some("inverse_sqrt") => Some("inverse-sqrt"),
            Some("cosine") => Some("half-cosine"),
            // One cycle is the default there.
            Some("cosine_with_restarts") => Some("half-cosine"),
            Some("constant_with_warmup") => Some("constant"),
            Some("constant") => {
                warms_up = false;
                Some("constant")
            }
            Some(other) => bad_usage!(
                "--lr-scheduler-type: found {other}, expected linear, cosine, cosine_with_restarts, polynomial, constant, \
                 constant_with_warmup or inverse_sqrt"
            ),
        };
        if let Some(schedule) = schedule {
            self.push("schedule", schedule);
        } else if self.is_transformers {
            self.defaults.push(("schedule", "linear".to_owned()));
        }
        self.warmup(warms_up)?;
        if self.is_transformers {
            let shape = schedule.unwrap_or("linear");
            self.decisions.push(format!(
                "the schedule is {shape}, and without a flag there is no warm-up, as there (here otherwise warmup-linear with 0.1)"
            ));
        }
        Ok(())
    }

    fn warmup(&mut self, warms_up: bool) -> anyhow::Result<()> {
        let (steps, ratio) = (self.get("warmup-steps"), self.get("warmup-ratio"));
        if !warms_up {
            if steps.is_some() || ratio.is_some() {
                self.notes.push(
                    "warm-up does nothing here: --lr-scheduler-type constant has none, constant_with_warmup has".to_owned(),
                );
            }
            self.push("warmup-steps", 0);
            return Ok(());
        }
        let count = match &steps {
            None => None,
            Some(text) => match text.parse::<f64>() {
                Ok(count) if count >= 0.0 && count.is_finite() => Some(count),
                _ => bad_usage!("--warmup-steps: found {text}, expected a number of steps"),
            },
        };
        match (count, ratio) {
            (Some(share), _) if share > 0.0 && share < 1.0 => self.push("warmup-proportion", share),
            (Some(count), _) if count >= 1.0 => self.push("warmup-steps", count.floor()),
            (_, Some(ratio)) => self.push("warmup-proportion", ratio),
            (Some(_), None) => self.push("warmup-steps", 0),
            (None, None) if self.is_transformers => {
                self.defaults.push(("warmup_proportion", "0".to_owned()));
            }
            (None, None) => {}
        }
        Ok(())
    }

    pub(super) fn optimizer(&mut self) -> anyhow::Result<()> {
        match self.get("optim").as_deref() {
            None if self.is_transformers => {
                self.defaults.push(("optim", ADAMW.to_owned()));
                self.decisions.push(
                    "the optimiser is AdamW, with epsilon 1e-8 without --adam-epsilon, as there (here otherwise BertAdam with 1e-6)"
                        .to_owned(),
                );
            }
            None => {}
            Some("bert_adam" | "bert-adam") => self.push("optim", "bert-adam"),
            // Of 8 bits, or with low-precision sums: other updates.
            Some(kind)
                if kind.starts_with(ADAMW)
                    && !kind.contains("bit")
                    && !kind.contains("anyprecision") =>
            {
                self.push("optim", ADAMW);
            }
            Some(other) => {
                bad_usage!("--optim: found {other}, expected adamw_torch, adamw or bert_adam")
            }
        }
        if !self.is_transformers {
            return Ok(());
        }
        self.defaults.push(("weight_decay", "0".to_owned()));
        if !self.words.has_own("weight-decay") {
            self.decisions
                .push("weights do not decay, as there (here otherwise by 0.01)".to_owned());
        }
        Ok(())
    }

    pub(super) fn clip(&mut self) -> anyhow::Result<()> {
        if !self.is_transformers {
            return Ok(());
        }
        self.defaults.push(("grad_clip", "global".to_owned()));
        match self.get("max-grad-norm") {
            None => {}
            Some(text) => match text.parse::<f64>() {
                Ok(norm) if norm <= 0.0 => {
                    self.push("grad-clip", "none");
                    return Ok(());
                }
                Ok(_) => self.push("max-grad-norm", text),
                Err(_) => bad_usage!("--max-grad-norm: found {text}, expected a number"),
            },
        }
        self.decisions.push(
            "gradients are clipped by the norm of all together, as there (here otherwise each tensor's by its own)".to_owned(),
        );
        Ok(())
    }
}

fn batch_line(of_device: usize, parts: usize) -> String {
    format!(
        "a step has {} examples: {of_device} a device, times {parts} of --gradient-accumulation-steps, times one process",
        of_device.saturating_mul(parts)
    )
}
