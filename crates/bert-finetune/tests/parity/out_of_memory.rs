//! Trainings on a device with too little memory, which only the software CUDA device can be told to have.
//!
//! A process loads the device's driver once, so each training is a process of its own: this program again, asked for
//! [`CHILD`] alone. The amounts of memory are those at which the demo's model fails at the place meant.

use std::env;
use std::path::Path;
use std::process::Command;

use bert_finetune::{Settings, TaskSettings, train};

use crate::prediction::questions;
use crate::support::{STEPS, Stopped, device, logged, settings, tasks};

/// The test that trains in such a process, where [`FOLDER`] is set.
const CHILD: &str = "out_of_memory::without_memory_for_anything_nothing_is_begun";
/// The folder of the run.
const FOLDER: &str = "BERT_TEST_FOLDER";
/// What is changed in its settings.
const CHANGE: &str = "BERT_TEST_CHANGE";

/// Runs a test in a folder of its own, if the device's memory can be chosen; in a process of [`train_in`], trains.
fn with_chosen_memory(test: impl FnOnce(&Path)) {
    if let Some(folder) = env::var_os(FOLDER) {
        let change = env::var(CHANGE).unwrap();
        // The harness may have begun a line.
        match train(&changed(Path::new(&folder), &change), &Stopped::never()) {
            Ok(_) => println!("\nended well"),
            Err(error) => println!("\nended: {error}"),
        }
        return;
    }
    if env::var_os("CUDA_ON_CPU_CACHE").is_none() || !device().to_string().starts_with("cuda") {
        println!(
            "skipped: found {}, expected the software CUDA device",
            device()
        );
        return;
    }
    test(tempfile::tempdir().unwrap().path());
}

fn changed(folder: &Path, change: &str) -> Settings {
    let [(_, task), ..] = tasks();
    let mut settings = settings(device(), None, task, folder);
    // The estimate would refuse what is to fail.
    settings.run.execution.max_memory = Some(1 << 30);
    settings.run.saving.save_steps = Some(1);
    match change {
        "" => {}
        "large" => settings.run.recipe.train_batch_size = 16,
        "auto" => {
            settings.run.recipe.train_batch_size = 16;
            settings.run.execution.auto_micro_batch = true;
        }
        "evaluation" => {
            let TaskSettings::TrainSquad(squad) = &mut settings.task else {
                unreachable!("the first task is SQuAD");
            };
            let few = folder.with_extension("json");
            questions(squad.train_file.as_ref().unwrap(), &few, 100);
            squad.predict_file = Some(few);
            squad.prediction.predict_batch_size = 100;
        }
        other => panic!("{other}"),
    }
    settings
}

/// What a training says at its end.
fn train_in(memory: &str, folder: &Path, change: &str) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", CHILD, "--nocapture"])
        .env("CUDA_ON_CPU_MEMORY", memory)
        .env(FOLDER, folder)
        .env(CHANGE, change)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let end = text.lines().find(|line| line.starts_with("ended"));
    let end = end.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    println!("{memory}: {end}");
    end.to_owned()
}

#[test]
fn without_memory_for_anything_nothing_is_begun() {
    with_chosen_memory(|dir| {
        let end = train_in("4m", &dir.join("run"), "");
        assert!(
            end.contains("a test kernel ran out of memory: out of device memory"),
            "{end}"
        );
        assert_eq!(dir.read_dir().unwrap().count(), 0);
    });
}

#[test]
fn a_step_without_memory_ends_the_run_with_advice() {
    with_chosen_memory(|dir| {
        let folder = dir.join("run");
        let end = train_in("16m", &folder, "");
        assert!(
            end.contains("out of memory: out of device memory allocating"),
            "{end}"
        );
        assert!(
            end.contains("; try `gradient_accumulation_steps` 2, or `gradient_checkpointing`"),
            "{end}"
        );
        assert_eq!(train_in("64m", &folder, ""), "ended well");
        let whole = dir.join("whole");
        assert_eq!(train_in("64m", &whole, ""), "ended well");
        assert_eq!(logged(&folder), logged(&whole));
    });
}

#[test]
fn an_evaluation_without_memory_loses_no_step() {
    with_chosen_memory(|dir| {
        let folder = dir.join("run");
        let end = train_in("24m", &folder, "evaluation");
        assert!(
            end.contains("; try a smaller `predict_batch_size`"),
            "{end}"
        );
        let steps = logged(&folder);
        assert!(steps.len() >= STEPS, "{steps:?}");
        assert_eq!(train_in("256m", &folder, "evaluation"), "ended well");
        assert_eq!(logged(&folder), steps);
    });
}

#[test]
fn micro_batches_that_fit_are_found() {
    with_chosen_memory(|dir| {
        let end = train_in("20m", &dir.join("large"), "large");
        assert!(end.contains("out of memory"), "{end}");
        for memory in ["20m", "24m", "28m"] {
            let end = train_in(memory, &dir.join(memory), "auto");
            assert_eq!(end, "ended well", "{memory}");
        }
    });
}
