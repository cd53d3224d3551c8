//! The server's settings and their limits.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::{
    ServeError,
    access::{self, ApiKey},
    hosts,
    tls::TlsFiles,
};

/// How many answers a request may ask for.
pub const MAX_N_BEST: usize = 100;

/// Clocks cannot be asked for a time that is too far away.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the server listens, and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeConfig {
    /// The address to listen on; port 0 lets the system choose one. Default: 127.0.0.1:8080.
    pub address: SocketAddr,
    /// Host names, without a port, by which requests may address the server, besides IP addresses and `localhost`.
    /// Without any, an address that is not a loopback one accepts every name. Default: none.
    pub allowed_hosts: Vec<String>,
    /// The key that requests must have; `None`: anyone may ask. Default: none.
    pub api_key: Option<ApiKey>,
    /// Origins of other sites whose pages may ask, such as `https://a.example`. Default: none.
    pub allowed_origins: Vec<String>,
    /// What the server encrypts with; `None`: it speaks plain HTTP. Default: none.
    pub tls: Option<TlsFiles>,
    /// Bytes of a request's body at most. Default: 1 MiB.
    pub body_limit: usize,
    /// Unicode scalars of a passage at most. Default: 100,000.
    pub passage_limit: usize,
    /// Unicode scalars of a question at most. Default: 1,000.
    pub question_limit: usize,
    /// Questions of a request at most. Default: 16.
    pub max_questions: usize,
    /// Questions that may wait for the model; further requests are refused. Default: 64.
    pub queue: usize,
    /// Questions that the model is given at once at most. Default: 16.
    pub max_batch: usize,
    /// Connections at a time; further ones wait to be accepted. Default: 256.
    pub max_connections: usize,
    /// How long the head of a request may take, the time before it on an idle connection included. Default: 10 s.
    pub header_timeout: Duration,
    /// How long the body of a request may take. Default: 15 s.
    pub body_timeout: Duration,
    /// How long a request may take from its head to its answer. Default: 60 s.
    pub request_timeout: Duration,
    /// How long a client may leave an answer unread that does not fit the system's buffers. Default: 15 s.
    pub write_timeout: Duration,
    /// How long the server still takes requests once it is to end, while it says that it is not ready. Default: 0 s.
    pub drain_delay: Duration,
    /// How long requests in flight may take to finish once the server is to end. Default: 30 s.
    pub shutdown_timeout: Duration,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            allowed_hosts: Vec::new(),
            api_key: None,
            allowed_origins: Vec::new(),
            tls: None,
            body_limit: 1 << 20,
            passage_limit: 100_000,
            question_limit: 1_000,
            max_questions: 16,
            queue: 64,
            max_batch: 16,
            max_connections: 256,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(15),
            request_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(15),
            drain_delay: Duration::ZERO,
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

impl ServeConfig {
    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// Fails where a limit is 0, where a time is 0 or above a day, where a request could have more questions than may wait, and where a host name or an
    /// origin is not one.
    pub fn validate(&self) -> Result<(), ServeError> {
        let limits = [
            ("body_limit", self.body_limit == 0),
            ("passage_limit", self.passage_limit == 0),
            ("question_limit", self.question_limit == 0),
            ("max_questions", self.max_questions == 0),
            ("queue", self.queue == 0),
            ("max_batch", self.max_batch == 0),
            ("max_connections", self.max_connections == 0),
        ];
        if let Some((setting, _)) = limits.into_iter().find(|(_, zero)| *zero) {
            return Err(ServeError::Zero { setting });
        }
        for (setting, found) in [
            ("header_timeout", self.header_timeout),
            ("body_timeout", self.body_timeout),
            ("request_timeout", self.request_timeout),
            ("write_timeout", self.write_timeout),
            ("shutdown_timeout", self.shutdown_timeout),
        ] {
            if found.is_zero() || found > LONGEST_TIMEOUT {
                return Err(ServeError::Timeout {
                    setting,
                    found,
                    expected: LONGEST_TIMEOUT,
                });
            }
        }
        if self.drain_delay > LONGEST_TIMEOUT {
            return Err(ServeError::Timeout {
                setting: "drain_delay",
                found: self.drain_delay,
                expected: LONGEST_TIMEOUT,
            });
        }
        let mut origins = self.allowed_origins.iter();
        if let Some(found) = origins.find(|origin| !access::is_origin(origin)) {
            return Err(ServeError::Origin {
                found: found.clone(),
            });
        }
        if self.max_questions > self.queue {
            return Err(ServeError::QueueTooShort {
                queue: self.queue,
                max_questions: self.max_questions,
            });
        }
        if self.max_connections > tokio::sync::Semaphore::MAX_PERMITS {
            return Err(ServeError::TooManyConnections {
                found: self.max_connections,
                expected: tokio::sync::Semaphore::MAX_PERMITS,
            });
        }
        match self.allowed_hosts.iter().find(|name| !hosts::is_name(name)) {
            Some(found) => Err(ServeError::HostName {
                found: found.clone(),
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        type Spoil = fn(&mut ServeConfig);
        let cases: [(Spoil, &str); 7] = [
            (|c| c.queue = 0, "queue: found 0, expected at least 1"),
            (
                |c| c.header_timeout = Duration::ZERO,
                "header_timeout: found 0ns, expected",
            ),
            (
                |c| c.shutdown_timeout = Duration::MAX,
                "shutdown_timeout: found 18446744073709551615.999999999s, expected above 0 and up to 86400s",
            ),
            (
                |c| c.max_questions = 65,
                "queue: found 64, expected at least 65",
            ),
            (
                |c| c.max_connections = usize::MAX,
                "max_connections: found 18446744073709551615",
            ),
            (
                |c| c.allowed_hosts = vec!["fine.example".into(), "no:80".into()],
                "allowed_hosts: found \"no:80\"",
            ),
            (
                |c| c.allowed_hosts = vec!["a\nb".into()],
                "allowed_hosts: found \"a\\nb\"",
            ),
        ];
        assert!(ServeConfig::default().validate().is_ok());
        for (spoil, expected) in cases {
            let mut config = ServeConfig::default();
            spoil(&mut config);
            let message = config.validate().expect_err(expected).to_string();
            assert!(message.starts_with(expected), "{message}");
            assert_eq!(message.lines().count(), 1, "{message}");
        }
    }
}
