//! One request and the redirects that it meets.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ureq::Body;
use ureq::http::{HeaderMap, Method, Response, Uri, header};

use super::patience::Patience;
use super::{Fault, Fetcher, url};
use crate::{HubError, Progress, Token};

/// How many redirects are followed.
const MOST_REDIRECTS: usize = 10;

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(crate) url: &'a str,
    /// Sent to the address's own server, and to no other.
    pub(crate) token: Option<&'a Token>,
    /// Only the headers; a redirect to another server is not followed, but is itself the answer.
    pub(crate) head: bool,
    /// Ask for the bytes from here on.
    pub(crate) from: u64,
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Of each answer on the way, the last one first.
    headers: Vec<HeaderMap>,
    pub(crate) body: Body,
}

/// How one attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The next attempt may succeed.
    Passing(Fault),
    /// The next attempt would fail too.
    Lasting(HubError),
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        Self::Lasting(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Passing(fault)
    }
}

impl Reply {
    /// A header of the last answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        text(self.headers.first()?, name)
    }

    /// A header of the last answer that has it.
    pub(crate) fn header_on_the_way(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|headers| text(headers, name))
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.header("content-length")?.trim().parse().ok()
    }

    pub(crate) fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

impl Fetcher {
    /// Sends a request, again and again while the server is busy or broken.
    pub(crate) fn ask(
        &self,
        request: &Request<'_>,
        patient: bool,
        progress: &mut dyn Progress,
    ) -> Result<Reply, HubError> {
        let mut patience = if patient {
            Patience::new(&self.settings)
        } else {
            Patience::none(&self.settings)
        };
        loop {
            match self.attempt(request) {
                Ok(reply) => return Ok(reply),
                Err(Failure::Lasting(error)) => return Err(error),
                Err(Failure::Passing(fault)) => patience.endure(fault, request.url, progress)?,
            }
        }
    }

    /// Sends a request once.
    pub(crate) fn attempt(&self, request: &Request<'_>) -> Result<Reply, Failure> {
        let bad = || HubError::Setting {
            name: "the address",
            found: request.url.to_owned(),
            expected: "one of http or https",
        };
        let origin = url::parse(request.url).ok_or_else(bad)?;
        let mut at = origin.clone();
        let mut headers = Vec::new();
        for _ in 0..=MOST_REDIRECTS {
            let response = self.send(request, &origin, &at)?;
            let (parts, body) = response.into_parts();
            headers.insert(0, parts.headers);
            let reply = Reply {
                status: parts.status.as_u16(),
                headers,
                body,
            };
            if let 408 | 429 | 500..=599 = reply.status {
                return Err(Fault::Status {
                    status: reply.status,
                    retry_after: retry_after(&reply),
                }
                .into());
            }
            if !reply.is_redirect() {
                return Ok(reply);
            }
            let redirect = |found| HubError::Redirect {
                url: request.url.to_owned(),
                found,
            };
            let Some(location) = reply.header("location") else {
                return Err(redirect("a redirect without a location".to_owned()).into());
            };
            let Some(next) = url::resolve(&at, location) else {
                let found = format!("a redirect to {:?}", location.escape_debug().to_string());
                return Err(redirect(found).into());
            };
            if at.scheme_str() == Some("https") && next.scheme_str() == Some("http") {
                let found = format!("a redirect from https to {}", url::shown(&next));
                return Err(redirect(found).into());
            }
            if request.head && !url::same_origin(&origin, &next) {
                return Ok(reply);
            }
            headers = reply.headers;
            at = next;
        }
        Err(HubError::Redirect {
            url: request.url.to_owned(),
            found: format!("more than {MOST_REDIRECTS} redirects"),
        }
        .into())
    }

    fn send(
        &self,
        request: &Request<'_>,
        origin: &Uri,
        at: &Uri,
    ) -> Result<Response<Body>, Failure> {
        let method = if request.head {
            Method::HEAD
        } else {
            Method::GET
        };
        let mut builder = ureq::http::Request::builder().method(method).uri(at);
        if request.from > 0 {
            builder = builder.header(header::RANGE, format!("bytes={}-", request.from));
        }
        if let Some(token) = request.token
            && url::same_origin(origin, at)
        {
            builder = builder.header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()));
        }
        let built = builder.body(()).map_err(|error| HubError::Connection {
            url: url::shown(at),
            source: error.into(),
        })?;
        let response = self
            .agent
            .run(built)
            .map_err(|error| self.failure(error, at))?;
        self.connected.store(true, Ordering::Relaxed);
        Ok(response)
    }

    /// What a failed connection means for the next attempt.
    fn failure(&self, error: ureq::Error, at: &Uri) -> Failure {
        if is_without_connection(&error) {
            let source = error.into();
            if self.connected.load(Ordering::Relaxed) {
                return Fault::NoConnection { source }.into();
            }
            // Without a network, another attempt only makes the user wait.
            let url = url::shown(at);
            return Failure::Lasting(HubError::NoConnection { url, source });
        }
        let lasting = match &error {
            ureq::Error::Timeout(_) => return self.stalled().into(),
            ureq::Error::BadUri(_)
            | ureq::Error::InvalidProxyUrl
            | ureq::Error::Tls(_)
            | ureq::Error::Rustls(_)
            | ureq::Error::TlsRequired => true,
            ureq::Error::Io(error) => is_of_tls(error),
            _ => false,
        };
        if lasting {
            return Failure::Lasting(HubError::Connection {
                url: url::shown(at),
                source: error.into(),
            });
        }
        Fault::Connection {
            source: error.into(),
        }
        .into()
    }

    pub(super) fn stalled(&self) -> Fault {
        Fault::Stalled {
            after: self.settings.stall_timeout,
        }
    }
}

/// Whether an attempt failed before there was a connection: no such host, no route to it, or nothing that listens.
fn is_without_connection(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => true,
        // A look-up of a name that fails has a kind of the standard library's own.
        ureq::Error::Io(error) => {
            !is_of_tls(error)
                && !matches!(
                    error.kind(),
                    io::ErrorKind::BrokenPipe
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::InvalidData
                        | io::ErrorKind::TimedOut
                        | io::ErrorKind::UnexpectedEof
                        | io::ErrorKind::WouldBlock
                )
        }
        _ => false,
    }
}

/// A certificate that is not trusted comes as an error of reading.
fn is_of_tls(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| inner.is::<rustls::Error>())
}

/// The seconds that a server asks to wait. A date instead of seconds counts as none.
fn retry_after(reply: &Reply) -> Option<Duration> {
    let seconds = reply.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
