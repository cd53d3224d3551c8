//! Every route, and every refusal.

use std::time::Duration;

use bert_serve::{MAX_N_BEST, ServeConfig};
use serde_json::{Value, json};

use crate::{
    client::{Client, about, post},
    fake::{Running, SOON},
};

#[test]
fn one_question_gives_one_object() {
    let server = Running::start();
    let reply = server.post(about("where is two?", "é😀 one two, two"));
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let answer = |start: usize, probability: f64| json!({"text": "two", "start": start, "end": start + 3, "probability": probability});
    assert_eq!(
        reply.json(),
        json!({"answers": [answer(7, 0.8), answer(12, 0.4)], "no_answer_probability": 0.15, "windows": 1})
    );
    let one =
        server.post(json!({"question": "two", "passage": "two two", "n_best": 1}).to_string());
    assert_eq!(one.json()["answers"].as_array().map(Vec::len), Some(1));
}

#[test]
fn several_questions_give_a_list_and_fail_one_by_one() {
    let server = Running::start();
    let questions = ["two", "bad", "fail", "nan", "panic", "three", "none"];
    let reply =
        server.post(json!({"questions": questions, "passage": "one two three"}).to_string());
    assert_eq!(reply.status, 200);
    let body = reply.json();
    let results = body["results"].as_array().expect("a list");
    let seen: Vec<Value> = results
        .iter()
        .map(|it| match &it["error"] {
            Value::Null => it["answers"][0]["text"].clone(),
            error => error["code"].clone(),
        })
        .collect();
    let failed = "failed";
    let expected = json!(["two", "bad_question", failed, failed, failed, "three", null]);
    assert_eq!(Value::from(seen), expected);
    assert!(!reply.text().contains("secret"), "{}", reply.text());
    // A list of one is a list.
    let reply = server.post(json!({"questions": ["two"], "passage": "two"}).to_string());
    assert_eq!(reply.json()["results"][0]["answers"][0]["text"], "two");
}

#[test]
fn the_model_refuses_and_fails_and_the_server_lives_on() {
    let server = Running::start();
    for (question, refusal) in [
        ("bad", (422, "bad_question")),
        ("fail", (500, "failed")),
        ("nan", (500, "failed")),
        ("panic", (500, "failed")),
        ("lose one", (500, "failed")),
    ] {
        let reply = server.post(about(question, "passage"));
        let (status, code) = reply.refusal();
        assert_eq!((status, code.as_str()), refusal, "{question}");
        assert!(!reply.text().contains("secret"), "{}", reply.text());
        server.is_well();
    }
    let reply = server.post(about("bad", "passage"));
    assert_eq!(reply.json()["error"]["message"], "This cannot be asked.");
}

#[test]
fn bodies_that_do_not_say_what_they_should_are_refused() {
    let server = Running::with(ServeConfig {
        passage_limit: 20,
        question_limit: 10,
        max_questions: 2,
        ..Running::config()
    });
    let long = "é".repeat(21);
    let cases: Vec<(Vec<u8>, (u16, &str), &str)> = vec![
        (b"".to_vec(), (400, "invalid_json"), "EOF"),
        (b"{".to_vec(), (400, "invalid_json"), "EOF"),
        (
            br#"{"question":"q","passage":"p"} {}"#.to_vec(),
            (400, "invalid_json"),
            "trailing",
        ),
        (
            br#"{"a\nb\u0000":1}"#.to_vec(),
            (422, "invalid_request"),
            r"a\\nb\\u{0}",
        ),
        (
            b"{\"question\": \"\xff\"}".to_vec(),
            (400, "invalid_utf8"),
            "byte 14",
        ),
        (
            br#"{"question":"\ud800","passage":"p"}"#.to_vec(),
            (400, "invalid_json"),
            "",
        ),
        (b"[]".to_vec(), (422, "invalid_request"), ""),
        (b"null".to_vec(), (422, "invalid_request"), "null"),
        (
            br#"{"question":"q"}"#.to_vec(),
            (422, "invalid_request"),
            "passage",
        ),
        (
            br#"{"passage":"p"}"#.to_vec(),
            (422, "invalid_request"),
            "either",
        ),
        (
            br#"{"question":"q","questions":["q"],"passage":"p"}"#.to_vec(),
            (422, "invalid_request"),
            "either",
        ),
        (
            br#"{"question":"q","passage":"p","passage":"p"}"#.to_vec(),
            (422, "invalid_request"),
            "duplicate",
        ),
        (
            br#"{"question":"q","passage":"p","top_k":1}"#.to_vec(),
            (422, "invalid_request"),
            "top_k",
        ),
        (
            br#"{"question":null,"passage":"p"}"#.to_vec(),
            (422, "invalid_request"),
            "null",
        ),
        (
            br#"{"question":"q","passage":7}"#.to_vec(),
            (422, "invalid_request"),
            "7",
        ),
        (
            br#"{"question":"q","passage":"p","n_best":"5"}"#.to_vec(),
            (422, "invalid_request"),
            "5",
        ),
        (
            br#"{"question":"q","passage":"p","n_best":-1}"#.to_vec(),
            (422, "invalid_request"),
            "-1",
        ),
        (
            br#"{"question":"q","passage":"p","n_best":1.5}"#.to_vec(),
            (422, "invalid_request"),
            "1.5",
        ),
        (
            br#"{"question":"q","passage":"p","n_best":0}"#.to_vec(),
            (422, "n_best"),
            "0",
        ),
        (
            format!(
                r#"{{"question":"q","passage":"p","n_best":{}}}"#,
                MAX_N_BEST + 1
            )
            .into(),
            (422, "n_best"),
            "101",
        ),
        (
            br#"{"question":" \n","passage":"p"}"#.to_vec(),
            (422, "empty"),
            "question",
        ),
        (
            br#"{"question":"q","passage":"\u2003"}"#.to_vec(),
            (422, "empty"),
            "passage",
        ),
        (
            br#"{"questions":["q",""],"passage":"p"}"#.to_vec(),
            (422, "empty"),
            "question",
        ),
        (
            br#"{"questions":[],"passage":"p"}"#.to_vec(),
            (422, "question_count"),
            "0",
        ),
        (
            br#"{"questions":["a","b","c"],"passage":"p"}"#.to_vec(),
            (422, "question_count"),
            "3",
        ),
        (about("q", &long), (422, "too_long"), "21"),
        (about(&long[..22], "p"), (422, "too_long"), "11"),
        (
            format!("{}{}", r#"{"a":"#, "[".repeat(5000)).into(),
            (422, "invalid_request"),
            "unknown field",
        ),
        (b"[".repeat(5000), (422, "invalid_request"), ""),
        (
            format!(r#"{{"{}":1}}"#, "x".repeat(9000)).into(),
            (422, "invalid_request"),
            "xxx",
        ),
    ];
    for (body, refusal, part) in cases {
        let reply = server.post(&body);
        let text = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let (status, code) = reply.refusal();
        assert_eq!((status, code.as_str()), refusal, "{text}: {}", reply.text());
        assert!(reply.text().contains(part), "{text}: {}", reply.text());
        assert!(reply.body.len() < 500, "{text}: {}", reply.text());
    }
    // As long as may be.
    let reply = server.post(about(&"é".repeat(10), &long[..40]));
    assert_eq!(reply.status, 200);
    assert_eq!(
        server.watched.batches().len(),
        1,
        "only that one reached the model"
    );
}

#[test]
fn media_types_other_than_json_are_refused() {
    let server = Running::start();
    let body = about("two", "one two");
    let with = |line: &str| {
        let head = format!(
            "POST /api/v1/answer HTTP/1.1\r\nhost: localhost\r\n{line}content-length: {}\r\n\r\n",
            body.len()
        );
        server.raw([head.as_bytes(), &body].concat())
    };
    for line in [
        "",
        "content-type: text/plain\r\n",
        "content-type: application/x-www-form-urlencoded\r\n",
        "content-type: multipart/form-data; boundary=application/json\r\n",
        "content-type: text/plain; application/json\r\n",
        "content-type: application/jsonp\r\n",
        "content-type: application/json\r\ncontent-type: text/plain\r\n",
    ] {
        assert_eq!(with(line).refusal(), (415, "not_json".into()), "{line}");
    }
    for line in [
        "content-type: application/json\r\n",
        "content-type: Application/JSON ; charset=utf-8\r\n",
    ] {
        assert_eq!(with(line).status, 200, "{line}");
    }
}

#[test]
fn bodies_may_be_as_large_as_the_limit_and_no_larger() {
    let server = Running::with(ServeConfig {
        body_limit: 100,
        ..Running::config()
    });
    let mut body = about("two", "one two");
    body.resize(100, b' ');
    assert_eq!(server.post(&body).status, 200);
    body.push(b' ');
    let reply = server.post(&body);
    assert_eq!(reply.refusal(), (413, "body_too_large".into()));
    assert_eq!(reply.header("connection"), Some("close"));
    // Without a length stated before.
    let head = "POST /api/v1/answer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n";
    let chunk = format!("32\r\n{}\r\n", " ".repeat(50));
    let reply = server.raw(format!("{head}{chunk}{chunk}{chunk}"));
    assert_eq!(reply.refusal(), (413, "body_too_large".into()));
    // A length that is announced is not waited for.
    let reply = server.raw(
        "POST /api/v1/answer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: 99999999999999999\r\nexpect: 100-continue\r\n\r\n",
    );
    assert_eq!(reply.refusal(), (413, "body_too_large".into()));
    server.is_well();
}

#[test]
fn routes_say_what_they_take() {
    let server = Running::start();
    for (method, path, allow) in [
        ("DELETE", "/", "GET,HEAD,POST"),
        ("DELETE", "/healthz", "GET,HEAD"),
        ("PUT", "/metrics", "GET,HEAD"),
        ("POST", "/api/v1/model", "GET,HEAD"),
        ("GET", "/api/v1/answer", "POST"),
        ("OPTIONS", "/api/v1/answer", "POST"),
        ("GET", "/api/v1/classify", "POST"),
        ("GET", "/api/v1/choose", "POST"),
    ] {
        let reply = server.raw(format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"
        ));
        let refusal = (405, "method_not_allowed".to_owned());
        assert_eq!(reply.refusal(), refusal, "{method} {path}");
        assert_eq!(reply.header("allow"), Some(allow), "{method} {path}");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    for path in [
        "/nothing",
        "/api/v1/answer/",
        "/../etc/passwd",
        "/%00",
        "/page.js/..",
        "//",
    ] {
        assert_eq!(server.get(path).refusal(), (404, "no_such_route".into()));
    }
}

#[test]
fn every_answer_has_the_headers_that_protect_it() {
    let server = Running::start();
    for path in ["/", "/page.js", "/api/v1/model", "/metrics", "/nothing"] {
        let reply = server.get(path);
        let policy = reply.header("content-security-policy").expect("a policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "connect-src 'self'",
        ] {
            assert!(policy.split("; ").any(|it| it == part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{path} {name}");
        }
    }
}

#[test]
fn the_model_is_described_with_the_limits() {
    let server = Running::start();
    let body = server.get("/api/v1/model").json();
    assert_eq!(
        body,
        json!({
            "task": "question-answering",
            "model": {"name": "word finder", "parameters": 108_893_186, "max_length": 384, "device": "CPU", "labels": [], "no_answer": true, "corpus": null},
            "limits": {"body_bytes": 1_048_576, "passage_characters": 100_000, "question_characters": 1000, "questions": 16,
                "n_best": 100, "request_seconds": 60.0}
        })
    );
}

#[test]
fn a_name_that_a_stranger_points_here_is_refused() {
    let server = Running::start();
    for host in ["evil.example", "localhost.evil.example:80"] {
        let request = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        for path in ["/", "/metrics", "/nothing"] {
            let reply = server.raw(request(path));
            assert_eq!(reply.refusal(), (421, "host_not_allowed".into()), "{path}");
        }
    }
    let reply = server.raw("GET / HTTP/1.1\r\n\r\n");
    assert_eq!(reply.refusal(), (400, "bad_host".into()));
    let address = server.address;
    let reply = server.raw(format!("GET / HTTP/1.1\r\nhost: {address}\r\n\r\n"));
    assert_eq!(reply.status, 200);
}

#[test]
fn a_body_that_takes_too_long_is_given_up() {
    let server = Running::with(ServeConfig {
        body_timeout: Duration::from_millis(100),
        ..Running::config()
    });
    let request = post(&about("two", "one two"));
    let mut client = Client::connect(server.address);
    client.send(&request[..request.len() - 3]);
    let reply = client.reply().expect("an answer");
    assert_eq!(reply.refusal(), (408, "body_too_slow".into()));
    assert!(client.is_closed_within(SOON));
    server.is_well();
}

#[test]
fn an_answer_that_takes_too_long_is_given_up() {
    let server = Running::with(ServeConfig {
        request_timeout: Duration::from_secs(1),
        ..Running::config()
    });
    server.watched.shut();
    let mut first = server.ask("first");
    server.watched.wait_for(1);
    // This one never reaches the model.
    let mut second = server.ask("second");
    for client in [&mut first, &mut second] {
        let reply = client.reply().expect("an answer");
        assert_eq!(reply.refusal(), (504, "timed_out".into()));
    }
    server.watched.open();
    server.is_well();
    let batches = server.watched.batches();
    assert_eq!(batches[0], ["first"]);
    assert!(batches[1..].iter().all(|it| it == &["two"]), "{batches:?}");
}
