//! The protocols of others: what they are asked, what they answer, and what is refused.

use serde_json::{Value, json};

use crate::{
    client::Client,
    fake::Running,
    several,
    tasks::{chooser, classifier},
};

/// A body that is answered.
fn good(server: &Running, route: &str, body: &Value) -> Value {
    let reply = server.post_to(route, body.to_string());
    assert_eq!(reply.status, 200, "{route} {body}: {}", reply.text());
    reply.json()
}

/// A body that is refused, with a part of the message; the model is not asked.
fn bad(server: &Running, route: &str, body: &Value, status: u16, part: &str) {
    let reply = server.post_to(route, body.to_string());
    assert_eq!(reply.status, status, "{route} {body}: {}", reply.text());
    let said = reply.json();
    let message = said["error"].as_str().expect("a message");
    assert!(message.contains(part), "{route} {body}: {message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn hugging_face_answers_questions() {
    let server = Running::start();
    let input = json!({"question": "two", "context": "é two two"});
    let answer = |start: usize, score: f64| json!({"answer": "two", "score": score, "start": start, "end": start + 3});
    for route in ["/", "/invocations", "/models/word%20finder"] {
        assert_eq!(
            good(&server, route, &json!({"inputs": input})),
            answer(2, 0.8)
        );
    }
    let several = json!({"inputs": [input, input], "parameters": {"top_k": 1}});
    assert_eq!(
        good(&server, "/", &several),
        json!([answer(2, 0.8), answer(2, 0.8)])
    );
    let none = json!({"answer": "", "score": 0.15, "start": 0, "end": 0});
    let body = json!({"inputs": input, "parameters": {"top_k": 3, "align_to_words": null}});
    assert_eq!(
        good(&server, "/", &body),
        json!([answer(2, 0.8), answer(6, 0.4), none])
    );
}

#[test]
fn hugging_face_classifies() {
    let server = classifier(Running::config());
    let scores = |text: f64, pair: f64| json!([{"label": "text", "score": text}, {"label": "pair", "score": pair}]);
    let classify = |inputs: Value, parameters: Value| {
        good(
            &server,
            "/",
            &json!({"inputs": inputs, "parameters": parameters}),
        )
    };
    assert_eq!(classify(json!("a"), json!({})), json!([scores(0.75, 0.25)]));
    let two = classify(json!(["a", {"text": "a", "text_pair": "b"}]), Value::Null);
    assert_eq!(
        (&two[0], &two[1][0]["label"]),
        (&scores(0.75, 0.25), &json!("pair"))
    );
    let top = classify(json!("a"), json!({"top_k": 1}));
    assert_eq!(top, json!([[{"label": "text", "score": 0.75}]]));
    // The fake's logits are 1 and -1.
    let logits = classify(json!("a"), json!({"function_to_apply": "none"}));
    assert_eq!(logits, json!([scores(1.0, -1.0)]));
    let each = classify(json!("a"), json!({"function_to_apply": "sigmoid"}));
    let first = each[0][0]["score"].as_f64().expect("a number");
    assert!(
        (first - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-12,
        "{each}"
    );
    assert_eq!(
        classify(json!("score"), json!({})),
        json!([[{"label": "LABEL_0", "score": 2.5}]])
    );
}

#[test]
fn hugging_face_refuses() {
    let server = Running::start();
    let ask = |parameters: Value| json!({"inputs": {"question": "q", "context": "c"}, "parameters": parameters});
    for (body, part) in [
        (json!({}), "inputs"),
        (json!({"inputs": "text"}), "inputs"),
        (json!({"inputs": ["q", "c"]}), "inputs"),
        (json!({"inputs": []}), "0 inputs"),
        (json!({"inputs": {"question": "q"}}), "inputs"),
        (
            json!({"inputs": {"question": " ", "context": "c"}}),
            "question is empty",
        ),
        (
            json!({"inputs": {"question": "q", "context": "c"}, "options": {}}),
            "options",
        ),
        (ask(json!({"top_k": 0})), "top_k"),
        (ask(json!({"top_k": 101})), "101"),
        (ask(json!({"max_seq_len": 0})), "max_seq_len"),
        (ask(json!({"max_answer_len": 0})), "max_answer_len"),
        (ask(json!({"max_question_len": 0})), "max_question_len"),
        (ask(json!({"doc_stride": -1})), "parameters"),
        (ask(json!({"topk": 1})), "topk"),
        (ask(json!([])), "parameters"),
    ] {
        bad(&server, "/", &body, 422, part);
    }
    bad(
        &server,
        "/models/other",
        &ask(json!({})),
        404,
        "word finder",
    );
    assert!(server.watched.batches().is_empty());
    let texts = classifier(Running::config());
    bad(
        &texts,
        "/",
        &json!({"inputs": "a", "parameters": {"function_to_apply": "max"}}),
        422,
        "max",
    );
    bad(
        &texts,
        "/",
        &json!({"inputs": {"text": "a", "pair": "b"}}),
        422,
        "inputs",
    );
    let choices = chooser(Running::config());
    bad(
        &choices,
        "/",
        &json!({"inputs": "a"}),
        422,
        "/api/v1/choose",
    );
    let all = several::all();
    bad(&all, "/", &json!({"inputs": "a"}), 422, "names none");
    let named = good(&all, "/models/classes", &json!({"inputs": "a"}));
    assert_eq!(named[0][0]["label"], "text");
}

#[test]
fn text_embeddings_inference_predicts() {
    let server = classifier(Running::config());
    let text = json!([{"score": 0.75, "label": "text"}, {"score": 0.25, "label": "pair"}]);
    let pair = json!([{"score": 0.75, "label": "pair"}, {"score": 0.25, "label": "text"}]);
    let predict = |inputs: Value| good(&server, "/predict", &json!({"inputs": inputs}));
    assert_eq!(predict(json!("a")), text);
    assert_eq!(predict(json!(["a"])), text);
    assert_eq!(predict(json!(["a", "b"])), pair);
    assert_eq!(predict(json!([["a"], ["a", "b"]])), json!([text, pair]));
    let raw = json!({"inputs": "a", "raw_scores": true, "truncation_direction": "right"});
    assert_eq!(good(&server, "/predict", &raw)[0]["score"], 1.0);
    let info = server.get("/info").json();
    let names = json!({"id2label": {"0": "pair", "1": "text"}, "label2id": {"pair": 0, "text": 1}});
    assert_eq!(info["model_type"]["classifier"], names);
    for (body, part) in [
        (json!({}), "inputs"),
        (json!({"inputs": []}), "0 texts"),
        (json!({"inputs": ["a", "b", "c"]}), "3 texts"),
        (json!({"inputs": [["a"], []]}), "0 texts"),
        (json!({"inputs": [["a"], "b"]}), "Inputs"),
        (json!({"inputs": ""}), "empty"),
        (
            json!({"inputs": "a", "truncation_direction": "left"}),
            "left",
        ),
        (json!({"inputs": vec![["a"]; 17]}), "17 inputs"),
    ] {
        bad(&server, "/predict", &body, 422, part);
        let reply = server.post_to("/predict", body.to_string());
        assert_eq!(reply.json()["error_type"], "Validation");
    }
    bad(
        &Running::start(),
        "/predict",
        &json!({"inputs": "a"}),
        422,
        "/api/v1/answer",
    );
}

fn tensor(name: &str, shape: &[u64], data: Value) -> Value {
    json!({"name": name, "shape": shape, "datatype": "BYTES", "data": data})
}

#[test]
fn kserve_infers() {
    let all = several::all();
    let infer = |model: &str, body: Value| good(&all, &format!("/v2/models/{model}/infer"), &body);
    let asked = json!({"id": "7", "parameters": {"binary_data_output": true},
        "inputs": [tensor("context", &[2, 1], json!([["é two"], ["one"]])), tensor("question", &[2], json!(["two", "two"]))]});
    assert_eq!(
        infer("first", asked),
        json!({"id": "7", "model_name": "first", "outputs": [
            {"name": "answer", "datatype": "BYTES", "shape": [2], "data": ["two", ""]},
            {"name": "score", "datatype": "FP64", "shape": [2], "data": [0.8, 0.99]},
            {"name": "start", "datatype": "INT64", "shape": [2], "data": [2, 0]},
            {"name": "end", "datatype": "INT64", "shape": [2], "data": [5, 0]},
        ]})
    );
    let asked = json!({"outputs": [{"name": "label", "parameters": {"binary_data": false}}],
        "inputs": [tensor("text", &[1], json!(["a"])), tensor("pair", &[1], json!(["b"]))]});
    assert_eq!(
        infer("classes", asked)["outputs"],
        json!([{"name": "label", "datatype": "BYTES", "shape": [1, 2], "data": ["pair", "text"]}])
    );
    let asked = json!({"inputs": [tensor("context", &[1], json!(["c"])), tensor("endings", &[1, 3], json!(["a", "bbb", "c"]))]});
    assert_eq!(
        infer("endings", asked)["outputs"],
        json!([{"name": "choice", "datatype": "INT64", "shape": [1], "data": [1]},
            {"name": "probability", "datatype": "FP64", "shape": [1, 3], "data": [0.0, 1.0, 0.0]}])
    );
    let metadata = all.get("/v2/models/classes").json();
    assert_eq!(
        metadata["inputs"][0],
        json!({"name": "text", "datatype": "BYTES", "shape": [-1]})
    );
    assert_eq!(all.get("/v2/models/classes/ready").json()["ready"], true);
    assert_eq!(all.get("/v2/models/none/ready").status, 404);
    for path in [
        "/v2/health/live",
        "/v2/health/ready",
        "/v2",
        "/ping",
        "/health",
    ] {
        assert_eq!(all.get(path).status, 200, "{path}");
    }
}

#[test]
fn tensors_that_are_none_are_refused() {
    let all = several::all();
    let text = |shape: &[u64], data: Value| json!({"inputs": [tensor("text", shape, data)]});
    for (body, status, part) in [
        (json!({"inputs": []}), 422, "no input \"text\""),
        (text(&[2], json!(["a"])), 422, "1 texts"),
        (text(&[0], json!([])), 422, "0 rows"),
        (text(&[], json!(["a"])), 422, "0 dimensions"),
        (text(&[1, 1, 1], json!(["a"])), 422, "3 dimensions"),
        (text(&[1, 2], json!(["a", "b"])), 422, "2 dimensions"),
        (text(&[u64::MAX], json!(["a"])), 422, "1 texts"),
        (text(&[1], json!([1])), 422, "other kinds"),
        (text(&[1], json!("a")), 422, "other kinds"),
        (text(&[1], json!([null])), 422, "other kinds"),
        (text(&[1], json!([""])), 422, "empty"),
        (text(&[17], json!(vec!["a"; 17])), 422, "17 rows"),
        (
            json!({"inputs": [{"name": "text", "shape": [1], "datatype": "FP32", "data": [1.0]}]}),
            422,
            "FP32",
        ),
        (
            json!({"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES"}]}),
            422,
            "data",
        ),
        (
            json!({"inputs": [{"name": "text", "shape": [-1], "datatype": "BYTES", "data": ["a"]}]}),
            422,
            "-1",
        ),
        (
            json!({"inputs": [tensor("a\nb", &[1], json!(["a"]))]}),
            422,
            "a\\\\nb",
        ),
        (
            json!({"inputs": [tensor("text", &[1], json!(["a"])), tensor("text", &[1], json!(["a"]))]}),
            422,
            "twice",
        ),
        (
            json!({"inputs": [tensor("text", &[1], json!(["a"])), tensor("pair", &[2], json!(["a", "b"]))]}),
            422,
            "rows",
        ),
        (
            json!({"inputs": [tensor("text", &[1], json!(["a"]))], "outputs": [{"name": "logits"}]}),
            422,
            "logits",
        ),
    ] {
        bad(&all, "/v2/models/classes/infer", &body, status, part);
    }
    let endings = |width: u64, data: Value| json!({"inputs": [tensor("context", &[1], json!(["c"])), tensor("endings", &[1, width], data)]});
    for (body, part) in [
        (endings(0, json!([])), "0 endings"),
        (endings(1, json!(["a"])), "1 endings"),
        (endings(27, json!(vec!["a"; 27])), "27 endings"),
        (
            json!({"inputs": [tensor("context", &[1], json!(["c"])), tensor("endings", &[u64::MAX, u64::MAX], json!([]))]}),
            "0 texts",
        ),
    ] {
        bad(&all, "/v2/models/endings/infer", &body, 422, part);
    }
    let binary = "POST /v2/models/classes/infer HTTP/1.1\r\nhost: localhost\r\ninference-header-content-length: 2\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(all.raw(binary).status, 415);
    // A client that is no browser may leave the media type out, and no more.
    let body = text(&[1], json!(["a"])).to_string();
    for (line, status) in [("", 200), ("content-type: text/plain\r\n", 415)] {
        let length = body.len();
        let reply = all.raw(format!(
            "POST /v2/models/classes/infer HTTP/1.1\r\nhost: localhost\r\n{line}content-length: {length}\r\n\r\n{body}"
        ));
        assert_eq!(reply.status, status, "{line}");
    }
    assert_eq!(all.watched.batches().len(), 1);
}

/// What every route that takes a body must survive.
#[test]
fn bodies_that_mean_harm_are_refused_by_every_route() {
    let all = several::all();
    let deep = format!(r#"{{"inputs": {}"#, "[".repeat(100_000));
    let nested = format!(
        r#"{{"inputs": {}"a"{}}}"#,
        "[".repeat(1000),
        "]".repeat(1000)
    );
    let bodies: [(&[u8], u16); 6] = [
        (b"", 400),
        (b"{\"inputs\": \"\xff\"}", 400),
        (br#"{"inputs": "\ud800"}"#, 400),
        (br#"{"inputs": "a"} {}"#, 400),
        (deep.as_bytes(), 400),
        (nested.as_bytes(), 400),
    ];
    for route in [
        "/models/classes",
        "/models/first",
        "/predict",
        "/v2/models/classes/infer",
    ] {
        for (body, status) in bodies {
            let reply = all.post_to(route, body);
            let start = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
            assert!(
                reply.status == status || reply.status == 422,
                "{route} {start}: {}",
                reply.status
            );
            assert!(reply.body.len() < 600, "{route} {start}: {}", reply.text());
        }
        let reply = all.post_to(route, vec![b' '; (1 << 20) + 1]);
        assert_eq!(
            (reply.status, reply.header("connection")),
            (413, Some("close")),
            "{route}"
        );
        // A client that disconnects in the middle of its body.
        let mut client = Client::connect(all.address);
        client.send(format!("POST {route} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{{"));
        drop(client);
        let strange = format!(
            "POST {route} HTTP/1.1\r\nhost: evil.example\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        assert_eq!(all.raw(strange).status, 421, "{route}");
        let foreign = format!(
            "POST {route} HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.example\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        assert_eq!(all.raw(foreign).status, 403, "{route}");
    }
    assert!(all.watched.batches().is_empty());
    assert_eq!(all.get("/v2/health/ready").status, 200);
}
