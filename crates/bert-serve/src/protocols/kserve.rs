//! KServe's protocol, version 2 (the Open Inference Protocol), with tensors as JSON:
//! <https://github.com/kserve/open-inference-protocol>.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{huggingface::checked, scored};
use crate::{
    Choice, MAX_ENDINGS, Question, QuestionSettings, ServeConfig, Task, Text, body,
    checks::{counted, no_longer, within},
    models::Served,
    refusals::ApiError,
    routes::Shared,
};

/// The header with which a client says that its tensors are binary.
const BINARY: &str = "inference-header-content-length";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Infer {
    #[serde(default)]
    id: Option<String>,
    inputs: Vec<Tensor>,
    #[serde(default)]
    outputs: Option<Vec<Wanted>>,
    #[serde(default, rename = "parameters")]
    _parameters: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tensor {
    name: String,
    shape: Vec<u64>,
    datatype: String,
    #[serde(default, rename = "parameters")]
    _parameters: Value,
    data: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    #[serde(default, rename = "parameters")]
    _parameters: Value,
}

/// A tensor's name and datatype, and how many dimensions it has.
type Described = (&'static str, &'static str, usize);

/// The tensors that a task takes and gives, and how many of the first must be there.
fn tensors(task: Task) -> (&'static [Described], usize, &'static [Described]) {
    match task {
        Task::QuestionAnswering => (
            &[("question", "BYTES", 1), ("context", "BYTES", 1)],
            2,
            &[
                ("answer", "BYTES", 1),
                ("score", "FP64", 1),
                ("start", "INT64", 1),
                ("end", "INT64", 1),
            ],
        ),
        Task::TextClassification => (
            &[("text", "BYTES", 1), ("pair", "BYTES", 1)],
            1,
            &[("label", "BYTES", 2), ("score", "FP64", 2)],
        ),
        Task::MultipleChoice => (
            &[
                ("context", "BYTES", 1),
                ("endings", "BYTES", 2),
                ("start", "BYTES", 1),
            ],
            2,
            &[("choice", "INT64", 1), ("probability", "FP64", 2)],
        ),
    }
}

/// `GET /v2`.
pub(crate) async fn server() -> Json<Value> {
    Json(json!({"name": "bert", "version": env!("CARGO_PKG_VERSION"), "extensions": []}))
}

/// `GET /v2/models/{model}`.
pub(crate) async fn metadata(
    State(shared): State<Arc<Shared>>,
    Path(model): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let served = shared.models.any(Some(&model))?;
    let (inputs, _, outputs) = tensors(served.task());
    let listed = |tensors: &[Described]| -> Vec<Value> {
        let described = tensors.iter().map(|(name, datatype, dimensions)| {
            json!({"name": name, "datatype": datatype, "shape": vec![-1; *dimensions]})
        });
        described.collect()
    };
    Ok(Json(json!({
        "name": served.info.name,
        "platform": "bert",
        "inputs": listed(inputs),
        "outputs": listed(outputs),
    })))
}

/// `GET /v2/models/{model}/ready`.
pub(crate) async fn ready(
    State(shared): State<Arc<Shared>>,
    Path(model): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let served = shared.models.any(Some(&model))?;
    if shared.is_ending() || served.queue.is_closed() {
        return Err(ApiError::gone());
    }
    Ok(Json(json!({"name": served.info.name, "ready": true})))
}

/// `POST /v2/models/{model}/infer`.
pub(crate) async fn infer(
    State(shared): State<Arc<Shared>>,
    Path(model): Path<String>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let served = shared.models.any(Some(&model))?;
    if request.headers().contains_key(BINARY) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "binary_tensors",
            "Tensors must be JSON: with tritonclient, set_data_from_numpy(…, binary_data=False).",
        ));
    }
    let asked: Infer = body::json_unless_stated(request, &shared.config).await?;
    let (takes, needed, gives) = tensors(served.task());
    let inputs = inputs(asked.inputs, takes, needed)?;
    if let Some(wanted) = &asked.outputs {
        let unknown = wanted
            .iter()
            .find(|it| !gives.iter().any(|(name, ..)| *name == it.name));
        if let Some(unknown) = unknown {
            return Err(unknown_tensor("output", &unknown.name, gives));
        }
    }
    let mut outputs = ask(&shared, served, inputs).await?;
    if let Some(wanted) = asked.outputs {
        outputs.retain(|(name, ..)| wanted.iter().any(|it| it.name == *name));
    }
    let outputs = outputs.into_iter().map(|(name, shape, data)| {
        let datatype = gives.iter().find(|(it, ..)| *it == name).map(|it| it.1);
        json!({"name": name, "datatype": datatype, "shape": shape, "data": data})
    });
    let outputs: Vec<Value> = outputs.collect();
    let mut reply = json!({"model_name": served.info.name, "outputs": outputs});
    if let Some(id) = asked.id {
        reply["id"] = id.into();
    }
    Ok(Json(reply))
}

/// A tensor of texts: rows, and how many texts a row has.
struct Texts {
    texts: Vec<String>,
    rows: usize,
    width: usize,
}

fn bad(message: String) -> ApiError {
    ApiError::unprocessable("bad_tensor", message)
}

fn unknown_tensor(kind: &str, found: &str, known: &[Described]) -> ApiError {
    let known: Vec<_> = known.iter().map(|(name, ..)| format!("{name:?}")).collect();
    let found = body::one_line(found);
    bad(format!(
        "Found an {kind} {found:?}, expected {}.",
        known.join(", ")
    ))
}

/// The tensors in the order of the task's own; those that may be left out may be missing.
fn inputs(
    given: Vec<Tensor>,
    takes: &[Described],
    needed: usize,
) -> Result<Vec<Option<Texts>>, ApiError> {
    let mut found: Vec<Option<Texts>> = takes.iter().map(|_| None).collect();
    for tensor in given {
        let place = takes.iter().position(|(name, ..)| *name == tensor.name);
        let place = place.ok_or_else(|| unknown_tensor("input", &tensor.name, takes))?;
        if found[place].is_some() {
            return Err(bad(format!("Found the input {:?} twice.", takes[place].0)));
        }
        found[place] = Some(texts(tensor, takes[place])?);
    }
    if let Some(place) = found[..needed].iter().position(Option::is_none) {
        return Err(bad(format!("Found no input {:?}.", takes[place].0)));
    }
    let rows = found[0].as_ref().map_or(0, |it| it.rows);
    match found.iter().flatten().find(|it| it.rows != rows) {
        Some(other) => Err(bad(format!(
            "Found inputs of {rows} and of {} rows, expected as many in each.",
            other.rows
        ))),
        None => Ok(found),
    }
}

fn texts(tensor: Tensor, (name, datatype, dimensions): Described) -> Result<Texts, ApiError> {
    if tensor.datatype != datatype {
        let found = body::one_line(&tensor.datatype);
        return Err(bad(format!(
            "The input {name:?}: found the datatype {found:?}, expected {datatype:?}."
        )));
    }
    let shape = &tensor.shape;
    // A column is a list.
    let (rows, width) = match (dimensions, &shape[..]) {
        (1, [rows] | [rows, 1]) => (*rows, 1),
        (2, [rows, width]) => (*rows, *width),
        _ => {
            return Err(bad(format!(
                "The input {name:?}: found {} dimensions, expected {dimensions}.",
                shape.len()
            )));
        }
    };
    let mut texts = Vec::new();
    flatten(tensor.data, &mut texts).ok_or_else(|| {
        bad(format!(
            "The input {name:?}: found data of other kinds, expected a list of texts."
        ))
    })?;
    if rows.checked_mul(width) != u64::try_from(texts.len()).ok() {
        return Err(bad(format!(
            "The input {name:?}: found {} texts, expected as many as its shape says.",
            texts.len()
        )));
    }
    let size = |of: u64| usize::try_from(of).unwrap_or(usize::MAX);
    Ok(Texts {
        texts,
        rows: size(rows),
        width: size(width),
    })
}

/// Texts in lists of lists, in their order; nothing where there is something else.
fn flatten(data: Value, texts: &mut Vec<String>) -> Option<()> {
    let Value::Array(list) = data else {
        return None;
    };
    for entry in list {
        match entry {
            Value::String(text) => texts.push(text),
            nested => flatten(nested, texts)?,
        }
    }
    Some(())
}

/// A tensor of the reply.
type Output = (&'static str, Vec<usize>, Value);

async fn ask(
    shared: &Shared,
    served: &Served,
    mut inputs: Vec<Option<Texts>>,
) -> Result<Vec<Output>, ApiError> {
    let config = &shared.config;
    let name = Some(served.info.name.as_str());
    let rows = inputs[0].as_ref().map_or(0, |it| it.rows);
    counted("rows", rows, config)?;
    let mut column = |place: usize| inputs.get_mut(place).and_then(Option::take);
    match served.task() {
        Task::QuestionAnswering => {
            let asked = list(column(0)).into_iter().zip(list(column(1)));
            let items = asked.map(|(question, passage)| {
                within("context", &passage, config.passage_limit)?;
                within("question", &question, config.question_limit)?;
                Ok(Question {
                    question,
                    passage: Some(passage.into()),
                    n_best: 1,
                    settings: QuestionSettings::default(),
                })
            });
            let items = items.collect::<Result<_, ApiError>>()?;
            let mut columns = [(); 4].map(|()| Vec::new());
            for outcome in shared.models.queue::<Question>(name)?.ask(items).await? {
                let answered = outcome?;
                let none = answered.no_answer_probability.unwrap_or(0.0);
                let best = answered.answers.into_iter().next();
                let row: [Value; 4] = match best.filter(|best| best.probability >= none) {
                    Some(best) => [
                        best.text.into(),
                        best.probability.into(),
                        best.start.into(),
                        best.end.into(),
                    ],
                    None => ["".into(), none.into(), 0.into(), 0.into()],
                };
                for (column, value) in columns.iter_mut().zip(row) {
                    column.push(value);
                }
            }
            let names = ["answer", "score", "start", "end"].into_iter();
            let columns = names.zip(columns);
            Ok(columns
                .map(|(name, data)| (name, vec![rows], data.into()))
                .collect())
        }
        Task::TextClassification => {
            let texts = list(column(0));
            let pairs = match column(1) {
                Some(pairs) => pairs.texts.into_iter().map(Some).collect(),
                None => vec![None; rows],
            };
            let pairs = texts.into_iter().zip(pairs);
            let items = pairs.map(|(text, pair)| checked(text, pair, config));
            let items = items.collect::<Result<_, ApiError>>()?;
            let (mut labels, mut scores) = (Vec::new(), Vec::new());
            for outcome in shared.models.queue::<Text>(name)?.ask(items).await? {
                for (label, score) in scored(outcome?, None) {
                    labels.push(label);
                    scores.push(score);
                }
            }
            let shape = vec![rows, labels.len() / rows.max(1)];
            Ok(vec![
                ("label", shape.clone(), labels.into()),
                ("score", shape, scores.into()),
            ])
        }
        Task::MultipleChoice => {
            let columns = [column(0), column(1), column(2)];
            choose(shared, name, columns, config).await
        }
    }
}

async fn choose(
    shared: &Shared,
    name: Option<&str>,
    [contexts, endings, starts]: [Option<Texts>; 3],
    config: &ServeConfig,
) -> Result<Vec<Output>, ApiError> {
    let width = endings.as_ref().map_or(0, |it| it.width);
    if !(2..=MAX_ENDINGS).contains(&width) {
        return Err(ApiError::unprocessable(
            "ending_count",
            format!("Found {width} endings, expected 2 to {MAX_ENDINGS}."),
        ));
    }
    let (contexts, endings, starts) = (list(contexts), list(endings), list(starts));
    let rows = contexts.len();
    let items = contexts.into_iter().zip(endings.chunks(width)).enumerate();
    let items = items.map(|(row, (context, endings))| {
        let start = starts.get(row).cloned().unwrap_or_default();
        within("context", &context, config.passage_limit)?;
        no_longer("start", &start, config.passage_limit)?;
        for ending in endings {
            within("ending", ending, config.passage_limit)?;
        }
        Ok(Choice {
            context,
            start,
            endings: endings.to_vec(),
        })
    });
    let items = items.collect::<Result<_, ApiError>>()?;
    let (mut choices, mut probabilities) = (Vec::new(), Vec::new());
    for outcome in shared.models.queue::<Choice>(name)?.ask(items).await? {
        let chosen = outcome?;
        choices.push(chosen.choice);
        probabilities.extend(chosen.probabilities);
    }
    Ok(vec![
        ("choice", vec![rows], choices.into()),
        ("probability", vec![rows, width], probabilities.into()),
    ])
}

/// The texts of a tensor; none where there is no tensor.
fn list(texts: Option<Texts>) -> Vec<String> {
    texts.map_or_else(Vec::new, |it| it.texts)
}
