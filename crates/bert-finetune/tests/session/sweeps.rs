//! One training with several settings.

use std::fs;

use bert_finetune::{Configuration, FinetuneError, Settings, Sweep, sweep};
use bert_tasks::Unwatched;
use bert_test_support::{Workspace, json};

use crate::support::{Stopper, epochs, finish};

/// A sweep over learning rates, an epoch each in the last rung.
fn rates(workspace: &Workspace, out: &str, rates: &[f64], halving: Option<usize>) -> Sweep {
    let configuration = |rate: &f64| {
        let mut settings = epochs(workspace, out, 1.0);
        settings.run.recipe.learning_rate = *rate;
        Configuration {
            name: format!("learning-rate-{rate:e}"),
            values: vec![format!("{rate:e}")],
            settings,
        }
    };
    Sweep {
        dir: workspace.path(out),
        varied: vec!["learning-rate".to_owned()],
        configurations: rates.iter().map(configuration).collect(),
        halving,
    }
}

fn with_seeds(mut sweep: Sweep, seeds: &[u64]) -> Sweep {
    for own in &mut sweep.configurations {
        own.settings.run.seeds = seeds.to_vec();
    }
    sweep
}

#[test]
fn a_sweep_is_stopped_and_goes_on_and_its_runs_are_ordinary_ones() {
    let workspace = Workspace::new();
    let two = |out: &str| with_seeds(rates(&workspace, out, &[1e-4, 1e-3], None), &[1, 2]);
    let whole = sweep(&two("whole"), &Unwatched).unwrap();
    match sweep(&two("out"), &Stopper::in_training(3, 5)) {
        Err(FinetuneError::Interrupted(line)) => {
            assert!(line.contains("learning-rate-1e-3/seed-1"), "{line}");
        }
        other => panic!("{other:?}"),
    }
    let so_far = json(&workspace.path("out/sweep.json"));
    assert_eq!(so_far["to_come"], 1);
    let first = workspace.path("out/learning-rate-1e-4/seed-2/model.safetensors");
    let written = || fs::metadata(&first).unwrap().modified().unwrap();
    let before = written();
    assert_eq!(sweep(&two("out"), &Unwatched).unwrap(), whole);
    assert_eq!(written(), before);

    // The same as the run alone, and the same again where nothing is left to do.
    let mut alone = epochs(&workspace, "alone", 1.0);
    alone.run.recipe.learning_rate = 1e-3;
    alone.run.seed = 1;
    let outcome = finish(&alone).outcomes.remove(0);
    workspace.assert_equal_results("alone", "out/learning-rate-1e-3/seed-1");
    let row = whole
        .configurations
        .iter()
        .find(|row| row.values == ["1e-3"]);
    assert_eq!(row.unwrap().runs[0].score, outcome.score);
    assert!(outcome.score.is_some());
    assert_eq!(sweep(&two("out"), &Unwatched).unwrap(), whole);

    // The best first, and a page that names every run.
    let means: Vec<f64> = whole
        .configurations
        .iter()
        .map(|row| row.score.unwrap().mean)
        .collect();
    assert!(means[0] >= means[1], "{means:?}");
    let page = fs::read_to_string(workspace.path("out/sweep.html")).unwrap();
    for run in whole.configurations.iter().flat_map(|row| &row.runs) {
        let link = format!("href=\"./{}/report.html\"", run.folder);
        assert!(page.contains(&link), "{link}");
        assert!(
            workspace
                .path("out")
                .join(&run.folder)
                .join("report.html")
                .exists()
        );
    }
    let table = fs::read_to_string(workspace.path("out/sweep.txt")).unwrap();
    assert_eq!(table, whole.to_text());
    assert_eq!(table.lines().count(), 3, "{table}");
}

#[test]
fn halving_trains_the_best_for_longer() {
    let workspace = Workspace::new();
    let asked = rates(&workspace, "out", &[1e-9, 3e-4, 1e-3, 2e-9], Some(2));
    let found = sweep(&asked, &Unwatched).unwrap();
    let steps = |folder: &str| {
        json(&workspace.path("out").join(folder).join("run.json"))["summary"]["total_steps"].clone()
    };
    for row in &found.configurations {
        assert_eq!(steps(&row.folder), (12.0 * row.training) as u64, "{row:?}");
    }
    let shares: Vec<f64> = found
        .configurations
        .iter()
        .map(|row| row.training)
        .collect();
    assert_eq!(shares, [1.0, 0.5, 0.25, 0.25]);
    // Who goes on has the best score of its rung.
    let score = |folder: String| {
        let record = json(&workspace.path("out").join(folder).join("run.json"));
        record["summary"]["outcome"]["score"].as_f64().unwrap()
    };
    let name = |row: usize| {
        let folder = &found.configurations[row].folder;
        folder.rsplit('/').next().unwrap().to_owned()
    };
    let first: Vec<f64> = (0..4)
        .map(|row| score(format!("rung-1/{}", name(row))))
        .collect();
    let worst_that_went_on = first[0].min(first[1]);
    assert!(
        first[2..].iter().all(|score| *score <= worst_that_went_on),
        "{first:?}"
    );
    assert!(score(format!("rung-2/{}", name(0))) >= score(format!("rung-2/{}", name(1))));
    assert!(!workspace.path("out/rung-2").join(name(2)).exists());
    assert!(!workspace.path("out").join(name(1)).exists());
}

#[test]
fn a_configuration_that_diverges_is_the_last_and_the_sweep_goes_on() {
    let workspace = Workspace::new();
    let found = sweep(&rates(&workspace, "out", &[1e30, 1e-4], None), &Unwatched).unwrap();
    let last = &found.configurations[1];
    assert_eq!(last.values, ["1e30"]);
    assert_eq!((last.score, last.degenerate()), (None, 1));
    let reason = last.runs[0].degenerate.as_deref().unwrap();
    assert!(reason.contains("try a lower `learning_rate`"), "{reason}");
    assert!(found.configurations[0].score.is_some());
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_is_written() {
    let workspace = Workspace::new();
    let refused = |change: fn(&mut Settings), expected: &str| {
        let mut asked = rates(&workspace, "out", &[1e-4, 1e-3], None);
        change(&mut asked.configurations[1].settings);
        let error = sweep(&asked, &Unwatched).unwrap_err();
        assert!(error.is_bad_input(), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!workspace.path("out").exists());
    };
    refused(
        |settings| settings.run.max_eval_examples = Some(3),
        "`max_eval_examples`: found null and 3, expected one value",
    );
    refused(
        |settings| settings.run.recipe.learning_rate = -1.0,
        "`learning_rate`: found -1",
    );
    finish(&epochs(&workspace, "plain", 1.0));
    let error = sweep(&rates(&workspace, "plain", &[1e-4, 1e-3], None), &Unwatched).unwrap_err();
    assert!(error.to_string().contains("of an earlier run"), "{error}");
    let found = error.to_string();
    assert!(found.contains("found model.safetensors"), "{found}");
}
