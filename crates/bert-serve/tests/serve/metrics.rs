//! The metrics, as Prometheus reads them.

use crate::{client::about, fake::Running};

#[test]
fn requests_refusals_and_batches_are_counted() {
    let server = Running::start();
    server.post(about("two", "one two"));
    server.post(about("fail", "one two"));
    server.post("nonsense");
    for stranger in ["/a", "/b", "/c"] {
        server.get(stranger);
    }
    let reply = server.get("/metrics");
    let media_type = reply.header("content-type").expect("a media type");
    assert!(
        media_type.starts_with("application/openmetrics-text;"),
        "{media_type}"
    );
    let text = reply.text();
    for line in [
        "# TYPE bert_http_requests counter",
        "bert_http_requests_total{route=\"/api/v1/answer\",status=\"200\"} 1",
        "bert_http_requests_total{route=\"/api/v1/answer\",status=\"500\"} 1",
        "bert_http_requests_total{route=\"/api/v1/answer\",status=\"400\"} 1",
        "bert_http_requests_total{route=\"none\",status=\"404\"} 3",
        "# TYPE bert_http_request_seconds histogram",
        "bert_http_request_seconds_count{route=\"/api/v1/answer\"} 3",
        "bert_http_refusals_total{code=\"invalid_json\"} 1",
        "bert_http_refusals_total{code=\"failed\"} 1",
        "bert_questions_total{model=\"word finder\",outcome=\"answered\"} 1",
        "bert_questions_total{model=\"word finder\",outcome=\"failed\"} 1",
        "# TYPE bert_batch_questions histogram",
        "bert_batch_questions_count{model=\"word finder\"} 2",
        "bert_batch_questions_sum{model=\"word finder\"} 2.0",
        "bert_queue_wait_seconds_count{model=\"word finder\"} 2",
        "# TYPE bert_queue_questions gauge",
        "bert_queue_questions{model=\"word finder\"} 0",
        "bert_http_requests_in_flight 1",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "no {line:?} in\n{text}"
        );
    }
    let described = text.lines().filter(|line| line.starts_with("# HELP "));
    assert_eq!(described.count(), 10);
    assert!(text.ends_with("# EOF\n"), "{text}");
}
