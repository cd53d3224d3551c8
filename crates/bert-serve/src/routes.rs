//! The table of paths, and what answers them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Json, Router,
    extract::State,
    http::{Method, StatusCode, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use serde_json::{Value, json};

use crate::{
    ServeConfig,
    around::around,
    hosts::HostRule,
    metrics::{CONTENT_TYPE, Metrics},
    models::Models,
    openapi, page,
    protocols::{Protocol, embeddings, huggingface, kserve, own},
    refusals::ApiError,
};

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: ServeConfig,
    pub(crate) hosts: HostRule,
    pub(crate) models: Models,
    pub(crate) metrics: Arc<Metrics>,
    /// The server is ending.
    pub(crate) ending: AtomicBool,
}

impl Shared {
    /// Whether the server is ending.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    fn is_ready(&self) -> bool {
        !self.is_ending() && self.models.are_well()
    }
}

/// Who may use a path, where the server has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Everyone: the page's files, and what says whether the server is well.
    Open,
    /// Who has the key.
    Key,
}

/// A path with what answers it.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    access: Access,
    protocol: Protocol,
    answers: fn() -> MethodRouter<Arc<Shared>>,
}

/// The name under which requests to no route are counted.
pub(crate) const NO_ROUTE: &str = "none";

use Access::{Key, Open};
use Protocol::{Embeddings, Message, Own};

/// Every path.
pub(crate) const ROUTES: &[Route] = &[
    route("/", Open, Own, || get(page::html).post(huggingface::only)),
    route("/page.css", Open, Own, || get(page::css)),
    route("/page.js", Open, Own, || get(page::js)),
    route("/page/elements.js", Open, Own, || get(page::elements)),
    route("/page/asking.js", Open, Own, || get(page::asking)),
    route("/page/questions.js", Open, Own, || get(page::questions)),
    route("/page/classes.js", Open, Own, || get(page::classes)),
    route("/page/endings.js", Open, Own, || get(page::endings)),
    route("/icon.svg", Open, Own, || get(page::icon)),
    route("/openapi.json", Open, Own, || get(openapi::document)),
    route("/healthz", Open, Own, || get(health)),
    route("/metrics", Key, Own, || get(metrics)),
    route("/api/v1/model", Key, Own, || get(own::model)),
    route("/api/v1/models", Key, Own, || get(own::models)),
    route("/api/v1/answer", Key, Own, || post(own::answer)),
    route("/api/v1/classify", Key, Own, || post(own::classify)),
    route("/api/v1/choose", Key, Own, || post(own::choose)),
    route("/models/{model}", Key, Message, || post(huggingface::named)),
    route("/health", Open, Embeddings, || get(ready)),
    route("/info", Key, Embeddings, || get(embeddings::info)),
    route("/predict", Key, Embeddings, || post(embeddings::predict)),
    route("/ping", Open, Message, || get(ready)),
    route("/invocations", Key, Message, || post(huggingface::only)),
    route("/v2", Key, Message, || get(kserve::server)),
    route("/v2/health/live", Open, Message, || get(live)),
    route("/v2/health/ready", Open, Message, || get(ready)),
    route("/v2/models/{model}", Key, Message, || get(kserve::metadata)),
    route("/v2/models/{model}/ready", Key, Message, || {
        get(kserve::ready)
    }),
    route("/v2/models/{model}/infer", Key, Message, || {
        post(kserve::infer)
    }),
];

const fn route(
    path: &'static str,
    access: Access,
    protocol: Protocol,
    answers: fn() -> MethodRouter<Arc<Shared>>,
) -> Route {
    Route {
        path,
        access,
        protocol,
        answers,
    }
}

impl Route {
    /// Whether a request needs no key. The page is at the path where models are asked, too.
    pub(crate) fn is_open(&self, method: &Method) -> bool {
        self.access == Open && *method != Method::POST
    }

    /// Whose form a refusal has.
    pub(crate) fn protocol_of(&self, method: &Method) -> Protocol {
        if self.path == "/" && *method == Method::POST {
            Message
        } else {
            self.protocol
        }
    }
}

/// The route of a path of the table, so that a client cannot create new series of metrics.
pub(crate) fn of(path: Option<&str>) -> Option<&'static Route> {
    ROUTES.iter().find(|route| Some(route.path) == path)
}

/// All routes.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, it| {
            router.route(it.path, (it.answers)())
        })
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn_with_state(Arc::clone(&shared), around))
        .with_state(shared)
}

async fn health(State(shared): State<Arc<Shared>>) -> Response {
    if shared.is_ready() {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "ending\n").into_response()
    }
}

/// Whether the server takes requests, as other servers say it.
async fn ready(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, ApiError> {
    if shared.is_ready() {
        Ok(Json(json!({"ready": true})))
    } else {
        Err(ApiError::gone())
    }
}

/// Whether the server runs.
async fn live() -> Json<Value> {
    Json(json!({"live": true}))
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let models = shared.models.all().iter();
    let waiting = models.map(|it| (it.info.name.as_str(), it.queue.len()));
    let text = shared.metrics.text(waiting);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}

async fn no_route() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "no_such_route",
        "There is nothing here: /openapi.json lists what there is.",
    )
}

async fn no_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This route does not take this method: the header \"Allow\" says what it takes.",
    )
}
