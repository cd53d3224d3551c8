//! Questions without a passage, which are answered from the documents of the model.

use bert_serve::{Model, ServeConfig};
use serde_json::{Value, json};

use crate::{
    browser::{ENTER, TAB, check_logs, visit},
    client::about,
    fake::{FILE, Fake, Running},
    webdriver::Browser,
};

/// A server of a model with a corpus of one document.
pub(crate) fn with_corpus(text: &'static str) -> Running {
    of(Running::config(), text)
}

fn of(config: ServeConfig, text: &'static str) -> Running {
    Running::of_several(config, |watched| {
        let fake = Fake::named("word finder", &watched).with_corpus(text);
        vec![Model::Questions(Box::new(fake))]
    })
}

const DAM: &str = "The sea fills the pond behind the dam & <i>waits</i>.";

fn ask(server: &Running, body: &Value) -> crate::client::Reply {
    server.post(body.to_string())
}

#[test]
fn an_answer_names_its_file_and_its_sentence() {
    let server = with_corpus(DAM);
    let expected = json!({
        "text": "dam", "start": 34, "end": 37, "probability": 0.8,
        "file": FILE, "sentence": DAM, "sentence_start": 0,
    });
    let reply = ask(&server, &json!({"question": "Where is the dam?"}));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["answers"], json!([expected]));
    let reply = ask(
        &server,
        &json!({"questions": ["a dam?", "bad", "nothing?"], "n_best": 3}),
    );
    let results = &reply.json()["results"];
    assert_eq!(results[0]["answers"], json!([expected]));
    assert_eq!(results[1]["error"]["code"], "bad_question");
    assert_eq!(results[2]["answers"], json!([]));
    let about = server.get("/api/v1/model").json();
    assert_eq!(
        about["model"]["corpus"],
        json!({"documents": 1, "passages": 1})
    );
    // A passage is still a passage.
    let reply = server.post(about_two());
    assert_eq!(reply.json()["answers"][0]["file"], Value::Null);
}

fn about_two() -> Vec<u8> {
    about("two", "one two")
}

#[test]
fn questions_with_and_without_a_passage_share_a_batch() {
    let server = with_corpus(DAM);
    server.watched.shut();
    std::thread::scope(|scope| {
        scope.spawn(|| server.post(about("first", "first")));
        server.watched.wait_for(1);
        let waits = [
            scope.spawn(|| ask(&server, &json!({"question": "dam"}))),
            scope.spawn(|| server.post(about_two())),
        ];
        server.wait_for_queue(2);
        server.watched.open();
        for thread in waits {
            assert_eq!(thread.join().expect("no panic").status, 200);
        }
    });
    let mut batches = server.watched.batches();
    batches[1].sort();
    assert_eq!(
        batches,
        [vec!["first".to_owned()], vec!["dam".into(), "two".into()]]
    );
}

#[test]
fn what_cannot_be_asked_of_a_corpus_is_refused() {
    let without = Running::start();
    let config = ServeConfig {
        question_limit: 20,
        ..Running::config()
    };
    let server = of(config, DAM);
    for (server, body, code) in [
        (&without, json!({"question": "dam"}), "invalid_request"),
        (&without, json!({"questions": ["dam"]}), "invalid_request"),
        (
            &server,
            json!({"question": "dam", "passage": null}),
            "invalid_request",
        ),
        (&server, json!({"question": "dam", "passage": " "}), "empty"),
        (&server, json!({"question": " \n"}), "empty"),
        (&server, json!({"question": "é".repeat(21)}), "too_long"),
        (&server, json!({"question": "dam", "n_best": 0}), "n_best"),
        (&server, json!({"question": "dam", "n_best": 101}), "n_best"),
        (&server, json!({"questions": []}), "question_count"),
        (
            &server,
            json!({"question": "dam", "corpus": "/etc"}),
            "invalid_request",
        ),
        (
            &server,
            json!({"question": "dam", "file": "../../etc/passwd"}),
            "invalid_request",
        ),
        (&server, json!({}), "invalid_request"),
    ] {
        let (status, found) = ask(server, &body).refusal();
        assert_eq!((status, found.as_str()), (422, code), "{body}");
    }
    let refused = ask(&without, &json!({"question": "dam"})).json();
    assert_eq!(
        refused["error"]["message"],
        "The body must have \"passage\", a text: the model has no documents to answer from."
    );
    // Other protocols always have a text.
    let body = json!({"inputs": {"question": "dam"}});
    assert_eq!(server.post_to("/invocations", body.to_string()).status, 422);
    for question in ["fail", "nan", "panic", "lose one"] {
        let (status, _) = ask(&server, &json!({"question": question})).refusal();
        assert_eq!(status, 500, "{question}");
    }
    // Any text is a question, and only that.
    for question in [
        "\0dam",
        "\u{202e}dam",
        "'; drop dam",
        "</script>",
        "+dam AND -x:\"",
    ] {
        let reply = ask(&server, &json!({"question": question}));
        assert_eq!(reply.status, 200, "{question:?}: {}", reply.text());
    }
    server.is_well();
}

#[test]
fn a_visit_to_the_documents() {
    let Some(browser) = Browser::open() else {
        return;
    };
    let server = with_corpus(DAM);
    visit(&browser, &server, "word finder");
    browser.wait_until("document.getElementById('in-documents').offsetParent");
    browser.wait_until("!document.getElementById('passage').offsetParent");
    browser.fill("#question", "dam");
    browser.press(&[], ENTER);
    browser.wait_until("document.querySelector('#reading mark')?.textContent === 'dam'");
    let shown = browser.run(
        "return [document.getElementById('reading').textContent, \
         document.querySelector('.candidate .file').textContent]",
    );
    assert_eq!(shown, json!([DAM, FILE]));
    // By keyboard to a passage, whose answer has no file.
    browser.run("document.getElementById('in-documents').focus()");
    browser.press(&[], '\u{e015}');
    browser.wait_until("document.getElementById('passage').offsetParent");
    browser.press(&[], TAB);
    browser.fill("#passage", "one dam, two");
    browser.fill("#question", "two");
    browser.press(&[], ENTER);
    browser.wait_until("document.querySelector('#reading mark')?.textContent === 'two'");
    assert_eq!(
        browser.run("return document.querySelector('.candidate .file')"),
        Value::Null
    );
    // What was asked of the documents comes back as it was.
    browser.run("document.querySelectorAll('#history button')[1].click()");
    browser.wait_until("document.getElementById('in-documents').checked");
    browser.wait_until("document.querySelector('#reading mark')?.textContent === 'dam'");
    check_logs(&browser, &server, "");
}
