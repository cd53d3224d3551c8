//! What a training takes of memory: told before it begins, kept to, and no matter for its results.

use bert_finetune::{PlannedMemory, RunSettings, Settings, plan};
use bert_test_support::Workspace;

use crate::support::{finish, refuse, stop_after, training};

/// A training of four examples a step, three steps an epoch, in one piece unless `change` says otherwise.
fn settings(workspace: &Workspace, out: &str, change: impl Fn(&mut RunSettings)) -> Settings {
    let mut settings = training(workspace, out);
    settings.run.recipe.train_batch_size = 4;
    change(&mut settings.run);
    settings
}

/// What a plan says of memory.
fn planned(workspace: &Workspace, change: impl Fn(&mut RunSettings)) -> PlannedMemory {
    let plan = plan(&settings(workspace, "never", change)).unwrap();
    assert!(!workspace.path("never").exists());
    plan.memory_bytes.unwrap()
}

#[test]
fn a_plan_tells_what_a_training_takes() {
    let workspace = Workspace::new();
    let whole = planned(&workspace, |_| {});
    let estimate = whole.estimate;
    let parts = estimate.weights + estimate.gradients + estimate.moments + estimate.activations;
    let host = estimate.host_checkpoint + estimate.program;
    assert_eq!(whole.total, parts + host);
    assert_eq!(estimate.weights, 4 * estimate.parameters);
    assert_eq!(estimate.rows, 16);
    assert!(whole.available.unwrap() > 0);
    let quarters = planned(&workspace, |run| run.recipe.gradient_accumulation_steps = 4);
    assert_eq!(quarters.estimate.rows, 4);
    assert!(quarters.estimate.activations < estimate.activations / 2);
    let again = planned(&workspace, |run| {
        run.execution.gradient_checkpointing = true
    });
    assert!(again.estimate.activations < estimate.activations);
}

#[test]
fn what_does_not_fit_is_refused_or_split() {
    let workspace = Workspace::new();
    let halves = |run: &mut RunSettings| run.recipe.gradient_accumulation_steps = 2;
    let room = planned(&workspace, halves).total;
    assert!(planned(&workspace, |_| {}).total > room);

    let tight = |run: &mut RunSettings| {
        run.execution.max_memory = Some(room);
        run.recipe.num_train_epochs = 4.0;
    };
    let line = refuse(&settings(&workspace, "refused", tight));
    assert!(
        line.contains("it would fit with `gradient_accumulation_steps` 2"),
        "{line}"
    );
    assert!(!workspace.path("refused").exists(), "nothing is written");

    finish(&settings(&workspace, "halves", |run| {
        halves(run);
        run.recipe.num_train_epochs = 4.0;
    }));
    let auto = |run: &mut RunSettings| {
        tight(run);
        run.execution.auto_micro_batch = true;
        run.saving.save_steps = Some(1);
    };
    let log = finish(&settings(&workspace, "auto", auto)).log;
    assert!(log.contains("2 micro-batches a step, not 1"), "{log}");
    workspace.assert_equal_results("halves", "auto");

    // Stopped, and resumed where there is room for all: it goes on in halves.
    stop_after(3, &settings(&workspace, "resumed", auto));
    let roomy = settings(&workspace, "resumed", |run| {
        run.recipe.num_train_epochs = 4.0;
        run.saving.save_steps = Some(1);
    });
    let log = finish(&roomy).log;
    assert!(log.contains("going on after step 3 of 12"), "{log}");
    assert!(log.contains("2 micro-batches a step, not 1"), "{log}");
    workspace.assert_equal_results("halves", "resumed");
}

#[test]
fn layers_computed_again_give_the_same_bits() {
    let workspace = Workspace::new();
    for (out, again) in [("kept", false), ("again", true)] {
        finish(&settings(&workspace, out, |run| {
            run.recipe.num_train_epochs = 2.0;
            run.execution.gradient_checkpointing = again;
        }));
    }
    workspace.assert_equal_results("kept", "again");
}

/// A batch has no more examples than there are, and a run that goes on keeps its micro-batches whatever the settings say.
#[test]
fn a_resumed_run_keeps_the_micro_batches_it_began_with() {
    let workspace = Workspace::new();
    let whole = |run: &mut RunSettings| {
        run.recipe.num_train_epochs = 8.0;
        run.saving.save_steps = Some(1);
    };
    finish(&settings(&workspace, "whole", whole));
    stop_after(3, &settings(&workspace, "run", whole));
    let roomy = |run: &mut RunSettings| {
        whole(run);
        run.execution.auto_micro_batch = true;
    };
    // It does not fit as it was begun.
    let line = refuse(&settings(&workspace, "run", |run| {
        roomy(run);
        run.execution.max_memory = Some(1 << 20);
    }));
    assert!(!line.contains("accumulation"), "{line}");
    finish(&settings(&workspace, "run", roomy));
    workspace.assert_equal_results("whole", "run");
}
