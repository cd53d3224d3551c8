//! The flags of `serve` and `download`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::ask::{AnswerArgs, ReadingArgs};
use super::run::DeviceArgs;

/// `bert serve`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert serve --model out/squad
      a page at http://127.0.0.1:8080 to ask questions about a text; Ctrl-C ends it
  bert serve --model owner/name --address 127.0.0.1:0
      a model of the Hugging Face hub, on a port that the system chooses
  bert serve --model answers=out/squad --model feelings=out/sst-2
      two models, which requests ask by name, and a page with a tab for each task
  bert serve --model out/squad --corpus notes
      questions are answered from a folder of documents, too
  curl -H 'content-type: application/json' http://127.0.0.1:8080/api/v1/answer \\
      -d '{\"question\": \"When?\", \"passage\": \"It was built in 1889.\"}'
      the same as JSON; docs/serve.md describes the API")]
pub(crate) struct ServeArgs {
    /// Fine-tuned checkpoint of any task: a folder, or a name on the Hugging Face hub; may be repeated. LABEL=, of
    /// letters, digits, '.', '-' and '_', is what requests and metrics call the model [default: the folder's name]
    #[arg(
        long,
        value_name = "[LABEL=]DIR|NAME",
        alias = "bert-model",
        required = true
    )]
    pub(crate) model: Vec<PathBuf>,
    /// Address to listen on; others than 127.0.0.1 can be reached from the network
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) address: SocketAddr,
    /// Folder with documents, .txt and .md files at any depth, from which questions without a passage are answered
    #[arg(long, value_name = "DIR")]
    pub(crate) corpus: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
    #[command(flatten)]
    pub(crate) answers: AnswerArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// Who may ask a server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Access")]
pub(crate) struct AccessArgs {
    /// Key that requests must have, as "Authorization: Bearer KEY"; other users of the machine see a flag, and not the
    /// variable
    #[arg(long, value_name = "KEY", env = "BERT_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    /// File with the server's certificate and those that it is signed with, in PEM: the server speaks TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// File with the certificate's private key, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Origin of another site whose pages may ask, such as https://a.example; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
}

/// What a server puts up with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Host name that requests may use, beside localhost and IP addresses; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) allowed_host: Vec<String>,
    /// Bytes of a request's body
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    pub(crate) body_limit: usize,
    /// Windows of one passage; longer ones are refused
    #[arg(long, value_name = "WINDOWS", default_value_t = 64)]
    pub(crate) max_windows: usize,
    /// Questions that wait for the model; further ones are refused with 503
    #[arg(long, value_name = "QUESTIONS", default_value_t = 64)]
    pub(crate) queue: usize,
    /// Questions that are answered together
    #[arg(long, value_name = "QUESTIONS", default_value_t = 16)]
    pub(crate) max_batch: usize,
    /// Connections at a time
    #[arg(long, value_name = "CONNECTIONS", default_value_t = 256)]
    pub(crate) max_connections: usize,
    /// Seconds from a request to its answer; fractions work
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    pub(crate) request_timeout: f64,
    /// Seconds that the server still takes requests once it is told to stop, while it says that it is not ready
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
    pub(crate) drain_delay: f64,
}

/// `bert download`
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES
  bert download squad
      train-v1.1.json and dev-v1.1.json, into data/downloads/squad
  bert download glue swag bert-base-uncased
      several; models go where `transformers` keeps its own (HF_HOME)
  bert download squad --mirror https://mirror.example/data
      from another place, as <mirror>/<host>/<path of the official address>")]
pub(crate) struct DownloadArgs {
    /// squad, squad2, swag, glue, or a model: name, owner/name, owner/name@revision
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
    /// Folder for the datasets [default: data/downloads]
    #[arg(long, value_name = "DIR")]
    pub(crate) downloads_dir: Option<PathBuf>,
    /// Where the datasets' official files are found instead; HF_ENDPOINT does this for models
    #[arg(long, value_name = "URL")]
    pub(crate) mirror: Option<String>,
}
