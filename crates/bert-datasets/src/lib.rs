//! Official data files read into typed examples.
//!
//! One folder a family of files. Reading validates the whole file before anything is returned, and a file that is
//! wrong in one place gives one [`DatasetError`]: a single line that names the file, the place, what was found and
//! what was expected.

mod error;
mod json;
pub mod squad;
mod text;

pub use error::DatasetError;
