//! The page: files that are part of the binary and never change.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

fn file(content_type: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        // A newer binary on the same port has a newer page.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content).into_response()
}

/// `GET /`.
pub(crate) async fn html() -> Response {
    file(
        "text/html; charset=utf-8",
        include_str!("../page/page.html"),
    )
}

/// The page's style.
pub(crate) async fn css() -> Response {
    file("text/css; charset=utf-8", include_str!("../page/page.css"))
}

macro_rules! scripts {
    ($($name:ident: $path:literal),* $(,)?) => {
        $(
            pub(crate) async fn $name() -> Response {
                file("text/javascript; charset=utf-8", include_str!(concat!("../page", $path)))
            }
        )*
    };
}

scripts! {
    js: "/page.js",
    elements: "/page/elements.js",
    asking: "/page/asking.js",
    questions: "/page/questions.js",
    classes: "/page/classes.js",
    endings: "/page/endings.js",
}

/// The page's icon.
pub(crate) async fn icon() -> Response {
    file("image/svg+xml", include_str!("../page/icon.svg"))
}
