//! The given names of `content/people.toml`.

use serde::Deserialize;

use crate::{DemoDataError, parse};

/// Given names for the short texts of SWAG and GLUE.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
    pub(crate) women: Vec<String>,
    pub(crate) men: Vec<String>,
}

impl People {
    /// # Errors
    ///
    /// If the file is not what we expect.
    pub(crate) fn load() -> Result<Self, DemoDataError> {
        parse("people.toml", include_str!("../content/people.toml"))
    }
}
