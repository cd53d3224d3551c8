//! Two processes that train together, each of which is a thread here.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bert_collective::{Queue, threads};
use bert_finetune::{
    Compute, FinetuneError, Program, Recipe, RunOutcome, RunSettings, Settings, TaskSettings,
    train_family,
};
use bert_tasks::glue::{GlueSettings, LabelledText, TextClasses};
use bert_tasks::{Counter, Unwatched, Watch};
use bert_training::collective::{Alone, Collective};

/// A program that asks to stop after a step.
struct OneOfTwo {
    collective: Queue,
    stop_after: Option<usize>,
    stops: &'static AtomicBool,
}

struct Steps(Option<usize>, &'static AtomicBool);

impl Watch for OneOfTwo {
    fn start(&self, what: &str, _: &'static str, _: usize, _: usize) -> Box<dyn Counter> {
        let after = self.stop_after.filter(|_| what == "training");
        Box::new(Steps(after, self.stops))
    }

    fn stop_requested(&self) -> bool {
        self.stops.load(Ordering::Relaxed)
    }
}

impl Counter for Steps {
    fn update(&mut self, done: usize, _: &dyn Fn() -> String) {
        if self.0.is_some_and(|after| done >= after) {
            self.1.store(true, Ordering::Relaxed);
        }
    }
}

impl Program for OneOfTwo {
    fn collective(&self) -> &dyn Collective {
        &self.collective
    }
}

type Outcome = Result<Vec<RunOutcome>, FinetuneError>;

fn run(output_dir: &Path, program: &dyn Program) -> Outcome {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/demo/bert-small");
    let compute = Compute::new("cpu".parse().unwrap(), None).unwrap();
    let mut run = RunSettings::new(model, output_dir, compute);
    run.from_scratch = true;
    run.score_untrained = true;
    run.evaluation.eval_steps = Some(2);
    run.recipe = Recipe {
        train_batch_size: 2,
        num_train_epochs: 3.0,
        ..Recipe::default()
    };
    let texts = [
        ("calm", "a quiet lake"),
        ("loud", "a terrible noise"),
        ("calm", "an old garden"),
        ("loud", "the street at night"),
    ];
    let texts = texts.map(|(label, text)| LabelledText {
        text,
        pair: None,
        label,
    });
    let family = TextClasses::from_texts(&run.source(), &texts, &texts, 16, 4).unwrap();
    let task = TaskSettings::TrainGlue(GlueSettings::in_memory(16, 4));
    train_family(&family, &Settings { run, task }, program)
}

/// Trains into a folder of each process; the leading one asks to stop after a step.
fn together(output_dirs: [&Path; 2], stop_after: Option<usize>) -> [Outcome; 2] {
    let collectives = threads::group(2).unwrap();
    let stops: [&'static AtomicBool; 2] =
        [(); 2].map(|()| &*Box::leak(Box::new(AtomicBool::new(false))));
    std::thread::scope(|scope| {
        let threads: Vec<_> = collectives
            .into_iter()
            .zip(output_dirs)
            .zip(stops)
            .map(|((collective, dir), stops)| {
                let program = OneOfTwo {
                    collective,
                    stop_after,
                    stops,
                };
                scope.spawn(move || run(dir, &program))
            })
            .collect();
        let outcomes: Vec<Outcome> = threads.into_iter().map(|it| it.join().unwrap()).collect();
        outcomes.try_into().unwrap()
    })
}

fn outcome(outcome: &Outcome) -> RunOutcome {
    let mut outcome = outcome.as_ref().unwrap()[0].clone();
    outcome.results.remove("train_seconds");
    outcome
}

/// The same scores as another's, and losses as near as the order of sums lets them be.
fn assert_same_run(found: &Outcome, expected: &Outcome) {
    let (found, expected) = (outcome(found), outcome(expected));
    assert_eq!(found.results.len(), expected.results.len());
    for (key, value) in &expected.results {
        let (found, expected) = (found.results[key].as_f64(), value.as_f64());
        let (found, expected) = (found.unwrap(), expected.unwrap());
        let off = (found - expected).abs();
        assert!(
            off <= 1e-4 * expected.abs(),
            "{key}: {found} for {expected}"
        );
    }
}

fn assert_near_weights(found: &Path, expected: &Path) {
    let weights = |dir: &Path| fs::read(dir.join("model.safetensors")).unwrap();
    let (found, expected) = (weights(found), weights(expected));
    assert_eq!(found.len(), expected.len());
    let header = 8 + u64::from_le_bytes(found[..8].try_into().unwrap()) as usize;
    let numbers = |bytes: &[u8]| -> Vec<f32> {
        let (numbers, _) = bytes[header..].as_chunks();
        numbers
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect()
    };
    for (found, expected) in numbers(&found).iter().zip(&numbers(&expected)) {
        assert!((found - expected).abs() < 1e-4, "{found} for {expected}");
    }
}

#[test]
fn only_the_leading_process_writes_and_all_have_its_results() {
    let dir = tempfile::tempdir().unwrap();
    let paths: [PathBuf; 2] = ["alone", "out"].map(|name| dir.path().join(name));
    let [alone, out] = &paths;
    assert!(Program::collective(&Unwatched).leads() && Alone.leads());
    let expected = run(alone, &Unwatched);
    // The folder's lock would refuse a second process that writes.
    let outcomes = together([out, out], None);
    for own in &outcomes {
        assert_same_run(own, &expected);
    }
    assert_eq!(outcome(&outcomes[0]), outcome(&outcomes[1]));
    assert_near_weights(out, alone);
}

#[test]
fn all_stop_together_and_go_on_together() {
    let dir = tempfile::tempdir().unwrap();
    let paths: [PathBuf; 2] = ["alone", "out"].map(|name| dir.path().join(name));
    let [alone, out] = &paths;
    for stopped in together([out, out], Some(3)) {
        let error = stopped.unwrap_err();
        let stopped = "stopped after step 3 of 6";
        assert!(error.to_string().contains(stopped), "{error}");
    }
    let expected = run(alone, &Unwatched);
    for outcome in together([out, out], None) {
        assert_same_run(&outcome, &expected);
    }
    assert_near_weights(out, alone);
}

#[test]
fn what_the_leading_process_refuses_ends_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("metrics.jsonl"), "mine").unwrap();
    let [first, second] = together([&out, &out], None).map(Result::unwrap_err);
    let reason = first.to_string();
    assert!(reason.contains("found metrics.jsonl"), "{reason}");
    let expected = format!("the leading process ended: {reason}");
    assert_eq!(second.to_string(), expected);
}
