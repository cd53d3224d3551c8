//! The device that is tested, and runs on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bert_backend::DeviceChoice;
use bert_finetune::{
    Compute, FinetuneError, Program, Recipe, RunOutcome, RunSettings, Settings, TaskSettings, train,
};
use bert_model::Precision;
use bert_tasks::glue::GlueSettings;
use bert_tasks::squad::{SquadPrediction, SquadSettings};
use bert_tasks::swag::SwagSettings;
use bert_tasks::{Counter, Watch};
use serde_json::Value;

/// The device that is tested.
pub(crate) fn device() -> DeviceChoice {
    let name = bert_test_support::device_name();
    name.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// The device that it is compared with.
pub(crate) fn cpu() -> DeviceChoice {
    "cpu".parse().unwrap()
}

/// The arithmetic of the device, and how far losses computed in it may be from those of the CPU, relative to them.
pub(crate) fn precisions() -> impl Iterator<Item = (Precision, f64)> {
    (device().kind().precisions)().iter().map(|precision| {
        let allowed = match precision {
            Precision::Fp32 => 1e-4,
            // Mantissas of 10 bits.
            Precision::Tf32 => 2e-3,
            // Mantissas of 7 bits.
            Precision::Bf16 => 3e-2,
        };
        (*precision, allowed)
    })
}

/// How far single logits and gradients may be from those of the CPU, relative to the largest of their tensor.
pub(crate) fn tolerance_of_tensors() -> f32 {
    if (device().kind().precisions)()[0] == Precision::Fp32 {
        1e-4
    } else {
        // Mantissas of 10 bits, through two layers and back.
        1e-2
    }
}

fn data(path: &str) -> Option<PathBuf> {
    Some(bert_test_support::repository().join("data/demo").join(path))
}

/// Questions, choices, and pairs with a score: each with another head and loss.
pub(crate) fn tasks() -> [(&'static str, TaskSettings); 3] {
    let questions = SquadSettings {
        columns: Default::default(),
        train_file: data("squad/train-v1.1.json"),
        predict_file: None,
        features: bert_features::squad::SquadFeatureConfig {
            max_seq_length: 96,
            doc_stride: 32,
            max_query_length: 24,
            ..bert_features::squad::SquadFeatureConfig::default()
        },
        prediction: SquadPrediction::default(),
    };
    let choices = SwagSettings {
        columns: Default::default(),
        train_file: data("swag/train.csv"),
        eval_file: None,
        test_file: None,
        max_seq_length: 48,
        eval_batch_size: 4,
    };
    let scores = GlueSettings {
        task: "sts-b".parse().unwrap(),
        train_file: data("glue/STS-B/train.tsv"),
        ..GlueSettings::in_memory(48, 8)
    };
    [
        ("squad", TaskSettings::TrainSquad(questions)),
        ("swag", TaskSettings::TrainSwag(choices)),
        ("sts-b", TaskSettings::TrainGlue(scores)),
    ]
}

/// A training of the demo's model, new from a seed, of at least [`STEPS`] steps of four rows or choices.
pub(crate) fn settings(
    device: DeviceChoice,
    precision: Option<Precision>,
    task: TaskSettings,
    dir: &Path,
) -> Settings {
    let compute = Compute::new(device, precision).unwrap();
    let mut run = RunSettings::new(data("bert-small").unwrap(), dir, compute);
    run.from_scratch = true;
    run.max_train_examples = Some(4 * STEPS);
    run.recipe = Recipe {
        train_batch_size: 4,
        num_train_epochs: 1.0,
        ..Recipe::default()
    };
    Settings { run, task }
}

/// Steps that are compared.
pub(crate) const STEPS: usize = 10;

/// A step of the metrics log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub(crate) loss: f64,
    pub(crate) gradient_norm: f64,
}

/// Trains, and returns the steps.
pub(crate) fn steps_of(settings: &Settings) -> Vec<Step> {
    let program = Stopped::never();
    train(settings, &program).unwrap_or_else(|error| panic!("{error}"));
    logged(&settings.run.output_dir)
}

/// The steps in the log of a folder.
pub(crate) fn logged(dir: &Path) -> Vec<Step> {
    let text = fs::read_to_string(dir.join("metrics.jsonl")).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let number = |line: &Value, key: &str| line[key].as_f64();
    lines
        .filter_map(|line| {
            Some(Step {
                loss: number(&line, "loss")?,
                gradient_norm: number(&line, "gradient_norm")?,
            })
        })
        .collect()
}

/// Fails unless the first [`STEPS`] losses differ by at most `allowed` of their size, or of 1 where they are smaller.
pub(crate) fn assert_same_losses(what: &str, found: &[Step], expected: &[Step], allowed: f64) {
    assert!(
        found.len() >= STEPS && expected.len() >= STEPS,
        "{what}: {} and {} steps",
        found.len(),
        expected.len()
    );
    let pairs = found.iter().zip(expected).take(STEPS);
    let differences: Vec<f64> = pairs
        .clone()
        .map(|(a, b)| (a.loss - b.loss).abs() / b.loss.abs().max(1.0))
        .collect();
    let largest = differences.iter().copied().fold(0.0, f64::max);
    let norms = pairs.map(|(a, b)| (a.gradient_norm / b.gradient_norm - 1.0).abs());
    let norms = norms.fold(0.0, f64::max);
    println!(
        "{what}: losses within {largest:.1e}, of {allowed:.0e} allowed; norms within {norms:.1e}"
    );
    assert!(largest <= allowed, "{what}: {found:?} for {expected:?}");
    // A norm is a sum over all gradients, and clipping follows it.
    assert!(
        norms <= 30.0 * allowed,
        "{what}: {found:?} for {expected:?}"
    );
}

/// A program that asks to stop after a number of steps. It counts how often a training asks it, which is once a step:
/// losses, and with them progress, are read from a GPU now and then only.
pub(crate) struct Stopped {
    after: usize,
    is_training: AtomicBool,
    asked: AtomicUsize,
}

impl Stopped {
    pub(crate) fn never() -> Self {
        Self::after(usize::MAX)
    }

    pub(crate) fn after(steps: usize) -> Self {
        Self {
            after: steps,
            is_training: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
        }
    }
}

impl Watch for Stopped {
    fn start(&self, what: &str, _: &'static str, _: usize, _: usize) -> Box<dyn Counter> {
        self.is_training
            .store(what == "training", Ordering::Relaxed);
        Box::new(Uncounted)
    }

    fn stop_requested(&self) -> bool {
        self.is_training.load(Ordering::Relaxed)
            && self.asked.fetch_add(1, Ordering::Relaxed) + 1 >= self.after
    }
}

impl Program for Stopped {}

struct Uncounted;

impl Counter for Uncounted {
    fn update(&mut self, _: usize, _: &dyn Fn() -> String) {}
}

/// Trains until a step, and returns what the run ended with.
pub(crate) fn train_until(
    settings: &Settings,
    step: usize,
) -> Result<Vec<RunOutcome>, FinetuneError> {
    train(settings, &Stopped::after(step))
}
