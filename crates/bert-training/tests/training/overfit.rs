//! Training does what it should on data small enough to know the outcome.

use bert_test_device::test_device;
use std::ops::ControlFlow;

use crate::support::{Losses, eight_questions, tiny_model, train_config};
use bert_features::batch::Padding;
use bert_inference::{Alone, InferenceConfig, score_windows};
use bert_model::checkpoint::BERT;
use bert_model::{Precision, parameters};
use bert_training::optimizer::Residency;
use bert_training::squad::SquadTask;
use bert_training::{GradClip, Recipe, Schedule, TrainConfig, TrainError, train};
use burn::module::Module;

#[test]
fn eight_examples_are_learnt_by_heart() {
    let features = eight_questions();
    let task = SquadTask {
        features: &features,
        pad_token_id: 0,
    };
    let device = test_device();
    let autodiff = device.clone().autodiff();
    let mut losses = Losses::default();
    let model = train(
        &task,
        tiny_model(&autodiff),
        &train_config(),
        &autodiff,
        &mut losses,
    )
    .unwrap();
    let last = losses.0.last().unwrap();
    assert!(
        last.loss < 0.05,
        "the loss of the last step is {}",
        last.loss
    );

    let config = InferenceConfig {
        batch_size: 3,
        padding: Padding::Longest { multiple_of: 8 },
        precision: Precision::Fp32,
        concurrent: 1,
        largest_buffer: None,
    };
    let mut done = Vec::new();
    let scores = score_windows(&model.valid(), &features, &config, &device, &Alone, |n| {
        done.push(n);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(done, [3, 6, 8]);
    for (window, scores) in features.windows.iter().zip(&scores) {
        let best =
            |scores: &[f32]| (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        let answer = window.answer.unwrap();
        assert_eq!(best(&scores.start), Some(answer.start as usize));
        assert_eq!(best(&scores.end), Some(answer.end as usize));
    }
}

fn final_weights(config: &TrainConfig) -> (Vec<parameters::NamedValues>, Vec<f32>) {
    let features = eight_questions();
    let task = SquadTask {
        features: &features,
        pad_token_id: 0,
    };
    let autodiff = test_device().autodiff();
    let mut losses = Losses::default();
    let model = train(&task, tiny_model(&autodiff), config, &autodiff, &mut losses).unwrap();
    (
        parameters::values(&model, &BERT),
        losses.0.iter().map(|record| record.loss).collect(),
    )
}

fn short() -> TrainConfig {
    let mut config = train_config();
    config.recipe.num_train_epochs = 6.0;
    config
}

#[test]
fn a_run_is_a_function_of_its_seed() {
    let first = final_weights(&short());
    assert_eq!(first, final_weights(&short()), "to the bit");
    assert_ne!(
        first.0,
        final_weights(&TrainConfig { seed: 2, ..short() }).0
    );
}

#[test]
fn where_the_optimiser_lives_does_not_change_the_run() {
    for clip in [GradClip::Tensor, GradClip::Global] {
        let run = |residency| {
            let mut config = TrainConfig {
                residency,
                ..short()
            };
            config.recipe.grad_clip = clip;
            final_weights(&config)
        };
        let shared = run(Residency::Shared);
        // The same arithmetic in the same order, whichever thread does it.
        assert!(shared == run(Residency::Host), "{clip:?}: in host memory");
        let device = run(Residency::Device);
        for (a, b) in shared.1.iter().zip(&device.1) {
            assert!((a - b).abs() < 1e-4, "{clip:?}: losses {a} and {b}");
        }
    }
}

/// Without dropout, accumulation is only another order of the same sums, also where the last group is
/// short: 8 examples in steps of 6 are groups of 6 and 2.
#[test]
fn accumulated_micro_batches_equal_one_batch() {
    let run = |accumulation| {
        let features = eight_questions();
        let task = SquadTask {
            features: &features,
            pad_token_id: 0,
        };
        let autodiff = test_device().autodiff();
        let mut config = short().with_accumulation(accumulation);
        config.recipe.train_batch_size = 6;
        config.padding = Padding::Fixed(48);
        let mut losses = Losses::default();
        let model = crate::support::tiny_model_without_dropout(&autodiff);
        train(&task, model, &config, &autodiff, &mut losses).unwrap();
        losses.0
    };
    let whole = run(1);
    assert_eq!(whole.len(), 12);
    assert_eq!(whole.iter().map(|r| r.examples).sum::<usize>(), 48);
    for (a, b) in whole.iter().zip(run(3)) {
        assert!(
            (a.loss - b.loss).abs() < 2e-4,
            "step {}: {} and {}",
            a.step,
            a.loss,
            b.loss
        );
        assert!((a.gradient_norm - b.gradient_norm).abs() < 2e-3 * a.gradient_norm);
        assert_eq!(a.learning_rate, b.learning_rate);
    }
}

#[test]
fn a_fraction_of_an_epoch_trains_a_fraction() {
    let mut config = train_config();
    config.recipe.num_train_epochs = 0.5;
    config.recipe.train_batch_size = 1;
    assert_eq!(final_weights(&config).1.len(), 4);
}

#[test]
fn a_diverging_run_stops_with_step_and_learning_rate() {
    let features = eight_questions();
    let task = SquadTask {
        features: &features,
        pad_token_id: 0,
    };
    let autodiff = test_device().autodiff();
    let mut config = train_config();
    config.recipe = Recipe {
        learning_rate: 1e30,
        warmup_proportion: 0.0,
        schedule: Schedule::Constant,
        ..config.recipe
    };
    let error = train(
        &task,
        tiny_model(&autodiff),
        &config,
        &autodiff,
        &mut Losses::default(),
    )
    .unwrap_err();
    assert!(matches!(error, TrainError::NotFinite { .. }), "{error}");
    assert!(error.to_string().contains("learning rate 1e30"), "{error}");
}

#[test]
fn a_parameter_without_a_gradient_is_named() {
    let features = eight_questions();
    let task = SquadTask {
        features: &features,
        pad_token_id: 0,
    };
    let autodiff = test_device().autodiff();
    let mut model = tiny_model(&autodiff);
    model.bert = model.bert.no_grad();
    let error = train(
        &task,
        model,
        &train_config(),
        &autodiff,
        &mut Losses::default(),
    )
    .unwrap_err()
    .to_string();
    assert!(
        error.starts_with("no gradient reached 37 of the model's tensors"),
        "{error}"
    );
    assert!(
        error.contains("bert.embeddings.word_embeddings.weight"),
        "{error}"
    );
    assert!(!error.contains("qa_outputs"), "{error}");
}

#[test]
fn bad_settings_are_named() {
    type Change = fn(&mut Recipe);
    let cases: [(Change, &str); 6] = [
        (
            |recipe| recipe.gradient_accumulation_steps = 3,
            "`gradient_accumulation_steps`: found 3, expected a divisor of `train_batch_size` 8",
        ),
        (
            |recipe| recipe.train_batch_size = 1_000_001,
            "`train_batch_size`: found 1000001, expected at most 1000000",
        ),
        (
            |recipe| recipe.num_train_epochs = 0.0,
            "`num_train_epochs`: found 0, expected above 0",
        ),
        (
            |recipe| recipe.learning_rate = f64::NAN,
            "`learning_rate`: found NaN, expected above 0",
        ),
        (
            |recipe| recipe.warmup_proportion = 1.0,
            "`warmup_proportion`: found 1, expected at least 0 and below 1",
        ),
        (
            |recipe| recipe.max_grad_norm = -1.0,
            "`max_grad_norm`: found -1, expected above 0",
        ),
    ];
    for (change, message) in cases {
        let mut config = train_config();
        change(&mut config.recipe);
        assert_eq!(config.validate().unwrap_err().to_string(), message);
    }
    let mut off = train_config();
    off.recipe.max_grad_norm = 0.0;
    off.recipe.grad_clip = GradClip::None;
    off.validate().unwrap();
}
