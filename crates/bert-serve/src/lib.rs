//! Models of text, asked over HTTP: a page for people, a JSON API for programs. A [`Model`] answers questions about a
//! passage, classifies texts, or chooses among endings.
//!
//! A request passes these stages. None of them depends on a model: that is behind the trait [`Answerer`].
//!
//! | stage | what it does |
//! | --- | --- |
//! | `connections` | accepts, limits and drains connections; closes those that are slow or silent |
//! | `around` | checks the host, the origin and the key, sets the headers, counts, times and logs |
//! | `routes` | the table of paths, which says what answers them |
//! | `body`, `checks` | read a body of strict JSON, check its texts |
//! | `protocols` | make [`Question`]s, [`Text`]s or [`Choice`]s of it, write the answers as JSON |
//! | `models` | finds the model that is asked |
//! | `queue` | holds a model's waiting questions, up to a limit; removes those whose client has disconnected |
//! | `worker` | a thread that owns the [`Answerer`] and gives it the waiting questions in batches of about one length |
//!
//! [`Server::bind`] takes a [`ServeConfig`], [`Server::run`] the [`Model`]s; a [`ShutdownHandle`] ends it. `docs/serve.md`
//! describes the API.

mod access;
mod answerer;
mod around;
mod body;
mod checks;
mod choices;
mod config;
mod connections;
mod error;
mod hosts;
mod metrics;
mod models;
mod openapi;
mod page;
mod protocols;
mod queue;
mod refusals;
mod routes;
mod server;
mod stalls;
mod texts;
mod tls;
mod worker;

pub use access::ApiKey;
pub use answerer::{
    Answer, Answered, Answerer, CorpusInfo, Item, ModelInfo, Question, QuestionSettings, Refusal,
    Source,
};
pub use choices::{Choice, Chosen, MAX_ENDINGS};
pub use config::{MAX_N_BEST, ServeConfig};
pub use error::ServeError;
pub use models::{Model, Task};
pub use server::{Ended, Server, ShutdownHandle};
pub use texts::{ClassProbability, Classified, Text};
pub use tls::TlsFiles;
