//! Trainings that are stopped after a step, and what they say.

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use bert_finetune::{
    Compute, FinetuneError, Program, RunOutcome, RunSettings, Settings, TaskSettings, train,
};
use bert_tasks::swag::SwagSettings;
use bert_tasks::{Counter, Unwatched, Watch};
use bert_test_support::{Workspace, repository};

/// The bundled small model, which has no weights.
pub(crate) fn small_model() -> PathBuf {
    repository().join("data/demo/bert-small")
}

pub(crate) fn cpu() -> Compute {
    Compute::new("cpu".parse().unwrap(), None).unwrap()
}

/// A training on the workspace's choices into the folder `out`: one step an example, twelve an epoch, three epochs.
pub(crate) fn training(workspace: &Workspace, out: &str) -> Settings {
    let file = |name: &str| Some(workspace.path("data").join(name));
    let mut run = RunSettings::new(small_model(), workspace.path(out), cpu());
    run.from_scratch = true;
    run.recipe.train_batch_size = 1;
    let task = TaskSettings::TrainSwag(SwagSettings {
        columns: Default::default(),
        train_file: file("train.csv"),
        eval_file: file("val.csv"),
        test_file: file("test.csv"),
        max_seq_length: 40,
        eval_batch_size: 8,
    });
    Settings { run, task }
}

/// The same of so many epochs.
pub(crate) fn epochs(workspace: &Workspace, out: &str, epochs: f64) -> Settings {
    let mut settings = training(workspace, out);
    settings.run.recipe.num_train_epochs = epochs;
    settings
}

/// Predicting with a model what a training of the workspace scores and predicts, into the folder `out`.
pub(crate) fn prediction(workspace: &Workspace, model: &str, out: &str) -> Settings {
    let mut settings = training(workspace, out);
    settings.run.bert_model = workspace.path(model);
    settings.run.from_scratch = false;
    settings.run.trains = false;
    if let TaskSettings::TrainSwag(swag) = &mut settings.task {
        swag.train_file = None;
    }
    settings
}

/// What a command came to, and what it said on the way.
pub(crate) struct Ended {
    pub(crate) outcomes: Vec<RunOutcome>,
    pub(crate) log: String,
}

/// Runs to the end.
#[track_caller]
pub(crate) fn finish(settings: &Settings) -> Ended {
    let (outcomes, log) = logged(|| train(settings, &Unwatched));
    let outcomes = outcomes.unwrap_or_else(|error| panic!("{error}: {log}"));
    Ended { outcomes, log }
}

/// Runs what must be refused because a setting or an input is wrong, and returns why.
#[track_caller]
pub(crate) fn refuse(settings: &Settings) -> String {
    let error = train(settings, &Unwatched).unwrap_err();
    assert!(error.is_bad_input(), "{error}");
    error.to_string()
}

/// Runs what must fail although every setting and input is good, and returns why.
#[track_caller]
pub(crate) fn fail(settings: &Settings) -> String {
    let error = train(settings, &Unwatched).unwrap_err();
    assert!(!error.is_bad_input(), "{error}");
    error.to_string()
}

/// Runs until so many steps of the run are done, and returns what the interrupted run says.
#[track_caller]
pub(crate) fn stop_after(step: usize, settings: &Settings) -> String {
    stopped(&Stopper::after(step), settings)
}

/// Runs until a program asks to stop, and returns what the interrupted run says.
#[track_caller]
pub(crate) fn stopped(program: &Stopper, settings: &Settings) -> String {
    match train(settings, program) {
        Err(error @ FinetuneError::Interrupted(_)) => {
            assert!(!error.is_bad_input(), "{error}");
            error.to_string()
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not stopped"),
    }
}

/// A program that asks to stop when one of its trainings has done a step.
pub(crate) struct Stopper {
    /// Which training, counted from 1, and after which of its steps.
    at: (usize, usize),
    trainings: AtomicUsize,
    stop: Arc<AtomicBool>,
}

impl Stopper {
    /// Stops the first training.
    pub(crate) fn after(step: usize) -> Self {
        Self::in_training(1, step)
    }

    /// Stops a training, counted from 1, of several.
    pub(crate) fn in_training(training: usize, step: usize) -> Self {
        Self {
            at: (training, step),
            trainings: AtomicUsize::new(0),
            stop: Arc::default(),
        }
    }
}

impl Watch for Stopper {
    fn start(&self, what: &str, unit: &'static str, done: usize, total: usize) -> Box<dyn Counter> {
        if what != "training" {
            return Unwatched.start(what, unit, done, total);
        }
        let training = 1 + self.trainings.fetch_add(1, Ordering::Relaxed);
        let step = (training == self.at.0).then_some(self.at.1);
        Box::new(StepCounter {
            stop_at: step,
            stop: Arc::clone(&self.stop),
        })
    }

    fn stop_requested(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Program for Stopper {}

struct StepCounter {
    stop_at: Option<usize>,
    stop: Arc<AtomicBool>,
}

impl Counter for StepCounter {
    fn update(&mut self, done: usize, _: &dyn Fn() -> String) {
        if self.stop_at == Some(done) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

thread_local! {
    /// What this thread has logged, while someone listens.
    static LOG: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Does something, and returns what this thread logs meanwhile, a line an event.
pub(crate) fn logged<T>(run: impl FnOnce() -> T) -> (T, String) {
    // One subscriber for all threads: with one a thread, an event that another thread comes to first may be taken for
    // one that nobody wants.
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_writer(|| ThreadLog)
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .init();
    });
    LOG.set(Some(Vec::new()));
    let outcome = run();
    let log = LOG.take().unwrap_or_default();
    (outcome, String::from_utf8(log).unwrap())
}

/// Writes into [`LOG`].
struct ThreadLog;

impl io::Write for ThreadLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| {
            if let Some(log) = log {
                log.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
