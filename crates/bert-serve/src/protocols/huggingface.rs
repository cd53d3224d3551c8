//! The task schemas of Hugging Face's inference API, which SageMaker's containers speak too:
//! <https://huggingface.co/docs/inference-providers/tasks>.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Function, scored};
use crate::{
    Answered, MAX_N_BEST, Question, QuestionSettings, ServeConfig, Task, Text, body,
    checks::{counted, within},
    models::Served,
    refusals::ApiError,
    routes::Shared,
};

/// The body: what the inputs and parameters are depends on the model's task.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inference {
    inputs: Value,
    #[serde(default)]
    parameters: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToAnswer {
    question: String,
    context: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AnswerParameters {
    top_k: Option<usize>,
    doc_stride: Option<usize>,
    max_answer_len: Option<usize>,
    max_seq_len: Option<usize>,
    max_question_len: Option<usize>,
    handle_impossible_answer: Option<bool>,
    align_to_words: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PairOfTexts {
    text: String,
    #[serde(default)]
    text_pair: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ClassParameters {
    function_to_apply: Option<Function>,
    top_k: Option<usize>,
}

/// `POST /` and `POST /invocations`: the only model.
pub(crate) async fn only(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    infer(&shared, None, request).await
}

/// `POST /models/{model}`.
pub(crate) async fn named(
    State(shared): State<Arc<Shared>>,
    Path(model): Path<String>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    infer(&shared, Some(&model), request).await
}

async fn infer(
    shared: &Shared,
    model: Option<&str>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let served = shared.models.any(model)?;
    let asked: Inference = body::json(request, &shared.config).await?;
    match served.task() {
        Task::QuestionAnswering => answer(shared, served, asked).await,
        Task::TextClassification => classify(shared, served, asked).await,
        Task::MultipleChoice => Err(ApiError::unprocessable(
            "other_task",
            "The model chooses among endings, which this protocol has no schema for: ask it at /api/v1/choose.",
        )),
    }
}

/// The parameters; left out and `null` are one.
fn parameters<T: DeserializeOwned + Default>(value: Value) -> Result<T, ApiError> {
    if value.is_null() {
        return Ok(T::default());
    }
    object(value, "parameters")
}

/// A list of inputs, and whether the client has one: a single input needs none.
fn listed_inputs(inputs: Value) -> (Vec<Value>, bool) {
    match inputs {
        Value::Array(list) => (list, true),
        one => (vec![one], false),
    }
}

/// A part of the body that is an object. serde would take a list of its fields, too.
fn object<T: DeserializeOwned>(value: Value, name: &str) -> Result<T, ApiError> {
    if value.is_object() {
        return body::fitting(value, name);
    }
    Err(ApiError::unprocessable(
        "invalid_request",
        format!("The field {name:?} does not fit the API: expected an object."),
    ))
}

/// A parameter that may not be 0.
fn positive(name: &str, found: Option<usize>) -> Result<(), ApiError> {
    if found != Some(0) {
        return Ok(());
    }
    Err(ApiError::unprocessable(
        "invalid_request",
        format!("Found 0 as {name:?}, expected at least 1."),
    ))
}

async fn answer(
    shared: &Shared,
    served: &Served,
    asked: Inference,
) -> Result<Json<Value>, ApiError> {
    let config = &shared.config;
    let (inputs, several) = listed_inputs(asked.inputs);
    let chosen: AnswerParameters = parameters(asked.parameters)?;
    for (name, found) in [
        ("top_k", chosen.top_k),
        ("max_answer_len", chosen.max_answer_len),
        ("max_seq_len", chosen.max_seq_len),
        ("max_question_len", chosen.max_question_len),
    ] {
        positive(name, found)?;
    }
    let top_k = chosen.top_k.unwrap_or(1);
    if top_k > MAX_N_BEST {
        return Err(ApiError::unprocessable(
            "n_best",
            format!("Found {top_k} as \"top_k\", expected 1 to {MAX_N_BEST}."),
        ));
    }
    counted("inputs", inputs.len(), config)?;
    let settings = QuestionSettings {
        max_length: chosen.max_seq_len,
        overlap: chosen.doc_stride,
        max_question_length: chosen.max_question_len,
        max_answer_length: chosen.max_answer_len,
        no_answer: Some(chosen.handle_impossible_answer.unwrap_or(false)),
        whole_words: chosen.align_to_words.unwrap_or(true),
    };
    let questions = inputs.into_iter().map(|input| {
        let input: ToAnswer = object(input, "inputs")?;
        within("context", &input.context, config.passage_limit)?;
        within("question", &input.question, config.question_limit)?;
        Ok(Question {
            question: input.question,
            passage: Some(input.context.into()),
            n_best: top_k,
            settings,
        })
    });
    let questions = questions.collect::<Result<_, ApiError>>()?;
    let queue = shared.models.queue::<Question>(Some(&served.info.name))?;
    let mut results = Vec::new();
    for outcome in queue.ask(questions).await? {
        results.push(listed(outcome?, top_k));
    }
    Ok(Json(if several {
        results.into()
    } else {
        results.pop().unwrap_or_default()
    }))
}

/// One question's answers: an object where one is asked for, else a list.
fn listed(answered: Answered, top_k: usize) -> Value {
    let entry = |answer: &str, score: f64, start: usize, end: usize| json!({"answer": answer, "score": score, "start": start, "end": end});
    let mut list: Vec<(f64, Value)> = answered
        .answers
        .iter()
        .map(|it| {
            (
                it.probability,
                entry(&it.text, it.probability, it.start, it.end),
            )
        })
        .collect();
    if let Some(none) = answered.no_answer_probability {
        let place = list.partition_point(|(score, _)| *score >= none);
        list.insert(place, (none, entry("", none, 0, 0)));
    }
    if list.is_empty() {
        // A passage without a word.
        list.push((0.0, entry("", 0.0, 0, 0)));
    }
    let mut list: Vec<Value> = list
        .into_iter()
        .map(|(_, entry)| entry)
        .take(top_k)
        .collect();
    if top_k == 1 {
        list.swap_remove(0)
    } else {
        list.into()
    }
}

async fn classify(
    shared: &Shared,
    served: &Served,
    asked: Inference,
) -> Result<Json<Value>, ApiError> {
    let config = &shared.config;
    let (inputs, _) = listed_inputs(asked.inputs);
    let chosen: ClassParameters = parameters(asked.parameters)?;
    positive("top_k", chosen.top_k)?;
    counted("inputs", inputs.len(), config)?;
    let texts = inputs.into_iter().map(|input| match input {
        Value::String(text) => checked(text, None, config),
        input => {
            let PairOfTexts { text, text_pair } = object(input, "inputs")?;
            checked(text, text_pair, config)
        }
    });
    let texts = texts.collect::<Result<_, ApiError>>()?;
    let queue = shared.models.queue::<Text>(Some(&served.info.name))?;
    let mut results = Vec::new();
    for outcome in queue.ask(texts).await? {
        let scored = scored(outcome?, chosen.function_to_apply);
        let scored = scored.into_iter().take(chosen.top_k.unwrap_or(usize::MAX));
        let scored = scored.map(|(label, score)| json!({"label": label, "score": score}));
        results.push(Value::Array(scored.collect()));
    }
    Ok(Json(results.into()))
}

/// A text or a pair, within the limits.
pub(super) fn checked(
    text: String,
    pair: Option<String>,
    config: &ServeConfig,
) -> Result<Text, ApiError> {
    within("text", &text, config.passage_limit)?;
    if let Some(pair) = &pair {
        within("second text", pair, config.passage_limit)?;
    }
    Ok(Text { text, pair })
}
