//! The settings of a training run: one typed description, from which `run.json`, the comparison with an earlier run
//! and the plan of a dry run come.

mod execution;
mod saving;

use std::fmt::Display;
use std::path::{Path, PathBuf};

use bert_backend::{Backend, BackendKind};
use bert_features::batch::Padding;
use bert_records::compare::{Compared, Field, comparable, repeatable};
use bert_records::{RunRecord, compared};
use bert_tasks::glue::GlueSettings;
use bert_tasks::squad::SquadSettings;
use bert_tasks::swag::SwagSettings;
use bert_tasks::{Scoring, Source};
use bert_training::optimizer::Residency;
use bert_training::{Recipe, TrainConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::debug;

use crate::output::CHECKPOINTS;
use crate::{FinetuneError, Program};

pub use execution::{Compute, Execution, parse_bytes};
pub use saving::{EvaluationSchedule, Saving, Strategy};

/// A training command with every setting decided, as `run.json` holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The settings of every training.
    #[serde(flatten)]
    pub run: RunSettings,
    /// The settings of the task, tagged with the command that trains it.
    #[serde(flatten)]
    pub task: TaskSettings,
}

/// The settings of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum TaskSettings {
    /// Questions about a context.
    TrainSquad(SquadSettings),
    /// Choices.
    TrainSwag(SwagSettings),
    /// Texts.
    TrainGlue(GlueSettings),
}

compared! {
    /// The settings of every training.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct RunSettings {
        /// The folder of the checkpoint that the run starts from.
        pub bert_model: PathBuf => Role::Input,
        /// Whether all weights are drawn anew.
        pub from_scratch: bool => Role::Setting,
        /// Whether the run trains; else it predicts only.
        pub trains: bool => Role::Derived,
        /// The folder for everything that the run leaves.
        pub output_dir: PathBuf => Role::Free,
        /// Whether an earlier run's files in it are replaced.
        pub overwrite_output_dir: bool => Role::Once,
        /// Whether an earlier run in it is replaced where the settings are others, or where it is finished: the folder
        /// of a demo.
        #[serde(skip)]
        pub is_demo_folder: bool => Role::Once,
        /// Whether there must be a run to resume.
        #[serde(skip)]
        pub resume: bool => Role::Once,
        /// Whether the model is scored before training too.
        pub score_untrained: bool => Role::Derived,
        /// Examples of the training file that are used, from its beginning; `None`: all.
        pub max_train_examples: Option<usize> => Role::Setting,
        /// Examples of each file to score that are used, from its beginning; `None`: all.
        pub max_eval_examples: Option<usize> => Role::Setting,
        /// Examples of each file to predict alone that are used, from its beginning; `None`: all.
        pub max_predict_examples: Option<usize> => Role::Setting,
        /// The share of the training file that is held out as development set, by the seed; `None`: nothing.
        pub validation_split: Option<f64> => Role::Setting,
        /// Seed of the head, the data order and dropout.
        pub seed: u64 => Role::Setting,
        /// Train once with each of these seeds; empty: once, with `seed`.
        #[serde(skip)]
        pub seeds: Vec<u64> => Role::Once,
        /// Train once more, with another seed, for each of `seeds` with which nothing is learnt.
        #[serde(skip)]
        pub retry_failed_seeds: bool => Role::Once,
        /// Says that the checkpoint is uncased, which must be true. Once the checkpoint is read: whether it is.
        pub do_lower_case: bool => Role::Derived,
        /// The numbers of the recipe.
        pub recipe: Recipe => Role::Group(Recipe::FIELDS),
        /// When the run is saved.
        pub saving: Saving => Role::Group(Saving::FIELDS),
        /// When the model is evaluated during the training.
        pub evaluation: EvaluationSchedule => Role::Group(EvaluationSchedule::FIELDS),
        /// Where the run computes.
        pub compute: Compute => Role::Group(Compute::FIELDS),
        /// How the training uses its device.
        pub execution: Execution => Role::Group(Execution::FIELDS),
    }
}

impl Settings {
    /// The settings of a record.
    ///
    /// # Errors
    /// When they are not those of a training of this version.
    pub fn of_record(record: &RunRecord, path: PathBuf) -> Result<Self, FinetuneError> {
        Self::deserialize(&record.settings).map_err(|source| FinetuneError::OldRecord {
            path,
            version: record.version.clone(),
            source,
        })
    }

    /// The settings of the run that made a checkpoint: those in its folder's `run.json`, or for a state that a run has
    /// saved on its way those in the run's. `None` where there is none, or it is of another version.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn of_model(dir: &Path) -> Result<Option<Self>, FinetuneError> {
        let states = dir.parent().filter(|parent| parent.ends_with(CHECKPOINTS));
        let run = states.and_then(Path::parent).unwrap_or(dir);
        let record = RunRecord::read(run)?;
        let settings = record.map(|record| Self::of_record(&record, run.join("run.json")));
        Ok(settings.and_then(|settings| settings.inspect_err(|error| debug!("{error}")).ok()))
    }

    /// The part by which runs are compared.
    pub(crate) fn comparable(&self) -> Result<Value, FinetuneError> {
        let settings = self.to_json()?;
        let of_task = comparable(&settings, self.task.fields());
        Ok(comparable(&of_task, RunSettings::FIELDS))
    }

    /// The settings that repeat the run, by the names of their flags.
    ///
    /// # Errors
    /// When they have no JSON form.
    pub fn repeatable(&self) -> Result<Vec<(String, Value)>, FinetuneError> {
        let json = |value: serde_json::Result<Value>| value.map_err(FinetuneError::Json);
        let mut found = repeatable(&json(serde_json::to_value(&self.run))?, RunSettings::FIELDS);
        let task = json(serde_json::to_value(&self.task))?;
        let task = repeatable(&task, self.task.fields());
        found.extend(task.into_iter().filter(|(name, _)| name != COMMAND));
        Ok(found)
    }

    /// The command, such as `train-squad`.
    pub fn command(&self) -> &'static str {
        match self.task {
            TaskSettings::TrainSquad(_) => "train-squad",
            TaskSettings::TrainSwag(_) => "train-swag",
            TaskSettings::TrainGlue(_) => "train-glue",
        }
    }

    pub(crate) fn to_json(&self) -> Result<Value, FinetuneError> {
        serde_json::to_value(self).map_err(FinetuneError::Json)
    }

    /// The settings of one of several seeds, whose results have a folder of their own.
    pub(crate) fn with_seed(&self, seed: u64) -> Self {
        let mut settings = self.clone();
        settings.run.seed = seed;
        settings.run.seeds = Vec::new();
        settings.run.output_dir.push(format!("seed-{seed}"));
        settings
    }

    /// Tokens of the longest row.
    fn max_seq_length(&self) -> usize {
        match &self.task {
            TaskSettings::TrainSquad(squad) => squad.features.max_seq_length,
            TaskSettings::TrainSwag(swag) => swag.max_seq_length,
            TaskSettings::TrainGlue(glue) => glue.max_seq_length,
        }
    }

    /// How wide batches are.
    pub fn padding(&self) -> Padding {
        if self.run.execution.pad_to_max_length {
            return Padding::Fixed(self.max_seq_length());
        }
        Padding::Longest {
            multiple_of: self.run.execution.pad_to_multiple_of,
        }
    }

    /// How models are run over examples.
    pub fn scoring<'a>(&self, backend: &'a Backend, program: &'a dyn Program) -> Scoring<'a> {
        Scoring {
            device: &backend.device,
            padding: self.padding(),
            precision: self.run.compute.precision,
            concurrent: backend.concurrent_batches(),
            largest_buffer: backend.largest_buffer(),
            collective: program.collective(),
            watch: program,
        }
    }

    /// The recipe on a backend.
    pub fn train_config(&self, backend: &Backend) -> TrainConfig {
        let (run, kind) = (&self.run, backend.kind());
        TrainConfig {
            recipe: run.recipe,
            padding: self.padding(),
            residency: residency(kind, run.execution.optimize_on_cpu),
            seed: run.seed,
            precision: run.compute.precision,
            gradient_checkpointing: run.execution.gradient_checkpointing,
            masks: kind.masks,
            reduce_precision: run.execution.reduce_precision,
            reduce_backend: run.execution.reduce_backend,
            read_every: kind.read_every,
        }
    }
}

/// The tag of [`TaskSettings`].
const COMMAND: &str = "command";

impl TaskSettings {
    fn fields(&self) -> &'static [Field] {
        match self {
            Self::TrainSquad(_) => SquadSettings::FIELDS,
            Self::TrainSwag(_) => SwagSettings::FIELDS,
            Self::TrainGlue(_) => GlueSettings::FIELDS,
        }
    }
}

impl RunSettings {
    /// The settings of a training with the default recipe.
    pub fn new(
        bert_model: impl Into<PathBuf>,
        output_dir: impl Into<PathBuf>,
        compute: Compute,
    ) -> Self {
        Self {
            bert_model: bert_model.into(),
            from_scratch: false,
            trains: true,
            output_dir: output_dir.into(),
            overwrite_output_dir: false,
            is_demo_folder: false,
            resume: false,
            score_untrained: false,
            max_train_examples: None,
            max_eval_examples: None,
            max_predict_examples: None,
            validation_split: None,
            seed: 42,
            seeds: Vec::new(),
            retry_failed_seeds: false,
            do_lower_case: false,
            recipe: Recipe::default(),
            saving: Saving::default(),
            evaluation: EvaluationSchedule::default(),
            compute,
            execution: Execution::default(),
        }
    }

    /// What a family reads first.
    pub fn source(&self) -> Source<'_> {
        Source {
            bert_model: &self.bert_model,
            do_lower_case: self.do_lower_case,
            max_train_examples: self.max_train_examples,
            max_eval_examples: self.max_eval_examples,
            max_predict_examples: self.max_predict_examples,
            validation_split: self.validation_split,
            seed: self.seed,
        }
    }

    /// Checks what can be checked without data: a bad setting must not cost an earlier run its files.
    ///
    /// # Errors
    /// When a setting is out of its range or does not fit the others.
    pub fn validate(&self) -> Result<(), FinetuneError> {
        self.recipe.validate()?;
        self.saving.validate()?;
        self.evaluation.validate()?;
        self.execution.validate()?;
        for (setting, most) in [
            ("max_train_examples", self.max_train_examples),
            ("max_eval_examples", self.max_eval_examples),
            ("max_predict_examples", self.max_predict_examples),
        ] {
            if most == Some(0) {
                return Err(out_of_range(setting, 0, "at least 1"));
            }
        }
        if let Some(share) = self
            .validation_split
            .filter(|share| !(*share > 0.0 && *share < 1.0))
        {
            return Err(out_of_range(
                "validation_split",
                share,
                "above 0 and below 1",
            ));
        }
        if self.from_scratch && self.recipe.reinit_layers > 0 {
            let expected = "a checkpoint: `from_scratch` draws every layer anew";
            return Err(out_of_range(
                "reinit_layers",
                self.recipe.reinit_layers,
                expected,
            ));
        }
        let mut seeds = self.seeds.clone();
        seeds.sort_unstable();
        if let Some(pair) = seeds.windows(2).find(|pair| pair[0] == pair[1]) {
            let found = format!("{} twice", pair[0]);
            return Err(out_of_range("seeds", found, "different seeds"));
        }
        if self.trains {
            return Ok(());
        }
        for (setting, is_given) in [
            ("from_scratch", self.from_scratch),
            ("save_steps", self.saving.save_steps.is_some()),
            ("save_strategy", self.saving.save_strategy.is_some()),
            ("eval_steps", self.evaluation.eval_steps.is_some()),
            ("eval_strategy", self.evaluation.eval_strategy.is_some()),
            (
                "early_stopping_patience",
                self.evaluation.early_stopping_patience.is_some(),
            ),
            ("resume", self.resume),
            ("freeze", self.recipe.freeze.is_some()),
            ("reinit_layers", self.recipe.reinit_layers > 0),
            ("average_weights", self.recipe.average_weights.is_some()),
            (
                "gradient_checkpointing",
                self.execution.gradient_checkpointing,
            ),
            ("auto_micro_batch", self.execution.auto_micro_batch),
            ("max_memory", self.execution.max_memory.is_some()),
            ("seeds", !self.seeds.is_empty()),
        ] {
            if is_given {
                return Err(out_of_range(
                    setting,
                    "nothing to train on",
                    "training data",
                ));
            }
        }
        Ok(())
    }
}

fn out_of_range(
    setting: &'static str,
    found: impl Display,
    expected: impl Into<String>,
) -> FinetuneError {
    FinetuneError::Setting {
        setting,
        found: found.to_string(),
        expected: expected.into(),
    }
}

/// Where the optimiser's state lives; `on_cpu` asks for host memory.
pub fn residency(kind: &BackendKind, on_cpu: bool) -> Residency {
    if kind.shares_host_memory {
        Residency::Shared
    } else if on_cpu {
        Residency::Host
    } else {
        Residency::Device
    }
}
