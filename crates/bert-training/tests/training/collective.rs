//! Several processes that train together, each seen from one of them.

use bert_test_device::test_device;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bert_model::heads::BertForQuestionAnswering;
use bert_model::{DeviceError, parameters};
use bert_records::RunStateStore;
use bert_training::collective::{Alone, Bucket, Collective};
use bert_training::optimizer::Residency;
use bert_training::run::{Evaluated, Hooks, RunEnd, RunOptions, RunSaving, Start, Trained, run};
use bert_training::squad::SquadTask;
use bert_training::{GradClip, Recipe, StepRecord, TrainConfig, TrainError};

use crate::support::{config, eight_questions, tiny_model, train_config};

/// One of two processes, the other of which finds the same gradients.
#[derive(Default)]
struct Twin {
    rank: usize,
    /// Gradients summed.
    summed: AtomicUsize,
    /// After how many questions the other process asks to stop.
    other_asks_after: Option<usize>,
    asked: AtomicUsize,
}

impl Collective for Twin {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        2
    }

    fn sum(&self, bucket: &mut Bucket<'_>) -> Result<(), DeviceError> {
        bucket.replace_each(|gradient| {
            self.summed.fetch_add(1, Relaxed);
            Ok(gradient * 2.0)
        })
    }

    fn any_asks_to_stop(&self, asks: bool) -> bool {
        let asked = self.asked.fetch_add(1, Relaxed) + 1;
        asks || self.other_asks_after.is_some_and(|after| asked > after)
    }

    /// The leading process would say what this one does.
    fn broadcast(&self, bytes: Vec<u8>) -> Result<Vec<u8>, DeviceError> {
        Ok(bytes)
    }
}

/// Never asks to stop.
#[derive(Default)]
struct Steps(Vec<StepRecord>);

impl Hooks<BertForQuestionAnswering> for Steps {
    type Error = TrainError;

    fn step(&mut self, record: &StepRecord, _: f64) {
        self.0.push(*record);
    }

    fn evaluate(
        &mut self,
        _: &BertForQuestionAnswering,
        _: usize,
    ) -> Result<Evaluated, TrainError> {
        Ok(Evaluated::Score(None))
    }
}

/// Four steps of two micro-batches each.
fn train(
    residency: Residency,
    options: &RunOptions,
    collective: &dyn Collective,
) -> (Trained<BertForQuestionAnswering>, Vec<StepRecord>) {
    let features = eight_questions();
    let task = SquadTask {
        features: &features,
        pad_token_id: 0,
    };
    let mut config = TrainConfig {
        residency,
        ..train_config()
    };
    config.recipe = Recipe {
        num_train_epochs: 2.0,
        train_batch_size: 4,
        gradient_accumulation_steps: 2,
        grad_clip: GradClip::None,
        ..config.recipe
    };
    let device = test_device().autodiff();
    let start = Start::Fresh(tiny_model(&device));
    let mut steps = Steps::default();
    let trained = run(
        &task, start, &config, options, &device, collective, &mut steps,
    )
    .unwrap();
    (trained, steps.0)
}

#[test]
fn every_gradient_is_summed_once_a_step_before_its_update() {
    for residency in [Residency::Shared, Residency::Host, Residency::Device] {
        let twin = Twin::default();
        let (_, alone) = train(residency, &RunOptions::default(), &Alone);
        let (trained, together) = train(residency, &RunOptions::default(), &twin);
        let names = &bert_model::checkpoint::BERT;
        let parameters = parameters::list(&trained.model, names).len();
        assert_eq!(twin.summed.get(), 4 * parameters, "{residency:?}");
        // The first step begins with the same weights.
        let (alone, together) = (alone[0].gradient_norm, together[0].gradient_norm);
        assert!(
            (together - 2.0 * alone).abs() < 1e-5 * alone,
            "{residency:?}: {together} for twice {alone}"
        );
    }
}

#[test]
fn a_run_stops_when_another_process_asks() {
    let twin = Twin {
        other_asks_after: Some(2),
        ..Twin::default()
    };
    let (trained, steps) = train(Residency::Shared, &RunOptions::default(), &twin);
    assert_eq!(trained.end, RunEnd::Interrupted);
    assert_eq!(steps.len(), 2);
}

#[test]
fn only_the_leading_process_writes_run_states() {
    for (rank, expected) in [(0, vec![2, 4]), (1, vec![])] {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let options = RunOptions {
            saving: Some(RunSaving {
                store: store.clone(),
                save_steps: Some(2),
                save_every: None,
                run: "this run".into(),
                config: config(),
                companions: Arc::new([]),
            }),
            ..RunOptions::default()
        };
        let twin = Twin {
            rank,
            ..Twin::default()
        };
        assert_eq!(twin.leads(), rank == 0);
        train(Residency::Shared, &options, &twin);
        assert_eq!(store.steps().unwrap(), expected);
    }
}

fn store(dir: &Path) -> RunStateStore {
    RunStateStore::open(dir, NonZeroUsize::new(2).unwrap()).unwrap()
}
