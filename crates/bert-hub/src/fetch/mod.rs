//! Bytes from a server to a file: time-outs, redirects, resuming, retries and verification.

mod download;
mod fault;
mod patience;
mod request;
pub(crate) mod url;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use crate::HubError;

pub use fault::Fault;

pub(crate) use download::{Limit, Order};
pub(crate) use request::{Reply, Request};

/// How long a [`Fetcher`] waits, how often it repeats a request, and where it looks for datasets.
#[derive(Debug, Clone)]
pub struct FetchSettings {
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a server may send nothing, before and within a file.
    pub stall_timeout: Duration,
    /// How many times in a row a request is repeated without getting further.
    pub retries: u32,
    /// How long is waited before the first of these; each further wait is twice as long, up to 30 s.
    pub backoff: Duration,
    /// The longest `Retry-After` that is waited for; a longer one ends the download.
    pub longest_wait: Duration,
    /// An address below which the datasets' official ones are found as `<mirror>/<host>/<path>`; models have
    /// `HF_ENDPOINT` for this.
    pub mirror: Option<String>,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            retries: 4,
            backoff: Duration::from_secs(1),
            longest_wait: Duration::from_secs(120),
            mirror: None,
        }
    }
}

/// Fetches files. Proxies are taken from `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, trusted certificates
/// from the system or `SSL_CERT_FILE`.
#[derive(Debug, Clone)]
pub struct Fetcher {
    agent: Agent,
    settings: FetchSettings,
    /// Whether any request has got through to a server: until then a missing connection is no passing fault.
    connected: Arc<AtomicBool>,
}

impl Fetcher {
    /// Makes no connection yet.
    ///
    /// # Errors
    ///
    /// Fails where the mirror is no address of http or https.
    pub fn new(settings: FetchSettings) -> Result<Self, HubError> {
        if let Some(mirror) = &settings.mirror
            && url::parse(mirror).is_none_or(|uri| uri.query().is_some())
        {
            return Err(HubError::Setting {
                name: "the mirror",
                found: mirror.clone(),
                expected: "an address such as https://mirror.example/files",
            });
        }
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            // Redirects are followed by `Fetcher::attempt`, which keeps the token from other servers and reads the
            // headers of each answer on the way.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Names are looked up for as long as the system's resolver takes: a limit here would need a thread, and ureq panics
            // where none can be had.
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_per_read(Some(settings.stall_timeout))
            .timeout_per_write(Some(settings.stall_timeout))
            .timeout_recv_response(Some(settings.stall_timeout))
            .user_agent(concat!("bert-hub/", env!("CARGO_PKG_VERSION")))
            // A compressed file could be neither resumed nor compared with its size.
            .accept_encoding("identity")
            .build();
        Ok(Self {
            agent: config.new_agent(),
            settings,
            connected: Arc::default(),
        })
    }

    /// The address of a dataset's official file, on the mirror if there is one.
    pub(crate) fn locate(&self, official: &str) -> String {
        match &self.settings.mirror {
            Some(mirror) => url::mirrored(mirror, official),
            None => official.to_owned(),
        }
    }
}
