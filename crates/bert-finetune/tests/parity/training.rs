//! The first steps of trainings.

use bert_finetune::RunSettings;
use bert_model::Precision;

use crate::support::{
    assert_same_losses, cpu, device, logged, precisions, settings, steps_of, tasks, train_until,
};

#[test]
fn every_task_trains_as_on_the_cpu() {
    let dir = tempfile::tempdir().unwrap();
    for (name, task) in tasks() {
        let of_cpu = settings(cpu(), None, task.clone(), &dir.path().join(name));
        let expected = steps_of(&of_cpu);
        for (precision, allowed) in precisions() {
            let folder = dir.path().join(format!("{name}-{precision}"));
            let found = steps_of(&settings(device(), Some(precision), task.clone(), &folder));
            assert_same_losses(&format!("{name}, {precision}"), &found, &expected, allowed);
        }
    }
}

/// Steps whose work and memory are moved about.
#[test]
fn steps_that_save_memory_are_as_on_the_cpu() {
    let dir = tempfile::tempdir().unwrap();
    let [_, (_, task), _] = tasks();
    let (precision, allowed) = precisions().next().unwrap();
    type Change = fn(&mut RunSettings);
    let changes: [(&str, Change); 3] = [
        ("optimize_on_cpu", |run| {
            run.execution.optimize_on_cpu = true
        }),
        ("gradient_checkpointing", |run| {
            run.execution.gradient_checkpointing = true;
        }),
        ("gradient_accumulation_steps", |run| {
            run.recipe.gradient_accumulation_steps = 2;
        }),
    ];
    for (name, change) in changes {
        let run = |device, precision, name: &str| {
            let folder = dir.path().join(name);
            let mut changed = settings(device, precision, task.clone(), &folder);
            change(&mut changed.run);
            steps_of(&changed)
        };
        let expected = run(cpu(), None, &format!("{name}-cpu"));
        let found = run(device(), Some(precision), name);
        assert_same_losses(name, &found, &expected, allowed);
    }
}

#[test]
fn a_run_that_was_stopped_goes_on_as_if_it_had_not_been() {
    let dir = tempfile::tempdir().unwrap();
    let [_, _, (_, task)] = tasks();
    for (precision, _) in precisions() {
        let folder = |name: &str| dir.path().join(format!("{name}-{precision}"));
        let run = |name: &str| settings(device(), Some(precision), task.clone(), &folder(name));
        let whole = steps_of(&run("whole"));
        let error = train_until(&run("stopped"), 5).unwrap_err().to_string();
        assert!(error.contains("stopped after step"), "{error}");
        train_until(&run("stopped"), usize::MAX).unwrap();
        // Atomic sums may come in another order.
        let allowed = match precision {
            Precision::Fp32 => 1e-5,
            Precision::Tf32 | Precision::Bf16 => 1e-4,
        };
        let what = format!("resumed, {precision}");
        assert_same_losses(&what, &logged(&folder("stopped")), &whole, allowed);
    }
}

/// Burn's fusion has let long runs diverge (<https://github.com/tracel-ai/burn/issues/4366>).
#[test]
fn a_longer_run_learns() {
    let dir = tempfile::tempdir().unwrap();
    let [_, (_, task), _] = tasks();
    for (precision, _) in precisions() {
        let folder = dir.path().join(precision.to_string());
        let mut long = settings(device(), Some(precision), task.clone(), &folder);
        long.run.max_train_examples = Some(16);
        long.run.recipe.num_train_epochs = 10.0;
        long.run.recipe.learning_rate = 1e-3;
        let losses: Vec<f64> = steps_of(&long).iter().map(|step| step.loss).collect();
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let (first, last) = (mean(&losses[..8]), mean(&losses[losses.len() - 8..]));
        println!(
            "{precision}: from {first:.3} to {last:.3} in {} steps",
            losses.len()
        );
        assert!(last < 0.7 * first, "{precision}: {losses:?}");
    }
}
