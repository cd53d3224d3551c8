//! Several processes that train together, each of which is a thread here.

use bert_test_device::test_device;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bert_collective::threads;
use bert_model::heads::BertForQuestionAnswering;
use bert_records::RunStateStore;
use bert_training::collective::{Alone, Collective, ReducePrecision};
use bert_training::optimizer::Residency;
use bert_training::run::{Evaluated, Hooks, RunEnd, RunOptions, RunSaving, Start, run};
use bert_training::squad::SquadTask;
use bert_training::{GradClip, Recipe, StepRecord, TrainConfig, TrainError};
use burn::tensor::Device;

use crate::support::{UPDATES, changed, config, eight_questions, tiny_model, train_config};

/// Records the steps, and asks to stop after a number of them.
#[derive(Default)]
struct Steps {
    records: Vec<StepRecord>,
    stop_after: Option<usize>,
}

impl Hooks<BertForQuestionAnswering> for Steps {
    type Error = TrainError;

    fn step(&mut self, record: &StepRecord, _: f64) {
        self.records.push(*record);
    }

    fn evaluate(
        &mut self,
        _: &BertForQuestionAnswering,
        _: usize,
    ) -> Result<Evaluated, TrainError> {
        Ok(Evaluated::Score(None))
    }

    fn stop_requested(&self) -> bool {
        self.stop_after
            .is_some_and(|after| self.records.len() >= after)
    }
}

/// Two epochs of eight questions in batches of five: each epoch has a full and a shorter step.
fn recipe(accumulation: usize, residency: Residency) -> TrainConfig {
    let mut config = TrainConfig {
        residency,
        ..train_config()
    };
    config.recipe = Recipe {
        num_train_epochs: 2.0,
        train_batch_size: if accumulation == 3 { 6 } else { 5 },
        gradient_accumulation_steps: accumulation,
        grad_clip: GradClip::Global,
        ..config.recipe
    };
    config
}

type Outcome = (RunEnd, u64, Vec<StepRecord>);

fn train(
    config: &TrainConfig,
    options: &RunOptions,
    collective: &dyn Collective,
    stop_after: Option<usize>,
) -> Outcome {
    train_on(&test_device(), config, options, collective, stop_after)
}

fn train_on(
    device: &Device,
    config: &TrainConfig,
    options: &RunOptions,
    collective: &dyn Collective,
    stop_after: Option<usize>,
) -> Outcome {
    let features = eight_questions();
    let task = SquadTask {
        features: &features,
        pad_token_id: 0,
    };
    let device = device.clone().autodiff();
    let start = Start::Fresh(tiny_model(&device));
    let mut steps = Steps {
        stop_after,
        ..Steps::default()
    };
    let trained = run(
        &task, start, config, options, &device, collective, &mut steps,
    )
    .unwrap();
    let passes = trained.state.forward_passes;
    (trained.end, passes, steps.records)
}

/// What each of several processes comes to. `stop_after` is for the last one alone.
fn together(
    processes: usize,
    config: &TrainConfig,
    options: &RunOptions,
    stop_after: Option<usize>,
) -> Vec<Outcome> {
    let queues = threads::group(processes).unwrap();
    std::thread::scope(|scope| {
        let threads = queues.iter().map(|queue| {
            let asks = stop_after.filter(|_| queue.rank() + 1 == processes);
            scope.spawn(move || train(config, options, queue, asks))
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

fn assert_near(what: &str, found: f32, expected: f32, allowed: f32) {
    let off = (found - expected).abs();
    assert!(
        off <= allowed * expected.abs(),
        "{what}: {found} for {expected}"
    );
}

#[test]
fn several_processes_do_the_steps_of_one() {
    for residency in [Residency::Shared, Residency::Host, Residency::Device] {
        for (accumulation, processes) in [(1, 2), (1, 3), (3, 2), (3, 3), (5, 2), (1, 7)] {
            let config = recipe(accumulation, residency);
            let options = RunOptions::default();
            let (_, passes, alone) = train(&config, &options, &Alone, None);
            assert!(alone.iter().all(|step| step.waiting.is_none()));
            for (_, own_passes, steps) in together(processes, &config, &options, None) {
                assert_eq!(own_passes, passes, "dropout masks are numbered alike");
                assert_eq!(steps.len(), alone.len());
                for (step, alone) in steps.iter().zip(&alone) {
                    let what = format!("{residency:?}, {accumulation} on {processes}: {step:?}");
                    assert_near(&what, step.loss, alone.loss, 1e-4);
                    assert_near(&what, step.gradient_norm, alone.gradient_norm, 1e-3);
                    assert!(step.waiting.is_some());
                    assert!(step.slowest.is_some_and(|slowest| slowest < processes));
                    let own = StepRecord {
                        loss: alone.loss,
                        gradient_norm: alone.gradient_norm,
                        waiting: None,
                        slowest: None,
                        ..*step
                    };
                    assert_eq!(own, *alone);
                }
            }
        }
    }
}

/// Each process has a GPU of its own, and gradients go from one to another.
#[cfg(feature = "cuda")]
#[test]
fn gpus_that_add_up_gradients_do_the_steps_of_one() {
    use bert_test_support::{Prerequisite, device_name, skip};
    use bert_training::ReduceBackend;
    use burn::tensor::DeviceType;

    let on_cuda = device_name().starts_with("cuda");
    let count = || Device::enumerate(DeviceType::Cuda).into_vec().len();
    let processes = if on_cuda { count().min(4) } else { 0 };
    if processes < 2 {
        skip(Prerequisite::Gpus, "found no two GPUs of CUDA to test on");
        return;
    }
    for precision in [ReducePrecision::Fp32, ReducePrecision::Bf16] {
        for (accumulation, residency) in [(1, Residency::Device), (3, Residency::Host)] {
            let mut config = recipe(accumulation, residency);
            config.reduce_precision = precision;
            let options = RunOptions::default();
            let (_, _, alone) = train(&config, &options, &Alone, None);
            config.reduce_backend = Some(ReduceBackend::Nccl);
            let queues = threads::group(processes).unwrap();
            let all: Vec<Outcome> = std::thread::scope(|scope| {
                let threads = queues.iter().map(|queue| {
                    let (config, options) = (&config, &options);
                    let device = Device::cuda(queue.rank());
                    scope.spawn(move || train_on(&device, config, options, queue, None))
                });
                let threads: Vec<_> = threads.collect();
                threads.into_iter().map(|it| it.join().unwrap()).collect()
            });
            // Products are in TF32, whose sums of other rows differ.
            let allowed = match precision {
                ReducePrecision::Fp32 => 2e-3,
                ReducePrecision::Bf16 => 1e-2,
            };
            for (_, _, steps) in &all {
                assert_eq!(steps.len(), alone.len());
                for ((step, alone), first) in steps.iter().zip(&alone).zip(&all[0].2) {
                    let what = format!("{precision:?}, {accumulation}: {step:?}");
                    assert_near(&what, step.loss, alone.loss, allowed);
                    assert_near(&what, step.gradient_norm, alone.gradient_norm, allowed);
                    assert_eq!(
                        (step.loss, step.gradient_norm),
                        (first.loss, first.gradient_norm)
                    );
                    assert!(step.waiting.is_none(), "nothing went through the host");
                }
            }
        }
    }
}

#[test]
fn several_processes_do_every_kind_of_update() {
    for update in UPDATES {
        let mut config = recipe(1, Residency::Shared);
        changed(&mut config.recipe, update);
        let options = RunOptions::default();
        let (_, _, alone) = train(&config, &options, &Alone, None);
        for (_, _, steps) in together(2, &config, &options, None) {
            for (step, alone) in steps.iter().zip(&alone) {
                let what = format!("{update}: {step:?}");
                assert_near(&what, step.loss, alone.loss, 1e-4);
                assert_near(&what, step.gradient_norm, alone.gradient_norm, 1e-3);
            }
        }
    }
}

#[test]
fn gradients_in_16_bits_are_near_and_the_same_in_all_processes() {
    let mut config = recipe(1, Residency::Shared);
    let options = RunOptions::default();
    let full = together(2, &config, &options, None);
    config.reduce_precision = ReducePrecision::Bf16;
    let half = together(2, &config, &options, None);
    for ((_, _, half), (_, _, full)) in half.iter().zip(&full) {
        assert_ne!(half[0].gradient_norm, full[0].gradient_norm);
        assert_near("norm", half[0].gradient_norm, full[0].gradient_norm, 1e-2);
        assert_eq!(half[0].loss, full[0].loss);
    }
    let numbers = |steps: &[StepRecord]| -> Vec<(f32, f32)> {
        steps
            .iter()
            .map(|step| (step.loss, step.gradient_norm))
            .collect()
    };
    assert_eq!(numbers(&half[0].2), numbers(&half[1].2));
}

#[test]
fn a_run_stops_when_another_process_asks() {
    let config = recipe(1, Residency::Shared);
    for (end, _, steps) in together(2, &config, &RunOptions::default(), Some(2)) {
        assert_eq!(end, RunEnd::Interrupted);
        assert_eq!(steps.len(), 2);
    }
}

#[test]
fn only_the_leading_process_writes_run_states() {
    let dir = tempfile::tempdir().unwrap();
    let store = RunStateStore::open(dir.path(), NonZeroUsize::new(2).unwrap()).unwrap();
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
    // Two that write the same folder would be in each other's way.
    together(2, &recipe(1, Residency::Shared), &options, None);
    assert_eq!(store.steps().unwrap(), [2, 4]);
}
