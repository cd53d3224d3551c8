//! A small HTTP server that answers correctly, or with the faults that a test asks for.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
}

impl Seen {
    /// The first byte that is asked for.
    pub(crate) fn from(&self) -> Option<usize> {
        let range = self.headers.get("range")?;
        let start = range.strip_prefix("bytes=").expect("a range of bytes");
        Some(start.trim_end_matches('-').parse().expect("a number"))
    }
}

/// What a resource is, when nothing goes wrong.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resource {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Arc<Vec<u8>>,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The connection ends after this number of bytes of this answer.
    Cut(usize),
    /// Nothing more comes after this number of bytes of this answer, until the client leaves.
    Stall(usize),
    /// So many bytes come, and the rest when the gate is opened.
    Hold(usize, Arc<Gate>),
    /// Bytes without an end, whose number is not announced.
    Endless,
    /// The length is not stated.
    NoLength,
    /// The connection ends without an answer.
    Close,
    /// Another status, with headers.
    Status(u16, &'static [(&'static str, &'static str)]),
    /// As many bytes as there should be, and others.
    WrongBytes,
    /// Fewer bytes, which are said to be all.
    Shorter,
    /// More bytes.
    Longer,
    /// The whole file, whatever part is asked for.
    IgnoreRange,
    /// A part from elsewhere.
    WrongPart,
    /// A page of HTML that is said to be what was asked for.
    Html,
    /// The page, without its length.
    HtmlWithoutLength,
    /// A wrong length is stated.
    Length(u64),
    /// Leads elsewhere.
    Redirect(String),
    /// Another value of a header, or none.
    Header(&'static str, Option<&'static str>),
}

/// A gate that is shut until the test opens it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(crate) fn open(&self) {
        *self.open.lock().expect("no panics") = true;
        self.opened.notify_all();
    }

    fn wait(&self) {
        let open = self.open.lock().expect("no panics");
        let waited = self
            .opened
            .wait_timeout_while(open, PATIENCE, |open| !*open);
        drop(waited.expect("no panics"));
    }
}

/// How long a test waits for what should happen at once, on a machine that is busy with something else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

impl Fault {
    /// How long a client should wait for bytes: not long for those that never come.
    pub(crate) fn stall_timeout(&self) -> Duration {
        match self {
            Self::Stall(_) => Duration::from_millis(600),
            _ => PATIENCE,
        }
    }
}

struct Rule {
    method: &'static str,
    path: String,
    left: usize,
    fault: Fault,
}

type Route = dyn Fn(&Seen) -> Option<Resource> + Send + Sync;

struct Shared {
    route: Box<Route>,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
    arrived: Condvar,
    stop: AtomicBool,
}

/// Listens until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// Every time.
pub(crate) const ALWAYS: usize = usize::MAX;

impl Server {
    pub(crate) fn start(route: impl Fn(&Seen) -> Option<Resource> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let shared = Arc::new(Shared {
            route: Box::new(route),
            rules: Mutex::default(),
            seen: Mutex::default(),
            arrived: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if theirs.stop.load(Ordering::SeqCst) {
                    break;
                }
                let theirs = Arc::clone(&theirs);
                // A client may leave while it is answered.
                thread::spawn(move || _ = stream.map(|stream| answer(stream, &theirs)));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets something go wrong for the next requests of a method whose path contains this.
    pub(crate) fn spoil(&self, method: &'static str, path: &str, times: usize, fault: Fault) {
        self.shared.rules.lock().expect("no panics").push(Rule {
            method,
            path: path.to_owned(),
            left: times,
            fault,
        });
    }

    pub(crate) fn heal(&self) {
        self.shared.rules.lock().expect("no panics").clear();
    }

    /// Waits until there has been a request of this method whose path contains this.
    pub(crate) fn wait_for(&self, method: &str, path: &str, times: usize) {
        let seen = self.shared.seen.lock().expect("no panics");
        let missing = |seen: &mut Vec<Seen>| {
            let found = seen
                .iter()
                .filter(|it| it.method == method && it.path.contains(path));
            found.count() < times
        };
        let waited = self
            .shared
            .arrived
            .wait_timeout_while(seen, PATIENCE, missing);
        let (seen, late) = waited.expect("no panics");
        assert!(!late.timed_out(), "{method} {path}: found only {seen:?}");
    }

    /// The requests since the last call.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.shared.seen.lock().expect("no panics"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn read_request(stream: &TcpStream) -> Option<Seen> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    Some(Seen {
        method,
        path,
        headers,
    })
}

fn answer(mut stream: TcpStream, shared: &Shared) -> Option<()> {
    let seen = read_request(&stream)?;
    shared.seen.lock().expect("no panics").push(seen.clone());
    shared.arrived.notify_all();
    let fault = {
        let mut rules = shared.rules.lock().expect("no panics");
        let rule = rules.iter_mut().find(|rule| {
            rule.left > 0 && rule.method == seen.method && seen.path.contains(&rule.path)
        });
        rule.map(|rule| {
            rule.left -= 1;
            rule.fault.clone()
        })
    };
    let mut resource = (shared.route)(&seen).unwrap_or_else(|| Resource {
        status: 404,
        ..Resource::default()
    });
    let mut length = Some(resource.body.len() as u64);
    let (mut cut, mut held) = (None, None);
    let mut endless = false;
    let mut ranged = resource.status == 200;
    match fault {
        None => {}
        Some(Fault::Close) => return None,
        Some(Fault::Cut(at)) => cut = Some((at, false)),
        Some(Fault::Stall(at)) => cut = Some((at, true)),
        Some(Fault::Hold(at, gate)) => held = Some((at, gate)),
        Some(Fault::Endless) => {
            endless = true;
            length = None;
            ranged = false;
        }
        Some(Fault::NoLength) => length = None,
        Some(Fault::Status(status, headers)) => {
            let headers = headers
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()));
            resource = Resource {
                status,
                headers: headers.collect(),
                body: Arc::new(b"no".to_vec()),
            };
            length = Some(2);
            ranged = false;
        }
        Some(Fault::WrongBytes) => {
            let wrong = resource.body.iter().map(|byte| byte ^ 1).collect();
            resource.body = Arc::new(wrong);
        }
        Some(Fault::Shorter) => {
            let half = resource.body[..resource.body.len() / 2].to_vec();
            resource.body = Arc::new(half);
            length = Some(resource.body.len() as u64);
        }
        Some(Fault::Longer) => {
            let longer = [resource.body.as_slice(), b"and more"].concat();
            resource.body = Arc::new(longer);
            length = Some(resource.body.len() as u64);
        }
        Some(Fault::IgnoreRange) => ranged = false,
        Some(Fault::WrongPart) => {
            resource.status = 206;
            let range = format!("bytes 1-9/{}", resource.body.len());
            resource.headers.push(("Content-Range".into(), range));
            ranged = false;
        }
        Some(ref fault @ (Fault::Html | Fault::HtmlWithoutLength)) => {
            let body = b"<html>Please log in to this network</html>".to_vec();
            length = matches!(fault, Fault::Html).then_some(body.len() as u64);
            resource = Resource {
                status: 200,
                headers: vec![("Content-Type".into(), "text/html".into())],
                body: Arc::new(body),
            };
            ranged = false;
        }
        Some(Fault::Length(wrong)) => length = Some(wrong),
        Some(Fault::Redirect(to)) => {
            resource.status = 302;
            resource.headers.push(("Location".into(), to));
            resource.body = Arc::default();
            length = Some(0);
            ranged = false;
        }
        Some(Fault::Header(name, value)) => {
            resource
                .headers
                .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            resource
                .headers
                .extend(value.map(|value| (name.into(), value.into())));
        }
    }
    let mut start = 0;
    if let Some(from) = seen.from().filter(|_| ranged) {
        let size = resource.body.len();
        if from >= size {
            resource.status = 416;
            length = Some(0);
            start = size;
            resource
                .headers
                .push(("Content-Range".into(), format!("bytes */{size}")));
        } else {
            resource.status = 206;
            start = from;
            length = length.map(|length| length - from as u64);
            let range = format!("bytes {from}-{}/{size}", size - 1);
            resource.headers.push(("Content-Range".into(), range));
        }
    }
    let mut head = format!(
        "HTTP/1.1 {} Whatever\r\nConnection: close\r\n",
        resource.status
    );
    for (name, value) in &resource.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if let Some(length) = length {
        head += &format!("Content-Length: {length}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes()).ok()?;
    if seen.method == "HEAD" {
        return Some(());
    }
    if endless {
        // Ends when the client leaves.
        loop {
            stream.write_all(&[b'x'; 1 << 16]).ok()?;
        }
    }
    let body = &resource.body[start..];
    if let Some((at, stalls)) = cut {
        stream.write_all(&body[..at.min(body.len())]).ok()?;
        if stalls {
            // The client sends nothing more, so this ends when it leaves.
            stream.set_read_timeout(Some(PATIENCE)).ok()?;
            let _ = stream.read(&mut [0]);
        }
        return None;
    }
    let (first, rest) = match &held {
        None => (body, &[][..]),
        Some((at, _)) => body.split_at((*at).min(body.len())),
    };
    stream.write_all(first).ok()?;
    if let Some((_, gate)) = held {
        gate.wait();
    }
    stream.write_all(rest).ok()
}
