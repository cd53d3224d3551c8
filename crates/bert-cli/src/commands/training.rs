//! What every training command does, whatever the family: look, train, save, evaluate, once or with several
//! seeds.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bert_model::BertConfig;
use bert_model::checkpoint::HeadPolicy;
use bert_model::heads::TaskModel;
use bert_report::{InputFile, RunRecord, write_eval_results};
use bert_tokenization::BertTokenizer;
use bert_training::TrainPlan;
use bert_training::batches::Padding;
use bert_training::optimizer::Residency;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::{info, warn};

use super::output::{
    OutputFolder, check_inputs_are_no_outputs, is_same_folder, is_within, remove_files,
};
use super::resume::{self, Begin, Look};
use super::scores::{Evaluation, ScoreTable, print_results};
use super::seeds;
use super::session::{Session, starting_model};
use crate::backend::{self, Backend};
use crate::exit::bad_usage;
use crate::resolve::{self, RunSettings, Settings};

/// What an evaluation is for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// To compare models on the development set; nothing is written.
    Comparison,
    /// To leave predictions in a folder, of every file, and score those that have labels.
    Results(&'a Path),
}

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
    /// Whether there is a development set with labels.
    fn compares(&self) -> bool;
    /// What of the data is not used, or not whole, and why, a line each.
    fn left_out(&self) -> Vec<String>;
    /// Predicts and scores.
    ///
    /// # Errors
    /// When the device fails or a file cannot be written.
    fn evaluate(
        &self,
        model: &Self::Model,
        device: &Device,
        padding: Padding,
        purpose: Purpose<'_>,
    ) -> anyhow::Result<Option<Evaluation>>;
}

/// Reads a family's inputs, and says how long that took.
///
/// # Errors
/// Those of `read`.
pub(crate) fn timed<T>(read: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let started = Instant::now();
    Ok((read()?, started.elapsed().as_secs_f64()))
}

/// Runs a training command, once or with several seeds; returns the last evaluation of each run, and prints
/// nothing. `data_seconds` is what reading the family took.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run<F: Family, S: Serialize + Clone>(
    family: &F,
    settings: &Settings<S>,
    data_seconds: f64,
) -> anyhow::Result<Vec<RunOutcome>> {
    let prepared = prepare(family, settings, data_seconds, true)?;
    let anew = check_begins(std::slice::from_ref(&prepared))?;
    execute(&prepared, anew)
}

/// A training command whose inputs and folders have been looked at, and nothing else done.
pub(crate) struct Prepared<'a, F, S> {
    family: &'a F,
    settings: Settings<S>,
    /// One for each seed.
    runs: Vec<Planned<S>>,
    data_seconds: f64,
    one_of_several: bool,
}

/// One run of a command.
struct Planned<S> {
    settings: Settings<S>,
    record: RunRecord,
    begin: Begin,
}

impl<F, S> Prepared<'_, F, S> {
    /// What the runs came to, where all of them are finished.
    pub(crate) fn finished(&self) -> Option<Vec<RunOutcome>> {
        let outcomes = self.runs.iter().map(|run| match &run.begin {
            Begin::Finished(outcome) => Some(outcome.clone()),
            _ => None,
        });
        outcomes.collect()
    }
}

/// Looks at a command's inputs and at every folder that it would write into. `alone`: no other command belongs to
/// it.
///
/// # Errors
/// When settings do not fit the data, or a folder holds what must not be overwritten.
pub(crate) fn prepare<'a, F: Family, S: Serialize + Clone>(
    family: &'a F,
    settings: &Settings<S>,
    data_seconds: f64,
    alone: bool,
) -> anyhow::Result<Prepared<'a, F, S>> {
    let started = Instant::now();
    let mut settings = settings.clone();
    // The flag may be left out; the record says what is done.
    settings.run.do_lower_case = family.tokenizer().do_lower_case();
    let run = &settings.run;
    resolve::check_is_folder(&run.output_dir)?;
    check_inputs_are_no_outputs(family, &run.output_dir)?;
    if run.trains && is_within(&run.bert_model, &run.output_dir) {
        bad_usage!(
            "--output-dir {}: found --bert-model in it, expected another folder: a run could not begin again once its \
             results have replaced what it began with",
            run.output_dir.display()
        );
    }
    if !run.seeds.is_empty()
        && !run.overwrite_output_dir
        && run.output_dir.join("run.json").exists()
    {
        bad_usage!(
            "--output-dir {}: found run.json of an earlier run, expected a new folder; --overwrite-output-dir replaces it",
            run.output_dir.display()
        );
    }
    if run.eval_steps.is_some() && !family.compares() {
        bad_usage!(
            "--eval-steps: found no development set with labels, expected one to evaluate on"
        );
    }
    let inputs = read_inputs(family, run)?;
    let one_of_several = !alone || !run.seeds.is_empty();
    let each = match run.seeds.as_slice() {
        [] => vec![settings.clone()],
        seeds => seeds
            .iter()
            .map(|seed| Settings {
                run: run.with_seed(*seed),
                own: settings.own.clone(),
            })
            .collect(),
    };
    let runs = each.into_iter().map(|settings| {
        resolve::check_is_folder(&settings.run.output_dir)?;
        let mut record =
            RunRecord::new(env!("CARGO_PKG_VERSION"), settings.run.seed, &settings, &[])?;
        record.inputs.clone_from(&inputs);
        let look = Look {
            one_of_several,
            anew: false,
        };
        let begin = resume::look::<F>(&settings.run, &record, look)?;
        Ok(Planned {
            settings,
            record,
            begin,
        })
    });
    let runs = runs.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Prepared {
        family,
        runs,
        data_seconds: data_seconds + started.elapsed().as_secs_f64(),
        one_of_several,
        settings,
    })
}

/// Decides whether commands that belong together begin anew: the bundled demo does once it is finished.
///
/// # Errors
/// When there is nothing to resume and that was asked for.
pub(crate) fn check_begins<F, S>(commands: &[Prepared<'_, F, S>]) -> anyhow::Result<bool> {
    let mut runs = commands.iter().flat_map(|command| &command.runs);
    let Some(Prepared { settings, .. }) = commands.first() else {
        return Ok(false);
    };
    let run = &settings.run;
    if run.resume && runs.clone().all(|run| matches!(run.begin, Begin::New)) {
        let dir = match commands {
            [_] => run.output_dir.display(),
            _ => run.output_dir.parent().unwrap_or(&run.output_dir).display(),
        };
        bad_usage!("--resume: found no run in {dir}, expected one that was stopped");
    }
    let is_finished = runs.all(|run| matches!(run.begin, Begin::Finished(_)));
    Ok(is_finished && run.is_demo_folder && !run.resume)
}

/// Does what was prepared, with `anew` whatever the folders hold.
///
/// # Errors
/// When training fails or an output cannot be written.
pub(crate) fn execute<F: Family, S: Serialize + Clone>(
    prepared: &Prepared<'_, F, S>,
    anew: bool,
) -> anyhow::Result<Vec<RunOutcome>> {
    let Prepared {
        family, settings, ..
    } = prepared;
    let run = &settings.run;
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
        starting_model(*family, run, &backend.device)?;
        print_plan(*family, settings, plan)?;
        return Ok(Vec::new());
    }
    let _folder = match run.seeds.is_empty() {
        true => None,
        false => Some(hold_summary(&run.output_dir, "seeds.json", run, anew)?),
    };
    let mut outcomes = Vec::new();
    for (n, planned) in prepared.runs.iter().enumerate() {
        if !run.seeds.is_empty() {
            let seed = planned.settings.run.seed;
            info!("seed {seed} ({} of {})", n + 1, run.seeds.len());
        }
        outcomes.push(run_once(prepared, planned, anew, &backend, plan)?);
    }
    if !run.seeds.is_empty() {
        seeds::write_summary(&run.output_dir, &outcomes)?;
    }
    Ok(outcomes)
}

/// Locks the folder of several runs. A summary that is there speaks of other runs where these begin anew.
///
/// # Errors
/// When another process works in it, or it cannot be written.
pub(crate) fn hold_summary(
    dir: &Path,
    summary: &str,
    run: &RunSettings,
    anew: bool,
) -> anyhow::Result<OutputFolder> {
    let folder = OutputFolder::open(dir)?;
    if anew || run.overwrite_output_dir {
        remove_files(dir, [summary])?;
    }
    Ok(folder)
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

impl RunOutcome {
    /// A run that has come to nothing yet.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            table: ScoreTable::default(),
            results: BTreeMap::new(),
            degenerate: None,
        }
    }

    /// Adds the scores of the final model under a name.
    pub(crate) fn add_final(&mut self, name: &str, evaluation: Evaluation) {
        self.table.push(name, &evaluation);
        if let Some(reason) = &evaluation.degenerate {
            warn!("nothing learnt shows in the scores: {reason}");
        }
        self.degenerate = evaluation.degenerate;
        self.results.extend(evaluation.by_key);
    }
}

fn run_once<F: Family, S: Serialize>(
    prepared: &Prepared<'_, F, S>,
    planned: &Planned<S>,
    anew: bool,
    backend: &Backend,
    plan: Option<TrainPlan>,
) -> anyhow::Result<RunOutcome> {
    let (family, run) = (prepared.family, &planned.settings.run);
    let folder = OutputFolder::open(&run.output_dir)?;
    folder.remove_leftovers()?;
    // Again, now that nobody else can change it.
    let look = Look {
        one_of_several: prepared.one_of_several,
        anew,
    };
    let begin = resume::look::<F>(run, &planned.record, look)?;
    let record = planned.record.clone();
    match (begin, plan) {
        (Begin::Finished(outcome), _) => {
            info!("{}: finished already", run.output_dir.display());
            Ok(outcome)
        }
        (begin, Some(plan)) => Session {
            family,
            run,
            folder: &folder,
            record,
            backend,
            plan,
            data_seconds: prepared.data_seconds,
            other_evaluation: Duration::ZERO,
        }
        .train(begin),
        (_, None) => predict(family, run, record, backend),
    }
}

/// Predicts without training.
fn predict<F: Family>(
    family: &F,
    run: &RunSettings,
    mut record: RunRecord,
    backend: &Backend,
) -> anyhow::Result<RunOutcome> {
    let dir = &run.output_dir;
    let model = starting_model(family, run, &backend.device)?;
    // Predicting in place keeps the record of the training that made the checkpoint.
    let in_place = is_same_folder(dir, &run.bert_model) && dir.join("run.json").exists();
    let mut outcome = RunOutcome::new(run.seed);
    if in_place {
        outcome.results = read_eval_results(dir)?;
    } else {
        record.write(dir)?;
    }
    let purpose = Purpose::Results(dir);
    if let Some(evaluation) = family.evaluate(&model, &backend.device, run.padding(), purpose)? {
        outcome.add_final("as given", evaluation);
    }
    if !outcome.results.is_empty() {
        write_eval_results(dir, &outcome.results)?;
    }
    if !in_place {
        record.finish(json!({"outcome": outcome}));
        record.write(dir)?;
    }
    info!("everything is in {}", dir.display());
    Ok(outcome)
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

/// The checkpoint's files and the data, with their checksums.
fn read_inputs<F: Family>(family: &F, run: &RunSettings) -> anyhow::Result<Vec<InputFile>> {
    let weights = ["model.safetensors", "pytorch_model.bin"];
    let weights = weights
        .into_iter()
        .filter(|_| !(run.from_scratch && run.trains));
    let files = [
        "config.json",
        "vocab.txt",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    let model = files
        .into_iter()
        .chain(weights)
        .map(|file| run.bert_model.join(file))
        .filter(|path| path.exists());
    let files = model.chain(family.data_files());
    Ok(files
        .map(|path| InputFile::read(&path))
        .collect::<Result<_, _>>()?)
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
