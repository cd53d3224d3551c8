//! What is counted and timed, in the text format that Prometheus reads (OpenMetrics).

use std::time::Duration;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

/// The media type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A route and the status of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteStatus {
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfModel {
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    model: String,
    outcome: &'static str,
}

type HistogramBy<L> = Family<L, Histogram, fn() -> Histogram>;

/// The server's counters.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RouteStatus, Counter>,
    request_seconds: HistogramBy<Route>,
    refusals: Family<Code, Counter>,
    questions: Family<Outcome, Counter>,
    batch_questions: HistogramBy<OfModel>,
    batch_seconds: HistogramBy<OfModel>,
    wait_seconds: HistogramBy<OfModel>,
    queue: Family<OfModel, Gauge>,
    /// Requests whose answer is being worked on.
    pub(crate) in_flight: Gauge,
    /// Connections that are open.
    pub(crate) connections: Gauge,
}

/// The counters of one model.
#[derive(Debug)]
pub(crate) struct ModelMetrics {
    model: String,
    questions: Family<Outcome, Counter>,
    batch_questions: Histogram,
    batch_seconds: Histogram,
    wait_seconds: Histogram,
}

/// 1 ms to 65 s, each twice the one before.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 17))
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("bert");
        let requests = Family::default();
        registry.register(
            "http_requests",
            "Requests answered, by route and status",
            requests.clone(),
        );
        let request_seconds: HistogramBy<Route> = Family::new_with_constructor(seconds);
        registry.register_with_unit(
            "http_request",
            "Time from a request's head to its answer",
            Unit::Seconds,
            request_seconds.clone(),
        );
        let in_flight = Gauge::default();
        registry.register(
            "http_requests_in_flight",
            "Requests that are being answered",
            in_flight.clone(),
        );
        let connections = Gauge::default();
        registry.register(
            "http_connections",
            "Connections that are open",
            connections.clone(),
        );
        let refusals = Family::default();
        registry.register(
            "http_refusals",
            "Requests refused, by the code of the error",
            refusals.clone(),
        );
        let questions = Family::default();
        registry.register(
            "questions",
            "Questions that the model was given, by what they came to",
            questions.clone(),
        );
        let queue = Family::default();
        registry.register(
            "queue_questions",
            "Questions that wait for the model",
            queue.clone(),
        );
        let wait_seconds: HistogramBy<OfModel> = Family::new_with_constructor(seconds);
        registry.register_with_unit(
            "queue_wait",
            "Time that a question waited for the model",
            Unit::Seconds,
            wait_seconds.clone(),
        );
        let batch_questions: HistogramBy<OfModel> =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets(1.0, 2.0, 9)));
        registry.register(
            "batch_questions",
            "Questions that the model was given at once",
            batch_questions.clone(),
        );
        let batch_seconds: HistogramBy<OfModel> = Family::new_with_constructor(seconds);
        registry.register_with_unit(
            "batch",
            "Time that the model took for a batch",
            Unit::Seconds,
            batch_seconds.clone(),
        );
        Self {
            registry,
            requests,
            request_seconds,
            refusals,
            questions,
            batch_questions,
            batch_seconds,
            wait_seconds,
            queue,
            in_flight,
            connections,
        }
    }

    /// Counts a request that has been answered.
    pub(crate) fn answered(&self, route: &'static str, status: u16, took: Duration) {
        self.requests
            .get_or_create(&RouteStatus { route, status })
            .inc();
        self.request_seconds
            .get_or_create(&Route { route })
            .observe(took.as_secs_f64());
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, code: &'static str) {
        self.refusals.get_or_create(&Code { code }).inc();
    }

    /// The counters of a model.
    pub(crate) fn of_model(&self, model: &str) -> ModelMetrics {
        let label = OfModel {
            model: model.to_owned(),
        };
        ModelMetrics {
            questions: self.questions.clone(),
            batch_questions: self.batch_questions.get_or_create_owned(&label),
            batch_seconds: self.batch_seconds.get_or_create_owned(&label),
            wait_seconds: self.wait_seconds.get_or_create_owned(&label),
            model: label.model,
        }
    }

    /// All of it as text, with the number of questions that wait for each model.
    pub(crate) fn text<'a>(&self, waiting: impl Iterator<Item = (&'a str, usize)>) -> String {
        for (model, waiting) in waiting {
            let label = OfModel {
                model: model.to_owned(),
            };
            let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
            self.queue.get_or_create(&label).set(waiting);
        }
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            // Writing to a string cannot fail, and no metric fails to encode itself.
            tracing::error!("the metrics cannot be written: {error}");
        }
        text
    }
}

impl ModelMetrics {
    /// Counts a question that the model was given.
    pub(crate) fn question(&self, outcome: &'static str) {
        let model = self.model.clone();
        let label = Outcome { model, outcome };
        self.questions.get_or_create(&label).inc();
    }

    /// Notes how long a question waited.
    pub(crate) fn waited(&self, time: Duration) {
        self.wait_seconds.observe(time.as_secs_f64());
    }

    /// Notes a batch.
    #[expect(clippy::cast_precision_loss, reason = "batches are small")]
    pub(crate) fn batch(&self, questions: usize, took: Duration) {
        self.batch_questions.observe(questions as f64);
        self.batch_seconds.observe(took.as_secs_f64());
    }
}
