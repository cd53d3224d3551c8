//! Two processes that train together, each of which is a thread here.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use bert_finetune::{
    Compute, FinetuneError, Program, Recipe, RunOutcome, RunSettings, Settings, TaskSettings,
    train_family,
};
use bert_model::DeviceError;
use bert_tasks::glue::{GlueSettings, LabelledText, TextClasses};
use bert_tasks::{Counter, Unwatched, Watch};
use bert_training::collective::{Alone, Bucket, Collective};

/// One of two processes, and its way to the other.
struct Half {
    rank: usize,
    to: Mutex<Sender<Vec<u8>>>,
    from: Mutex<Receiver<Vec<u8>>>,
}

impl Half {
    fn pair() -> [Self; 2] {
        let ((to_second, from_first), (to_first, from_second)) = (channel(), channel());
        let half = |rank, to, from| Self {
            rank,
            to: Mutex::new(to),
            from: Mutex::new(from),
        };
        [
            half(0, to_second, from_second),
            half(1, to_first, from_first),
        ]
    }

    fn tell(&self, bytes: Vec<u8>) {
        // A process that has ended is not told.
        let _ = self.to.lock().unwrap().send(bytes);
    }

    fn hear(&self) -> Result<Vec<u8>, DeviceError> {
        let heard = self.from.lock().unwrap().recv();
        heard.map_err(|_| DeviceError::from_reason("the other process is gone"))
    }
}

impl Collective for Half {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        2
    }

    /// Both processes see every example, so that each has the sum already.
    fn sum(&self, _: &mut Bucket<'_>) -> Result<(), DeviceError> {
        Ok(())
    }

    fn any_asks_to_stop(&self, asks: bool) -> bool {
        self.tell(vec![u8::from(asks)]);
        asks || self.hear().is_ok_and(|other| other == [1])
    }

    fn broadcast(&self, bytes: Vec<u8>) -> Result<Vec<u8>, DeviceError> {
        if self.leads() {
            self.tell(bytes.clone());
            Ok(bytes)
        } else {
            self.hear()
        }
    }
}

/// A program that asks to stop after a step.
struct OneOfTwo {
    half: Half,
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
        &self.half
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
    let halves = Half::pair();
    let stops: [&'static AtomicBool; 2] =
        [(); 2].map(|()| &*Box::leak(Box::new(AtomicBool::new(false))));
    std::thread::scope(|scope| {
        let threads: Vec<_> = halves
            .into_iter()
            .zip(output_dirs)
            .zip(stops)
            .map(|((half, dir), stops)| {
                let program = OneOfTwo {
                    half,
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

fn scores(outcome: &Outcome) -> String {
    let mut outcome = outcome.as_ref().unwrap()[0].clone();
    outcome.results.remove("train_seconds");
    format!("{outcome:?}")
}

#[test]
fn only_the_leading_process_writes_and_all_have_its_results() {
    let dir = tempfile::tempdir().unwrap();
    let paths: [PathBuf; 3] = ["alone", "first", "second"].map(|name| dir.path().join(name));
    let [alone, first, second] = &paths;
    assert!(Program::collective(&Unwatched).leads() && Alone.leads());
    let expected = run(alone, &Unwatched);
    let outcomes = together([first, second], None);
    for outcome in &outcomes {
        assert_eq!(scores(outcome), scores(&expected));
    }
    assert!(!second.exists(), "the second process wrote something");
    let weights = |dir: &Path| fs::read(dir.join("model.safetensors")).unwrap();
    assert!(weights(first) == weights(alone));
}

#[test]
fn all_stop_together_and_go_on_together() {
    let dir = tempfile::tempdir().unwrap();
    let paths: [PathBuf; 2] = ["alone", "out"].map(|name| dir.path().join(name));
    let [alone, out] = &paths;
    for outcome in together([out, out], Some(3)) {
        let error = outcome.unwrap_err();
        let stopped = "stopped after step 3 of 6";
        assert!(error.to_string().contains(stopped), "{error}");
    }
    let expected = run(alone, &Unwatched);
    for outcome in together([out, out], None) {
        assert_eq!(scores(&outcome), scores(&expected));
    }
    let weights = |dir: &Path| fs::read(dir.join("model.safetensors")).unwrap();
    assert!(weights(out) == weights(alone));
}

#[test]
fn what_the_leading_process_refuses_ends_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("metrics.jsonl"), "mine").unwrap();
    let elsewhere = dir.path().join("second");
    let [first, second] = together([&out, &elsewhere], None).map(Result::unwrap_err);
    let reason = first.to_string();
    assert!(reason.contains("found metrics.jsonl"), "{reason}");
    let expected = format!("the leading process ended: {reason}");
    assert_eq!(second.to_string(), expected);
}
