//! Models of other tasks: what they are asked, what they answer, and what is refused.

use std::sync::Arc;

use bert_serve::{
    Answerer, Choice, Chosen, ClassProbability, Classified, MAX_ENDINGS, Model, ModelInfo, Refusal,
    ServeConfig, Text,
};
use serde_json::{Value, json};

use crate::{
    client::Reply,
    fake::{Running, Watched},
};

/// Classifies by the text's length, and fails on demand.
pub(crate) struct Lengths(&'static str, Arc<Watched>);

/// Chooses the longest ending.
pub(crate) struct Longest(&'static str, Arc<Watched>);

impl Lengths {
    pub(crate) fn named(name: &'static str, watched: &Arc<Watched>) -> Self {
        Self(name, Arc::clone(watched))
    }
}

impl Longest {
    pub(crate) fn named(name: &'static str, watched: &Arc<Watched>) -> Self {
        Self(name, Arc::clone(watched))
    }
}

fn info(name: &str) -> ModelInfo {
    ModelInfo {
        name: name.into(),
        parameters: 7,
        max_length: 128,
        device: "CPU".into(),
        labels: vec!["pair".into(), "text".into()],
        no_answer: false,
        corpus: None,
    }
}

impl Answerer<Text> for Lengths {
    fn answer(&mut self, texts: &[Text]) -> Vec<Result<Classified, Refusal>> {
        self.1
            .enter(texts.iter().map(|it| it.text.clone()).collect());
        texts.iter().map(classify).collect()
    }

    fn model(&self) -> ModelInfo {
        info(self.0)
    }
}

fn classify(text: &Text) -> Result<Classified, Refusal> {
    let class = |label: &str, probability| ClassProbability {
        label: label.into(),
        probability,
        logit: 4.0 * probability - 2.0,
    };
    match text.text.as_str() {
        "panic" => panic!("as asked"),
        "fail" => Err(Refusal::Failed("a secret of the server's".into())),
        "nan" => Ok(Classified::Score { score: f64::NAN }),
        "score" => Ok(Classified::Score { score: 2.5 }),
        _ if text.pair.is_some() => Ok(Classified::Classes {
            classes: vec![class("pair", 0.75), class("text", 0.25)],
        }),
        _ => Ok(Classified::Classes {
            classes: vec![class("text", 0.75), class("pair", 0.25)],
        }),
    }
}

impl Answerer<Choice> for Longest {
    fn answer(&mut self, choices: &[Choice]) -> Vec<Result<Chosen, Refusal>> {
        self.1
            .enter(choices.iter().map(|it| it.context.clone()).collect());
        choices.iter().map(|it| Ok(choose(it))).collect()
    }

    fn model(&self) -> ModelInfo {
        info(self.0)
    }
}

fn choose(choice: &Choice) -> Chosen {
    let endings = choice.endings.iter().enumerate();
    let longest = endings.max_by_key(|(_, ending)| ending.len());
    let best = longest.map_or(0, |(number, _)| number);
    Chosen {
        choice: best,
        probabilities: (0..choice.endings.len())
            .map(|number| if number == best { 1.0 } else { 0.0 })
            .collect(),
    }
}

pub(crate) fn classifier(config: ServeConfig) -> Running {
    Running::of(config, |watched| {
        Model::Texts(Box::new(Lengths::named("lengths", &watched)))
    })
}

pub(crate) fn chooser(config: ServeConfig) -> Running {
    Running::of(config, |watched| {
        Model::Choices(Box::new(Longest::named("lengths", &watched)))
    })
}

fn post(server: &Running, route: &str, body: &str) -> Reply {
    server.post_to(route, body)
}

fn refused(server: &Running, route: &str, body: &Value, code: &str, part: &str) {
    let reply = post(server, route, &body.to_string());
    assert_eq!(reply.refusal(), (422, code.to_owned()), "{body}");
    assert!(reply.text().contains(part), "{body}: {}", reply.text());
}

#[test]
fn texts_and_pairs_have_classes_or_a_score() {
    let server = classifier(Running::config());
    let classify = |body: Value| post(&server, "/api/v1/classify", &body.to_string()).json();
    assert_eq!(
        classify(json!({"text": "é\u{0}"})),
        json!({"classes": [{"label": "text", "probability": 0.75}, {"label": "pair", "probability": 0.25}]})
    );
    let pair = classify(json!({"text": "a", "pair": "b"}));
    assert_eq!(pair["classes"][0]["label"], "pair");
    assert_eq!(classify(json!({"text": "score"})), json!({"score": 2.5}));
    let body = json!({"texts": [{"text": "a"}, {"text": "fail"}, {"text": "panic"}, {"text": "nan"}, {"text": "a", "pair": "b"}]});
    let reply = post(&server, "/api/v1/classify", &body.to_string());
    assert_eq!(reply.status, 200);
    assert!(!reply.text().contains("secret"), "{}", reply.text());
    let results = reply.json();
    assert_eq!(results["results"][0]["classes"][0]["label"], "text");
    for failed in 1..4 {
        assert_eq!(results["results"][failed]["error"]["code"], "failed");
    }
    assert_eq!(results["results"][4]["classes"][0]["label"], "pair");
}

#[test]
fn texts_that_are_none_are_refused() {
    let server = classifier(ServeConfig {
        passage_limit: 5,
        max_questions: 2,
        ..Running::config()
    });
    for (body, code, part) in [
        (json!({}), "invalid_request", "either"),
        (json!({"pair": "b"}), "invalid_request", "either"),
        (
            json!({"text": "a", "texts": []}),
            "invalid_request",
            "either",
        ),
        (
            json!({"pair": "a", "texts": [{"text": "a"}]}),
            "invalid_request",
            "either",
        ),
        (json!({"texts": ["a"]}), "invalid_request", "OneText"),
        (
            json!({"text": "a", "pair": null}),
            "invalid_request",
            "null",
        ),
        (json!({"text": "a", "top_k": 1}), "invalid_request", "top_k"),
        (json!({"text": " "}), "empty", "text"),
        (json!({"text": "a", "pair": "\n"}), "empty", "pair"),
        (json!({"text": "éééééé"}), "too_long", "6"),
        (json!({"text": "a", "pair": "123456"}), "too_long", "pair"),
        (json!({"texts": []}), "question_count", "0 texts"),
        (
            json!({"texts": [{"text": "a"}, {"text": "a"}, {"text": "a"}]}),
            "question_count",
            "3 texts",
        ),
    ] {
        refused(&server, "/api/v1/classify", &body, code, part);
    }
    assert!(server.watched.batches().is_empty());
}

#[test]
fn an_ending_is_chosen() {
    let server = chooser(Running::config());
    let body = json!({"context": "He sat.", "endings": ["a", "ccc", "bb"]});
    let reply = post(&server, "/api/v1/choose", &body.to_string());
    assert_eq!(
        reply.json(),
        json!({"choice": 1, "probabilities": [0.0, 1.0, 0.0]})
    );
    let body = json!({"context": "He sat.", "start": "Then he", "endings": vec!["a"; MAX_ENDINGS]});
    let reply = post(&server, "/api/v1/choose", &body.to_string());
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn choices_that_are_none_are_refused() {
    let server = chooser(ServeConfig {
        passage_limit: 5,
        ..Running::config()
    });
    for (body, code, part) in [
        (json!({"endings": ["a", "b"]}), "invalid_request", "context"),
        (json!({"context": "c"}), "invalid_request", "endings"),
        (
            json!({"context": "c", "start": null, "endings": ["a", "b"]}),
            "invalid_request",
            "null",
        ),
        (
            json!({"context": "c", "endings": ["a"]}),
            "ending_count",
            "1",
        ),
        (
            json!({"context": "c", "endings": vec!["a"; MAX_ENDINGS + 1]}),
            "ending_count",
            "27",
        ),
        (
            json!({"context": "", "endings": ["a", "b"]}),
            "empty",
            "context",
        ),
        (
            json!({"context": "c", "endings": ["a", " "]}),
            "empty",
            "ending",
        ),
        (
            json!({"context": "c", "start": "123456", "endings": ["a", "b"]}),
            "too_long",
            "start",
        ),
        (
            json!({"context": "c", "endings": ["a", "123456"]}),
            "too_long",
            "ending",
        ),
    ] {
        refused(&server, "/api/v1/choose", &body, code, part);
    }
    assert!(server.watched.batches().is_empty());
}

#[test]
fn a_model_is_not_asked_for_what_it_does_not_do() {
    let asks = json!({"question": "q", "passage": "p"});
    for (server, task, takes, others) in [
        (
            Running::start(),
            "question-answering",
            "/api/v1/answer",
            ["/api/v1/classify", "/api/v1/choose"],
        ),
        (
            classifier(Running::config()),
            "text-classification",
            "/api/v1/classify",
            ["/api/v1/answer", "/api/v1/choose"],
        ),
        (
            chooser(Running::config()),
            "multiple-choice",
            "/api/v1/choose",
            ["/api/v1/answer", "/api/v1/classify"],
        ),
    ] {
        assert_eq!(server.get("/api/v1/model").json()["task"], task);
        for route in others {
            refused(&server, route, &asks, "other_task", takes);
        }
        assert!(server.watched.batches().is_empty());
    }
}

#[test]
fn texts_that_wait_are_classified_together() {
    let server = classifier(Running::config());
    server.watched.shut();
    let ask = |name: &str| server.send("/api/v1/classify", json!({"text": name}).to_string());
    let mut first = ask("first");
    server.watched.wait_for(1);
    let mut second = ask("second");
    server.wait_for_queue(1);
    let mut third = ask("third");
    server.wait_for_queue(2);
    server.watched.open();
    for client in [&mut first, &mut second, &mut third] {
        assert_eq!(client.reply().expect("an answer").status, 200);
    }
    let expected: [&[&str]; 2] = [&["first"], &["second", "third"]];
    assert_eq!(server.watched.batches(), expected);
}
