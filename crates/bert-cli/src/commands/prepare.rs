//! A training command before it does anything: its inputs read, its folders looked at.

use std::time::Instant;

use bert_report::{InputFile, RunRecord};
use serde::Serialize;

use super::family::{Family, RunOutcome};
use super::output::{check_inputs_are_no_outputs, is_within};
use super::resume::{self, Begin, Look};
use crate::exit::bad_usage;
use crate::resolve::{self, RunSettings, Settings};

/// A training command whose inputs and folders have been looked at, and nothing else done.
pub(crate) struct Prepared<'a, F, S> {
    pub(super) family: &'a F,
    pub(super) settings: Settings<S>,
    /// One for each seed.
    pub(super) runs: Vec<Planned<S>>,
    /// Reading the data and the checksums.
    pub(super) data_seconds: f64,
    /// Whether other runs belong to the command.
    pub(super) one_of_several: bool,
}

/// One run of a command.
pub(super) struct Planned<S> {
    pub(super) settings: Settings<S>,
    pub(super) record: RunRecord,
    begin: Begin,
}

/// Where `run.json` of a training says how many micro-batches a step really has.
pub(super) const ACCUMULATION: &str = "gradient_accumulation_steps";

impl<S> Planned<S> {
    /// The micro-batches of a step of the unfinished run that this one goes on with.
    pub(super) fn kept_accumulation(&self) -> Option<usize> {
        let Begin::Unfinished(earlier) = &self.begin else {
            return None;
        };
        let kept = earlier.summary.as_ref()?.get(ACCUMULATION)?.as_u64()?;
        usize::try_from(kept).ok().filter(|kept| *kept > 0)
    }

    /// Whether nothing is left to do.
    pub(super) fn is_finished(&self) -> bool {
        matches!(self.begin, Begin::Finished(_))
    }
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

impl<F, S> Prepared<'_, F, S> {
    /// Whether the last file of several runs is there: their results together.
    fn has_summary(&self) -> bool {
        let dir = &self.settings.run.output_dir;
        match (self.settings.run.seeds.is_empty(), self.one_of_several) {
            (false, _) => dir.join("seeds.json").exists(),
            (true, true) => dir.with_file_name("glue_results.json").exists(),
            (true, false) => true,
        }
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
        && !run.is_demo_folder
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
        let version = env!("CARGO_PKG_VERSION");
        let record = RunRecord::new(version, settings.run.seed, &settings, inputs.clone())?;
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
    let is_finished = runs.all(|run| matches!(run.begin, Begin::Finished(_)))
        && commands.iter().all(Prepared::has_summary);
    Ok(is_finished && run.is_demo_folder && !run.resume)
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
