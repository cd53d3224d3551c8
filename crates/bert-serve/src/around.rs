//! What surrounds every request: its id, the checks, the time limit, the headers, the counts and the line of the log.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    net::SocketAddr,
    sync::Arc,
    time::Instant,
};

use axum::{
    Json,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::{task_local, time::timeout};

use crate::{
    access,
    hosts::BadHost,
    protocols::Protocol,
    refusals::{ApiError, RETRY_AFTER, Refused},
    routes::{self, Shared},
};

task_local! {
    /// Whose connection this is.
    pub(crate) static CLIENT: SocketAddr;
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

/// The header of a request's id, in requests and answers.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that a client may choose.
const LONGEST_ID: usize = 128;

/// Counts a request while it is worked on, until it is answered or dropped.
struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.metrics.in_flight.dec();
    }
}

/// Has a request answered.
pub(crate) async fn around(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    shared.metrics.in_flight.inc();
    let _in_flight = InFlight(Arc::clone(&shared));
    let path = request.extensions().get::<MatchedPath>();
    let route = routes::of(path.map(MatchedPath::as_str));
    let name = route.map_or(routes::NO_ROUTE, |route| route.path);
    let protocol = route.map_or(Protocol::Own, |route| route.protocol_of(request.method()));
    let id = request_id(request.headers());
    let method = request.method().clone();
    let origin = access::allowed_origin(&shared.config, request.headers()).cloned();

    let is_open = route.is_some_and(|route| route.is_open(&method));
    let mut response = match check(&shared, &request, is_open) {
        Err(error) => error.into_response(),
        Ok(()) if is_preflight(&request) && origin.is_some() => {
            (StatusCode::NO_CONTENT, access::PREFLIGHT).into_response()
        }
        Ok(()) => {
            let limit = shared.config.request_timeout;
            match timeout(limit, next.run(request)).await {
                Ok(response) => response,
                Err(_) => ApiError::timed_out(limit.as_secs_f64()).into_response(),
            }
        }
    };
    let mut code = "";
    if let Some(Refused(error)) = response.extensions_mut().remove() {
        shared.metrics.refused(error.code);
        code = error.code;
        response = refusal(&error, protocol, response);
    }
    let headers = response.headers_mut();
    headers.extend(HEADERS.map(|(name, value)| (Some(name), value)));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    access::allow(origin, &shared.config, headers);
    headers.insert(REQUEST_ID, id.clone());
    let status = response.status().as_u16();
    let took = started.elapsed();
    shared.metrics.answered(name, status, took);
    tracing::info!(
        target: "bert_serve::access",
        client = CLIENT.try_with(ToString::to_string).unwrap_or_default(),
        id = id.to_str().unwrap_or_default(),
        %method,
        route = name,
        status,
        code,
        milliseconds = took.as_secs_f64() * 1e3,
        "request"
    );
    response
}

/// The host, the origin and the key.
fn check(shared: &Shared, request: &Request, is_open: bool) -> Result<(), ApiError> {
    let headers = request.headers();
    shared
        .hosts
        .check(request.uri(), headers)
        .map_err(|bad| host_refused(&bad))?;
    access::check_origin(&shared.config, request.method(), headers)?;
    if is_open || is_preflight(request) {
        return Ok(());
    }
    access::check_key(&shared.config, headers)
}

/// A browser's question before it sends a request of another site's page. It has no key.
fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// A refusal in the form of its protocol; `bare` has its headers.
fn refusal(error: &ApiError, protocol: Protocol, bare: Response) -> Response {
    let mut response = (error.status, Json(protocol.refusal(error))).into_response();
    for (name, value) in bare.headers() {
        if *name == header::ALLOW {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    let headers = response.headers_mut();
    match error.status {
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The rest of the body may still be coming, and is not wanted.
        StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// The client's id of a request where it has a plain one, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |id: &&HeaderValue| {
        let id = id.as_bytes();
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        (1..=LONGEST_ID).contains(&id.len()) && id.iter().all(is_plain)
    };
    if let Some(given) = headers.get(&REQUEST_ID).filter(plain) {
        return given.clone();
    }
    let random = || RandomState::new().build_hasher().finish();
    let made = format!("{:016x}{:016x}", random(), random());
    HeaderValue::try_from(made).expect("hexadecimal digits are a header's value")
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
