//! The server's own API: bodies to questions, answers to bodies.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

use crate::{
    Choice, Item, MAX_ENDINGS, MAX_N_BEST, ModelInfo, Question, QuestionSettings, ServeConfig,
    Task, Text, body,
    checks::{counted, no_longer, within},
    models::{Asked, Served},
    queue::Outcome,
    refusals::ApiError,
    routes::Shared,
};

/// How many answers a request without `n_best` gets.
const DEFAULT_N_BEST: usize = 5;

/// The body of a request to `/api/v1/answer`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToAnswer {
    #[serde(default, deserialize_with = "stated")]
    model: Option<String>,
    #[serde(default, deserialize_with = "stated")]
    question: Option<String>,
    #[serde(default, deserialize_with = "stated")]
    questions: Option<Vec<String>>,
    #[serde(default, deserialize_with = "stated")]
    passage: Option<String>,
    #[serde(default, deserialize_with = "stated")]
    n_best: Option<usize>,
}

/// A field may be left out, but not be `null`.
fn stated<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// The body of a request to `/api/v1/classify`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToClassify {
    #[serde(default, deserialize_with = "stated")]
    model: Option<String>,
    #[serde(default, deserialize_with = "stated")]
    text: Option<String>,
    #[serde(default, deserialize_with = "stated")]
    pair: Option<String>,
    #[serde(default, deserialize_with = "stated")]
    texts: Option<Vec<OneText>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OneText {
    text: String,
    #[serde(default, deserialize_with = "stated")]
    pair: Option<String>,
}

/// The body of a request to `/api/v1/choose`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToChoose {
    #[serde(default, deserialize_with = "stated")]
    model: Option<String>,
    context: String,
    #[serde(default)]
    start: String,
    endings: Vec<String>,
}

/// A body, which may name the model.
trait NamesModel {
    fn model(&self) -> Option<&str>;
}

macro_rules! names_model {
    ($($body:ty),*) => {
        $(impl NamesModel for $body {
            fn model(&self) -> Option<&str> {
                self.model.as_deref()
            }
        })*
    };
}

names_model!(ToAnswer, ToClassify, ToChoose);

/// What a body asks for, and whether it is a list.
type Items<Q> = (Vec<Q>, bool);

/// The answer to several questions: one entry each, in their order.
#[derive(Debug, Serialize)]
struct Several<A> {
    results: Vec<Entry<A>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Entry<A> {
    Answered(A),
    Refused { error: ApiError },
}

/// The body of `/api/v1/model`.
#[derive(Debug, Serialize)]
struct About<'a> {
    #[serde(flatten)]
    model: Described<'a>,
    limits: Limits,
}

/// The body of `/api/v1/models`.
#[derive(Debug, Serialize)]
struct AboutAll<'a> {
    models: Vec<Described<'a>>,
    limits: Limits,
}

#[derive(Debug, Serialize)]
struct Described<'a> {
    task: Task,
    model: &'a ModelInfo,
}

#[derive(Debug, Serialize)]
struct Limits {
    body_bytes: usize,
    passage_characters: usize,
    question_characters: usize,
    questions: usize,
    n_best: usize,
    request_seconds: f64,
}

/// `GET /api/v1/model`: the only one.
pub(crate) async fn model(State(shared): State<Arc<Shared>>) -> Result<Response, ApiError> {
    let about = About {
        model: described(shared.models.any(None)?),
        limits: limits(&shared.config),
    };
    Ok(Json(about).into_response())
}

/// `GET /api/v1/models`.
pub(crate) async fn models(State(shared): State<Arc<Shared>>) -> Response {
    let about = AboutAll {
        models: shared.models.all().iter().map(described).collect(),
        limits: limits(&shared.config),
    };
    Json(about).into_response()
}

fn described(served: &Served) -> Described<'_> {
    Described {
        task: served.task(),
        model: &served.info,
    }
}

fn limits(config: &ServeConfig) -> Limits {
    Limits {
        body_bytes: config.body_limit,
        passage_characters: config.passage_limit,
        question_characters: config.question_limit,
        questions: config.max_questions,
        n_best: MAX_N_BEST,
        request_seconds: config.request_timeout.as_secs_f64(),
    }
}

/// `POST /api/v1/answer`.
pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    ask(&shared, request, questions).await
}

/// `POST /api/v1/classify`.
pub(crate) async fn classify(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    ask(&shared, request, texts).await
}

/// `POST /api/v1/choose`.
pub(crate) async fn choose(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    ask(&shared, request, choices).await
}

/// Reads a body, has the model asked, and writes its answer.
async fn ask<B: DeserializeOwned + NamesModel, Q: Asked>(
    shared: &Shared,
    request: Request,
    items: fn(B, &ServeConfig, &ModelInfo) -> Result<Items<Q>, ApiError>,
) -> Result<Response, ApiError> {
    // Where no model does this, the body need not fit it.
    shared.models.can::<Q>()?;
    let asked: B = body::json(request, &shared.config).await?;
    let queue = Arc::clone(shared.models.queue::<Q>(asked.model())?);
    let info = &shared.models.doing::<Q>(asked.model())?.info;
    let (items, several) = items(asked, &shared.config, info)?;
    let mut outcomes = queue.ask(items).await?;
    if several {
        let results = outcomes.into_iter().map(entry::<Q>).collect();
        return Ok(Json(Several { results }).into_response());
    }
    let answered = outcomes.pop().ok_or_else(ApiError::gone)??;
    Ok(Json(answered).into_response())
}

fn entry<Q: Item>(outcome: Outcome<Q>) -> Entry<Q::Answer> {
    match outcome {
        Ok(answered) => Entry::Answered(answered),
        Err(refusal) => Entry::Refused {
            error: refusal.into(),
        },
    }
}

/// The questions, and whether the client asked for a list.
fn questions(
    asked: ToAnswer,
    config: &ServeConfig,
    model: &ModelInfo,
) -> Result<Items<Question>, ApiError> {
    let (texts, several) = match (asked.question, asked.questions) {
        (Some(question), None) => (vec![question], false),
        (None, Some(questions)) => (questions, true),
        (None, None) | (Some(_), Some(_)) => {
            return Err(ApiError::unprocessable(
                "invalid_request",
                "The body must have either \"question\", a text, or \"questions\", a list of texts.",
            ));
        }
    };
    counted("questions", texts.len(), config)?;
    let n_best = asked.n_best.unwrap_or(DEFAULT_N_BEST);
    if !(1..=MAX_N_BEST).contains(&n_best) {
        return Err(ApiError::unprocessable(
            "n_best",
            format!("Found {n_best} as \"n_best\", expected 1 to {MAX_N_BEST}."),
        ));
    }
    match &asked.passage {
        Some(passage) => within("passage", passage, config.passage_limit)?,
        None if model.corpus.is_some() => {}
        None => {
            return Err(ApiError::unprocessable(
                "invalid_request",
                "The body must have \"passage\", a text: the model has no documents to answer from.",
            ));
        }
    }
    for question in &texts {
        within("question", question, config.question_limit)?;
    }
    let passage: Option<Arc<str>> = asked.passage.map(Arc::from);
    let question = |question| Question {
        question,
        passage: passage.clone(),
        n_best,
        settings: QuestionSettings::default(),
    };
    Ok((texts.into_iter().map(question).collect(), several))
}

/// The texts, and whether the client asked for a list.
fn texts(
    asked: ToClassify,
    config: &ServeConfig,
    _model: &ModelInfo,
) -> Result<Items<Text>, ApiError> {
    let (texts, several) = match (asked.text, asked.pair, asked.texts) {
        (Some(text), pair, None) => (vec![OneText { text, pair }], false),
        (None, None, Some(texts)) => (texts, true),
        (None, _, None) | (Some(_), _, Some(_)) | (None, Some(_), Some(_)) => {
            return Err(ApiError::unprocessable(
                "invalid_request",
                "The body must have either \"text\", which may have a \"pair\", or \"texts\", a list of such objects.",
            ));
        }
    };
    counted("texts", texts.len(), config)?;
    let checked = texts.into_iter().map(|OneText { text, pair }| {
        within("text", &text, config.passage_limit)?;
        if let Some(pair) = &pair {
            within("pair", pair, config.passage_limit)?;
        }
        Ok(Text { text, pair })
    });
    Ok((checked.collect::<Result<_, ApiError>>()?, several))
}

/// The choice; there is no list of them.
fn choices(
    asked: ToChoose,
    config: &ServeConfig,
    _model: &ModelInfo,
) -> Result<Items<Choice>, ApiError> {
    let ToChoose {
        context,
        start,
        endings,
        model: _,
    } = asked;
    if !(2..=MAX_ENDINGS).contains(&endings.len()) {
        return Err(ApiError::unprocessable(
            "ending_count",
            format!(
                "Found {} endings, expected 2 to {MAX_ENDINGS}.",
                endings.len()
            ),
        ));
    }
    within("context", &context, config.passage_limit)?;
    no_longer("start", &start, config.passage_limit)?;
    for ending in &endings {
        within("ending", ending, config.passage_limit)?;
    }
    let choice = Choice {
        context,
        start,
        endings,
    };
    Ok((vec![choice], false))
}
