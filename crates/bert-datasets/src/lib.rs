//! Official data files read into typed examples.
//!
//! One folder a family of files: [`squad`] JSON, [`swag`] CSV, [`glue`] TSV, and a user's own [`table`]. Reading
//! validates the whole file before anything is returned, and a file that is wrong in one place gives one
//! [`DatasetError`]: a single line that names the file, the place, what was found and what was expected.

mod delimited;
mod error;
pub mod glue;
mod header;
mod json;
pub mod squad;
pub mod swag;
pub mod table;
mod text;

pub use error::DatasetError;
