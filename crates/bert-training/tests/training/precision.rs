//! Training in 16 bits is training.

use crate::support::{Losses, eight_questions, tiny_model, train_config};
use bert_model::Precision;
use bert_test_device::test_device;
use bert_training::squad::SquadTask;
use bert_training::{TrainConfig, train};

/// Losses of 200 steps, each the mean of ten.
fn curve(precision: Precision, seed: u64) -> Vec<f32> {
    let features = eight_questions();
    let task = SquadTask {
        features: &features,
        pad_token_id: 0,
    };
    let device = test_device().autodiff();
    let mut config = TrainConfig {
        seed,
        precision,
        ..train_config()
    };
    config.recipe.num_train_epochs = 200.0;
    config.recipe.learning_rate = 5e-4;
    let mut losses = Losses::default();
    train(&task, tiny_model(&device), &config, &device, &mut losses).unwrap();
    assert_eq!(losses.0.len(), 200);
    let means = losses.0.chunks(10);
    means
        .map(|ten| ten.iter().map(|step| step.loss).sum::<f32>() / 10.0)
        .collect()
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    let squares: f32 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    (squares / a.len() as f32).sqrt()
}

/// The same run in 16 and in 32 bits differs less than two runs in 32 bits whose dropout differs.
#[test]
fn losses_in_bf16_are_those_in_32_bits_within_noise() {
    let full = curve(Precision::Fp32, 1);
    let half = curve(Precision::Bf16, 1);
    let other = curve(Precision::Fp32, 2);
    assert!(full[0] > 2.0 * full[19], "something is learnt: {full:?}");
    let (of_precision, of_dropout) = (distance(&full, &half), distance(&full, &other));
    assert!(of_precision > 0.0, "the precision is used");
    assert!(
        of_precision < of_dropout,
        "{of_precision} against {of_dropout}: {full:?}, {half:?}, {other:?}"
    );
}
