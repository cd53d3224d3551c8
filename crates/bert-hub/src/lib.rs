//! Pretrained models and datasets by name, to local files whose every byte has been checked.
//!
//! | ask for | with | get |
//! | --- | --- | --- |
//! | a model: `bert-base-uncased`, `owner/name`, `owner/name@revision` | [`Hub::model`] | its folder in the cache that Python's `huggingface_hub` uses too |
//! | a dataset's official files | [`download`] | the files, in the folders that `bert-datasets` reads |
//!
//! A file has its name only once its size and its hash are right. Until then it is `….incomplete`, and the next
//! attempt goes on from there, whether the connection was cut, the process killed or the user had enough.
//!
//! The names and the paths of the cache are the `hf-hub` crate's. The bytes are fetched by this crate's own `fetch`
//! module, because `hf-hub` 0.5 neither verifies what it gets nor times out, sends no heed to `HF_HUB_CACHE` or
//! `HF_HUB_OFFLINE` and cannot fetch datasets, and because `hf-hub` 1.0 cannot resume.

mod dataset;
mod digest;
mod error;
mod fetch;
mod files;
mod lock;
mod model;
mod name;
mod progress;
mod settings;

pub use dataset::{Dataset, Part, Source, download, download_parts};
pub use error::{Fault, HubError};
pub use fetch::{FetchSettings, Fetcher};
pub use model::Hub;
pub use name::ModelName;
pub use progress::{NoProgress, Progress};
pub use settings::{HubSettings, Token};
