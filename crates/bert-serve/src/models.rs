//! Models of any task, and their queues once they run.

use std::{collections::BTreeSet, fmt, io, sync::Arc};

use axum::http::StatusCode;
use serde::Serialize;

use crate::{
    Answerer, Choice, Item, ModelInfo, Question, ServeConfig, Text,
    metrics::Metrics,
    queue::Queue,
    refusals::ApiError,
    worker::{self, Worker},
};

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// It finds answers in a passage.
    QuestionAnswering,
    /// It gives a text, or a pair of texts, classes or a score.
    TextClassification,
    /// It chooses the ending that follows a beginning.
    MultipleChoice,
}

/// A model, as a server is given it.
pub enum Model {
    /// It answers questions.
    Questions(Box<dyn Answerer<Question>>),
    /// It classifies texts.
    Texts(Box<dyn Answerer<Text>>),
    /// It chooses among endings.
    Choices(Box<dyn Answerer<Choice>>),
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Model").field(&self.task()).finish()
    }
}

/// A model at work.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) info: ModelInfo,
    pub(crate) queue: AnyQueue,
}

/// The models of a server, in the order in which they were given; there is at least one.
#[derive(Debug)]
pub(crate) struct Models(Vec<Served>);

/// The queue of a model.
#[derive(Debug)]
pub(crate) enum AnyQueue {
    Questions(Arc<Queue<Question>>),
    Texts(Arc<Queue<Text>>),
    Choices(Arc<Queue<Choice>>),
}

/// An [`Item`] with the task of the models that take it.
pub(crate) trait Asked: Item + Sized {
    /// The task.
    const TASK: Task;

    /// The queue, where it is one of these.
    fn queue(queue: &AnyQueue) -> Option<&Arc<Queue<Self>>>;
}

macro_rules! asked {
    ($item:ty, $task:ident, $variant:ident) => {
        impl Asked for $item {
            const TASK: Task = Task::$task;

            fn queue(queue: &AnyQueue) -> Option<&Arc<Queue<Self>>> {
                match queue {
                    AnyQueue::$variant(queue) => Some(queue),
                    _ => None,
                }
            }
        }
    };
}

asked!(Question, QuestionAnswering, Questions);
asked!(Text, TextClassification, Texts);
asked!(Choice, MultipleChoice, Choices);

impl Task {
    /// What a model does, for a sentence, and the route that asks for it.
    fn says(self) -> (&'static str, &'static str) {
        match self {
            Self::QuestionAnswering => ("answers questions", "/api/v1/answer"),
            Self::TextClassification => ("classifies texts", "/api/v1/classify"),
            Self::MultipleChoice => ("chooses among endings", "/api/v1/choose"),
        }
    }
}

impl Model {
    /// What it does.
    #[must_use]
    pub fn task(&self) -> Task {
        match self {
            Self::Questions(_) => Task::QuestionAnswering,
            Self::Texts(_) => Task::TextClassification,
            Self::Choices(_) => Task::MultipleChoice,
        }
    }

    /// What it says of itself.
    #[must_use]
    pub fn info(&self) -> ModelInfo {
        match self {
            Self::Questions(it) => it.model(),
            Self::Texts(it) => it.model(),
            Self::Choices(it) => it.model(),
        }
    }

    /// Starts its thread.
    fn start(self, config: &ServeConfig, metrics: &Arc<Metrics>) -> io::Result<(Served, Worker)> {
        match self {
            Self::Questions(it) => started(it, config, metrics, AnyQueue::Questions),
            Self::Texts(it) => started(it, config, metrics, AnyQueue::Texts),
            Self::Choices(it) => started(it, config, metrics, AnyQueue::Choices),
        }
    }
}

fn started<Q: Item>(
    answerer: Box<dyn Answerer<Q>>,
    config: &ServeConfig,
    metrics: &Arc<Metrics>,
    any: fn(Arc<Queue<Q>>) -> AnyQueue,
) -> io::Result<(Served, Worker)> {
    let info = answerer.model();
    let queue = Arc::new(Queue::new(config.queue));
    let metrics = metrics.of_model(&info.name);
    let worker = worker::start(answerer, Arc::clone(&queue), config.max_batch, metrics)?;
    let queue = any(queue);
    Ok((Served { info, queue }, worker))
}

/// The first name that two models have.
pub(crate) fn repeated_name(models: &[Model]) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut names = models.iter().map(|model| model.info().name);
    names.find(|name| !seen.insert(name.clone()))
}

impl Served {
    /// What it does.
    pub(crate) fn task(&self) -> Task {
        match self.queue {
            AnyQueue::Questions(_) => Task::QuestionAnswering,
            AnyQueue::Texts(_) => Task::TextClassification,
            AnyQueue::Choices(_) => Task::MultipleChoice,
        }
    }
}

impl Models {
    /// Starts every model's thread.
    pub(crate) fn start(
        models: Vec<Model>,
        config: &ServeConfig,
        metrics: &Arc<Metrics>,
    ) -> io::Result<(Self, Vec<Worker>)> {
        let started = models.into_iter().map(|it| it.start(config, metrics));
        let started: Vec<_> = started.collect::<io::Result<_>>()?;
        let (served, workers) = started.into_iter().unzip();
        Ok((Self(served), workers))
    }

    /// All models.
    pub(crate) fn all(&self) -> &[Served] {
        &self.0
    }

    /// The model of a name, or without one the only model of the server.
    pub(crate) fn any(&self, name: Option<&str>) -> Result<&Served, ApiError> {
        if let Some(name) = name {
            return self.named(name);
        }
        match &self.0[..] {
            [only] => Ok(only),
            all => Err(which(all.iter())),
        }
    }

    /// The queue of the model of a name, or without one of the only model that does what is asked.
    pub(crate) fn queue<Q: Asked>(&self, name: Option<&str>) -> Result<&Arc<Queue<Q>>, ApiError> {
        let served = self.doing::<Q>(name)?;
        Q::queue(&served.queue).ok_or_else(|| self.other_task::<Q>(Some(served)))
    }

    /// The model of a name, or without one the only model that does what is asked.
    pub(crate) fn doing<Q: Asked>(&self, name: Option<&str>) -> Result<&Served, ApiError> {
        if let Some(name) = name {
            let served = self.named(name)?;
            return if served.task() == Q::TASK {
                Ok(served)
            } else {
                Err(self.other_task::<Q>(Some(served)))
            };
        }
        let doing = || self.0.iter().filter(|served| served.task() == Q::TASK);
        match (doing().next(), doing().count()) {
            (Some(only), 1) => Ok(only),
            (Some(_), _) => Err(which(doing())),
            (None, _) => Err(self.other_task::<Q>(None)),
        }
    }

    /// Whether a model does what is asked.
    pub(crate) fn can<Q: Asked>(&self) -> Result<(), ApiError> {
        if self.0.iter().any(|served| served.task() == Q::TASK) {
            return Ok(());
        }
        Err(self.other_task::<Q>(None))
    }

    fn named(&self, name: &str) -> Result<&Served, ApiError> {
        let found = self.0.iter().find(|served| served.info.name == name);
        found.ok_or_else(|| {
            ApiError::new(
                StatusCode::NOT_FOUND,
                "no_such_model",
                format!(
                    "This server has no model of that name: it has {}.",
                    listed(self.0.iter())
                ),
            )
        })
    }

    fn other_task<Q: Asked>(&self, found: Option<&Served>) -> ApiError {
        let message = match (found, &self.0[..]) {
            (Some(found), _) => {
                let (does, route) = found.task().says();
                format!("The model {:?} {does}: ask it at {route}.", found.info.name)
            }
            (None, [only]) => {
                let (does, route) = only.task().says();
                format!("The model of this server {does}: ask it at {route}.")
            }
            (None, all) => {
                let (does, _) = Q::TASK.says();
                format!(
                    "No model of this server {does}: it has {}.",
                    listed(all.iter())
                )
            }
        };
        ApiError::unprocessable("other_task", message)
    }

    /// Whether every model takes requests.
    pub(crate) fn are_well(&self) -> bool {
        self.0.iter().all(|served| !served.queue.is_closed())
    }

    /// Refuses further questions and drops the waiting ones.
    pub(crate) fn close(&self) {
        for served in &self.0 {
            match &served.queue {
                AnyQueue::Questions(queue) => queue.close(),
                AnyQueue::Texts(queue) => queue.close(),
                AnyQueue::Choices(queue) => queue.close(),
            }
        }
    }
}

fn which<'a>(models: impl Iterator<Item = &'a Served>) -> ApiError {
    ApiError::unprocessable(
        "model_needed",
        format!(
            "Several models could be meant, and the request names none of {}.",
            listed(models)
        ),
    )
}

fn listed<'a>(models: impl Iterator<Item = &'a Served>) -> String {
    let names: Vec<_> = models.map(|it| format!("{:?}", it.info.name)).collect();
    names.join(", ")
}

impl AnyQueue {
    /// How many questions wait.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Questions(queue) => queue.len(),
            Self::Texts(queue) => queue.len(),
            Self::Choices(queue) => queue.len(),
        }
    }

    /// Whether the queue refuses all questions.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Questions(queue) => queue.is_closed(),
            Self::Texts(queue) => queue.is_closed(),
            Self::Choices(queue) => queue.is_closed(),
        }
    }
}
