//! Requests to the server: bodies of every protocol, and bytes that need not be HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use bert_serve::{
    Answer, Answered, Answerer, Choice, Chosen, ClassProbability, Classified, Model, ModelInfo,
    Question, Refusal, ServeConfig, Server, Text,
};
use serde_json::Value;

use crate::checks::choice;
use crate::hub::next_address;

/// Where bodies are sent.
const PATHS: [&str; 13] = [
    "/api/v1/answer",
    "/api/v1/classify",
    "/api/v1/choose",
    "/models/questions",
    "/models/texts",
    "/models/choices",
    "/v2/models/questions/infer",
    "/v2/models/texts/infer",
    "/v2/models/choices/infer",
    "/predict",
    "/invocations",
    "/models/none",
    "/",
];

struct Fake(&'static str);

fn info(name: &str) -> ModelInfo {
    ModelInfo {
        name: name.into(),
        parameters: 1,
        max_length: 384,
        device: "CPU".into(),
        labels: ["yes", "no"].map(str::to_owned).to_vec(),
        no_answer: false,
        corpus: None,
    }
}

impl Answerer<Question> for Fake {
    fn answer(&mut self, questions: &[Question]) -> Vec<Result<Answered, Refusal>> {
        let answered = |it: &Question| {
            let passage = it.passage.as_ref().map_or("", |it| it);
            let text: String = passage.chars().take(3).collect();
            let end = text.chars().count();
            let answer = Answer {
                text,
                start: 0,
                end,
                probability: 0.5,
                source: None,
            };
            Ok(Answered {
                answers: vec![answer; it.n_best.min(2)],
                no_answer_probability: None,
                windows: 1,
            })
        };
        questions.iter().map(answered).collect()
    }

    fn model(&self) -> ModelInfo {
        info(self.0)
    }
}

impl Answerer<Text> for Fake {
    fn answer(&mut self, texts: &[Text]) -> Vec<Result<Classified, Refusal>> {
        let class = |label: &str| ClassProbability {
            label: label.into(),
            probability: 0.5,
            logit: 0.0,
        };
        let classes = || Classified::Classes {
            classes: ["yes", "no"].map(class).to_vec(),
        };
        texts.iter().map(|_| Ok(classes())).collect()
    }

    fn model(&self) -> ModelInfo {
        info(self.0)
    }
}

impl Answerer<Choice> for Fake {
    fn answer(&mut self, choices: &[Choice]) -> Vec<Result<Chosen, Refusal>> {
        let chosen = |it: &Choice| {
            Ok(Chosen {
                choice: 0,
                probabilities: vec![0.25; it.endings.len()],
            })
        };
        choices.iter().map(chosen).collect()
    }

    fn model(&self) -> ModelInfo {
        info(self.0)
    }
}

/// The port of a server with a model of each task.
fn port() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let config = ServeConfig {
            address: (Ipv4Addr::UNSPECIFIED, 0).into(),
            ..ServeConfig::default()
        };
        let server = Server::bind(config).expect("a port is free");
        let port = server.local_addr().port();
        let models = vec![
            Model::Questions(Box::new(Fake("questions"))),
            Model::Texts(Box::new(Fake("texts"))),
            Model::Choices(Box::new(Fake("choices"))),
        ];
        thread::spawn(move || server.run(models));
        port
    })
}

fn connect() -> TcpStream {
    let stream = TcpStream::connect((next_address(), port())).expect("the server listens");
    stream.set_nodelay(true).expect("it can be set");
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("it can be set");
    stream
}

/// Bodies of requests that are well-formed otherwise. One connection serves all.
pub(crate) fn bodies(data: &[u8]) {
    static CONNECTION: Mutex<Option<BufReader<TcpStream>>> = Mutex::new(None);
    let (path, body) = choice(data, PATHS.len());
    let mut held = CONNECTION.lock().unwrap_or_else(PoisonError::into_inner);
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        PATHS[path],
        body.len()
    );
    let request = [head.as_bytes(), body].concat();
    let ask = |held: &mut Option<BufReader<TcpStream>>| {
        let connection = held.get_or_insert_with(|| BufReader::new(connect()));
        let sent = connection.get_mut().write_all(&request).ok();
        sent.and_then(|()| response(connection))
    };
    let answered = ask(&mut held).or_else(|| {
        // The server ends a connection that nobody has used for a while.
        *held = None;
        ask(&mut held)
    });
    let (status, json) = answered.expect("the server answers");
    let found: Value = serde_json::from_slice(&json).expect("the answer is JSON");
    assert!(status < 500, "{status}: {found}");
    assert_eq!(
        status == 200,
        found.get("error").is_none(),
        "{status}: {found}"
    );
    // An answer is not much longer than what was asked.
    assert!(
        json.len() < 4096 + 512 * body.len(),
        "{} bytes for {}",
        json.len(),
        body.len()
    );
}

/// The status and the body of an answer with a length.
fn response(connection: &mut BufReader<TcpStream>) -> Option<(u16, Vec<u8>)> {
    let (mut status, mut length, mut line) = (None, 0, String::new());
    loop {
        line.clear();
        connection.read_line(&mut line).ok()?;
        let Some((name, value)) =
            line.trim_end()
                .split_once(if status.is_none() { ' ' } else { ':' })
        else {
            break;
        };
        match status {
            None => status = value.get(..3)?.parse().ok(),
            Some(_) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().ok()?
            }
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).ok()?;
    Some((status?, body))
}

/// Bytes on a connection of their own. Whatever they are, the server answers the next request.
pub(crate) fn requests(data: &[u8]) {
    let mut stream = connect();
    // The server may refuse to read more.
    let _ = stream
        .write_all(data)
        .and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1."),
        "{:?}",
        String::from_utf8_lossy(&answer)
    );
    bodies(br#"0{"question": "Who?", "passage": "Ada."}"#);
}
