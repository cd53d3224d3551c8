//! Official data files read into typed examples.
//!
//! Each family of files has a folder: [`squad`] reads JSON, [`swag`] CSV and a user's own choices, [`glue`] TSV, and
//! [`table`] a user's own texts. A user's own rows may be CSV, TSV or JSON; any file may be packed by gzip. Reading validates the whole file before anything is returned. A file that is wrong
//! gives one [`DatasetError`]: a single line that names the file, the place, what was found and what was expected.

mod delimited;
mod error;
pub mod glue;
mod header;
mod json;
mod rows;
pub mod squad;
pub mod swag;
pub mod table;
mod text;

pub use error::DatasetError;
