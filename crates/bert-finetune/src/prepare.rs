//! A training command before it does anything: its inputs read, its folders looked at.

use std::time::Instant;

use bert_model::checkpoint::weight_files;
use bert_records::{InputFile, RunRecord};
use bert_tasks::Family;
use bert_training::collective::{Collective, made_by_leader};

use crate::agreement::check_agreement;
use crate::output::{check_inputs_are_no_outputs, check_is_folder, is_within};
use crate::resume::{self, Begin, Situation};
use crate::{FinetuneError, RunOutcome, RunSettings, Settings};

/// A training command whose inputs and folders have been looked at, and nothing else done.
pub(crate) struct Prepared<'a, F> {
    pub(crate) family: &'a F,
    pub(crate) settings: Settings,
    /// One for each seed.
    pub(crate) runs: Vec<Planned>,
    /// Reading the data and the checksums.
    pub(crate) data_seconds: f64,
    /// Whether other runs belong to the command.
    pub(crate) one_of_several: bool,
    /// The checkpoint's files and the data.
    pub(crate) inputs: Vec<InputFile>,
}

/// What is known of a command before it is prepared.
#[derive(Clone, Copy)]
pub(crate) struct Before<'a> {
    /// Spent on reading the data.
    pub(crate) seconds: f64,
    /// The inputs, where they have been read.
    pub(crate) inputs: Option<&'a [InputFile]>,
    /// Whether no other command belongs to it.
    pub(crate) alone: bool,
}

impl Default for Before<'_> {
    fn default() -> Self {
        Self {
            seconds: 0.0,
            inputs: None,
            alone: true,
        }
    }
}

/// One run of a command.
pub(crate) struct Planned {
    pub(crate) settings: Settings,
    pub(crate) record: RunRecord,
    begin: Begin,
}

/// Where `run.json` of a training says how many micro-batches a step really has.
pub(crate) const ACCUMULATION: &str = "gradient_accumulation_steps";

impl Planned {
    /// The micro-batches of a step of the unfinished run that this one goes on with.
    pub(crate) fn kept_accumulation(&self) -> Option<usize> {
        let Begin::Unfinished(earlier) = &self.begin else {
            return None;
        };
        let kept = earlier.summary.as_ref()?.get(ACCUMULATION)?.as_u64()?;
        usize::try_from(kept).ok().filter(|kept| *kept > 0)
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.begin, Begin::Finished(_))
    }
}

impl<F> Prepared<'_, F> {
    /// What the runs came to, where all of them are finished.
    pub(crate) fn finished(&self) -> Option<Vec<RunOutcome>> {
        let outcomes = self.runs.iter().map(|run| match &run.begin {
            Begin::Finished(outcome) => Some(outcome.clone()),
            _ => None,
        });
        outcomes.collect()
    }
}

impl<F: Family> Prepared<'_, F> {
    /// Looks at the folder of one run of the command.
    ///
    /// # Errors
    /// When it holds what must not be overwritten.
    pub(crate) fn plan(
        &self,
        settings: Settings,
        collective: &dyn Collective,
    ) -> Result<Planned, FinetuneError> {
        check_is_folder(&settings.run.output_dir)?;
        let version = env!("CARGO_PKG_VERSION");
        let record = RunRecord::new(version, settings.run.seed, &settings, self.inputs.clone());
        let record = record.into_json()?;
        let situation = Situation {
            one_of_several: self.one_of_several,
            anew: false,
        };
        let begin = made_by_leader(collective, || {
            resume::examine::<F>(&settings, &record, situation)
        })?;
        Ok(Planned {
            settings,
            record,
            begin,
        })
    }
}

impl<F> Prepared<'_, F> {
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

/// Looks at a command's inputs and at every folder that it would write into.
///
/// # Errors
/// When settings do not fit the data, or a folder holds what must not be overwritten.
pub(crate) fn prepare<'a, F: Family>(
    family: &'a F,
    settings: &Settings,
    before: Before<'_>,
    collective: &dyn Collective,
) -> Result<Prepared<'a, F>, FinetuneError> {
    let started = Instant::now();
    settings.run.validate()?;
    let mut settings = settings.clone();
    // Flags may be left out; the record says what is done.
    settings.run.do_lower_case = family.tokenizer().do_lower_case();
    let recipe = &mut settings.run.recipe;
    recipe.adam_epsilon = Some(recipe.epsilon());
    recipe.check_layers(family.config().num_hidden_layers)?;
    let run = &settings.run;
    check_is_folder(&run.output_dir)?;
    check_inputs_are_no_outputs(family, &run.output_dir)?;
    if run.trains && is_within(&run.bert_model, &run.output_dir) {
        return Err(FinetuneError::output_dir(
            run,
            "`bert_model` in it".to_owned(),
            "another folder: the run's results would replace what it starts from".to_owned(),
        ));
    }
    if !run.seeds.is_empty()
        && !run.overwrite_output_dir
        && !run.is_demo_folder
        && run.output_dir.join("run.json").exists()
    {
        return Err(FinetuneError::output_dir(
            run,
            "run.json of an earlier run".to_owned(),
            "a new folder; `overwrite_output_dir` replaces it".to_owned(),
        ));
    }
    if let Some(setting) = run.evaluation.asked_by()
        && !family.compares()
    {
        return Err(FinetuneError::Setting {
            setting,
            found: "no development set with labels".to_owned(),
            expected: "one to evaluate on".to_owned(),
        });
    }
    let inputs = match before.inputs {
        Some(inputs) => inputs.to_vec(),
        None => read_inputs(family, run)?,
    };
    check_agreement(collective, &settings.to_json()?, &inputs)?;
    let each = match run.seeds.as_slice() {
        [] => vec![settings.clone()],
        seeds => seeds.iter().map(|seed| settings.with_seed(*seed)).collect(),
    };
    let mut prepared = Prepared {
        family,
        runs: Vec::new(),
        one_of_several: !before.alone || !run.seeds.is_empty(),
        settings,
        inputs,
        data_seconds: 0.0,
    };
    let runs = each.into_iter();
    let runs = runs.map(|settings| prepared.plan(settings, collective));
    prepared.runs = runs.collect::<Result<_, FinetuneError>>()?;
    prepared.data_seconds = before.seconds + started.elapsed().as_secs_f64();
    Ok(prepared)
}

/// Decides whether commands that belong together begin anew: the bundled demo does once it is finished.
///
/// # Errors
/// When there is nothing to resume and that was asked for.
pub(crate) fn check_begins<F>(commands: &[Prepared<'_, F>]) -> Result<bool, FinetuneError> {
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
        return Err(FinetuneError::Setting {
            setting: "resume",
            found: format!("no run in {dir}"),
            expected: "one that was stopped".to_owned(),
        });
    }
    let is_finished = runs.all(|run| matches!(run.begin, Begin::Finished(_)))
        && commands.iter().all(Prepared::has_summary);
    Ok(is_finished && run.is_demo_folder && !run.resume)
}

/// The checkpoint's files and the data, with their checksums.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn read_inputs<F: Family>(
    family: &F,
    run: &RunSettings,
) -> Result<Vec<InputFile>, FinetuneError> {
    let weights = if run.from_scratch && run.trains {
        Vec::new()
    } else {
        weight_files(&run.bert_model)?
    };
    let files = [
        "config.json",
        "vocab.txt",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    let model = files
        .into_iter()
        .map(|file| run.bert_model.join(file))
        .filter(|path| path.exists());
    let model = model.chain(weights).map(|path| InputFile::read(&path));
    let mut inputs = model.collect::<Result<Vec<_>, _>>()?;
    inputs.extend(family.inputs()?);
    Ok(inputs)
}
