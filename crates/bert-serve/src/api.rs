//! The JSON API: bodies to questions, answers to bodies.

use std::{str, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::error::Category;
use tokio::time::timeout;

use crate::{
    Choice, Item, MAX_ENDINGS, MAX_N_BEST, ModelInfo, Question, ServeConfig, Task, Text,
    queue::{NoRoom, Outcome, Queue},
    refusals::ApiError,
    routes::Shared,
};

/// How many answers a request without `n_best` gets.
const DEFAULT_N_BEST: usize = 5;

/// The most characters of a request that a message repeats.
const LONGEST_ECHO: usize = 200;

/// The body of a request to `/api/v1/answer`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default, deserialize_with = "stated")]
    question: Option<String>,
    #[serde(default, deserialize_with = "stated")]
    questions: Option<Vec<String>>,
    passage: String,
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
    context: String,
    #[serde(default)]
    start: String,
    endings: Vec<String>,
}

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
    task: Task,
    model: &'a ModelInfo,
    limits: Limits,
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

/// `GET /api/v1/model`.
pub(crate) async fn model(State(shared): State<Arc<Shared>>) -> Response {
    let config = &shared.config;
    let limits = Limits {
        body_bytes: config.body_limit,
        passage_characters: config.passage_limit,
        question_characters: config.question_limit,
        questions: config.max_questions,
        n_best: MAX_N_BEST,
        request_seconds: config.request_timeout.as_secs_f64(),
    };
    let about = About {
        task: shared.model.queue.task(),
        model: &shared.model.info,
        limits,
    };
    Json(about).into_response()
}

/// `POST /api/v1/answer`.
pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let queue = shared.model.queue.questions()?;
    ask(queue, request, &shared.config, questions).await
}

/// `POST /api/v1/classify`.
pub(crate) async fn classify(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let queue = shared.model.queue.texts()?;
    ask(queue, request, &shared.config, texts).await
}

/// `POST /api/v1/choose`.
pub(crate) async fn choose(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, ApiError> {
    let queue = shared.model.queue.choices()?;
    ask(queue, request, &shared.config, choices).await
}

/// Reads a body, has the model asked, and writes its answer.
async fn ask<B: DeserializeOwned, Q: Item>(
    queue: &Arc<Queue<Q>>,
    request: Request,
    config: &ServeConfig,
    items: fn(B, &ServeConfig) -> Result<Items<Q>, ApiError>,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    is_json(&parts.headers)?;
    let bytes = read(&parts.headers, body, config).await?;
    let (items, several) = items(parse(&bytes)?, config)?;
    drop(bytes);
    let pending = queue.submit(items).map_err(|full| match full {
        NoRoom::Full => ApiError::unavailable(
            "busy",
            "Too many questions are waiting: ask again in a moment.",
        ),
        NoRoom::Closed => gone(),
    })?;
    let mut outcomes = pending.outcomes().await.ok_or_else(gone)?;
    if several {
        let results = outcomes.into_iter().map(entry::<Q>).collect();
        return Ok(Json(Several { results }).into_response());
    }
    let answered = outcomes.pop().ok_or_else(gone)??;
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

fn gone() -> ApiError {
    ApiError::unavailable(
        "shutting_down",
        "The server is shutting down, or its model has stopped: it takes no more questions.",
    )
}

/// A browser sends a form of another site without a preflight request in three media types, none of which is JSON.
fn is_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut stated = headers.get_all(header::CONTENT_TYPE).iter();
    let value = stated.next().and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next());
    let json = media_type.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"));
    if json && stated.next().is_none() {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not_json",
        "The body must be JSON, with the header \"Content-Type: application/json\".",
    ))
}

async fn read(
    headers: &HeaderMap,
    body: Body,
    config: &ServeConfig,
) -> Result<impl AsRef<[u8]> + use<>, ApiError> {
    let too_large = || {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("The body may have {} bytes at most.", config.body_limit),
        )
    };
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if length
        .is_some_and(|length| usize::try_from(length).unwrap_or(usize::MAX) > config.body_limit)
    {
        return Err(too_large());
    }
    let body = Limited::new(body, config.body_limit).collect();
    match timeout(config.body_timeout, body).await {
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            format!(
                "The body did not arrive within {} s.",
                config.body_timeout.as_secs_f64()
            ),
        )),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "body_broken",
            "The body ended early or is not valid HTTP.",
        )),
    }
}

fn parse<T: DeserializeOwned>(bytes: &impl AsRef<[u8]>) -> Result<T, ApiError> {
    let text = str::from_utf8(bytes.as_ref()).map_err(|error| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "invalid_utf8",
            format!(
                "The body must be UTF-8; found other bytes at byte {}.",
                error.valid_up_to()
            ),
        )
    })?;
    serde_json::from_str(text).map_err(|error| {
        let found = one_line(&error.to_string());
        match error.classify() {
            Category::Data => ApiError::unprocessable(
                "invalid_request",
                format!("The body does not fit the API: {found}."),
            ),
            Category::Syntax | Category::Eof | Category::Io => ApiError::new(
                StatusCode::BAD_REQUEST,
                "invalid_json",
                format!("The body is not JSON: {found}."),
            ),
        }
    })
}

/// A part of a body, as a message may repeat it: short and without control characters.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars().take(LONGEST_ECHO) {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// The questions, and whether the client asked for a list.
fn questions(asked: Asked, config: &ServeConfig) -> Result<Items<Question>, ApiError> {
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
    within("passage", &asked.passage, config.passage_limit)?;
    for question in &texts {
        within("question", question, config.question_limit)?;
    }
    let passage: Arc<str> = asked.passage.into();
    let question = |question| Question {
        question,
        passage: Arc::clone(&passage),
        n_best,
    };
    Ok((texts.into_iter().map(question).collect(), several))
}

/// The texts, and whether the client asked for a list.
fn texts(asked: ToClassify, config: &ServeConfig) -> Result<Items<Text>, ApiError> {
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
fn choices(asked: ToChoose, config: &ServeConfig) -> Result<Items<Choice>, ApiError> {
    let ToChoose {
        context,
        start,
        endings,
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

fn counted(name: &'static str, found: usize, config: &ServeConfig) -> Result<(), ApiError> {
    if (1..=config.max_questions).contains(&found) {
        return Ok(());
    }
    Err(ApiError::unprocessable(
        "question_count",
        format!(
            "Found {found} {name}, expected 1 to {}.",
            config.max_questions
        ),
    ))
}

fn within(name: &'static str, text: &str, limit: usize) -> Result<(), ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::unprocessable(
            "empty",
            format!("The {name} is empty."),
        ));
    }
    no_longer(name, text, limit)
}

fn no_longer(name: &'static str, text: &str, limit: usize) -> Result<(), ApiError> {
    let length = text.chars().count();
    if length > limit {
        return Err(ApiError::unprocessable(
            "too_long",
            format!("The {name} has {length} characters, expected {limit} at most."),
        ));
    }
    Ok(())
}
