//! The description of every route, in OpenAPI 3.1.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// The document.
const DOCUMENT: &str = include_str!("../openapi.json");

/// `GET /openapi.json`.
pub(crate) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::DOCUMENT;
    use crate::routes::ROUTES;

    #[test]
    fn it_has_every_path_and_no_other() {
        let document: Value = serde_json::from_str(DOCUMENT).expect("it is JSON");
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        let paths = document["paths"].as_object().expect("an object");
        let described: BTreeSet<_> = paths.keys().map(String::as_str).collect();
        let routed: BTreeSet<_> = ROUTES.iter().map(|route| route.path).collect();
        assert_eq!(described, routed);
    }
}
