//! Refusals: a status, a code for programs and a message for people.

use axum::{
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::Refusal;

/// Why a request, or one question of it, gets no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ApiError {
    #[serde(skip)]
    pub(crate) status: StatusCode,
    /// For programs: never changes its meaning.
    pub(crate) code: &'static str,
    /// For people: one sentence.
    pub(crate) message: String,
}

/// An answer's extension: why it is a refusal.
#[derive(Debug, Clone)]
pub(crate) struct Refused(pub(crate) ApiError);

/// How long a client should wait before it asks again after a 503, in seconds.
pub(crate) const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// 422: JSON whose content cannot be used.
    pub(crate) fn unprocessable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 503: the same request may succeed later.
    pub(crate) fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }

    /// 503: a model takes no more questions.
    pub(crate) fn gone() -> Self {
        Self::unavailable(
            "shutting_down",
            "The server is shutting down, or its model has stopped: it takes no more questions.",
        )
    }

    /// 504: the request's time is up.
    pub(crate) fn timed_out(seconds: f64) -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "timed_out",
            format!(
                "There was no answer within {seconds} s: ask again later, or with a shorter passage."
            ),
        )
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BadQuestion(message) => Self::unprocessable("bad_question", message),
            Refusal::Failed(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                "The model failed on this question: the server's log says why.",
            ),
        }
    }
}

/// Without a body: that is the matter of the protocol it is sent in.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Refused(self));
        response
    }
}
