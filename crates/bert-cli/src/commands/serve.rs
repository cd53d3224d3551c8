//! `serve`: a page and an API that ask a model about texts.

mod classes;
mod questions;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bert_corpus::Corpus;
use bert_inference::{ChoiceMaker, QuestionAnswerer, TextClassifier};
use bert_model::heads::{
    BertForMultipleChoice, BertForSequenceClassification, TaskModel, parameter_count,
};
use bert_model::{BertConfig, LabelList};
use bert_serve::{ApiKey, CorpusInfo, Ended, Model, ModelInfo, ServeConfig, Server, TlsFiles};
use serde_json::json;
use tracing::{info, warn};

use self::classes::{Chooser, Classifier};
use self::questions::Questions;
use super::inference::{Opened, open, question_config};
use crate::args::ServeArgs;
use crate::exit::bad_usage;
use crate::{interrupt, resolve, terminal};

/// Serves until it is asked to stop.
///
/// # Errors
/// When the model or a setting is bad, or the address cannot be listened on.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let config = serve_config(args)?;
    config.validate()?;
    if args.limits.max_windows == 0 {
        bad_usage!("--max-windows: found 0, expected at least 1");
    }
    let named: Vec<_> = args.model.iter().map(|model| named(model)).collect();
    let mut names: Vec<_> = named.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        bad_usage!(
            "--model: found two models with the name {:?}: give one another name, as in --model LABEL=DIR",
            twice[0]
        );
    }
    let corpus = match &args.corpus {
        Some(dir) => Some(Arc::new(corpus(dir)?)),
        None => None,
    };
    let mut models = Vec::with_capacity(named.len());
    for (name, model) in named {
        models.push(load(
            args,
            name,
            open(model, &args.device)?,
            corpus.as_ref(),
        )?);
    }
    let answers = |model: &Model| matches!(model, Model::Questions(_));
    if corpus.is_some() && !models.iter().any(answers) {
        bad_usage!("--corpus: found no model that answers questions, expected one at --model");
    }
    let server = Server::bind(config)?;
    let address = server.local_addr();
    if !address.ip().is_loopback() && args.access.api_key.is_none() {
        warn!(
            "{address} can be reached from the network, by anyone there; --api-key asks for a key"
        );
    }
    let shutdown = server.shutdown_handle();
    interrupt::listen_with(
        "finishing the requests in flight; once more to stop at once",
        move || shutdown.shutdown(),
    )?;
    let scheme = if args.access.tls_cert.is_some() {
        "https"
    } else {
        "http"
    };
    let url = format!("{scheme}://{address}");
    if terminal::json() {
        terminal::line(&json!({"url": url}).to_string())?;
    } else {
        terminal::line(&format!("serving on {url}"))?;
    }
    match server.run(models)? {
        Ended::Drained => info!("stopped"),
        Ended::CutOff { connections } => {
            warn!("stopped with {connections} connections cut off: they took too long");
        }
    }
    Ok(())
}

/// The documents below a folder, by their paths there: strangers do not see where it is.
fn corpus(dir: &Path) -> anyhow::Result<Corpus> {
    let documents = super::corpus::folder(dir, |path| {
        let below = path.strip_prefix(dir).unwrap_or(path);
        below.display().to_string()
    })?;
    super::corpus::index(documents)
}

/// Loads a model of any task, and asks it a first time: the first request must not wait for what is made once, threads
/// and on a GPU kernels.
fn load(
    args: &ServeArgs,
    name: String,
    opened: Opened,
    corpus: Option<&Arc<Corpus>>,
) -> anyhow::Result<Model> {
    let Opened {
        dir,
        backend,
        config: inference,
    } = opened;
    let config = BertConfig::read(&dir.join("config.json"))?;
    let info = |parameters, max_length, no_answer| ModelInfo {
        name,
        parameters,
        max_length,
        device: backend.choice.to_string(),
        labels: match config.label_list() {
            LabelList::Classes(names) | LabelList::Labels(names)
                if is_a::<BertForSequenceClassification>(&config) =>
            {
                names
            }
            _ => Vec::new(),
        },
        no_answer,
        corpus: None,
    };
    let device = &backend.device;
    let asked = args.answers.windows.max_seq_length;
    if is_a::<BertForSequenceClassification>(&config) {
        let length = resolve::max_seq_length(&dir, asked)?;
        let mut model = Classifier {
            classifier: TextClassifier::load(&dir, device, inference, Some(length))?,
            info: info(
                parameter_count::<BertForSequenceClassification>(&config),
                length,
                false,
            ),
        };
        model.warm_up();
        return Ok(Model::Texts(Box::new(model)));
    }
    if is_a::<BertForMultipleChoice>(&config) {
        let length = resolve::max_seq_length(&dir, asked)?;
        let mut model = Chooser {
            chooser: ChoiceMaker::load(&dir, device, inference, Some(length))?,
            info: info(
                parameter_count::<BertForMultipleChoice>(&config),
                length,
                false,
            ),
        };
        model.warm_up();
        return Ok(Model::Choices(Box::new(model)));
    }
    let questions = question_config(&dir, &args.answers, Some(args.limits.max_windows))?;
    let answerer = QuestionAnswerer::load(&dir, device, inference, questions)?;
    // Whatever comes, the server must not fail on it.
    answerer.config().features.validate_for_any_question()?;
    let model = Questions {
        info: ModelInfo {
            corpus: corpus.map(|it| CorpusInfo {
                documents: it.documents().len(),
                passages: it.passages().len(),
            }),
            ..info(
                answerer.parameters() as u64,
                answerer.config().features.max_seq_length,
                questions.prediction.version_2_with_negative,
            )
        },
        answerer,
        corpus: corpus.cloned(),
        max_passages: args.reading.max_passages,
    };
    model.warm_up();
    Ok(Model::Questions(Box::new(model)))
}

/// Whether a checkpoint says that its head is `M`'s.
fn is_a<M: TaskModel>(config: &BertConfig) -> bool {
    config.architectures().any(|name| name == M::ARCHITECTURE)
}

/// A model's label and where it is: `LABEL=` before it, else the name that strangers may see.
fn named(model: &Path) -> (String, &Path) {
    let labelled = model.to_str().and_then(|text| text.split_once('='));
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        !label.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
    };
    match labelled {
        Some((label, dir)) if is_label(label) => (label.to_owned(), Path::new(dir)),
        _ => (shown_name(model), model),
    }
}

/// A model's name as strangers may see it: the last part of its folder's path, or its name on the hub.
fn shown_name(model: &Path) -> String {
    let absolute = model.canonicalize();
    let folder = absolute.as_deref().ok().and_then(Path::file_name);
    folder.map_or_else(
        || model.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn serve_config(args: &ServeArgs) -> anyhow::Result<ServeConfig> {
    let (address, access, args) = (args.address, &args.access, &args.limits);
    let api_key = match &access.api_key {
        None => None,
        Some(key) => match ApiKey::new(key.clone()) {
            None => bad_usage!(
                "--api-key: found an empty key or one with other characters, expected visible ASCII characters"
            ),
            key => key,
        },
    };
    let tls = access.tls_cert.as_ref().zip(access.tls_key.as_ref());
    if !(0.0..=86_400.0).contains(&args.drain_delay) {
        bad_usage!(
            "--drain-delay: found {}, expected 0 to 86400 seconds",
            args.drain_delay
        );
    }
    let seconds = args.request_timeout;
    // A day is more than anyone waits, and any of it is a duration.
    if !(0.001..=86_400.0).contains(&seconds) {
        bad_usage!("--request-timeout: found {seconds}, expected 0.001 to 86400 seconds");
    }
    let default = ServeConfig::default();
    Ok(ServeConfig {
        address,
        allowed_hosts: args.allowed_host.clone(),
        api_key,
        allowed_origins: access.allow_origin.clone(),
        tls: tls.map(|(cert, key)| TlsFiles {
            cert: cert.clone(),
            key: key.clone(),
        }),
        drain_delay: Duration::from_secs_f64(args.drain_delay),
        body_limit: args.body_limit,
        passage_limit: default.passage_limit.max(args.body_limit),
        max_questions: default.max_questions.min(args.queue.max(1)),
        queue: args.queue,
        max_batch: args.max_batch,
        max_connections: args.max_connections,
        request_timeout: Duration::from_secs_f64(seconds),
        ..default
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stands_before_the_first_equals_sign() {
        for (given, label, dir) in [
            ("a=out/b", "a", "out/b"),
            ("A-1_b.c=d=e", "A-1_b.c", "d=e"),
            ("out/lr=3e-5", "lr=3e-5", "out/lr=3e-5"),
            ("./a=b", "a=b", "./a=b"),
            ("=b", "=b", "=b"),
            ("owner/name", "owner/name", "owner/name"),
        ] {
            let (found, path) = named(Path::new(given));
            assert_eq!(path, Path::new(dir), "{given}");
            if label.contains('=') {
                // Such a folder does not exist here, and is shown as it is given.
                assert_eq!(found, given);
            } else {
                assert_eq!(found, label, "{given}");
            }
        }
    }
}
