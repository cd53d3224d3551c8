//! When a model is evaluated and saved on the way, and which of them is the result.

use super::super::metrics::compared_by;
use super::{Deciding, Verb, whole};
use crate::exit::bad_usage;

/// Steps between two evaluations or saves, where `TrainingArguments` names none.
const INTERVAL: usize = 500;

impl Deciding {
    pub(super) fn evaluation(&mut self) -> anyhow::Result<()> {
        let every_step = "every step is in metrics.jsonl and TensorBoard";
        let strategy = match self.get("eval-strategy") {
            Some(strategy) => strategy,
            None if self.words.is_on("evaluate-during-training") => "steps".to_owned(),
            None => "no".to_owned(),
        };
        let logging = self.get("logging-steps");
        let mut logging_is_used = false;
        match strategy.as_str() {
            "no" => {
                if self.words.get("eval-steps").is_some() {
                    self.notes.push("--eval-steps does nothing here without --eval-strategy steps, as in transformers".to_owned());
                }
            }
            "epoch" => self.push("eval-strategy", "epoch"),
            "steps" if self.words.has_own("eval-steps") => {}
            "steps" => {
                let steps = match (self.get("eval-steps").filter(|text| text != "0"), &logging) {
                    (Some(text), _) => whole("eval-steps", &text)?,
                    (None, Some(text)) => {
                        logging_is_used = true;
                        whole("logging-steps", text)?
                    }
                    (None, None) => INTERVAL,
                };
                self.push("eval-steps", steps);
            }
            other => bad_usage!("--eval-strategy: found {other}, expected no, steps or epoch"),
        }
        if logging.is_some() && !logging_is_used {
            self.notes
                .push(format!("--logging-steps does nothing here: {every_step}"));
        }
        self.best_model(strategy != "no")
    }

    fn best_model(&mut self, evaluates: bool) -> anyhow::Result<()> {
        let loads_best = self.words.is_on("load-best-model-at-end");
        if loads_best && self.is_transformers && !evaluates {
            bad_usage!(
                "--load-best-model-at-end: found no evaluations, expected --eval-strategy steps or epoch beside it"
            );
        }
        let task = self
            .words
            .own("task")
            .or_else(|| self.words.own("task-name"));
        let task = task.or_else(|| self.get("dataset-config-name"));
        let task = task.or_else(|| (self.verb == Verb::Glue).then(|| "csv".to_owned()));
        let (name, score) = compared_by(self.verb, task.as_deref());
        if let Some(found) = self.get("metric-for-best-model") {
            let plain = found.strip_prefix("eval_").unwrap_or(&found);
            if name != Some(plain) {
                let expected = name.map_or("no such flag".to_owned(), str::to_owned);
                bad_usage!(
                    "--metric-for-best-model: found {found}, expected {expected}: models are compared by {score}"
                );
            }
        } else if loads_best {
            self.notes.push(format!("models are compared by {score}, not by the loss as there without --metric-for-best-model"));
        }
        if self.is_transformers && evaluates && !loads_best {
            self.notes.push("the best model is the result, not the last one as there without --load-best-model-at-end".to_owned());
        }
        Ok(())
    }

    pub(super) fn saving(&mut self) -> anyhow::Result<()> {
        let steps = self.get("save-steps");
        match self.get("save-strategy").as_deref() {
            Some("no") => self.push("save-strategy", "no"),
            Some("epoch") => self.push("save-strategy", "epoch"),
            Some("best") => self.notes.push("--save-strategy best: the best model is always saved, and a state every five minutes".to_owned()),
            Some("steps") => {
                let steps = steps.map_or(Ok(INTERVAL), |text| whole("save-steps", &text))?;
                self.push("save-steps", steps);
            }
            Some(other) => bad_usage!("--save-strategy: found {other}, expected no, steps, epoch or best"),
            // Scripts of `transformers` 2 take -1 for never.
            None => match steps {
                Some(text) if text.parse::<f64>().is_ok_and(|steps| steps <= 0.0) => {}
                Some(text) => self.push("save-steps", whole("save-steps", &text)?),
                None => {}
            },
        }
        Ok(())
    }
}
