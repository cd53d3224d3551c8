//! The queue: batches, the refusal where it is full, and what leaves it.

use bert_serve::ServeConfig;
use serde_json::json;

use crate::fake::Running;

#[test]
fn what_waits_is_answered_together_up_to_the_limit() {
    let server = Running::with(ServeConfig {
        max_batch: 4,
        ..Running::config()
    });
    server.watched.shut();
    let mut first = server.ask("first");
    // A single question does not wait for company.
    server.watched.wait_for(1);
    let names: Vec<String> = (0..10).map(|i| format!("question {i}")).collect();
    let mut clients = Vec::new();
    for (i, name) in names.iter().enumerate() {
        clients.push(server.ask(name));
        server.wait_for_queue(i + 1);
    }
    server.watched.open();
    for client in clients.iter_mut().chain([&mut first]) {
        assert_eq!(client.reply().expect("an answer").status, 200);
    }
    let batches = server.watched.batches();
    assert_eq!(batches[1..], [&names[..4], &names[4..8], &names[8..]]);
}

#[test]
fn a_full_queue_refuses_and_takes_again() {
    let server = Running::with(ServeConfig {
        queue: 2,
        max_questions: 2,
        ..Running::config()
    });
    server.watched.shut();
    let mut first = server.ask("first");
    server.watched.wait_for(1);
    let mut second = server.ask("second");
    server.wait_for_queue(1);
    // There is room for one, not for two.
    let two = json!({"questions": ["third", "fourth"], "passage": "passage"}).to_string();
    let reply = server.post(&two);
    assert_eq!(reply.refusal(), (503, "busy".into()));
    assert_eq!(reply.header("retry-after"), Some("1"));
    let mut third = server.ask("third");
    server.wait_for_queue(2);
    let reply = server.ask("fifth").reply().expect("an answer");
    assert_eq!(reply.refusal(), (503, "busy".into()));
    // Other routes answer meanwhile.
    assert_eq!(server.get("/healthz").status, 200);
    server.watched.open();
    for client in [&mut first, &mut second, &mut third] {
        assert_eq!(client.reply().expect("an answer").status, 200);
    }
    assert_eq!(server.post(&two).status, 200);
}

#[test]
fn a_question_whose_client_has_gone_is_not_computed() {
    let server = Running::start();
    server.watched.shut();
    let mut first = server.ask("first");
    server.watched.wait_for(1);
    let gone = server.ask("gone");
    server.wait_for_queue(1);
    drop(gone);
    server.wait_for_queue(0);
    let mut last = server.ask("last");
    server.wait_for_queue(1);
    server.watched.open();
    for client in [&mut first, &mut last] {
        assert_eq!(client.reply().expect("an answer").status, 200);
    }
    assert_eq!(server.watched.batches(), [["first"], ["last"]]);
}

#[test]
fn a_question_that_brings_the_model_down_fails_alone() {
    let server = Running::start();
    server.watched.shut();
    let mut first = server.ask("first");
    server.watched.wait_for(1);
    let mut clients: Vec<_> = ["one", "panic", "two"]
        .iter()
        .map(|name| server.ask(name))
        .collect();
    server.wait_for_queue(3);
    server.watched.open();
    assert_eq!(first.reply().expect("an answer").status, 200);
    let statuses: Vec<u16> = clients
        .iter_mut()
        .map(|client| client.reply().expect("an answer").status)
        .collect();
    assert_eq!(statuses, [200, 500, 200]);
    server.is_well();
}
