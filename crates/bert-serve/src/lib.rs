//! Questions about a passage, answered over HTTP: a page for people, a JSON API for programs.
//!
//! A request passes these stages. None of them depends on a model: that is behind the trait [`Answerer`].
//!
//! | stage | what it does |
//! | --- | --- |
//! | `connections` | accepts, limits and drains connections; closes those that are slow or silent |
//! | `routes` | checks the host, sets the headers, counts and times, gives a route the request |
//! | `api` | reads a body of strict JSON into [`Question`]s, writes [`Answered`] as JSON |
//! | `queue` | holds waiting questions, up to a limit; removes those whose client has disconnected |
//! | `worker` | a thread that owns the [`Answerer`] and gives it the waiting questions in batches |
//!
//! [`Server::bind`] takes a [`ServeConfig`], [`Server::run`] an [`Answerer`]; a [`ShutdownHandle`] ends it. `docs/serve.md`
//! describes the API.

mod answerer;
mod api;
mod config;
mod connections;
mod error;
mod hosts;
mod metrics;
mod page;
mod queue;
mod refusals;
mod routes;
mod server;
mod stalls;
mod worker;

pub use answerer::{Answer, Answered, Answerer, ModelInfo, Question, Refusal};
pub use config::{MAX_N_BEST, ServeConfig};
pub use error::ServeError;
pub use server::{Ended, Server, ShutdownHandle};
