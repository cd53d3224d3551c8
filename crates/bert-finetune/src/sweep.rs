//! One training with several settings, compared by their scores on the development set.
//!
//! Each configuration is a command like any other, with a run for each of its seeds. Successive halving (Jamieson &
//! Talwalkar 2016) trains all of them briefly, the best of them longer, and so on. A short training here is a whole one in
//! fewer steps, whose learning rate ends at 0: what a long one has reached on its way says less of its end.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bert_files::Replacement;
use bert_records::{InputFile, write_json};
use bert_report::{Statistic, SweepRow, SweepRun, SweepSummary, render_sweep};
use bert_tasks::squad::Squad;
use bert_tasks::swag::Choices;
use bert_tasks::{Family, TaskError, glue::TextClasses};
use tracing::info;

use crate::command::plan_after;
use crate::execute::{Manner, check_memory, execute, hold};
use crate::output::{SWEEP, earlier_results};
use crate::prepare::{Before, check_begins, prepare, read_inputs};
use crate::seeds::statistic;
use crate::{FinetuneError, Plan, Program, RunOutcome, Settings, TaskSettings, standing};

/// Settings that say what is scored, and how: scores are compared where they are the same.
const SCORED: [&str; 10] = [
    "command",
    "task",
    "predict_file",
    "eval_file",
    "validation_split",
    "max_eval_examples",
    "regression",
    "multi_label",
    "label_separator",
    "label_columns",
];

/// Several settings of one training.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The folder for all of it.
    pub dir: PathBuf,
    /// The flags that differ, without dashes.
    pub varied: Vec<String>,
    /// What is trained.
    pub configurations: Vec<Configuration>,
    /// With this number n, the best of n go on to n times the steps, until one is left; `None`: all are trained in full.
    pub halving: Option<usize>,
}

/// One of the settings that are compared.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The name of its folder.
    pub name: String,
    /// The values of the flags that differ.
    pub values: Vec<String>,
    /// Every setting but the output folder.
    pub settings: Settings,
}

/// How many configurations are trained, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rung {
    configurations: usize,
    /// The part of the whole training is one of this many.
    divisor: usize,
}

impl Sweep {
    /// Checks what can be checked without data.
    fn validate(&self) -> Result<(), FinetuneError> {
        let bad = |setting: &'static str, found: String, expected: &str| FinetuneError::Setting {
            setting,
            found,
            expected: expected.to_owned(),
        };
        if let Some(found) = self.halving.filter(|factor| *factor < 2) {
            return Err(bad("halving", found.to_string(), "at least 2"));
        }
        if self.configurations.len() < 2 {
            let found = format!("{} configuration", self.configurations.len());
            return Err(bad("sweep", found, "at least 2"));
        }
        let mut all = Vec::new();
        for own in &self.configurations {
            all.push(own.settings.to_json()?);
        }
        for setting in SCORED {
            let differs = |other: &&serde_json::Value| other.get(setting) != all[0].get(setting);
            if let Some(other) = all.iter().find(differs) {
                let text = |of: &serde_json::Value| {
                    let value = of.get(setting);
                    value.map_or_else(|| "none".to_owned(), ToString::to_string)
                };
                let found = format!("{} and {}", text(&all[0]), text(other));
                let expected = "one value: scores of other data or tasks are not compared";
                return Err(bad(setting, found, expected));
            }
        }
        if !self
            .configurations
            .iter()
            .all(|own| own.settings.run.trains)
        {
            return Err(bad(
                "sweep",
                "nothing to train on".to_owned(),
                "training data",
            ));
        }
        Ok(())
    }

    fn rungs(&self) -> Vec<Rung> {
        let mut configurations = self.configurations.len();
        let mut rungs = vec![Rung {
            configurations,
            divisor: 1,
        }];
        let Some(factor) = self.halving else {
            return rungs;
        };
        while configurations > 1 {
            configurations = (configurations / factor).max(1);
            rungs
                .iter_mut()
                .for_each(|rung| rung.divisor = rung.divisor.saturating_mul(factor));
            rungs.push(Rung {
                configurations,
                divisor: 1,
            });
        }
        rungs
    }

    /// A configuration in a rung, into a folder of its own; the last rung's is the configuration's.
    fn settings(&self, configuration: usize, stage: usize, rung: Rung) -> (Settings, String) {
        let own = &self.configurations[configuration];
        let mut settings = own.settings.clone();
        settings.run.recipe = settings.run.recipe.shortened(rung.divisor);
        let folder = match rung.divisor {
            1 => own.name.clone(),
            _ => format!("rung-{}/{}", stage + 1, own.name),
        };
        settings.run.output_dir = folder
            .split('/')
            .fold(self.dir.clone(), |dir, part| dir.join(part));
        (settings, folder)
    }
}

/// Trains every configuration, and returns them with the best first. A sweep that was stopped goes on: a run that is finished
/// is not repeated, and one that was stopped is resumed. `sweep.json`, `sweep.txt` and `sweep.html` hold what is done so far.
///
/// # Errors
/// When an input is bad, a training fails other than by diverging, or an output cannot be written.
pub fn sweep(sweep: &Sweep, program: &dyn Program) -> Result<SweepSummary, FinetuneError> {
    sweep.validate()?;
    // One command's, as was checked.
    match &sweep.configurations[0].settings.task {
        TaskSettings::TrainSquad(_) => run(sweep, program, |settings| match &settings.task {
            TaskSettings::TrainSquad(task) => Squad::read(&settings.run.source(), task),
            _ => unreachable!("a sweep has one command"),
        }),
        TaskSettings::TrainSwag(_) => run(sweep, program, |settings| match &settings.task {
            TaskSettings::TrainSwag(task) => Choices::read(&settings.run.source(), task),
            _ => unreachable!("a sweep has one command"),
        }),
        TaskSettings::TrainGlue(_) => run(sweep, program, |settings| match &settings.task {
            TaskSettings::TrainGlue(task) => TextClasses::read(&settings.run.source(), task),
            _ => unreachable!("a sweep has one command"),
        }),
    }
}

/// Says what [`sweep`] would train in full: each configuration's folder below that of the sweep, and its plan.
///
/// # Errors
/// When an input is bad, or a training does not fit into memory.
pub fn plan_sweep(sweep: &Sweep) -> Result<Vec<(String, Plan)>, FinetuneError> {
    sweep.validate()?;
    let whole = Rung {
        configurations: sweep.configurations.len(),
        divisor: 1,
    };
    let plans = (0..sweep.configurations.len()).map(|n| {
        let (settings, folder) = sweep.settings(n, 0, whole);
        let before = Before {
            alone: false,
            ..Before::default()
        };
        Ok((folder, plan_after(&settings, before)?))
    });
    plans.collect()
}

/// A family that several configurations share.
struct Shared<'a, F> {
    of: &'a Settings,
    family: F,
    inputs: Vec<InputFile>,
    seconds: f64,
}

impl<F> Shared<'_, F> {
    fn fits(&self, other: &Settings) -> bool {
        let (own, run) = (&self.of.run, &other.run);
        own.source() == run.source()
            && own.from_scratch == run.from_scratch
            && self.of.task == other.task
    }
}

fn run<F: Family>(
    sweep: &Sweep,
    program: &dyn Program,
    read: impl Fn(&Settings) -> Result<F, TaskError>,
) -> Result<SweepSummary, FinetuneError> {
    let mut families: Vec<Shared<'_, F>> = Vec::new();
    let mut family_of = Vec::new();
    for Configuration { settings, .. } in &sweep.configurations {
        let known = families.iter().position(|shared| shared.fits(settings));
        family_of.push(known.unwrap_or(families.len()));
        if known.is_none() {
            let started = Instant::now();
            let family = read(settings)?;
            if !family.compares() {
                return Err(FinetuneError::Setting {
                    setting: "sweep",
                    found: "no development set with labels".to_owned(),
                    expected: "one to compare by".to_owned(),
                });
            }
            families.push(Shared {
                of: settings,
                inputs: read_inputs(&family, &settings.run)?,
                family,
                seconds: started.elapsed().as_secs_f64(),
            });
        }
    }
    let leads = program.collective().leads();
    let first = &sweep.configurations[0].settings.run;
    let mut folder = None;
    let mut progress = Progress {
        sweep,
        task: families[0].family.task_name(),
        done: Vec::new(),
    };
    let mut left: Vec<usize> = (0..sweep.configurations.len()).collect();
    for (stage, rung) in sweep.rungs().into_iter().enumerate() {
        left.truncate(rung.configurations);
        left.sort_unstable();
        let settings = left.iter().map(|n| sweep.settings(*n, stage, rung));
        let (settings, folders): (Vec<Settings>, Vec<String>) = settings.unzip();
        let commands = left.iter().zip(&settings).map(|(n, settings)| {
            let shared = &families[family_of[*n]];
            let before = Before {
                seconds: shared.seconds,
                inputs: Some(&shared.inputs),
                alone: false,
            };
            prepare(&shared.family, settings, before, program.collective())
        });
        let commands = commands.collect::<Result<Vec<_>, _>>()?;
        if stage == 0 {
            check_begins(&commands)?;
        }
        check_memory(&commands, program.collective())?;
        if leads && folder.is_none() {
            refuse_other_results::<F>(&sweep.dir, first.overwrite_output_dir)?;
            folder = Some(hold::<F>(&sweep.dir, first, false)?);
        }
        for ((command, n), own) in commands.iter().zip(&left).zip(folders) {
            info!("{own} ({} of {})", progress.count(rung) + 1, left.len());
            let manner = Manner {
                anew: false,
                outlives_divergence: true,
            };
            let outcomes = execute(command, manner, program)?;
            progress.done.retain(|done| done.configuration != *n);
            progress.done.push(Done {
                configuration: *n,
                rung,
                folder: own,
                outcomes,
            });
            progress.done.sort_by(Done::better_first);
            if leads {
                progress.write()?;
            }
        }
        let ranked = progress.done.iter().filter(|done| done.rung == rung);
        left = ranked.map(|done| done.configuration).collect();
    }
    Ok(progress.summary())
}

/// Refuses a folder that holds what a training of its own left.
fn refuse_other_results<F: Family>(dir: &Path, overwrites: bool) -> Result<(), FinetuneError> {
    match earlier_results::<F>(dir)? {
        Some(found) if !overwrites && !SWEEP.contains(&found.as_str()) => {
            Err(FinetuneError::OutputDir {
                dir: dir.to_owned(),
                found: format!("{found}, of an earlier run or another model"),
                expected: "a new folder; `overwrite_output_dir` replaces it".to_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// What a configuration came to in a rung.
struct Done {
    configuration: usize,
    rung: Rung,
    folder: String,
    outcomes: Vec<RunOutcome>,
}

impl Done {
    /// The scores of the runs that count, and how many of these have none.
    fn scores(&self) -> (Vec<f64>, usize) {
        let counted = standing(&self.outcomes);
        let scores: Vec<f64> = counted.iter().filter_map(|outcome| outcome.score).collect();
        let missing = counted.len() - scores.len();
        (scores, missing)
    }

    fn better_first(&self, other: &Self) -> Ordering {
        let key = |done: &Self| {
            let (scores, missing) = done.scores();
            let mean = Statistic::of(&scores).map_or(f64::NEG_INFINITY, |found| found.mean);
            (done.rung.divisor, missing, mean)
        };
        let (own, theirs) = (key(self), key(other));
        (own.0, own.1)
            .cmp(&(theirs.0, theirs.1))
            .then(theirs.2.total_cmp(&own.2))
            .then(self.configuration.cmp(&other.configuration))
    }
}

/// A sweep on its way: what is done, the best first.
struct Progress<'a> {
    sweep: &'a Sweep,
    task: String,
    done: Vec<Done>,
}

impl Progress<'_> {
    fn count(&self, rung: Rung) -> usize {
        self.done.iter().filter(|done| done.rung == rung).count()
    }

    fn summary(&self) -> SweepSummary {
        let outcomes = self.done.iter().flat_map(|done| &done.outcomes);
        let mut tables = outcomes.map(|outcome| outcome.table.last());
        let scores = tables.find(|scores| !scores.is_empty()).unwrap_or(&[]);
        SweepSummary {
            task: self.task.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            varied: self.sweep.varied.clone(),
            scores: scores.iter().map(|score| score.name.clone()).collect(),
            to_come: self.sweep.configurations.len() - self.done.len(),
            configurations: self
                .done
                .iter()
                .map(|done| self.row(done, scores.len()))
                .collect(),
        }
    }

    fn row(&self, done: &Done, scores: usize) -> SweepRow {
        let own = &self.sweep.configurations[done.configuration];
        let (found, missing) = done.scores();
        let runs = done.outcomes.iter().map(|outcome| SweepRun {
            seed: outcome.seed,
            folder: match own.settings.run.seeds.as_slice() {
                [] => done.folder.clone(),
                _ => format!("{}/seed-{}", done.folder, outcome.seed),
            },
            score: outcome.score,
            degenerate: outcome.degenerate.clone(),
            retry_of: outcome.retry_of,
        });
        SweepRow {
            values: own.values.clone(),
            folder: done.folder.clone(),
            training: 1.0 / done.rung.divisor as f64,
            score: Statistic::of(&found).filter(|_| missing == 0),
            scores: (0..scores)
                .map(|score| statistic(&done.outcomes, score))
                .collect(),
            runs: runs.collect(),
        }
    }

    /// Writes the summary in its three forms, which replace earlier ones together.
    fn write(&self) -> Result<(), FinetuneError> {
        let summary = self.summary();
        let [json, table, page] = SWEEP;
        let mut files = Replacement::new(&self.sweep.dir)?;
        write_json(&mut files, json, &summary)?;
        files.write(table, |out| out.write_all(summary.to_text().as_bytes()))?;
        files.write(page, |out| out.write_all(render_sweep(&summary).as_bytes()))?;
        files.commit()?;
        Ok(())
    }
}
