//! `train-squad`: a checkpoint and a SQuAD file to a fine-tuned checkpoint, predictions and scores.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use bert_datasets::squad::SquadDataset;
use bert_features::squad::{SquadFeatures, SquadMode};
use bert_model::BertConfig;
use bert_model::checkpoint::{HeadPolicy, initialize, load, save};
use bert_model::heads::BertForQuestionAnswering;
use bert_report::{MetricsLog, RunRecord, create_dir, write_eval_results};
use bert_tokenization::{BertTokenizer, save_tokenizer};
use bert_training::optimizer::Residency;
use bert_training::squad::SquadTask;
use bert_training::{TrainConfig, TrainPlan, train};
use burn::module::Module;
use burn::tensor::Device;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::squad_data;
use super::squad_results::{Answering, Scores, score_answers, write_predictions};
use crate::args::TrainSquadArgs;
use crate::backend::{self, Backend};
use crate::exit::bad_usage;
use crate::progress::TrainProgress;
use crate::resolve::{self, TrainSquadSettings};

/// What an earlier run predicted and scored. A new training removes it, so that no file of the folder
/// speaks of another model.
const EARLIER_RESULTS: [&str; 5] = [
    "predictions.json",
    "nbest_predictions.json",
    "null_odds.json",
    "eval_results.txt",
    "eval_results.json",
];
/// Files that say that a folder holds an earlier run.
const EARLIER_RUN: [&str; 3] = ["run.json", "model.safetensors", "predictions.json"];

/// Trains, predicts and scores, as far as the settings ask for it.
///
/// # Errors
/// When an input is bad, training fails, or an output cannot be written.
pub(crate) fn run(args: &TrainSquadArgs) -> anyhow::Result<()> {
    let settings = resolve::train_squad(args)?;
    let inputs = Inputs::read(&settings)?;
    check_output_dir(&settings)?;
    let backend = backend::open(settings.device_choice)?;
    if settings.optimize_on_cpu && backend.residency == Residency::Shared {
        info!("--optimize-on-cpu: on the CPU the optimiser's state is in host memory already");
    }
    let train_config = settings.train_config(&backend);
    train_config.validate()?;
    settings.prediction.config().validate()?;
    let plan = match &inputs.training {
        Some((_, features)) => Some(TrainPlan::new(features.windows.len(), &train_config)?),
        None => None,
    };
    if args.dry_run {
        // The weights are an input too.
        starting_model(&settings, &inputs.config, plan.is_some(), &backend.device)?;
        return print_plan(&settings, &inputs, plan);
    }
    let autodiff = backend.device.clone().autodiff();
    let mut model = starting_model(&settings, &inputs.config, plan.is_some(), &autodiff)?;
    create_dir(&settings.output_dir)?;
    if plan.is_some() {
        remove_earlier_results(&settings.output_dir)?;
    }
    let run = Run {
        settings: &settings,
        inputs: &inputs,
        backend: &backend,
    };
    // Predicting in place keeps the record of the training that made the checkpoint.
    if plan.is_some() || !settings.output_dir.join("run.json").exists() {
        run.record()?;
    }
    let mut table = Table::default();
    let mut results = BTreeMap::new();
    if let (Some((_, features)), Some(plan)) = (&inputs.training, plan) {
        if settings.score_untrained
            && let Some(scores) = run.answer(&model.valid(), None)?
        {
            table.push("untrained", &scores);
        }
        model = run.train(
            model,
            features,
            plan,
            &train_config,
            &autodiff,
            &mut results,
        )?;
    }
    if let Some(scores) = run.answer(&model.valid(), Some(&settings.output_dir))? {
        let name = if plan.is_some() {
            "fine-tuned"
        } else {
            "as given"
        };
        table.push(name, &scores);
        results.extend(scores.by_key());
    }
    if !results.is_empty() {
        write_eval_results(&settings.output_dir, &results)?;
    }
    info!("everything is in {}", settings.output_dir.display());
    table.print()?;
    Ok(())
}

/// Everything that a run reads besides weights, read before anything is written.
struct Inputs {
    config: BertConfig,
    tokenizer: BertTokenizer,
    training: Option<(SquadDataset, SquadFeatures)>,
    prediction: Option<(SquadDataset, SquadFeatures)>,
}

impl Inputs {
    fn read(settings: &TrainSquadSettings) -> anyhow::Result<Self> {
        let dir = &settings.bert_model;
        let config = BertConfig::read(&dir.join("config.json"))?;
        let tokenizer = squad_data::tokenizer(dir, settings.do_lower_case)?;
        squad_data::check_model(dir, &config, &tokenizer, settings.features)?;
        let read = |path: &Path, mode, most: Option<usize>| -> anyhow::Result<_> {
            let negative = settings.prediction.version_2_with_negative;
            let mut dataset = squad_data::read(path, negative)?;
            if let Some(most) = most {
                dataset.questions.truncate(most);
            }
            let features = squad_data::convert(&dataset, &tokenizer, settings.features, mode)?;
            Ok((dataset, features))
        };
        let training = settings
            .train_file
            .as_deref()
            .map(|path| read(path, SquadMode::Training, settings.max_train_examples))
            .transpose()?;
        let prediction = settings
            .predict_file
            .as_deref()
            .map(|path| read(path, SquadMode::Evaluation, None))
            .transpose()?;
        Ok(Self {
            config,
            tokenizer,
            training,
            prediction,
        })
    }
}

/// An earlier run's checkpoint is not overwritten unasked. Predicting in place replaces predictions and
/// scores only.
fn check_output_dir(settings: &TrainSquadSettings) -> anyhow::Result<()> {
    let dir = &settings.output_dir;
    resolve::check_is_folder(dir)?;
    if settings.train_file.is_none() || settings.overwrite_output_dir {
        return Ok(());
    }
    if let Some(file) = EARLIER_RUN.iter().find(|file| dir.join(file).exists()) {
        bad_usage!(
            "--output-dir {}: found {file} of an earlier run, expected a new folder; --overwrite-output-dir replaces it",
            dir.display()
        );
    }
    Ok(())
}

fn remove_earlier_results(dir: &Path) -> anyhow::Result<()> {
    for file in EARLIER_RESULTS {
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

fn starting_model(
    settings: &TrainSquadSettings,
    config: &BertConfig,
    training: bool,
    device: &Device,
) -> anyhow::Result<BertForQuestionAnswering> {
    if settings.from_scratch && training {
        info!("every weight is drawn anew (seed {})", settings.seed);
        return Ok(initialize(config, settings.seed, device));
    }
    let policy = match training {
        true => HeadPolicy::FreshIfMissing {
            seed: settings.seed,
        },
        false => HeadPolicy::MustBeTrained,
    };
    let loaded = load::<BertForQuestionAnswering>(&settings.bert_model, policy, device)?;
    let path = loaded.report.path.display();
    if !loaded.report.fresh.is_empty() {
        let range = config.initializer_range;
        info!(
            "{path}: no question-answering head; drawn anew from N(0, {range}²) with seed {}: {}",
            settings.seed,
            loaded.report.fresh.join(", ")
        );
    }
    if !loaded.report.unexpected.is_empty() {
        info!("{path}: not used: {}", loaded.report.unexpected.join(", "));
    }
    Ok(loaded.model)
}

/// A run's parts, shared by its stages.
struct Run<'a> {
    settings: &'a TrainSquadSettings,
    inputs: &'a Inputs,
    backend: &'a Backend,
}

impl Run<'_> {
    /// Writes `run.json`.
    fn record(&self) -> anyhow::Result<()> {
        let model = &self.settings.bert_model;
        let mut files: Vec<_> = [
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
        files.extend(self.settings.train_file.clone());
        files.extend(self.settings.predict_file.clone());
        let files: Vec<&Path> = files.iter().map(|path| path.as_path()).collect();
        let version = env!("CARGO_PKG_VERSION");
        let record = RunRecord::new(version, self.settings.seed, self.settings, &files)?;
        record.write(&self.settings.output_dir)?;
        Ok(())
    }

    fn train(
        &self,
        model: BertForQuestionAnswering,
        features: &SquadFeatures,
        plan: TrainPlan,
        config: &TrainConfig,
        device: &Device,
        results: &mut BTreeMap<String, Value>,
    ) -> anyhow::Result<BertForQuestionAnswering> {
        let dir = &self.settings.output_dir;
        info!(
            "training on {}: {} windows, {} steps of {} windows ({} epochs), learning rate {:e}",
            self.settings.device_choice,
            plan.examples,
            plan.total_steps,
            config.batches.batch_size,
            config.num_train_epochs,
            config.learning_rate
        );
        let task = SquadTask {
            features,
            pad_token_id: self.inputs.config.pad_token_id,
        };
        let log = MetricsLog::create(&dir.join("metrics.jsonl"))?;
        let mut progress = TrainProgress::start(plan.total_steps, log);
        let trained = train(&task, model, config, device, &mut progress);
        let (seconds, totals, log_error) = progress.finish();
        let model = trained?;
        if let Some(error) = log_error {
            warn!("{error}; the run went on");
        }
        let loss = totals.loss / totals.examples as f64;
        info!(
            "trained {} steps in {seconds:.1} s: mean loss {loss:.4}, {:.0} tokens/s, {:.1} windows/s, {:.1} % padding",
            totals.steps,
            totals.tokens as f64 / seconds,
            totals.examples as f64 / seconds,
            100.0 * (1.0 - totals.tokens as f64 / totals.padded_tokens as f64)
        );
        results.extend([
            ("global_step".to_owned(), json!(totals.steps)),
            ("loss".to_owned(), json!(loss)),
            ("train_seconds".to_owned(), json!(seconds)),
        ]);
        save(&model, &self.inputs.config, dir)?;
        save_tokenizer(&self.inputs.tokenizer, dir)?;
        Ok(model)
    }

    /// Answers the prediction file's questions, writes them into `dir`, and scores them where there is
    /// something to compare with.
    fn answer(
        &self,
        model: &BertForQuestionAnswering,
        dir: Option<&Path>,
    ) -> anyhow::Result<Option<Scores>> {
        let Some((dataset, features)) = &self.inputs.prediction else {
            return Ok(None);
        };
        let answering = Answering {
            dataset,
            features,
            tokenizer: &self.inputs.tokenizer,
            settings: self.settings.prediction,
            padding: self.settings.padding(),
            pad_token_id: self.inputs.config.pad_token_id,
        };
        let answers = answering.run(model, &self.backend.device)?;
        if let Some(dir) = dir {
            write_predictions(dir, &answers)?;
        }
        Ok(score_answers(dataset, &answers))
    }
}

fn print_plan(
    settings: &TrainSquadSettings,
    inputs: &Inputs,
    plan: Option<TrainPlan>,
) -> anyhow::Result<()> {
    let counts = |data: &Option<(SquadDataset, SquadFeatures)>| {
        data.as_ref().map(|(dataset, features)| {
            json!({"questions": dataset.questions.len(), "windows": features.windows.len()})
        })
    };
    let plan = json!({
        "settings": settings,
        "training": counts(&inputs.training),
        "prediction": counts(&inputs.prediction),
        "steps_per_epoch": plan.map(|plan| plan.steps_per_epoch),
        "total_steps": plan.map(|plan| plan.total_steps),
    });
    writeln!(std::io::stdout(), "{plan:#}")?;
    Ok(())
}

/// Scores side by side, as a person reads them.
#[derive(Default)]
struct Table {
    rows: Vec<(&'static str, (f64, f64))>,
}

impl Table {
    fn push(&mut self, name: &'static str, scores: &Scores) {
        self.rows.push((name, scores.exact_and_f1()));
    }

    fn print(&self) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        if !self.rows.is_empty() {
            writeln!(out, "{:<12} {:>8} {:>8}", "", "EM", "F1")?;
        }
        for (name, (exact, f1)) in &self.rows {
            writeln!(out, "{name:<12} {exact:>8.2} {f1:>8.2}")?;
        }
        Ok(())
    }
}
