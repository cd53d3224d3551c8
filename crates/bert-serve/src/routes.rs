//! The routes, and the checks and headers that they share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use tokio::time::timeout;

use crate::{
    ServeConfig, api,
    hosts::{BadHost, HostRule},
    metrics::{CONTENT_TYPE, Metrics},
    models::Models,
    page,
    refusals::{ApiError, RefusalCode},
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

/// What the page may do: load its own files and talk to its own server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The headers of every answer.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// The name under which requests to no route are counted.
const NO_ROUTE: &str = "none";

/// A path with what answers it.
struct Route {
    path: &'static str,
    answers: fn() -> MethodRouter<Arc<Shared>>,
}

/// Every path.
const ROUTES: [Route; 16] = [
    route("/", || get(page::html)),
    route("/page.css", || get(page::css)),
    route("/page.js", || get(page::js)),
    route("/page/elements.js", || get(page::elements)),
    route("/page/asking.js", || get(page::asking)),
    route("/page/questions.js", || get(page::questions)),
    route("/page/classes.js", || get(page::classes)),
    route("/page/endings.js", || get(page::endings)),
    route("/icon.svg", || get(page::icon)),
    route("/healthz", || get(health)),
    route("/metrics", || get(metrics)),
    route("/api/v1/model", || get(api::model)),
    route("/api/v1/models", || get(api::models)),
    route("/api/v1/answer", || post(api::answer)),
    route("/api/v1/classify", || post(api::classify)),
    route("/api/v1/choose", || post(api::choose)),
];

const fn route(path: &'static str, answers: fn() -> MethodRouter<Arc<Shared>>) -> Route {
    Route { path, answers }
}

/// All routes.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let routes = ROUTES.iter();
    routes
        .fold(Router::new(), |router, it| {
            router.route(it.path, (it.answers)())
        })
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn_with_state(Arc::clone(&shared), around))
        .with_state(shared)
}

async fn health(State(shared): State<Arc<Shared>>) -> Response {
    if shared.ending.load(Ordering::Relaxed) || !shared.models.are_well() {
        (StatusCode::SERVICE_UNAVAILABLE, "ending\n").into_response()
    } else {
        "ok\n".into_response()
    }
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
        "There is nothing here: the API is under /api/v1.",
    )
}

async fn no_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This route does not take this method: the header \"Allow\" says what it takes.",
    )
}

/// Counts a request while it is worked on, until it is answered or dropped.
struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.metrics.in_flight.dec();
    }
}

/// Checks the host, limits the time, sets the headers, counts.
async fn around(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    shared.metrics.in_flight.inc();
    let _in_flight = InFlight(Arc::clone(&shared));
    let route = route_name(request.extensions().get::<MatchedPath>());
    let mut response = match shared.hosts.check(request.uri(), request.headers()) {
        Err(bad) => host_refused(&bad).into_response(),
        Ok(()) => {
            let limit = shared.config.request_timeout;
            match timeout(limit, next.run(request)).await {
                Ok(response) => response,
                Err(_) => ApiError::timed_out(limit.as_secs_f64()).into_response(),
            }
        }
    };
    if let Some(RefusalCode(code)) = response.extensions().get() {
        shared.metrics.refused(code);
    }
    set_headers(response.headers_mut());
    let status = response.status().as_u16();
    shared.metrics.answered(route, status, started.elapsed());
    response
}

fn set_headers(headers: &mut HeaderMap) {
    headers.extend(HEADERS.map(|(name, value)| (Some(name), value)));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// The route's name, one of a fixed set, so that a client cannot create new series of metrics.
fn route_name(path: Option<&MatchedPath>) -> &'static str {
    let path = path.map(MatchedPath::as_str);
    let found = ROUTES.iter().find(|route| Some(route.path) == path);
    found.map_or(NO_ROUTE, |route| route.path)
}

fn host_refused(bad: &BadHost) -> ApiError {
    match bad {
        BadHost::Unclear => ApiError::new(
            StatusCode::BAD_REQUEST,
            "bad_host",
            "The request must have one header \"Host\" with a host name or an IP address.",
        ),
        BadHost::Refused => ApiError::new(
            StatusCode::MISDIRECTED_REQUEST,
            "host_not_allowed",
            "This server does not answer to that host name: use its IP address or localhost, or add the name with --allowed-host.",
        ),
    }
}
