//! Trainings with another optimiser, frozen layers, layers drawn anew, and averages of weights.

use std::collections::HashMap;

use bert_finetune::{Recipe, Settings};
use bert_model::BertConfig;
use bert_model::checkpoint::read_tensors;
use bert_test_support::Workspace;
use bert_training::Optim;

use crate::support::{epochs, finish, refuse, stop_after, training};

#[test]
fn a_run_with_another_kind_of_update_is_not_resumed() {
    let workspace = Workspace::new();
    let settings = |change: fn(&mut Recipe)| {
        let mut settings = training(&workspace, "out");
        change(&mut settings.run.recipe);
        settings
    };
    stop_after(5, &settings(|_| {}));
    type Change = fn(&mut Recipe);
    let cases: [(Change, &str); 5] = [
        (
            |it| it.adam_epsilon = Some(1e-8),
            "recipe.adam_epsilon was 1e-6 and is 1e-8",
        ),
        (
            |it| it.optim = Optim::Adamw,
            "recipe.optim was null and is \"adamw\"",
        ),
        (
            |it| it.layer_lr_decay = 0.9,
            "recipe.layer_lr_decay was null and is 0.9",
        ),
        (
            |it| it.freeze = Some("embeddings,0".parse().unwrap()),
            "recipe.freeze was null and is \"embeddings,0\"",
        ),
        (
            |it| it.average_weights = Some("ema:0.99".parse().unwrap()),
            "recipe.average_weights was null and is \"ema:0.99\"",
        ),
    ];
    for (change, expected) in cases {
        let line = refuse(&settings(change));
        assert!(line.contains(expected), "{line}");
    }
}

/// The tensors of a checkpoint in the workspace, as bits.
fn tensors(workspace: &Workspace, model: &str) -> HashMap<String, Vec<u32>> {
    let path = workspace.path(model).join("model.safetensors");
    let tensors = read_tensors(&path).unwrap().into_iter();
    let bits = tensors.map(|(name, it)| (name, it.values.iter().map(|v| v.to_bits()).collect()));
    bits.collect()
}

#[test]
fn all_of_them_together_train_and_resume_to_the_bit() {
    let workspace = Workspace::new();
    finish(&epochs(&workspace, "base", 1.0));
    let layers = BertConfig::read(&workspace.path("base/config.json")).unwrap();
    let top = layers.num_hidden_layers - 1;
    let settings = |out: &str| -> Settings {
        let mut settings = training(&workspace, out);
        settings.run.bert_model = workspace.path("base");
        settings.run.from_scratch = false;
        settings.run.evaluation.eval_steps = Some(7);
        let recipe = &mut settings.run.recipe;
        recipe.optim = Optim::Adamw;
        recipe.layer_lr_decay = 0.9;
        recipe.freeze = Some("embeddings".parse().unwrap());
        recipe.reinit_layers = 1;
        recipe.average_weights = Some("swa:0.5".parse().unwrap());
        settings
    };
    let log = finish(&settings("whole")).log;
    let drawn = format!("with seed 42: the layers from {top} up, and the pooler");
    assert!(log.contains(&drawn), "{log}");
    assert!(log.contains("parameters are trained"), "{log}");
    // In front of the average of the last half, and within it.
    for step in [10, 30] {
        stop_after(step, &settings("stopped"));
    }
    finish(&settings("stopped"));
    workspace.assert_equal_results("whole", "stopped");
    let [base, tuned] = ["base", "whole"].map(|model| tensors(&workspace, model));
    for (name, before) in &base {
        let is_frozen = name.contains("embeddings");
        assert_eq!(before == &tuned[name], is_frozen, "{name}");
    }
    let mut more = settings("more");
    more.run.recipe.reinit_layers = 9;
    let line = refuse(&more);
    assert!(
        line.contains("`reinit_layers`: found 9, expected at most the"),
        "{line}"
    );
    more.run.recipe.reinit_layers = 1;
    more.run.from_scratch = true;
    let line = refuse(&more);
    assert!(
        line.contains("`reinit_layers`: found 1, expected a checkpoint"),
        "{line}"
    );
    assert!(!workspace.path("more").exists());
}

/// An average that never begins is none, and that is said.
#[test]
fn a_run_that_ends_before_its_average_begins_says_so() {
    let workspace = Workspace::new();
    let mut settings = training(&workspace, "out");
    settings.run.recipe.average_weights = Some("swa:0.05".parse().unwrap());
    settings.run.recipe.learning_rate = 1e-9;
    settings.run.evaluation.eval_steps = Some(2);
    settings.run.evaluation.early_stopping_patience = Some(2);
    let log = finish(&settings).log;
    let expected = "average_weights swa:0.05: the run ended before the average began";
    assert!(log.contains(expected), "{log}");
}
