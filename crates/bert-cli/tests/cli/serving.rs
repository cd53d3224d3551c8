//! `serve` with models of every task: it answers as the command does that asks the same model.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bert_test_support::small_swag;
use serde_json::{Value, json};

use crate::front_door::model;
use crate::glue_support::MODEL;
use crate::support::{bert, refused, stderr};

/// A server that is killed when the test ends.
pub(crate) struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(model: &Path) -> Self {
        Self::start_several(&[model.to_str().unwrap()])
    }

    fn start_several(models: &[&str]) -> Self {
        Self::with(models, &[])
    }

    pub(crate) fn with(models: &[&str], flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bert"))
            .args(["serve", "--json", "--device", "cpu"])
            .args(["--address", "127.0.0.1:0"])
            .args(models.iter().flat_map(|model| ["--model", model]))
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let url: Value = serde_json::from_str(&line).unwrap();
        let address = url["url"].as_str().unwrap();
        let address = address.strip_prefix("http://").unwrap().to_owned();
        Self { child, address }
    }

    pub(crate) fn request(&self, method: &str, route: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{method} {route} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (_, body) = reply.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn printed(arguments: &[&str]) -> Value {
    let output = bert(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn trained(arguments: &[&str]) {
    let output = bert(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
}

/// Rows of a batch may differ in the last bits from a row alone.
fn close(found: &Value, expected: &Value) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((found - expected).abs() < 1e-5, "{found} {expected}");
}

#[test]
fn a_classifier_is_served_and_says_what_classify_says() {
    let dir = tempfile::tempdir().unwrap();
    let table = dir.path().join("train.csv");
    let rows = "good,praise\nbad,blame\n\"so, so\",neither\n".repeat(4);
    fs::write(&table, format!("text,label\n{rows}")).unwrap();
    let table = table.to_str().unwrap();
    let out = dir.path().join("classes");
    let model = out.to_str().unwrap();
    trained(&[
        "train-glue",
        "--task",
        "csv",
        "--bert-model",
        MODEL,
        "--from-scratch",
        "--train-file",
        table,
        "--eval-file",
        table,
        "--output-dir",
        model,
        "--train-batch-size",
        "4",
        "--device",
        "cpu",
    ]);
    let server = Serving::start(&out);
    let about = server.request("GET", "/api/v1/model", "");
    assert_eq!(about["task"], "text-classification");
    assert_eq!(about["model"]["name"], "classes");
    let body = json!({"texts": [{"text": "so good"}, {"text": "bad", "pair": "good, so it is"}]});
    let reply = server.request("POST", "/api/v1/classify", &body.to_string());
    let asked: [&[&str]; 2] = [&["so good"], &["bad", "--pair", "good, so it is"]];
    for (number, texts) in asked.into_iter().enumerate() {
        let flags = ["classify", "--json", "--device", "cpu", "--model", model];
        let expected = printed(&[&flags[..], texts].concat());
        let classes = reply["results"][number]["classes"].as_array().unwrap();
        assert_eq!(classes.len(), 3, "{reply}");
        assert_eq!(classes[0]["label"], expected["label"], "{reply}");
        for class in classes {
            let label = class["label"].as_str().unwrap();
            close(&class["probability"], &expected["probabilities"][label]);
        }
    }
    let asked = json!({"question": "What?", "passage": "It is red."});
    let refusal = server.request("POST", "/api/v1/answer", &asked.to_string());
    assert_eq!(refusal["error"]["code"], "other_task");
    drop(server);

    // The same folder twice, by two names, one of them its own.
    let server = Serving::start_several(&[model, &format!("again={model}")]);
    let about = server.request("GET", "/api/v1/models", "");
    assert_eq!(about["models"][0]["model"]["name"], "classes");
    assert_eq!(about["models"][1]["model"]["name"], "again");
    for name in ["classes", "again"] {
        let body = json!({"model": name, "text": "so good"}).to_string();
        let said = server.request("POST", "/api/v1/classify", &body);
        assert_eq!(
            said["classes"][0]["label"],
            reply["results"][0]["classes"][0]["label"]
        );
    }
    let refusal = server.request("POST", "/api/v1/classify", r#"{"text": "so good"}"#);
    assert_eq!(refusal["error"]["code"], "model_needed");
    drop(server);
    let output = bert(&[
        "serve",
        "--model",
        model,
        "--model",
        &format!("classes={model}"),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("two models with the name \"classes\""),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_chooser_is_served_and_says_what_choose_says() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    small_swag(&data);
    let out = dir.path().join("choices");
    let model = out.to_str().unwrap();
    trained(&[
        "train-swag",
        "--bert-model",
        MODEL,
        "--from-scratch",
        "--data-dir",
        data.to_str().unwrap(),
        "--output-dir",
        model,
        "--train-batch-size",
        "4",
        "--num-train-epochs",
        "1",
        "--max-seq-length",
        "48",
        "--device",
        "cpu",
    ]);
    let server = Serving::start(&out);
    let about = server.request("GET", "/api/v1/model", "");
    assert_eq!(about["task"], "multiple-choice");
    assert_eq!(about["model"]["max_length"], 48);
    let (context, start) = ("He opens the door.", "Then he");
    let endings = ["walks in.", "is a river of stones.", "sings"];
    let body = json!({"context": context, "start": start, "endings": endings});
    let reply = server.request("POST", "/api/v1/choose", &body.to_string());
    let flags = [
        "choose", "--json", "--device", "cpu", "--model", model, "--text", context, "--start",
        start,
    ];
    let expected = printed(&[&flags[..], &endings].concat());
    assert_eq!(reply["choice"], expected["choice"], "{reply} {expected}");
    let probabilities = reply["probabilities"].as_array().unwrap();
    assert_eq!(probabilities.len(), endings.len());
    for (number, probability) in probabilities.iter().enumerate() {
        close(probability, &expected["probabilities"][number]);
    }
}

#[test]
fn a_server_whose_windows_hold_no_passage_does_not_start() {
    let line = refused(&[
        "serve",
        "--address",
        "127.0.0.1:0",
        "--max-seq-length",
        "5",
        "--model",
        model().to_str().unwrap(),
    ]);
    assert!(
        line.contains("--max-seq-length: found 5, expected at least 36"),
        "{line}"
    );
}

#[cfg(unix)]
#[test]
fn a_server_answers_and_ends_when_it_is_asked_to() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bert"))
        .args(["serve", "--json", "--address", "127.0.0.1:0", "--model"])
        .arg(model())
        .env("BERT_API_KEY", "secret")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let url: Value = serde_json::from_str(&line).unwrap();
    let address = url["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://")
        .unwrap();
    let ask_at = |route: &str, key: &str, body: &str| -> (String, Value) {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST {route} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), serde_json::from_str(body).unwrap())
    };
    let ask = |body: &str| ask_at("/api/v1/answer", "secret", body);
    let (head, _) = ask_at("/api/v1/answer", "wrong", "{}");
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    // The model's folder is named, and not where it is.
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /api/v1/model HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer secret\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut about = String::new();
    stream.read_to_string(&mut about).unwrap();
    assert!(about.contains("\"name\":\"squad\""), "{about}");
    let passage = "😀 <b>It</b> is red.";
    let (head, answer) = ask(&json!({"question": "What?", "passage": passage}).to_string());
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let best = &answer["answers"][0];
    let range = best["start"].as_u64().unwrap() as usize..best["end"].as_u64().unwrap() as usize;
    let slice: String = passage
        .chars()
        .skip(range.start)
        .take(range.len())
        .collect();
    assert_eq!(best["text"], slice);
    // The same by Hugging Face's schema, whose scores are among the server's own, and with settings of its own.
    let infer = |parameters: Value| {
        let inputs = json!({"question": "What?", "context": passage});
        let body = json!({"inputs": inputs, "parameters": parameters});
        ask_at("/", "secret", &body.to_string())
    };
    let (_, same) = infer(json!({"align_to_words": false}));
    assert_eq!(same["answer"], best["text"]);
    assert_eq!(
        (&same["start"], &same["end"]),
        (&best["start"], &best["end"])
    );
    let (head, none) = infer(json!({"handle_impossible_answer": true, "top_k": 100}));
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let empty = |it: &&Value| it["answer"] == "";
    assert_eq!(
        none.as_array().unwrap().iter().filter(empty).count(),
        1,
        "{none}"
    );
    let (_, short) = infer(json!({"max_answer_len": 1, "top_k": 100, "align_to_words": false}));
    let mut short_ones = short.as_array().unwrap().iter();
    let is_word = |it: &Value| !it["answer"].as_str().unwrap().contains(' ');
    assert!(short_ones.all(is_word), "{short}");
    for (parameters, part) in [
        (json!({"max_seq_len": 100_000}), "100000 tokens"),
        (
            json!({"max_seq_len": 8, "max_question_len": 64}),
            "do not go together",
        ),
        (json!({"doc_stride": 100_000}), "do not go together"),
    ] {
        let (head, refusal) = infer(parameters);
        assert!(head.starts_with("HTTP/1.1 422"), "{head}");
        let message = refusal["error"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
    }
    // Longer than --max-windows allows.
    let long = "word ".repeat(40_000);
    let (head, refusal) = ask(&json!({"question": "What?", "passage": long}).to_string());
    assert!(head.starts_with("HTTP/1.1 422"), "{head}");
    assert!(
        refusal["error"]["message"]
            .as_str()
            .unwrap()
            .contains("windows"),
        "{refusal}"
    );
    let kill = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
