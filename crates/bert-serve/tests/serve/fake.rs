//! An answerer that looks for the question's last word in the passage, and fails on demand; and a server around it.

use std::{
    net::SocketAddr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use bert_serve::{
    Answer, Answered, Answerer, CorpusInfo, Ended, Model, ModelInfo, Question, Refusal,
    ServeConfig, ServeError, Server, ShutdownHandle, Source,
};

/// How long a test waits for what should happen at once, on a machine that is busy with something else.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// What the answerer saw, and the gate that it stops at while it is shut.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    shut: bool,
    batches: Vec<Vec<String>>,
}

impl Watched {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn shut(&self) {
        self.state().shut = true;
    }

    pub(crate) fn open(&self) {
        self.state().shut = false;
        self.changed.notify_all();
    }

    /// The batches so far, each its questions.
    pub(crate) fn batches(&self) -> Vec<Vec<String>> {
        self.state().batches.clone()
    }

    /// Waits until the answerer has been given that number of batches.
    pub(crate) fn wait_for(&self, batches: usize) {
        let state = self.state();
        let (state, late) = self
            .changed
            .wait_timeout_while(state, SOON, |state| state.batches.len() < batches)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!late.timed_out(), "found the batches {:?}", state.batches);
    }

    pub(crate) fn enter(&self, names: Vec<String>) {
        let mut state = self.state();
        state.batches.push(names);
        self.changed.notify_all();
        let waited = self
            .changed
            .wait_timeout_while(state, SOON, |state| state.shut);
        drop(waited);
    }
}

/// The only document of a corpus, whose name is as hostile as its text may be.
pub(crate) const FILE: &str = "letters/<b>dam</b>.txt";

/// The answerer.
pub(crate) struct Fake {
    name: &'static str,
    watched: Arc<Watched>,
    /// The text of [`FILE`], where the model has a corpus.
    corpus: Option<Arc<str>>,
}

impl Fake {
    pub(crate) fn named(name: &'static str, watched: &Arc<Watched>) -> Self {
        Self {
            name,
            watched: Arc::clone(watched),
            corpus: None,
        }
    }

    pub(crate) fn with_corpus(self, text: &str) -> Self {
        Self {
            corpus: Some(text.into()),
            ..self
        }
    }
}

impl Answerer for Fake {
    fn answer(&mut self, questions: &[Question]) -> Vec<Result<Answered, Refusal>> {
        self.watched
            .enter(questions.iter().map(|it| it.question.clone()).collect());
        if questions.iter().any(|it| it.question == "lose one") {
            return Vec::new();
        }
        let corpus = self.corpus.as_ref();
        questions.iter().map(|it| answer(it, corpus)).collect()
    }

    fn model(&self) -> ModelInfo {
        ModelInfo {
            name: self.name.into(),
            parameters: 108_893_186,
            max_length: 384,
            device: "CPU".into(),
            labels: Vec::new(),
            no_answer: true,
            corpus: self.corpus.as_ref().map(|_| CorpusInfo {
                documents: 1,
                passages: 1,
            }),
        }
    }
}

fn answer(question: &Question, corpus: Option<&Arc<str>>) -> Result<Answered, Refusal> {
    let find = |question: &Question| find(question, corpus);
    match question.question.as_str() {
        "panic" => panic!("as asked"),
        "fail" => Err(Refusal::Failed("a secret of the server's".into())),
        "bad" => Err(Refusal::BadQuestion("This cannot be asked.".into())),
        "nan" => Ok(Answered {
            no_answer_probability: Some(f64::NAN),
            ..find(question)
        }),
        _ => Ok(find(question)),
    }
}

/// The places of the question's last word, in their order, each half as likely as the one before.
fn find(question: &Question, corpus: Option<&Arc<str>>) -> Answered {
    let text = question.passage.as_ref().or(corpus);
    let text = text.expect("a question without a passage is asked of a corpus");
    let word = question.question.split_whitespace().last();
    let word = word.map(|word| word.trim_end_matches('?')).unwrap_or("");
    let mut probability = 0.8;
    let mut answers: Vec<Answer> = Vec::new();
    let places = text.match_indices(word);
    for (at, found) in places.take(question.n_best).filter(|_| !word.is_empty()) {
        let start = text[..at].chars().count();
        answers.push(Answer {
            text: found.into(),
            start,
            end: start + found.chars().count(),
            probability,
            source: question.passage.is_none().then(|| Source {
                file: FILE.into(),
                sentence: text.to_string(),
                sentence_start: 0,
            }),
        });
        probability /= 2.0;
    }
    let no_answer = if answers.is_empty() { 0.99 } else { 0.15 };
    Answered {
        answers,
        no_answer_probability: Some(no_answer),
        windows: 1 + text.len() / 1000,
    }
}

/// A running server, ended when it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) watched: Arc<Watched>,
    pub(crate) handle: ShutdownHandle,
    thread: Option<JoinHandle<Result<Ended, ServeError>>>,
}

impl Running {
    /// Settings for a port of the system's choice.
    pub(crate) fn config() -> ServeConfig {
        ServeConfig {
            address: ([127, 0, 0, 1], 0).into(),
            shutdown_timeout: SOON,
            ..ServeConfig::default()
        }
    }

    pub(crate) fn start() -> Self {
        Self::with(Self::config())
    }

    pub(crate) fn with(config: ServeConfig) -> Self {
        Self::of(config, |watched| {
            Model::Questions(Box::new(Fake::named("word finder", &watched)))
        })
    }

    /// A server of a model.
    pub(crate) fn of(config: ServeConfig, model: fn(Arc<Watched>) -> Model) -> Self {
        Self::of_several(config, |watched| vec![model(watched)])
    }

    /// A server of several models, which are watched together.
    pub(crate) fn of_several(
        config: ServeConfig,
        models: impl FnOnce(Arc<Watched>) -> Vec<Model>,
    ) -> Self {
        let server = Server::bind(config).expect("it listens");
        let address = server.local_addr();
        let handle = server.shutdown_handle();
        let watched = Arc::new(Watched::default());
        let models = models(Arc::clone(&watched));
        let thread = Some(thread::spawn(move || server.run(models)));
        Self {
            address,
            watched,
            handle,
            thread,
        }
    }

    /// Waits for the end.
    pub(crate) fn ended(&mut self) -> Ended {
        let thread = self.thread.take().expect("it is waited for once");
        thread.join().expect("no panic").expect("it could start")
    }

    /// Waits until so many questions wait for the first model.
    pub(crate) fn wait_for_queue(&self, questions: usize) {
        let about = self.get("/api/v1/models").json();
        let model = about["models"][0]["model"]["name"]
            .as_str()
            .expect("a name");
        self.wait_for_metric(&format!(
            "bert_queue_questions{{model=\"{model}\"}} {questions}"
        ));
    }

    /// Waits until `/metrics` has a line.
    pub(crate) fn wait_for_metric(&self, line: &str) {
        let until = Instant::now() + SOON;
        loop {
            let text = self.get("/metrics").text();
            if text.lines().any(|found| found == line) {
                return;
            }
            assert!(Instant::now() < until, "found no {line:?} in\n{text}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.watched.open();
        self.handle.shutdown();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
