//! A training that is stopped and started again.

use std::fs;

use bert_finetune::{RunOutcome, RunSettings, Settings, TaskSettings};
use bert_model::Precision;
use bert_tasks::glue::GlueSettings;
use bert_test_support::{Workspace, copy, json, names};

use crate::support::{
    Stopper, cpu, epochs, finish, prediction, refuse, small_model, stop_after, stopped, training,
};

/// What runs came to, but for the time they took.
fn timeless(outcomes: &[RunOutcome]) -> Vec<RunOutcome> {
    let mut outcomes = outcomes.to_vec();
    for outcome in &mut outcomes {
        assert!(outcome.results.remove("train_seconds").is_some());
    }
    outcomes
}

#[test]
fn a_run_that_is_stopped_again_and_again_ends_with_the_same_bits() {
    for precision in (cpu().device.kind().precisions)() {
        stop_again_and_again(*precision);
    }
}

fn stop_again_and_again(precision: Precision) {
    let workspace = Workspace::new();
    let settings = |out: &str| {
        let mut settings = training(&workspace, out);
        settings.run.compute.precision = precision;
        settings.run.saving.save_steps = Some(5);
        settings.run.evaluation.eval_steps = Some(7);
        settings
    };
    let whole = finish(&settings("whole"));
    // The first step, a step that is saved, the last of an epoch, one that is evaluated, and the one before the last.
    for step in [1, 10, 12, 21, 35] {
        let line = stop_after(step, &settings("stopped"));
        let expected = format!(
            "stopped after step {step} of 36, which is saved in {}/checkpoints; the same command resumes",
            workspace.path("stopped").display()
        );
        assert_eq!(line, expected);
        let steps: Vec<u64> = (1..=step as u64).collect();
        assert_eq!(workspace.logged_steps("stopped"), steps);
        let checkpoint = format!("step-{step:08}");
        assert!(workspace.checkpoints("stopped").contains(&checkpoint));
        assert!(!workspace.path("stopped/model.safetensors").exists());
        assert!(!workspace.path("stopped/.bert-lock").exists());
    }
    let resumed = finish(&settings("stopped"));
    let log = resumed.log;
    assert!(log.contains("going on after step 35 of 36"), "{log}");
    assert_eq!(timeless(&whole.outcomes), timeless(&resumed.outcomes));
    workspace.assert_equal_results("whole", "stopped");
}

#[test]
fn the_best_model_is_the_result_and_stays_in_its_folder() {
    let workspace = Workspace::new();
    let mut settings = training(&workspace, "out");
    settings.run.evaluation.eval_steps = Some(4);
    settings.run.evaluation.early_stopping_patience = Some(2);
    let log = finish(&settings).log;
    let record = json(&workspace.path("out/run.json"));
    let summary = &record["summary"];
    let best = summary["best"]["step"].as_u64().unwrap();
    let evaluations = summary["evaluations"].as_array().unwrap();
    let last = evaluations.last().unwrap()["step"].as_u64().unwrap();
    assert_eq!(summary["stopped_early"], last < 36);
    let checkpoint = format!("out/checkpoints/step-{best:08}");
    let weights =
        |dir: &str| fs::read(workspace.path(&format!("{dir}/model.safetensors"))).unwrap();
    assert!(weights("out") == weights(&checkpoint));
    assert!(log.contains(&format!("step {best}, score")), "{log}");
    assert!(log.contains("trained"), "{log}");
    let results = fs::read_to_string(workspace.path("out/eval_results.txt")).unwrap();
    assert!(
        results.contains(&format!("best_step = {best}")),
        "{results}"
    );
    // A checkpoint is a model like any other.
    let made_by = Settings::of_model(&workspace.path(&checkpoint)).unwrap();
    assert_eq!(
        made_by.unwrap().run.evaluation.early_stopping_patience,
        Some(2)
    );
    finish(&prediction(&workspace, &checkpoint, "again"));
    let accuracy =
        |out: &str| json(&workspace.path(out).join("eval_results.json"))["eval_accuracy"].clone();
    assert!(accuracy("out").is_f64());
    assert_eq!(accuracy("again"), accuracy("out"));
    let predictions = |out: &str| fs::read(workspace.path(out).join("predictions.csv")).unwrap();
    assert!(predictions("again") == predictions("out"));
}

#[test]
fn a_run_is_resumed_with_its_own_settings_and_data_only() {
    let workspace = Workspace::new();
    let settings = |out: &str, epochs: f64, learning_rate: f64| {
        let mut settings = training(&workspace, out);
        settings.run.recipe.num_train_epochs = epochs;
        settings.run.recipe.learning_rate = learning_rate;
        settings
    };
    let mut long = settings("out", 30.0, 1e-3);
    long.run.saving.save_steps = Some(3);
    stop_after(5, &long);
    let before = workspace.checkpoints("out");
    assert_eq!(before, ["step-00000003", "step-00000005"]);
    let line = refuse(&settings("out", 30.0, 2e-3));
    assert!(
        line.contains("recipe.learning_rate was 0.001 and is 0.002"),
        "{line}"
    );

    // The data: other contents are refused, another place is not.
    let data = workspace.path("data/train.csv");
    let original = fs::read_to_string(&data).unwrap();
    let changed = original.replacen(" a ", " the ", 1);
    assert_ne!(changed, original);
    fs::write(&data, changed).unwrap();
    let line = refuse(&long);
    assert!(line.contains("train.csv has SHA-256"), "{line}");
    fs::write(&data, &original).unwrap();
    assert_eq!(workspace.checkpoints("out"), before);
    copy(&workspace.path("data"), &workspace.path("elsewhere"));
    let mut elsewhere = long.clone();
    if let TaskSettings::TrainSwag(swag) = &mut elsewhere.task {
        swag.train_file = Some(workspace.path("elsewhere/train.csv"));
    }
    stop_after(7, &elsewhere);
    assert_eq!(
        workspace.checkpoints("out"),
        ["step-00000006", "step-00000007"]
    );

    let mut absent = epochs(&workspace, "new", 30.0);
    absent.run.resume = true;
    let line = refuse(&absent);
    assert!(line.contains("`resume`: found no run"), "{line}");
    assert!(!workspace.path("new").exists());

    // How often it is saved is no part of what it is.
    let mut short = settings("out", 1.0, 1e-3);
    short.run.overwrite_output_dir = true;
    let first = finish(&short).outcomes;
    short.run.overwrite_output_dir = false;
    let line = refuse(&short);
    assert!(line.contains("found run.json of an earlier run"), "{line}");
    short.run.resume = true;
    short.run.saving.save_steps = Some(7);
    let again = finish(&short);
    assert!(again.log.contains("finished already"), "{}", again.log);
    assert_eq!(again.outcomes, first);
    assert_eq!(again.outcomes[0].table.rows()[0].0, "fine-tuned");
}

#[test]
fn several_seeds_are_resumed() {
    let workspace = Workspace::new();
    let settings = |out: &str| {
        let mut settings = epochs(&workspace, out, 2.0);
        settings.run.seeds = vec![1, 2];
        settings
    };
    finish(&settings("whole"));
    let line = stopped(&Stopper::in_training(2, 4), &settings("out"));
    assert!(
        line.contains("stopped after step 4 of 24") && line.contains("seed-2"),
        "{line}"
    );
    assert!(!workspace.path("out/seeds.json").exists());
    let weights = workspace.path("out/seed-1/model.safetensors");
    let written = || fs::metadata(&weights).unwrap().modified().unwrap();
    let first = written();
    finish(&settings("out"));
    assert_eq!(written(), first);
    for seed in ["seed-1", "seed-2"] {
        workspace.assert_equal_results(&format!("whole/{seed}"), &format!("out/{seed}"));
    }
    let summary = |out: &str| {
        let mut summary = json(&workspace.path(out).join("seeds.json"));
        for group in ["mean", "standard_deviation"] {
            summary[group]["train_seconds"].take();
        }
        for seed in ["1", "2"] {
            summary["results"][seed]["train_seconds"].take();
        }
        summary
    };
    assert_eq!(summary("whole"), summary("out"));

    // Killed before the summary: the same command writes it.
    let summary = fs::read(workspace.path("out/seeds.json")).unwrap();
    fs::remove_file(workspace.path("out/seeds.json")).unwrap();
    finish(&settings("out"));
    assert_eq!(fs::read(workspace.path("out/seeds.json")).unwrap(), summary);
    assert_eq!(written(), first);
}

/// A checkpoint says what it is, not what it was made from.
#[test]
fn a_run_that_began_with_another_tasks_head_is_resumed_and_ends_with_its_best() {
    let workspace = Workspace::new();
    let rows = workspace.path("rows.csv");
    fs::write(&rows, "text,label\ngood,praise\nbad,blame\n").unwrap();
    let mut run = RunSettings::new(small_model(), workspace.path("glue"), cpu());
    run.from_scratch = true;
    run.recipe.num_train_epochs = 1.0;
    let task = TaskSettings::TrainGlue(GlueSettings {
        train_file: Some(rows),
        ..GlueSettings::in_memory(16, 8)
    });
    finish(&Settings { run, task });
    let settings = |out: &str| {
        let mut settings = epochs(&workspace, out, 5.0);
        settings.run.bert_model = workspace.path("glue");
        settings.run.from_scratch = false;
        settings.run.evaluation.eval_steps = Some(7);
        settings
    };
    stop_after(20, &settings("out"));
    // The results that are returned are the same too, but for the time.
    let resumed = finish(&settings("out"));
    assert!(
        resumed.log.contains("going on after step 20 of 60"),
        "{}",
        resumed.log
    );
    let whole = finish(&settings("whole"));
    assert!(
        whole.log.contains("found no head for this task"),
        "{}",
        whole.log
    );
    assert_eq!(timeless(&resumed.outcomes), timeless(&whole.outcomes));
    workspace.assert_equal_results("whole", "out");
}

#[test]
fn an_overwriting_command_says_that_it_would_not_go_on() {
    let workspace = Workspace::new();
    let mut settings = training(&workspace, "out");
    settings.run.overwrite_output_dir = true;
    let line = stop_after(4, &settings);
    assert!(
        line.contains("the same command without `overwrite_output_dir` resumes"),
        "{line}"
    );
}

#[test]
fn a_changed_tokenizer_is_another_run() {
    let workspace = Workspace::new();
    let model = workspace.path("small");
    copy(&small_model(), &model);
    let config = model.join("tokenizer_config.json");
    let casing = r#"{"tokenizer_class":"BertTokenizer","do_lower_case":true}"#;
    fs::write(&config, casing).unwrap();
    let mut settings = training(&workspace, "out");
    settings.run.bert_model = model;
    stop_after(3, &settings);
    let changed =
        r#"{"tokenizer_class":"BertTokenizer","do_lower_case":true,"strip_accents":false}"#;
    fs::write(&config, changed).unwrap();
    let line = refuse(&settings);
    assert!(line.contains("tokenizer_config.json has SHA-256"), "{line}");
    assert_eq!(names(&workspace.path("out/checkpoints")), ["step-00000003"]);
}
