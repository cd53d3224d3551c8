//! The OpenAPI document: its methods are the routes' own, its examples are answered, and the answers have the shapes that it
//! says.

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{
    client::Reply,
    corpus,
    fake::Running,
    tasks::{chooser, classifier},
};

fn document() -> Value {
    Running::start().get("/openapi.json").json()
}

/// A schema of the document, with the parts that it refers to.
fn validator(document: &Value, schema: &Value) -> Validator {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    jsonschema::draft202012::new(&whole).expect("it is a schema")
}

fn fits(document: &Value, schema: &Value, value: &Value, what: &str) {
    let validator = validator(document, schema);
    let errors: Vec<_> = validator
        .iter_errors(value)
        .map(|it| it.to_string())
        .collect();
    assert!(errors.is_empty(), "{what}: {value}: {errors:?}");
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods
            .iter()
            .map(move |(method, it)| (path.clone(), method.to_uppercase(), it.clone()))
    });
    operations.collect()
}

#[test]
fn methods_are_those_of_the_routes() {
    let document = document();
    let server = Running::start();
    let operations = operations(&document);
    assert!(operations.len() > 25);
    for (path, ..) in &operations {
        for method in ["GET", "POST", "PUT"] {
            let described = operations
                .iter()
                .any(|(it, with, _)| it == path && with == method);
            let path = path.replace("{model}", "word%20finder");
            let reply = server.raw(format!(
                "{method} {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"
            ));
            assert_ne!(reply.status, 404, "{method} {path}");
            assert_eq!(
                reply.status != 405,
                described,
                "{method} {path}: {}",
                reply.status
            );
        }
    }
}

#[test]
fn examples_are_answered_in_the_shapes_that_are_described() {
    let document = document();
    let servers = [
        ("word%20finder", corpus::with_corpus("Who? Ada.")),
        ("lengths", classifier(Running::config())),
        ("lengths", chooser(Running::config())),
    ];
    let mut examples = 0;
    for (path, method, operation) in operations(&document) {
        let content = &operation["responses"]["200"]["content"]["application/json"];
        let (answer, refusal) = (
            &content["schema"],
            &operation["responses"]["default"]["content"]["application/json"]["schema"],
        );
        if method == "GET" {
            if answer.is_object() {
                for (model, server) in &servers {
                    let reply = server.get(&path.replace("{model}", model));
                    let schema = if reply.status == 200 { answer } else { refusal };
                    fits(&document, schema, &reply.json(), &path);
                }
            }
            continue;
        }
        let body = &operation["requestBody"]["content"]["application/json"];
        let known = body["examples"].as_object().expect("examples");
        for (name, example) in known {
            let value = &example["value"];
            fits(&document, &body["schema"], value, &format!("{path} {name}"));
            let replies: Vec<Reply> = servers
                .iter()
                .map(|(model, server)| {
                    server.post_to(&path.replace("{model}", model), value.to_string())
                })
                .collect();
            for reply in &replies {
                let schema = if reply.status == 200 { answer } else { refusal };
                fits(&document, schema, &reply.json(), &format!("{path} {name}"));
            }
            let answered = replies.iter().filter(|reply| reply.status == 200).count();
            assert_eq!(answered, 1, "{path} {name}: {replies:?}");
            examples += 1;
        }
        for bad in [json!([]), json!({"inputs": 7}), json!({"unknown": 1})] {
            for (model, server) in &servers {
                let reply = server.post_to(&path.replace("{model}", model), bad.to_string());
                assert_eq!(reply.status, 422, "{path} {bad}");
                fits(&document, refusal, &reply.json(), &path);
                let described = validator(&document, &body["schema"]).is_valid(&bad);
                assert!(!described, "{path} {bad} is described as good");
            }
        }
    }
    assert!(examples > 15, "{examples}");
}
