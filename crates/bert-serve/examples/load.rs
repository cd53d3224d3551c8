//! A closed loop of clients, each asking again as soon as it has its answer, and one line of JSON with what came of it.
//!
//! ```text
//! cargo run --release -p bert-serve --example load -- --url http://127.0.0.1:8080 --clients 16 --seconds 10 --body builtin
//! ```

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fs,
    process::ExitCode,
    time::{Duration, Instant},
};

use axum::{body::Bytes, http::Uri};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{
    net::TcpStream,
    runtime::Builder,
    time::{sleep, timeout},
};

const USAGE: &str =
    "usage: load --url http://HOST:PORT [--clients N] [--seconds S] [--body FILE|builtin]";

/// How long a client waits after an error before it connects again.
const PAUSE: Duration = Duration::from_millis(20);

/// A question about a passage of about 120 words.
const QUESTION: &str = "Why did most tidal mills close?";
const PASSAGE: &str = "Long before steam, millers on the coasts of western Europe learnt to grind grain with the \
    tide. A tidal mill stands beside a dam that closes off a creek. While the sea rises, it pushes open the gates in \
    the dam and fills the pond behind it; when the sea begins to fall, the weight of the trapped water swings the \
    gates shut. After about three hours the level outside is low enough, and the miller lets the pond run out over \
    the wheel. The tide never failed, but most tidal mills closed in the nineteenth century, when cheap coal and \
    railways let large steam mills feed the towns.";

type Failure = Box<dyn Error + Send + Sync>;

/// What the command line says.
struct Load {
    address: String,
    clients: usize,
    time: Duration,
    body: Bytes,
}

/// What one client saw.
#[derive(Default)]
struct Seen {
    statuses: BTreeMap<u16, u64>,
    errors: u64,
    /// Of the answers with status 200.
    latencies: Vec<Duration>,
}

fn main() -> ExitCode {
    let done = load(env::args().skip(1)).and_then(|load| {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(run(load)))
    });
    match done {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn load(mut arguments: impl Iterator<Item = String>) -> Result<Load, Failure> {
    let (mut url, mut clients, mut seconds, mut body) = (None, 16, 10.0, "builtin".to_owned());
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match flag.as_str() {
            "--url" => url = Some(value.parse::<Uri>()?),
            "--clients" => clients = value.parse()?,
            "--seconds" => seconds = value.parse()?,
            "--body" => body = value,
            _ => return Err(USAGE.into()),
        }
    }
    let url = url.ok_or(USAGE)?;
    let host = url.host().ok_or(USAGE)?;
    let body = match body.as_str() {
        "builtin" => json!({"question": QUESTION, "passage": PASSAGE})
            .to_string()
            .into(),
        file => fs::read(file)
            .map_err(|error| format!("{file}: cannot be read: {error}"))?
            .into(),
    };
    Ok(Load {
        address: format!("{host}:{}", url.port_u16().unwrap_or(80)),
        clients,
        time: Duration::try_from_secs_f64(seconds)?,
        body,
    })
}

async fn run(load: Load) -> String {
    let started = Instant::now();
    let until = started + load.time;
    let clients: Vec<_> = (0..load.clients)
        .map(|_| tokio::spawn(client(load.address.clone(), load.body.clone(), until)))
        .collect();
    let mut all = Seen::default();
    for client in clients {
        let Ok(seen) = client.await else {
            all.errors += 1;
            continue;
        };
        for (status, count) in seen.statuses {
            *all.statuses.entry(status).or_default() += count;
        }
        all.errors += seen.errors;
        all.latencies.extend(seen.latencies);
    }
    let seconds = started.elapsed().as_secs_f64();
    all.latencies.sort_unstable();
    let answered = all.latencies.len();
    // The nearest rank.
    let quantile = |thousandths: usize| {
        let rank = (answered * thousandths).div_ceil(1000);
        let latency = all.latencies.get(rank.saturating_sub(1));
        latency.map(|latency| latency.as_secs_f64() * 1000.0)
    };
    json!({
        "requests": all.statuses.values().sum::<u64>() + all.errors,
        "statuses": all.statuses,
        "errors": all.errors,
        "clients": load.clients,
        "seconds": seconds,
        "answers_per_second": answered as f64 / seconds,
        "latency_ms": {"median": quantile(500), "p95": quantile(950), "p99": quantile(990), "max": quantile(1000)},
    })
    .to_string()
}

/// Asks again and again on one connection, for as long as it holds.
async fn client(address: String, body: Bytes, until: Instant) -> Seen {
    let mut seen = Seen::default();
    let mut connection = None;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        let sent = Instant::now();
        // What is still outstanding at the end is not counted.
        let Ok(asked) = timeout(left, ask(&mut connection, &address, &body)).await else {
            break;
        };
        match asked {
            Ok(status) => {
                *seen.statuses.entry(status).or_default() += 1;
                if status == 200 {
                    seen.latencies.push(sent.elapsed());
                } else {
                    sleep(PAUSE).await;
                }
            }
            Err(_) => {
                seen.errors += 1;
                connection = None;
                sleep(PAUSE).await;
            }
        }
    }
    seen
}

async fn ask(
    connection: &mut Option<SendRequest<Full<Bytes>>>,
    address: &str,
    body: &Bytes,
) -> Result<u16, Failure> {
    let sender = match connection.take().filter(|it| !it.is_closed()) {
        Some(open) => connection.insert(open),
        None => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(driver);
            connection.insert(sender)
        }
    };
    sender.ready().await?;
    let request = Request::post("/api/v1/answer")
        .header("host", address)
        .header("content-type", "application/json")
        .body(Full::new(body.clone()))?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    response.into_body().collect().await?;
    Ok(status)
}
