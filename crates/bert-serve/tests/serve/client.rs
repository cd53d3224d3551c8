//! A client that sends any bytes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::fake::{Running, SOON};

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The status and the code of a refusal, whose form it checks.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let body = self.json();
        let message = body["error"]["message"].as_str().expect("a message");
        assert!(message.ends_with(['.', '!']), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        let fields = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
        assert_eq!((fields(&body), fields(&body["error"])), (1, 2), "{body}");
        let code = body["error"]["code"].as_str().expect("a code");
        (self.status, code.to_owned())
    }
}

/// A connection.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(SOON)).expect("a time limit");
        stream.set_write_timeout(Some(SOON)).expect("a time limit");
        stream.set_nodelay(true).expect("small packets");
        Self(BufReader::new(stream))
    }

    /// Sends bytes; the server may have had enough of them.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// Reads an answer, if there is one before the connection ends.
    pub(crate) fn reply(&mut self) -> Option<Reply> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).ok()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut reply = Reply {
            status,
            headers,
            body: Vec::new(),
        };
        let length = reply.header("content-length").unwrap_or("0");
        reply.body = vec![0; length.parse().ok()?];
        self.0.read_exact(&mut reply.body).ok()?;
        Some(reply)
    }

    /// Whether the server closes the connection within `limit`, whatever it sends before that.
    pub(crate) fn is_closed_within(&mut self, limit: Duration) -> bool {
        let stream = self.0.get_ref();
        stream.set_read_timeout(Some(limit)).expect("a time limit");
        match self.0.read_to_end(&mut Vec::new()) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

/// A request with a body of JSON, as bytes.
pub(crate) fn post(body: &[u8]) -> Vec<u8> {
    post_to("/api/v1/answer", body)
}

/// The same to another route.
pub(crate) fn post_to(route: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {route} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A question about a passage.
pub(crate) fn about(question: &str, passage: &str) -> Vec<u8> {
    let body = json!({"question": question, "passage": passage});
    body.to_string().into_bytes()
}

impl Running {
    /// Sends bytes on a connection of their own and reads an answer.
    pub(crate) fn raw(&self, bytes: impl AsRef<[u8]>) -> Reply {
        let mut client = Client::connect(self.address);
        client.send(bytes);
        client.reply().expect("an answer")
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.raw(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"))
    }

    /// Posts a body to the API.
    pub(crate) fn post(&self, body: impl AsRef<[u8]>) -> Reply {
        self.raw(post(body.as_ref()))
    }

    /// Posts a body to a route.
    pub(crate) fn post_to(&self, route: &str, body: impl AsRef<[u8]>) -> Reply {
        self.raw(post_to(route, body.as_ref()))
    }

    /// Posts a body to a route; the connection's answer is to be read.
    pub(crate) fn send(&self, route: &str, body: impl AsRef<[u8]>) -> Client {
        let mut client = Client::connect(self.address);
        assert!(client.send(post_to(route, body.as_ref())));
        client
    }

    /// Asks a question; the connection's answer is to be read.
    pub(crate) fn ask(&self, question: &str) -> Client {
        let mut client = Client::connect(self.address);
        assert!(client.send(post(&about(question, "one two three"))));
        client
    }

    /// Waits until the server answers. With short time limits a busy machine may need more than one attempt.
    pub(crate) fn is_well(&self) {
        let health: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let question = post(&about("two", "one two three"));
        for request in [health, &question] {
            let until = Instant::now() + SOON;
            loop {
                let mut client = Client::connect(self.address);
                client.send(request);
                let reply = client.reply();
                if reply.as_ref().is_some_and(|reply| reply.status == 200) {
                    break;
                }
                assert!(Instant::now() < until, "it does not answer: {reply:?}");
            }
        }
    }
}
