//! Pretrained models and datasets by name, to local files whose every byte has been checked.
//!
//! | ask for | with | get |
//! | --- | --- | --- |
//! | what an argument means | [`Reference::parse`] | a folder of this machine, or a model's name |
//! | a model: `bert-base-uncased`, `owner/name`, `owner/name@revision` | [`Hub::model`] | its folder in the cache that Python's `huggingface_hub` uses too |
//! | a dataset's official files | [`download`] | the files, in the folders that `bert-datasets` reads |
//!
//! A file gets its name only when its size and its hash are right. Until then it is called `….incomplete`, and the next
//! attempt continues it, whether the connection was cut, the process killed or the download stopped by the user.
//!
//! The names and the paths of the cache are the `hf-hub` crate's. The bytes are fetched by this crate's own `fetch`
//! module: `hf-hub` 0.5 neither verifies files nor times out, ignores `HF_HUB_CACHE` and `HF_HUB_OFFLINE`, and cannot
//! fetch datasets; `hf-hub` 1.0 cannot resume.

mod dataset;
mod digest;
mod error;
mod fetch;
mod files;
mod lock;
mod model;
mod name;
mod progress;
mod reference;
mod settings;

pub use dataset::{Dataset, Part, Source, download, download_parts};
pub use error::HubError;
pub use fetch::{Fault, FetchSettings, Fetcher};
pub use model::Hub;
pub use name::ModelName;
pub use progress::{NoProgress, Progress};
pub use reference::{Namesake, Reference};
pub use settings::{HubSettings, Token};
