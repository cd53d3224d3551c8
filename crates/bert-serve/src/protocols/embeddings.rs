//! text-embeddings-inference, as far as it is about classifiers: `/predict` and `/info`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Request, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Function, huggingface::checked, scored};
use crate::{Text, body, checks::counted, refusals::ApiError, routes::Shared};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predict {
    inputs: Inputs,
    #[serde(default)]
    raw_scores: bool,
    /// Texts are always cut, as with `--auto-truncate` there.
    #[serde(default, rename = "truncate")]
    _truncate: Option<bool>,
    #[serde(default)]
    truncation_direction: Option<Direction>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Left,
    Right,
}

/// A text, a pair of texts, or a batch of lists of one or two texts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Inputs {
    Text(String),
    Texts(Vec<String>),
    Batch(Vec<Vec<String>>),
}

fn one_or_two(texts: Vec<String>) -> Result<(String, Option<String>), ApiError> {
    let count = texts.len();
    let mut texts = texts.into_iter();
    match (texts.next(), texts.next(), texts.next()) {
        (Some(text), pair, None) => Ok((text, pair)),
        _ => Err(ApiError::unprocessable(
            "invalid_request",
            format!("Found an input of {count} texts, expected one text or two."),
        )),
    }
}

/// `POST /predict`.
pub(crate) async fn predict(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let queue = shared.models.queue::<Text>(None)?;
    let asked: Predict = body::json(request, &shared.config).await?;
    if asked.truncation_direction == Some(Direction::Left) {
        return Err(ApiError::unprocessable(
            "invalid_request",
            "Found \"left\" as \"truncation_direction\", expected \"right\": texts are cut at their ends.",
        ));
    }
    let (inputs, several) = match asked.inputs {
        Inputs::Text(text) => (vec![vec![text]], false),
        Inputs::Texts(texts) => (vec![texts], false),
        Inputs::Batch(batch) => (batch, true),
    };
    counted("inputs", inputs.len(), &shared.config)?;
    let texts = inputs.into_iter().map(|texts| {
        let (text, pair) = one_or_two(texts)?;
        checked(text, pair, &shared.config)
    });
    let texts = texts.collect::<Result<_, ApiError>>()?;
    let function = asked.raw_scores.then_some(Function::None);
    let mut results = Vec::new();
    for outcome in queue.ask(texts).await? {
        let scored = scored(outcome?, function).into_iter();
        let scored = scored.map(|(label, score)| json!({"score": score, "label": label}));
        results.push(Value::Array(scored.collect()));
    }
    Ok(Json(if several {
        results.into()
    } else {
        results.pop().unwrap_or_default()
    }))
}

/// `GET /info`: the model that `/predict` asks.
pub(crate) async fn info(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, ApiError> {
    let info = &shared.models.doing::<Text>(None)?.info;
    let numbered = || info.labels.iter().enumerate();
    let id2label: BTreeMap<String, &String> = numbered()
        .map(|(id, label)| (id.to_string(), label))
        .collect();
    let label2id: BTreeMap<&String, usize> = numbered().map(|(id, label)| (label, id)).collect();
    let config = &shared.config;
    Ok(Json(json!({
        "model_id": info.name,
        "model_sha": null,
        "model_type": {"classifier": {"id2label": id2label, "label2id": label2id}},
        "max_concurrent_requests": config.queue,
        "max_input_length": info.max_length,
        "max_batch_requests": config.max_batch,
        "max_client_batch_size": config.max_questions,
        "auto_truncate": true,
        "version": env!("CARGO_PKG_VERSION"),
    })))
}
