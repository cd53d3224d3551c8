//! A run that is stopped and resumed ends as one that never was.

use bert_test_device::test_device;
use std::cell::Cell;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use bert_features::squad::SquadFeatures;
use bert_model::checkpoint::BERT;
use bert_model::heads::BertForQuestionAnswering;
use bert_model::{BertConfig, parameters};
use bert_records::RunStateStore;
use bert_training::collective::Alone;
use bert_training::optimizer::Residency;
use bert_training::run::{
    Evaluated, Hooks, RunEnd, RunOptions, RunSaving, SavedState, Start, Trained, best_model, find,
    resume, run,
};
use bert_training::squad::SquadTask;
use bert_training::{StepRecord, TrainConfig, TrainError, TrainPlan};
use burn::tensor::Device;

use crate::support::{UPDATES, changed, config, eight_questions, tiny_model, train_config};

/// Two steps an epoch, two micro-batches a step.
fn short_config() -> TrainConfig {
    let mut config = train_config();
    config.recipe.num_train_epochs = 3.5;
    config.recipe.train_batch_size = 4;
    config.recipe.gradient_accumulation_steps = 2;
    config
}

/// Remembers what it is told, and asks to stop once.
#[derive(Default)]
struct Script {
    steps: Vec<StepRecord>,
    evaluated: Vec<usize>,
    saved: Vec<usize>,
    /// Asks to stop when this many steps have been told of.
    stop_after: Option<usize>,
    /// Asks to stop after this many steps, told of or not. Without evaluations the run asks once a step.
    stop_at_poll: Option<usize>,
    polls: Cell<usize>,
    /// Asks to stop in the evaluation after this step.
    stop_in_evaluation: Option<usize>,
    stopping: bool,
    /// The score after each step, from step 1.
    scores: Vec<Option<f64>>,
    /// The models that were evaluated.
    models: Vec<Bits>,
}

impl Hooks<BertForQuestionAnswering> for Script {
    type Error = TrainError;

    fn step(&mut self, record: &StepRecord, seconds: f64) {
        assert!(seconds > 0.0);
        self.steps.push(*record);
        self.stopping |= self.stop_after == Some(record.step);
    }

    fn evaluate(
        &mut self,
        model: &BertForQuestionAnswering,
        step: usize,
    ) -> Result<Evaluated, TrainError> {
        self.models.push(bits(model));
        if self.stop_in_evaluation == Some(step) {
            self.stopping = true;
            return Ok(Evaluated::GivenUp);
        }
        self.evaluated.push(step);
        Ok(Evaluated::Score(self.scores[step - 1]))
    }

    fn saved(&mut self, state: &SavedState) {
        self.saved.push(state.step);
    }

    fn stop_requested(&self) -> bool {
        let steps = self.polls.replace(self.polls.get() + 1);
        self.stopping || self.stop_at_poll == Some(steps)
    }
}

struct Fixture {
    features: SquadFeatures,
    config: TrainConfig,
    options: RunOptions,
    device: Device,
}

impl Fixture {
    fn new(dir: &Path, training: TrainConfig) -> Self {
        let saving = RunSaving {
            store: RunStateStore::open(dir, NonZeroUsize::new(2).unwrap()).unwrap(),
            save_steps: None,
            save_every: None,
            run: "this run".into(),
            config: config(),
            companions: Arc::new([("vocab.txt", b"[PAD]\n".to_vec())]),
        };
        Self {
            features: eight_questions(),
            config: training,
            options: RunOptions {
                saving: Some(saving),
                ..RunOptions::default()
            },
            device: test_device().autodiff(),
        }
    }

    fn saving(&mut self) -> &mut RunSaving {
        self.options.saving.as_mut().unwrap()
    }

    fn fresh(&self) -> Start<BertForQuestionAnswering> {
        Start::Fresh(tiny_model(&self.device))
    }

    fn resumed(&self) -> Result<Start<BertForQuestionAnswering>, TrainError> {
        let saving = self.options.saving.as_ref().unwrap();
        let step = find(&saving.store)?.step.expect("a run state is there");
        let plan = TrainPlan::new(self.features.windows.len(), &self.config)?;
        let resumed = resume(saving, step, plan, &self.config, &self.device)?;
        Ok(Start::Resumed(Box::new(resumed)))
    }

    fn run(
        &self,
        start: Start<BertForQuestionAnswering>,
        script: &mut Script,
    ) -> Result<Trained<BertForQuestionAnswering>, TrainError> {
        let task = SquadTask {
            features: &self.features,
            pad_token_id: 0,
        };
        run(
            &task,
            start,
            &self.config,
            &self.options,
            &self.device,
            &Alone,
            script,
        )
    }
}

/// A model's tensors, by name.
type Bits = Vec<(String, Vec<u32>)>;

fn bits(model: &BertForQuestionAnswering) -> Bits {
    let values = parameters::values(model, &BERT).into_iter();
    values
        .map(|tensor| {
            (
                tensor.name,
                tensor.values.iter().map(|v| v.to_bits()).collect(),
            )
        })
        .collect()
}

#[test]
fn a_run_stopped_after_any_step_ends_with_the_same_bits() {
    // Losses that are read several steps together are not lost, nor told twice.
    for (residency, read_every) in [
        (Residency::Shared, 1),
        (Residency::Device, 3),
        (Residency::Host, 10),
    ] {
        let config = TrainConfig {
            residency,
            read_every,
            ..short_config()
        };
        let dir = tempfile::tempdir().unwrap();
        let whole = Fixture::new(&dir.path().join("whole"), config);
        let mut all = Script::default();
        let expected = whole.run(whole.fresh(), &mut all).unwrap();
        assert_eq!(expected.end, RunEnd::Completed);
        assert_eq!(all.steps.len(), 7);
        assert_eq!(all.saved, [7]);
        for stop_after in 1..7 {
            let fixture = Fixture::new(&dir.path().join(stop_after.to_string()), config);
            let mut script = Script {
                stop_at_poll: Some(stop_after),
                ..Script::default()
            };
            let stopped = fixture.run(fixture.fresh(), &mut script).unwrap();
            assert_eq!(stopped.end, RunEnd::Interrupted);
            assert_eq!(script.saved, [stop_after]);
            let mut rest = Script::default();
            let ended = fixture.run(fixture.resumed().unwrap(), &mut rest).unwrap();
            assert_eq!(
                bits(&ended.model),
                bits(&expected.model),
                "{residency:?} {stop_after}"
            );
            script.steps.extend(rest.steps);
            assert_eq!(script.steps, all.steps);
            assert_eq!(ended.state.totals, expected.state.totals);
        }
    }
}

#[test]
fn every_kind_of_update_goes_on_with_the_same_bits() {
    for residency in [Residency::Shared, Residency::Device, Residency::Host] {
        for update in UPDATES {
            let mut config = TrainConfig {
                residency,
                ..short_config()
            };
            changed(&mut config.recipe, update);
            let dir = tempfile::tempdir().unwrap();
            let whole = Fixture::new(&dir.path().join("whole"), config);
            let expected = whole.run(whole.fresh(), &mut Script::default()).unwrap();
            // Before and after the average of the last half of the seven steps begins.
            for stop_after in [1, 3, 5] {
                let fixture = Fixture::new(&dir.path().join(stop_after.to_string()), config);
                let mut script = Script {
                    stop_at_poll: Some(stop_after),
                    ..Script::default()
                };
                fixture.run(fixture.fresh(), &mut script).unwrap();
                let resumed = fixture.resumed().unwrap();
                let ended = fixture.run(resumed, &mut Script::default()).unwrap();
                let same = bits(&ended.model) == bits(&expected.model);
                assert!(same, "{residency:?} {update} {stop_after}");
            }
        }
    }
}

/// What is evaluated is the average, and so are the best model and the result.
#[test]
fn an_average_is_what_is_evaluated_and_kept() {
    for residency in [Residency::Shared, Residency::Device, Residency::Host] {
        let dir = tempfile::tempdir().unwrap();
        let mut config = TrainConfig {
            residency,
            ..short_config()
        };
        config.recipe.average_weights = Some("ema:0.5".parse().unwrap());
        let mut fixture = Fixture::new(dir.path(), config);
        fixture.options.eval_steps = Some(5);
        let mut script = Script {
            scores: vec![Some(0.5); 7],
            ..Script::default()
        };
        let outcome = fixture.run(fixture.fresh(), &mut script).unwrap();
        assert_eq!(script.evaluated, [5, 7]);
        let device = fixture.device.clone();
        let best: BertForQuestionAnswering = best_model(fixture.saving(), &outcome.state, &device)
            .unwrap()
            .expect("the first of two scores alike is the best");
        assert!(bits(&best) == script.models[0], "{residency:?}");
        assert!(bits(&outcome.model) == script.models[1], "{residency:?}");
        config.recipe.average_weights = None;
        let plain = Fixture::new(&dir.path().join("plain"), config);
        let plain = plain.run(plain.fresh(), &mut Script::default()).unwrap();
        assert!(bits(&outcome.model) != bits(&plain.model));
    }
}

#[test]
fn run_states_come_as_often_as_asked_for_and_the_newest_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(dir.path(), short_config());
    fixture.saving().save_steps = Some(2);
    let mut script = Script::default();
    fixture.run(fixture.fresh(), &mut script).unwrap();
    assert_eq!(script.saved, [2, 4, 6, 7]);
    assert_eq!(fixture.saving().store.steps().unwrap(), [6, 7]);
    // A run state is one that other programs can load.
    let dir = fixture.saving().store.path(7);
    let read = BertConfig::read(&dir.join("config.json")).unwrap();
    assert_eq!(read.hidden_size, config().hidden_size);
    assert_eq!(std::fs::read(dir.join("vocab.txt")).unwrap(), b"[PAD]\n");
}

#[test]
fn the_best_model_is_kept_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(dir.path(), short_config());
    fixture.saving().save_steps = Some(1);
    fixture.options.eval_steps = Some(2);
    let mut script = Script {
        scores: [0.0, 0.6, 0.0, 0.5, 0.0, 0.6, 0.1].map(Some).to_vec(),
        ..Script::default()
    };
    let outcome = fixture.run(fixture.fresh(), &mut script).unwrap();
    assert_eq!(script.evaluated, [2, 4, 6, 7]);
    assert_eq!(outcome.state.best.unwrap().step, 2);
    assert_eq!(fixture.saving().store.steps().unwrap(), [2, 6, 7]);
    let plain = Fixture::new(&dir.path().join("two"), short_config());
    let mut two = Script {
        stop_after: Some(2),
        ..Script::default()
    };
    let after_two = plain.run(plain.fresh(), &mut two).unwrap();
    let device = fixture.device.clone();
    let best: BertForQuestionAnswering = best_model(fixture.saving(), &outcome.state, &device)
        .unwrap()
        .expect("the best is not the last");
    assert_eq!(bits(&best), bits(&after_two.model));
}

#[test]
fn a_best_model_that_is_lost_is_forgotten_and_that_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(dir.path(), short_config());
    fixture.options.eval_steps = Some(2);
    let mut script = Script {
        scores: [0.0, 0.6, 0.0, 0.5, 0.0, 0.4, 0.1].map(Some).to_vec(),
        stop_after: Some(5),
        ..Script::default()
    };
    fixture.run(fixture.fresh(), &mut script).unwrap();
    let best = fixture.saving().store.path(2);
    std::fs::remove_file(best.join("config.json")).unwrap();
    let Start::Resumed(resumed) = fixture.resumed().unwrap() else {
        panic!("it is resumed");
    };
    let told = resumed.best_lost.as_ref().expect("it is told").to_string();
    assert!(told.contains("config.json"), "{told}");
    script.stop_after = None;
    script.stopping = false;
    let outcome = fixture.run(Start::Resumed(resumed), &mut script).unwrap();
    assert_eq!(outcome.state.best.map(|best| best.step), Some(6));
}

#[test]
fn patience_ends_a_run_and_stays_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(dir.path(), short_config());
    fixture.options.eval_steps = Some(1);
    fixture.options.early_stopping_patience = Some(2);
    let scores = [Some(0.2), Some(0.3), None, Some(0.3), Some(0.9)];
    let script = || Script {
        scores: scores.to_vec(),
        ..Script::default()
    };
    let outcome = fixture.run(fixture.fresh(), &mut script()).unwrap();
    assert_eq!((outcome.end, outcome.state.step), (RunEnd::StoppedEarly, 4));
    let again = fixture
        .run(fixture.resumed().unwrap(), &mut script())
        .unwrap();
    assert_eq!((again.end, again.state.step), (RunEnd::StoppedEarly, 4));
}

#[test]
fn an_evaluation_that_was_given_up_is_done_when_the_run_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(dir.path(), short_config());
    fixture.options.eval_steps = Some(3);
    let script = |stop_in_evaluation| Script {
        scores: vec![Some(0.5); 7],
        stop_in_evaluation,
        ..Script::default()
    };
    for (stop, evaluated) in [(Some(3), vec![]), (Some(7), vec![3, 6]), (None, vec![7])] {
        let start = match fixture.saving().store.steps().unwrap().as_slice() {
            [] => fixture.fresh(),
            _ => fixture.resumed().unwrap(),
        };
        let mut script = script(stop);
        let outcome = fixture.run(start, &mut script).unwrap();
        assert_eq!(script.evaluated, evaluated);
        let end = if stop.is_some() {
            RunEnd::Interrupted
        } else {
            RunEnd::Completed
        };
        assert_eq!(outcome.end, end);
    }
}

#[test]
fn another_runs_state_is_refused_by_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(dir.path(), short_config());
    fixture
        .run(fixture.fresh(), &mut Script::default())
        .unwrap();
    let refused = |fixture: &Fixture| match fixture.resumed() {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    };
    fixture.config.seed = 2;
    assert!(
        refused(&fixture).contains("found seed 1, expected 2"),
        "{}",
        refused(&fixture)
    );
    fixture.config = short_config();
    fixture.config.recipe.num_train_epochs = 9.0;
    assert!(refused(&fixture).contains("found total_steps 7, expected 18"));
    fixture.config = short_config();
    fixture.saving().run = "that run".into();
    assert!(refused(&fixture).contains("found run this run, expected that run"));
    fixture.saving().run = "this run".into();
    fixture.saving().config.num_hidden_layers = 1;
    let line = refused(&fixture);
    assert!(
        line.contains("found 2 layers of the encoder, expected 1"),
        "{line}"
    );
    fixture.saving().config.num_hidden_layers = 2;
    fixture.saving().config.intermediate_size = 32;
    let line = refused(&fixture);
    assert!(
        line.contains("model.safetensors") && line.contains("shape"),
        "{line}"
    );
}

#[test]
fn a_loss_that_is_not_finite_names_the_steps_before_it_and_the_last_run_state() {
    let dir = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(dir.path(), short_config());
    fixture.saving().save_steps = Some(1);
    fixture.config.recipe.learning_rate = 1e30;
    // The first step of a warm-up is taken with a rate of 0: its weights are finite.
    fixture.config.recipe.warmup_proportion = 0.5;
    let Err(error) = fixture.run(fixture.fresh(), &mut Script::default()) else {
        panic!("the run went on");
    };
    let TrainError::NotFinite {
        step,
        recent,
        state,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(recent.last().map(|record| record.step), Some(step - 1));
    let state = state.clone().expect("a run state was written");
    let message = error.to_string();
    assert!(message.contains(&state.display().to_string()), "{message}");
    assert_eq!(message.lines().count(), 1);
    // It is one that a run can go on from.
    assert!(fixture.resumed().is_ok());
}

#[test]
fn settings_that_cannot_be_kept_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(dir.path(), short_config());
    fixture.saving().save_steps = Some(0);
    let message = |options: &RunOptions| options.validate().unwrap_err().to_string();
    assert_eq!(
        message(&fixture.options),
        "`save_steps`: found 0, expected at least 1"
    );
    let patient = RunOptions {
        early_stopping_patience: Some(1),
        ..RunOptions::default()
    };
    assert!(message(&patient).starts_with("`early_stopping_patience`: found no evaluations"));
    let evaluating = RunOptions {
        eval_steps: Some(1),
        ..RunOptions::default()
    };
    assert!(message(&evaluating).starts_with("`eval_steps`: found no run states"));
}
