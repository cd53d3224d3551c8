//! Several models in one server.

use bert_serve::{Model, ServeError, Server};
use serde_json::{Value, json};

use crate::{
    client::Reply,
    fake::{Fake, Running},
    tasks::{Lengths, Longest},
};

/// Two models that answer questions, one that classifies, one that chooses.
pub(crate) fn all() -> Running {
    Running::of_several(Running::config(), |watched| {
        vec![
            Model::Questions(Box::new(Fake::named("first", &watched))),
            Model::Questions(Box::new(Fake::named("second", &watched))),
            Model::Texts(Box::new(Lengths::named("classes", &watched))),
            Model::Choices(Box::new(Longest::named("endings", &watched))),
        ]
    })
}

fn post(server: &Running, route: &str, body: &Value) -> Reply {
    server.post_to(route, body.to_string())
}

#[test]
fn requests_name_the_model_where_several_could_be_meant() {
    let server = all();
    let question = |model: &str| json!({"model": model, "question": "two", "passage": "one two"});
    for model in ["first", "second"] {
        let reply = post(&server, "/api/v1/answer", &question(model)).json();
        assert_eq!(reply["answers"][0]["text"], "two", "{reply}");
    }
    // The only one that does it need not be named.
    let reply = post(&server, "/api/v1/classify", &json!({"text": "a"})).json();
    assert_eq!(reply["classes"][0]["label"], "text", "{reply}");
    let choice = json!({"model": "endings", "context": "c", "endings": ["a", "bb"]});
    let reply = post(&server, "/api/v1/choose", &choice).json();
    assert_eq!(reply["choice"], 1, "{reply}");
    let text = server.get("/metrics").text();
    for line in [
        "bert_questions_total{model=\"first\",outcome=\"answered\"} 1",
        "bert_questions_total{model=\"second\",outcome=\"answered\"} 1",
        "bert_questions_total{model=\"classes\",outcome=\"answered\"} 1",
        "bert_questions_total{model=\"endings\",outcome=\"answered\"} 1",
        "bert_queue_questions{model=\"second\"} 0",
    ] {
        assert!(text.lines().any(|it| it == line), "no {line} in\n{text}");
    }
}

#[test]
fn a_model_that_is_not_clear_is_asked_for() {
    let server = all();
    for (route, body, refusal, part) in [
        (
            "/api/v1/answer",
            json!({"question": "q", "passage": "p"}),
            (422, "model_needed"),
            r#"\"first\", \"second\""#,
        ),
        (
            "/api/v1/answer",
            json!({"model": "third", "question": "q", "passage": "p"}),
            (404, "no_such_model"),
            r#"\"first\", \"second\", \"classes\", \"endings\""#,
        ),
        (
            "/api/v1/answer",
            json!({"model": "classes", "question": "q", "passage": "p"}),
            (422, "other_task"),
            "/api/v1/classify",
        ),
        (
            "/api/v1/classify",
            json!({"model": null, "text": "a"}),
            (422, "invalid_request"),
            "null",
        ),
    ] {
        let reply = post(&server, route, &body);
        let (status, code) = reply.refusal();
        assert_eq!((status, code.as_str()), refusal, "{body}");
        assert!(reply.text().contains(part), "{}", reply.text());
    }
    assert_eq!(
        server.get("/api/v1/model").refusal(),
        (422, "model_needed".into())
    );
    let models = server.get("/api/v1/models").json();
    for (number, (name, task)) in [
        ("first", "question-answering"),
        ("second", "question-answering"),
        ("classes", "text-classification"),
        ("endings", "multiple-choice"),
    ]
    .into_iter()
    .enumerate()
    {
        let found = &models["models"][number];
        assert_eq!(
            (&found["model"]["name"], &found["task"]),
            (&json!(name), &json!(task))
        );
    }
    assert_eq!(models["models"].as_array().map(Vec::len), Some(4));
    assert!(server.watched.batches().is_empty());
}

#[test]
fn each_model_has_its_own_queue() {
    let server = all();
    server.watched.shut();
    let ask = |model: &str, question: &str| {
        let body = json!({"model": model, "question": question, "passage": "one two"});
        server.send("/api/v1/answer", body.to_string())
    };
    let mut first = ask("first", "a");
    server.watched.wait_for(1);
    let mut waits = ask("first", "b");
    server.wait_for_queue(1);
    // The other model is not kept waiting.
    let mut second = ask("second", "c");
    server.watched.wait_for(2);
    server.watched.open();
    for client in [&mut first, &mut waits, &mut second] {
        assert_eq!(client.reply().expect("an answer").status, 200);
    }
    assert_eq!(server.watched.batches(), [["a"], ["c"], ["b"]]);
}

#[test]
fn models_without_names_of_their_own_are_refused() {
    let server = || Server::bind(Running::config()).expect("it listens");
    let watched = std::sync::Arc::default();
    let same = || Model::Questions(Box::new(Fake::named("same", &watched)));
    let error = server().run(vec![same(), same()]).expect_err("one name");
    assert!(
        matches!(&error, ServeError::SameName { name } if name == "same"),
        "{error}"
    );
    let error = server().run(Vec::new()).expect_err("no model");
    assert!(matches!(error, ServeError::NoModel), "{error}");
}
