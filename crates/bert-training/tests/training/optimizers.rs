//! What the optimiser is asked for besides BertAdam: AdamW, layers with rates of their own, frozen parts, averages.

use bert_model::checkpoint::BERT;
use bert_model::{Precision, parameters};
use bert_test_device::test_device;
use bert_training::optimizer::Residency;
use bert_training::squad::SquadTask;
use bert_training::{Optim, Recipe, TrainConfig, train};

use crate::support::{Losses, UPDATES, changed, eight_questions, tiny_model, train_config};

type Weights = Vec<parameters::NamedValues>;

fn start() -> Weights {
    parameters::values(&tiny_model(&test_device().autodiff()), &BERT)
}

fn trained(config: &TrainConfig) -> (Weights, Vec<f32>) {
    let features = eight_questions();
    let task = SquadTask {
        features: &features,
        pad_token_id: 0,
    };
    let device = test_device().autodiff();
    let mut losses = Losses::default();
    let model = train(&task, tiny_model(&device), config, &device, &mut losses).unwrap();
    let losses = losses.0.iter().map(|record| record.loss);
    (parameters::values(&model, &BERT), losses.collect())
}

fn few_steps(change: impl Fn(&mut Recipe)) -> TrainConfig {
    let mut config = train_config();
    config.recipe.num_train_epochs = 3.0;
    config.recipe.train_batch_size = 4;
    config.recipe.gradient_accumulation_steps = 2;
    config.recipe.warmup_proportion = 0.0;
    change(&mut config.recipe);
    config
}

#[test]
fn adamw_learns_eight_examples_by_heart() {
    let mut config = train_config();
    config.recipe.optim = Optim::Adamw;
    let (_, losses) = trained(&config);
    assert!(losses.last().unwrap() < &0.05, "{losses:?}");
}

#[test]
fn where_the_optimiser_lives_changes_no_kind_of_update() {
    for update in UPDATES {
        let run = |residency| {
            let config = few_steps(|recipe| changed(recipe, update));
            trained(&TrainConfig {
                residency,
                ..config
            })
        };
        let shared = run(Residency::Shared);
        assert!(shared == run(Residency::Host), "{update}: in host memory");
        let device = run(Residency::Device);
        // Not the weights: some gradients are 0 but for rounding, which AdamW makes a whole step of.
        for (a, b) in shared.1.iter().zip(&device.1) {
            assert!((a - b).abs() < 1e-4, "{update}: losses {a} and {b}");
        }
    }
}

#[test]
fn every_kind_of_update_is_another_one() {
    let plain = trained(&few_steps(|_| {})).0;
    for update in UPDATES {
        let own = trained(&few_steps(|recipe| changed(recipe, update))).0;
        assert!(own != plain, "{update}");
    }
}

#[test]
fn what_is_frozen_stays_and_all_else_is_trained() {
    let before = start();
    for (parts, is_frozen) in [
        (
            "embeddings,0",
            (|name| name.contains("embeddings") || name.contains("layer.0.")) as fn(&str) -> bool,
        ),
        ("embeddings,0-1", |name| name.starts_with("bert.")),
        ("embeddings", |name| name.contains("embeddings")),
        ("0", |name| name.contains("layer.0.")),
        ("embeddings,1", |name| {
            name.contains("embeddings") || name.contains("layer.1.")
        }),
    ] {
        for (checkpointing, precision) in [
            (false, Precision::Fp32),
            (true, Precision::Fp32),
            (false, Precision::Bf16),
        ] {
            let mut config = few_steps(|recipe| recipe.freeze = Some(parts.parse().unwrap()));
            config.gradient_checkpointing = checkpointing;
            config.precision = precision;
            for (before, after) in before.iter().zip(trained(&config).0) {
                let name = &after.name;
                assert_eq!(
                    before.values == after.values,
                    is_frozen(name),
                    "{parts}: {name}"
                );
            }
        }
    }
}

/// Gradients of one tensor clipped by themselves do not depend on what is frozen.
#[test]
fn a_step_of_what_is_trained_is_that_of_a_model_without_frozen_parts() {
    let one = |parts: Option<&str>| {
        let config = few_steps(|recipe| {
            recipe.max_steps = Some(1);
            recipe.freeze = parts.map(|parts| parts.parse().unwrap());
        });
        trained(&config).0
    };
    let (before, whole) = (start(), one(None));
    for parts in ["embeddings,0", "embeddings", "1"] {
        for ((after, whole), before) in one(Some(parts)).iter().zip(&whole).zip(&before) {
            assert!(after == whole || after == before, "{parts}: {}", after.name);
        }
    }
}

#[test]
fn a_layer_moves_by_its_share_of_the_rate() {
    let one = |decay| {
        let config = few_steps(|recipe| {
            recipe.max_steps = Some(1);
            recipe.optim = Optim::Adamw;
            recipe.weight_decay = 0.0;
            recipe.layer_lr_decay = decay;
        });
        trained(&config).0
    };
    let (before, whole, decayed) = (start(), one(1.0), one(0.5));
    for ((before, whole), decayed) in before.iter().zip(&whole).zip(&decayed) {
        let name = &before.name;
        let share = match name {
            name if name.contains("layer.1.") => 0.5,
            name if name.contains("layer.0.") => 0.25,
            name if name.contains("embeddings") => 0.125,
            _ => 1.0,
        };
        let moved = before.values.iter().zip(&whole.values).zip(&decayed.values);
        for ((before, whole), decayed) in moved {
            let off = (decayed - before) - share * (whole - before);
            assert!(off.abs() < 1e-6, "{name}: {off}");
        }
    }
}

#[test]
fn settings_that_do_not_fit_the_model_are_named() {
    for (change, expected) in [
        (
            (|recipe| recipe.freeze = Some("embeddings,1-2".parse().unwrap())) as fn(&mut Recipe),
            "`freeze`: found layer 2, expected layers 0 to 1 of this model",
        ),
        (
            |recipe| recipe.reinit_layers = 3,
            "`reinit_layers`: found 3, expected at most the 2 layers of this model",
        ),
        (
            |recipe| {
                recipe.reinit_layers = 1;
                recipe.freeze = Some("0-1".parse().unwrap());
            },
            "`reinit_layers`: found 1, expected layers that are trained: layer 1 is frozen",
        ),
    ] {
        let mut recipe = Recipe::default();
        change(&mut recipe);
        assert_eq!(recipe.check_layers(2).unwrap_err().to_string(), expected);
    }
    for (change, expected) in [
        (
            (|recipe| recipe.layer_lr_decay = 1.5) as fn(&mut Recipe),
            "`layer_lr_decay`: found 1.5, expected above 0 and at most 1",
        ),
        (
            |recipe| recipe.adam_epsilon = Some(0.0),
            "`adam_epsilon`: found 0, expected above 0",
        ),
    ] {
        let mut recipe = Recipe::default();
        change(&mut recipe);
        assert_eq!(recipe.validate().unwrap_err().to_string(), expected);
    }
}
