//! What can befall a run: damaged or strange run states, and weights that overflow.

use std::fs;

use bert_finetune::Settings;
use bert_test_support::{Workspace, copy, names};

use crate::support::{epochs, fail, finish, refuse, training};

/// Twelve steps, saved after steps 8 and 12.
fn settings(workspace: &Workspace, out: &str) -> Settings {
    let mut settings = epochs(workspace, out, 1.0);
    settings.run.saving.save_steps = Some(8);
    settings
}

/// The finished run `whole`, and the run `kept`, which needs no more than its last line.
fn all_but_finished(workspace: &Workspace) {
    finish(&settings(workspace, "whole"));
    copy(&workspace.path("whole"), &workspace.path("kept"));
    workspace.unfinish("kept");
    assert_eq!(
        workspace.checkpoints("kept"),
        ["step-00000008", "step-00000012"]
    );
}

#[test]
fn a_damaged_run_state_is_named_and_the_one_before_it_used() {
    let workspace = Workspace::new();
    all_but_finished(&workspace);
    let files = names(&workspace.path("kept/checkpoints/step-00000012"));
    assert_eq!(files.len(), 9, "{files:?}");
    for (n, file) in files.iter().enumerate() {
        for damage in ["flip", "cut"] {
            let out = format!("{damage}-{n}");
            copy(&workspace.path("kept"), &workspace.path(&out));
            let path = workspace
                .path(&out)
                .join("checkpoints/step-00000012")
                .join(file);
            let mut bytes = fs::read(&path).unwrap();
            match damage {
                "flip" => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                }
                _ => drop(bytes.pop()),
            }
            fs::write(&path, bytes).unwrap();
            let log = finish(&settings(&workspace, &out)).log;
            let warning = log.lines().find(|line| line.contains("not used"));
            assert!(
                warning.is_some_and(|line| line.contains("WARN") && line.contains(file.as_str())),
                "{log}"
            );
            assert!(log.contains("going on after step 8 of 12"), "{log}");
            workspace.assert_equal_results("whole", &out);
        }
    }
}

#[test]
fn without_an_intact_run_state_nothing_is_begun_anew_unasked() {
    let workspace = Workspace::new();
    all_but_finished(&workspace);
    let checkpoints = workspace.path("kept/checkpoints");
    for step in ["step-00000008", "step-00000012"] {
        fs::remove_file(checkpoints.join(step).join("vocab.txt")).unwrap();
    }
    let line = refuse(&settings(&workspace, "kept"));
    assert!(line.contains("no intact run state"), "{line}");
    assert_eq!(workspace.checkpoints("kept").len(), 2);
}

#[test]
fn another_runs_state_is_refused() {
    let workspace = Workspace::new();
    all_but_finished(&workspace);
    let mut other = settings(&workspace, "other");
    other.run.seed = 7;
    finish(&other);
    let checkpoints = workspace.path("kept/checkpoints");
    fs::remove_dir_all(&checkpoints).unwrap();
    copy(&workspace.path("other/checkpoints"), &checkpoints);
    let line = refuse(&settings(&workspace, "kept"));
    assert!(line.contains("trainer_state.json: found run "), "{line}");
    assert_eq!(workspace.checkpoints("kept").len(), 2);
}

#[test]
fn what_a_killed_run_left_half_written_is_removed_and_nothing_else() {
    let workspace = Workspace::new();
    all_but_finished(&workspace);
    let out = workspace.path("kept");
    for file in [
        ".bert-tmp-4194304-0",
        ".bert-tmp-4194304-17",
        "checkpoints/.writing-1/model.safetensors",
    ] {
        fs::create_dir_all(out.join(file).parent().unwrap()).unwrap();
        fs::write(out.join(file), "half").unwrap();
    }
    let beside = "checkpoints/step-00000012/.DS_Store";
    for file in ["notes.txt", ".gitignore", "checkpoints/notes.txt", beside] {
        fs::write(out.join(file), "mine").unwrap();
    }
    finish(&settings(&workspace, "kept"));
    let left = names(&out);
    assert!(
        left.iter().all(|name| !name.starts_with(".bert-tmp-")),
        "{left:?}"
    );
    for file in ["notes.txt", beside, ".gitignore"] {
        assert_eq!(fs::read(out.join(file)).unwrap(), b"mine", "{file}");
    }
    let checkpoints = ["notes.txt", "step-00000008", "step-00000012"];
    assert_eq!(workspace.checkpoints("kept"), checkpoints);
}

#[test]
fn a_weight_that_overflows_is_named_and_not_blamed_on_the_data() {
    let workspace = Workspace::new();
    // Weights of 1e30 are numbers; what they compute is not.
    let mut settings = training(&workspace, "logits");
    settings.run.recipe.learning_rate = 1e30;
    settings.run.evaluation.eval_steps = Some(1);
    let line = fail(&settings);
    assert!(
        line.contains("the last run state, whose weights are finite, is"),
        "{line}"
    );
    assert!(line.contains("`learning_rate`"), "{line}");
    for out in ["evaluated", "saved"] {
        let mut settings = training(&workspace, out);
        settings.run.recipe.learning_rate = 1e39;
        settings.run.recipe.warmup_proportion = 0.0;
        match out {
            "evaluated" => settings.run.evaluation.eval_steps = Some(1),
            _ => settings.run.saving.save_steps = Some(1),
        }
        let line = fail(&settings);
        assert!(
            line.contains("after step 1 of 36; loss and gradient norm"),
            "{line}"
        );
        assert!(line.contains("`learning_rate`"), "{line}");
    }
}
