//! Who may ask: a bearer token, and the origins whose pages may.

use std::fmt;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, uri::Authority};
use subtle::ConstantTimeEq;

use crate::{ServeConfig, refusals::ApiError};

/// A bearer token that requests must have. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// A token of visible ASCII characters; nothing where `key` is empty or has others.
    #[must_use]
    pub fn new(key: String) -> Option<Self> {
        let visible = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        visible.then_some(Self(key))
    }

    /// Whether a request has it. The time that this takes does not tell how much of a wrong one is right.
    fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut stated = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (stated.next(), stated.next()) else {
            return false;
        };
        let Some((scheme, token)) = value.as_bytes().split_at_checked("Bearer ".len()) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"Bearer ") && token.ct_eq(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// Checks the token, where one is needed.
pub(crate) fn check_key(config: &ServeConfig, headers: &HeaderMap) -> Result<(), ApiError> {
    match &config.api_key {
        Some(key) if !key.is_in(headers) => Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "This server asks for a key: send it as \"Authorization: Bearer KEY\".",
        )),
        _ => Ok(()),
    }
}

/// Whether `origin` is one as browsers write it: a scheme, a host and perhaps a port, or `null`.
pub(crate) fn is_origin(origin: &str) -> bool {
    let rest = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    origin == "null"
        || rest.is_some_and(|rest| {
            !rest.contains('@')
                && !rest.bytes().any(|byte| byte.is_ascii_uppercase())
                && rest.parse::<Authority>().is_ok()
        })
}

/// The origin of a request, where it is one whose pages may ask.
pub(crate) fn allowed_origin<'a>(
    config: &ServeConfig,
    headers: &'a HeaderMap,
) -> Option<&'a HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let mut allowed = config.allowed_origins.iter();
    allowed
        .any(|it| it.as_bytes() == origin.as_bytes())
        .then_some(origin)
}

/// Refuses what a page of another site makes a browser send. A browser says so in `Sec-Fetch-Site`, an older one by an
/// `Origin` that is not the host asked; clients that are no browsers send neither.
pub(crate) fn check_origin(
    config: &ServeConfig,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    if method.is_safe() || allowed_origin(config, headers).is_some() {
        return Ok(());
    }
    let own = match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, None) => true,
        (None, Some(origin)) => {
            let origin = origin.to_str().ok();
            let origin = origin.and_then(|origin| origin.split_once("://"));
            let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
            origin.is_some_and(|(_, authority)| {
                host.is_some_and(|host| authority.eq_ignore_ascii_case(host))
            })
        }
    };
    if own {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        "cross_origin",
        "Pages of other sites may not ask this server: allow their origin with --allow-origin.",
    ))
}

/// The headers that let a page of an allowed origin read an answer.
pub(crate) fn allow(origin: Option<HeaderValue>, config: &ServeConfig, headers: &mut HeaderMap) {
    if config.allowed_origins.is_empty() {
        return;
    }
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("x-request-id, retry-after"),
        );
    }
}

/// What a browser is told that asks whether a page of an allowed origin may send a request.
pub(crate) const PREFLIGHT: [(HeaderName, HeaderValue); 3] = [
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type, x-request-id"),
    ),
    (
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("600"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_those_that_browsers_write() {
        for (origin, sound) in [
            ("https://a.example", true),
            ("http://127.0.0.1:8080", true),
            ("null", true),
            ("*", false),
            ("a.example", false),
            ("https://a.example/", false),
            ("https://A.example", false),
            ("https://me@a.example", false),
            ("https://", false),
        ] {
            assert_eq!(is_origin(origin), sound, "{origin}");
        }
    }

    #[test]
    fn a_key_is_visible_and_is_not_printed() {
        for bad in ["", "a b", "é", "a\n"] {
            assert_eq!(ApiKey::new(bad.into()), None, "{bad:?}");
        }
        let key = ApiKey::new("secret".into()).expect("it is visible");
        assert!(!format!("{key:?}").contains("secret"));
        for (value, right) in [
            ("Bearer secret", true),
            ("bearer secret", true),
            ("Bearer secret ", false),
            ("Bearer secre", false),
            ("Basic secret", false),
            ("secret", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().expect("a value"));
            assert_eq!(key.is_in(&headers), right, "{value:?}");
            headers.append(header::AUTHORIZATION, value.parse().expect("a value"));
            assert!(!key.is_in(&headers), "{value:?} twice");
        }
    }
}
