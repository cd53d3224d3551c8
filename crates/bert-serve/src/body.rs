//! Bodies of requests: JSON, in time and within the limit.

use std::str;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::{Value, error::Category};
use tokio::time::timeout;

use crate::{ServeConfig, refusals::ApiError};

/// The most characters of a request that a message repeats.
const LONGEST_ECHO: usize = 200;

/// The body of a request, which says that it is JSON.
pub(crate) async fn json<T: DeserializeOwned>(
    request: Request,
    config: &ServeConfig,
) -> Result<T, ApiError> {
    is_json(request.headers())?;
    read_json(request, config).await
}

/// The same of a client that may leave the media type out, as `tritonclient` does.
pub(crate) async fn json_unless_stated<T: DeserializeOwned>(
    request: Request,
    config: &ServeConfig,
) -> Result<T, ApiError> {
    if request.headers().contains_key(header::CONTENT_TYPE) {
        is_json(request.headers())?;
    }
    read_json(request, config).await
}

async fn read_json<T: DeserializeOwned>(
    request: Request,
    config: &ServeConfig,
) -> Result<T, ApiError> {
    let (parts, body) = request.into_parts();
    parse(&read(&parts.headers, body, config).await?)
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

/// A part of a body whose form depends on another part.
pub(crate) fn fitting<T: DeserializeOwned>(value: Value, name: &str) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|error| {
        let found = one_line(&error.to_string());
        ApiError::unprocessable(
            "invalid_request",
            format!("The field {name:?} does not fit the API: {found}."),
        )
    })
}

/// A part of a body, as a message may repeat it: short and without control characters.
pub(crate) fn one_line(text: &str) -> String {
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
