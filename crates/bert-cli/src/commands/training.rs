//! What every training command does, whatever the family: check, train, save, evaluate, once or with
//! several seeds.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use bert_model::BertConfig;
use bert_model::checkpoint::{HeadPolicy, initialize, load_as, save};
use bert_model::heads::TaskModel;
use bert_report::{MetricsLog, RunRecord, create_dir, write_eval_results};
use bert_tokenization::{BertTokenizer, save_tokenizer};
use bert_training::batches::Padding;
use bert_training::optimizer::Residency;
use bert_training::{Observer, TrainConfig, TrainError, TrainPlan, train};
use burn::module::Module;
use burn::tensor::Device;
use serde::Serialize;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::scores::{Evaluation, ScoreTable, print_results};
use super::seeds;
use crate::backend::{self, Backend};
use crate::exit::bad_usage;
use crate::progress::TrainProgress;
use crate::resolve::{self, RunSettings, Settings};

/// Files that say, whatever the family, that a folder holds an earlier run.
const EARLIER_RUN: [&str; 4] = [
    "run.json",
    "model.safetensors",
    "seeds.json",
    "glue_results.json",
];
/// Scores of an earlier run.
const EARLIER_SCORES: [&str; 2] = ["eval_results.txt", "eval_results.json"];

/// A family's inputs, all read and checked, and what it does with a model.
pub(crate) trait Family {
    /// The model that is fine-tuned.
    type Model: TaskModel;
    /// What tells the training loop about the examples.
    type Task<'a>: bert_training::Task<Model = Self::Model>
    where
        Self: 'a;

    /// What an example is called, in the plural.
    const EXAMPLES: &'static str;
    /// The files that predicting writes besides scores. A new training removes what an earlier one left, so
    /// that no file of the folder speaks of another model.
    fn predictions() -> Vec<&'static str>;
    /// The model's configuration, with the labels of this run.
    fn config(&self) -> &BertConfig;
    /// The checkpoint's tokenizer.
    fn tokenizer(&self) -> &BertTokenizer;
    /// What becomes of the checkpoint's head when it is trained further.
    fn head_policy(&self, seed: u64) -> HeadPolicy {
        HeadPolicy::FreshIfMissing { seed }
    }
    /// The training examples; `None` where the run predicts only.
    fn task(&self) -> Option<Self::Task<'_>>;
    /// The data files, for the record.
    fn data_files(&self) -> Vec<PathBuf>;
    /// How much there is of everything, for the plan.
    fn counts(&self) -> Value;
    /// Predicts whatever is to be predicted, writes it into `dir`, and scores what has labels.
    ///
    /// # Errors
    /// When the device fails or a file cannot be written.
    fn evaluate(
        &self,
        model: &Self::Model,
        device: &Device,
        padding: Padding,
        dir: Option<&Path>,
    ) -> anyhow::Result<Option<Evaluation>>;
}

/// Runs a training command, once or with several seeds; returns the last evaluation of each run by its
/// seed, and prints nothing.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run<F: Family, S: Serialize + Clone>(
    family: &F,
    settings: &Settings<S>,
) -> anyhow::Result<Vec<RunOutcome>> {
    let mut settings = settings.clone();
    // The flag may be left out; the record says what is done.
    settings.run.do_lower_case = family.tokenizer().do_lower_case();
    let (run, settings) = (&settings.run, &settings);
    check_output_dir::<F>(run)?;
    check_inputs_are_no_outputs(family, &run.output_dir)?;
    let backend = backend::open(run.device_choice)?;
    if run.optimize_on_cpu && backend.residency == Residency::Shared {
        info!("--optimize-on-cpu: on the CPU the optimiser's state is in host memory already");
    }
    let config = run.train_config(&backend);
    config.validate()?;
    let plan = match family.task() {
        Some(task) => Some(TrainPlan::new(bert_training::Task::len(&task), &config)?),
        None => None,
    };
    if run.dry_run {
        // The weights are an input too.
        starting_model(family, run, &backend.device)?;
        print_plan(family, settings, plan)?;
        return Ok(Vec::new());
    }
    if run.seeds.is_empty() {
        return Ok(vec![run_once(family, settings, &backend, plan)?]);
    }
    let mut outcomes = Vec::new();
    for (n, seed) in run.seeds.iter().enumerate() {
        info!("seed {seed} ({} of {})", n + 1, run.seeds.len());
        let settings = Settings {
            run: run.with_seed(*seed),
            own: settings.own.clone(),
        };
        outcomes.push(run_once(family, &settings, &backend, plan)?);
    }
    seeds::write_summary(&run.output_dir, &outcomes)?;
    Ok(outcomes)
}

/// Prints what a family of whole examples came to: every result of one run, or a table of several.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn print(outcomes: &[RunOutcome]) -> anyhow::Result<()> {
    let [outcome] = outcomes else {
        return Ok(seeds::print(outcomes)?);
    };
    if outcome.table.len() > 1 {
        outcome.table.print()?;
    }
    print_results(&outcome.results)
}

/// What a run came to.
pub(crate) struct RunOutcome {
    /// The seed it was trained with.
    pub(crate) seed: u64,
    /// The scores, in the order in which they were made.
    pub(crate) table: ScoreTable,
    /// What `eval_results.json` holds.
    pub(crate) results: BTreeMap<String, Value>,
    /// Why the run has learnt nothing, where it has not.
    pub(crate) degenerate: Option<String>,
}

fn run_once<F: Family, S: Serialize>(
    family: &F,
    settings: &Settings<S>,
    backend: &Backend,
    plan: Option<TrainPlan>,
) -> anyhow::Result<RunOutcome> {
    let run = &settings.run;
    let dir = &run.output_dir;
    let autodiff = backend.device.clone().autodiff();
    let mut model = starting_model(family, run, &autodiff)?;
    create_dir(dir)?;
    if plan.is_some() {
        let earlier = EARLIER_SCORES.into_iter().chain(["seeds.json"]);
        remove_earlier(dir, earlier.chain(F::predictions()))?;
    }
    // Predicting in place keeps the record of the training that made the checkpoint.
    let in_place =
        plan.is_none() && is_same_folder(dir, &run.bert_model) && dir.join("run.json").exists();
    if !in_place {
        record(family, settings)?;
    }
    let mut outcome = RunOutcome {
        seed: run.seed,
        table: ScoreTable::default(),
        results: match in_place {
            true => read_eval_results(dir)?,
            false => BTreeMap::new(),
        },
        degenerate: None,
    };
    if let Some(plan) = plan {
        if run.score_untrained
            && let Some(evaluation) =
                family.evaluate(&model.valid(), &backend.device, run.padding(), None)?
        {
            outcome.table.push("untrained", &evaluation);
        }
        let config = run.train_config(backend);
        model = train_and_save(family, run, model, plan, &config, &autodiff, &mut outcome)?;
    }
    let evaluation = family.evaluate(&model.valid(), &backend.device, run.padding(), Some(dir))?;
    if let Some(evaluation) = evaluation {
        let name = if plan.is_some() {
            "fine-tuned"
        } else {
            "as given"
        };
        outcome.table.push(name, &evaluation);
        if let Some(reason) = &evaluation.degenerate {
            warn!("nothing learnt shows in the scores: {reason}");
        }
        outcome.degenerate = evaluation.degenerate;
        outcome.results.extend(evaluation.by_key);
    }
    if !outcome.results.is_empty() {
        write_eval_results(dir, &outcome.results)?;
    }
    info!("everything is in {}", dir.display());
    Ok(outcome)
}

/// An earlier run's checkpoint is not overwritten unasked, nor are its predictions replaced by another
/// model's. Predicting in place replaces predictions and scores only.
///
/// # Errors
/// When the folder is a file, or holds an earlier run that would be overwritten.
pub(crate) fn check_output_dir<F: Family>(run: &RunSettings) -> anyhow::Result<()> {
    let of_seeds = run.seeds.iter().map(|seed| run.with_seed(*seed).output_dir);
    for dir in std::iter::once(run.output_dir.clone()).chain(of_seeds) {
        resolve::check_is_folder(&dir)?;
        if run.overwrite_output_dir || !run.trains && is_same_folder(&dir, &run.bert_model) {
            continue;
        }
        let predictions = match run.trains {
            true => F::predictions(),
            false => Vec::new(),
        };
        let mut earlier = EARLIER_RUN.into_iter().chain(predictions);
        if let Some(file) = earlier.find(|file| dir.join(file).exists()) {
            bad_usage!(
                "--output-dir {}: found {file} of an earlier run, expected a new folder; --overwrite-output-dir replaces it",
                dir.display()
            );
        }
    }
    Ok(())
}

/// A data file must not have the name of one of the results in the folder of the results.
///
/// # Errors
/// When one has.
pub(crate) fn check_inputs_are_no_outputs<F: Family>(family: &F, dir: &Path) -> anyhow::Result<()> {
    let results: Vec<&str> = EARLIER_SCORES.into_iter().chain(F::predictions()).collect();
    for path in family.data_files() {
        let parent = path.parent().unwrap_or(Path::new(""));
        let parent = match parent.as_os_str().is_empty() {
            true => Path::new("."),
            false => parent,
        };
        if is_same_folder(parent, dir)
            && path
                .file_name()
                .is_some_and(|name| results.iter().any(|it| name == *it))
        {
            bad_usage!(
                "--output-dir {}: found that {} would be overwritten, expected another folder",
                dir.display(),
                path.display()
            );
        }
    }
    Ok(())
}

fn is_same_folder(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Removes what an earlier run left, where it is there.
///
/// # Errors
/// When a file is there and cannot be removed.
pub(crate) fn remove_earlier<'a>(
    dir: &Path,
    files: impl Iterator<Item = &'a str>,
) -> anyhow::Result<()> {
    for file in files {
        let path = dir.join(file);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                anyhow::bail!("{}: cannot be removed: {error}", path.display());
            }
            _ => {}
        }
    }
    Ok(())
}

/// What the training that made a checkpoint left of its results.
fn read_eval_results(dir: &Path) -> anyhow::Result<BTreeMap<String, Value>> {
    let path = dir.join("eval_results.json");
    match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => bad_usage!("{}: {error}", path.display()),
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(results) => Ok(results),
            Err(error) => bad_usage!("{}: {error}", path.display()),
        },
    }
}

fn starting_model<F: Family>(
    family: &F,
    run: &RunSettings,
    device: &Device,
) -> anyhow::Result<F::Model> {
    let config = family.config();
    if run.from_scratch && run.trains {
        info!("every weight is drawn anew (seed {})", run.seed);
        return Ok(initialize(config, run.seed, device));
    }
    let policy = match run.trains {
        true => family.head_policy(run.seed),
        false => HeadPolicy::MustBeTrained,
    };
    let loaded = load_as::<F::Model>(&run.bert_model, config.clone(), policy, device)?;
    let path = loaded.report.path.display();
    if !loaded.report.fresh.is_empty() {
        let range = config.initializer_range;
        info!(
            "{path}: found no head for this task and these labels; drawn anew from N(0, {range}²) with seed {}: {}",
            run.seed,
            loaded.report.fresh.join(", ")
        );
    }
    if !loaded.report.unexpected.is_empty() {
        info!("{path}: not used: {}", loaded.report.unexpected.join(", "));
    }
    Ok(loaded.model)
}

/// Writes `run.json`.
fn record<F: Family, S: Serialize>(family: &F, settings: &Settings<S>) -> anyhow::Result<()> {
    let model = &settings.run.bert_model;
    let mut files: Vec<PathBuf> = [
        "config.json",
        "vocab.txt",
        "tokenizer.json",
        "model.safetensors",
        "pytorch_model.bin",
    ]
    .iter()
    .map(|file| model.join(file))
    .filter(|path| path.exists())
    .collect();
    files.extend(family.data_files());
    let files: Vec<&Path> = files.iter().map(|path| path.as_path()).collect();
    let version = env!("CARGO_PKG_VERSION");
    let record = RunRecord::new(version, settings.run.seed, settings, &files)?;
    record.write(&settings.run.output_dir)?;
    Ok(())
}

fn train_and_save<F: Family>(
    family: &F,
    run: &RunSettings,
    model: F::Model,
    plan: TrainPlan,
    config: &TrainConfig,
    device: &Device,
    outcome: &mut RunOutcome,
) -> anyhow::Result<F::Model> {
    let dir = &run.output_dir;
    let examples = F::EXAMPLES;
    info!(
        "training on {}: {} {examples}, {} steps of {} ({} epochs), learning rate {:e}",
        run.device_choice,
        plan.examples,
        plan.total_steps,
        config.batches.batch_size,
        config.num_train_epochs,
        config.learning_rate
    );
    let log = MetricsLog::create(&dir.join("metrics.jsonl"))?;
    let mut progress = TrainProgress::start(plan.total_steps, log);
    let trained = train_family(family, model, config, device, &mut progress);
    let (seconds, totals, log_error) = progress.finish();
    let model = trained?;
    if let Some(error) = log_error {
        warn!("{error}; the run went on");
    }
    let loss = totals.loss / totals.examples as f64;
    info!(
        "trained {} steps in {seconds:.1} s: mean loss {loss:.4}, {:.0} tokens/s, {:.1} {examples}/s, {:.1} % padding",
        totals.steps,
        totals.tokens as f64 / seconds,
        totals.examples as f64 / seconds,
        100.0 * (1.0 - totals.tokens as f64 / totals.padded_tokens as f64)
    );
    outcome.results.extend([
        ("global_step".to_owned(), json!(totals.steps)),
        ("loss".to_owned(), json!(loss)),
        ("train_seconds".to_owned(), json!(seconds)),
    ]);
    save(&model, family.config(), dir)?;
    save_tokenizer(family.tokenizer(), dir)?;
    Ok(model)
}

fn train_family<F: Family>(
    family: &F,
    model: F::Model,
    config: &TrainConfig,
    device: &Device,
    observer: &mut dyn Observer,
) -> Result<F::Model, TrainError> {
    let task = family.task().ok_or(TrainError::NoExamples)?;
    train(&task, model, config, device, observer)
}

fn print_plan<F: Family, S: Serialize>(
    family: &F,
    settings: &Settings<S>,
    plan: Option<TrainPlan>,
) -> anyhow::Result<()> {
    let mut value = json!({
        "settings": settings,
        "seeds": match settings.run.seeds.as_slice() {
            [] => vec![settings.run.seed],
            seeds => seeds.to_vec(),
        },
        "steps_per_epoch": plan.map(|plan| plan.steps_per_epoch),
        "total_steps": plan.map(|plan| plan.total_steps),
    });
    if let (Value::Object(value), Value::Object(counts)) = (&mut value, family.counts()) {
        value.extend(counts);
    }
    writeln!(std::io::stdout(), "{value:#}")?;
    Ok(())
}
