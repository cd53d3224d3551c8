//! What a run finds in its output folder, and what it leaves alone.

use std::fs;

use bert_finetune::{RunSettings, Settings, TaskSettings};
use bert_tasks::glue::GlueSettings;
use bert_test_support::{Workspace, json, names, repository};

use crate::support::{
    cpu, epochs, fail, finish, prediction, refuse, small_model, stop_after, training,
};

#[test]
fn an_unfinished_training_is_not_replaced_by_a_prediction() {
    let workspace = Workspace::new();
    stop_after(4, &training(&workspace, "out"));
    finish(&epochs(&workspace, "other", 1.0));
    let before = fs::read(workspace.path("out/run.json")).unwrap();
    let line = refuse(&prediction(&workspace, "other", "out"));
    assert!(line.contains("trains was true and is false"), "{line}");
    assert_eq!(fs::read(workspace.path("out/run.json")).unwrap(), before);
}

#[test]
fn what_is_not_ours_is_left_alone_and_what_looks_like_a_run_is_refused() {
    let workspace = Workspace::new();
    let out = workspace.path("out");
    let mine = [
        "tensorboard/notes.txt",
        "checkpoints/.git/config",
        "checkpoints/.gitignore",
        ".config.json.swp",
    ];
    for file in mine {
        fs::create_dir_all(out.join(file).parent().unwrap()).unwrap();
        fs::write(out.join(file), "mine").unwrap();
    }
    finish(&epochs(&workspace, "out", 1.0));
    for file in mine {
        assert_eq!(fs::read(out.join(file)).unwrap(), b"mine", "{file}");
    }
    for file in [
        "metrics.jsonl",
        "config.json",
        "eval_results.json",
        "predictions.csv",
        "checkpoints/step-00000007/config.json",
        "tensorboard/events.out.tfevents.1.host.1.0",
    ] {
        let dir = workspace.path("foreign");
        let path = dir.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let line = refuse(&epochs(&workspace, "foreign", 1.0));
        let first = file.split('/').next().unwrap();
        assert!(
            line.contains(&format!("found {first}, of an earlier run")),
            "{line}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn a_bad_setting_costs_an_earlier_run_nothing() {
    let workspace = Workspace::new();
    finish(&epochs(&workspace, "out", 1.0));
    let before = names(&workspace.path("out"));
    let refuse_with = |change: fn(&mut RunSettings), expected: &str| {
        let mut settings = training(&workspace, "out");
        settings.run.overwrite_output_dir = true;
        change(&mut settings.run);
        let line = refuse(&settings);
        assert!(line.contains(expected), "{line}");
    };
    refuse_with(
        |run| run.saving.save_steps = Some(0),
        "`save_steps`: found 0",
    );
    refuse_with(
        |run| run.evaluation.eval_steps = Some(0),
        "`eval_steps`: found 0",
    );
    refuse_with(
        |run| run.evaluation.early_stopping_patience = Some(3),
        "expected `eval_steps`",
    );
    refuse_with(
        |run| run.saving.save_minutes = -1.0,
        "`save_minutes`: found -1",
    );
    refuse_with(
        |run| run.saving.save_minutes = f64::NAN,
        "`save_minutes`: found NaN",
    );
    // What a run begins with must outlive its results.
    let inside = workspace.path("out/checkpoints/step-00000012");
    for model in [&workspace.path("out"), &inside] {
        let mut settings = training(&workspace, "out");
        settings.run.overwrite_output_dir = true;
        settings.run.from_scratch = false;
        settings.run.bert_model = model.clone();
        let line = refuse(&settings);
        assert!(line.contains("found `bert_model` in it"), "{line}");
    }
    assert_eq!(names(&workspace.path("out")), before);
    assert!(inside.join("model.safetensors").exists());
}

#[test]
fn scoring_in_place_keeps_the_training_s_record_and_scores() {
    let workspace = Workspace::new();
    let rte = repository().join("data/demo/glue/RTE");
    let settings = |out: &str| {
        let mut run = RunSettings::new(small_model(), workspace.path(out), cpu());
        run.from_scratch = true;
        run.recipe.train_batch_size = 8;
        run.recipe.num_train_epochs = 1.0;
        run.max_train_examples = Some(24);
        let task = GlueSettings {
            task: "rte".parse().unwrap(),
            train_file: Some(rte.join("train.tsv")),
            eval_file: vec![rte.join("dev.tsv")],
            ..GlueSettings::in_memory(48, 8)
        };
        let task = TaskSettings::TrainGlue(task);
        Settings { run, task }
    };
    finish(&settings("out"));
    let read = |file: &str| fs::read_to_string(workspace.path("out").join(file)).unwrap();
    let (record, results) = (
        read("run.json"),
        json(&workspace.path("out/eval_results.json")),
    );
    let evaluation = |out: &str| {
        let mut settings = settings(out);
        settings.run.bert_model = workspace.path("out");
        settings.run.from_scratch = false;
        settings.run.trains = false;
        settings.run.max_train_examples = None;
        if let TaskSettings::TrainGlue(glue) = &mut settings.task {
            glue.train_file = None;
        }
        settings
    };
    let scored = finish(&evaluation("out")).outcomes;
    assert_eq!(scored[0].table.rows()[0].0, "as given");
    assert_eq!(read("run.json"), record);
    assert_eq!(json(&workspace.path("out/eval_results.json")), results);

    finish(&epochs(&workspace, "other", 1.0));
    let line = refuse(&evaluation("other"));
    assert!(line.contains("found run.json of an earlier run"), "{line}");
}

#[cfg(unix)]
#[test]
fn a_lock_leads_nowhere_else() {
    let workspace = Workspace::new();
    let mine = workspace.path("mine");
    fs::write(&mine, "mine").unwrap();
    fs::create_dir(workspace.path("out")).unwrap();
    let link = workspace.path("out/.bert-lock");
    for target in [&mine, &workspace.path("nowhere")] {
        std::os::unix::fs::symlink(target, &link).unwrap();
        let line = fail(&epochs(&workspace, "out", 1.0));
        assert!(line.contains("as a link"), "{line}");
        fs::remove_file(&link).unwrap();
    }
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
    assert!(!workspace.path("nowhere").exists());
}
