//! A model of any task, and its queue once it runs.

use std::{fmt, io, sync::Arc};

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

/// The queue of a model.
#[derive(Debug)]
pub(crate) enum AnyQueue {
    Questions(Arc<Queue<Question>>),
    Texts(Arc<Queue<Text>>),
    Choices(Arc<Queue<Choice>>),
}

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

    /// Starts its thread.
    pub(crate) fn start(
        self,
        config: &ServeConfig,
        metrics: &Arc<Metrics>,
    ) -> io::Result<(Served, Worker)> {
        let (info, queue, worker) = match self {
            Self::Questions(it) => started(it, config, metrics, AnyQueue::Questions)?,
            Self::Texts(it) => started(it, config, metrics, AnyQueue::Texts)?,
            Self::Choices(it) => started(it, config, metrics, AnyQueue::Choices)?,
        };
        Ok((Served { info, queue }, worker))
    }
}

fn started<Q: Item>(
    answerer: Box<dyn Answerer<Q>>,
    config: &ServeConfig,
    metrics: &Arc<Metrics>,
    any: fn(Arc<Queue<Q>>) -> AnyQueue,
) -> io::Result<(ModelInfo, AnyQueue, Worker)> {
    let info = answerer.model();
    let queue = Arc::new(Queue::new(config.queue));
    let worker = worker::start(
        answerer,
        Arc::clone(&queue),
        config.max_batch,
        Arc::clone(metrics),
    )?;
    Ok((info, any(queue), worker))
}

impl AnyQueue {
    pub(crate) fn task(&self) -> Task {
        match self {
            Self::Questions(_) => Task::QuestionAnswering,
            Self::Texts(_) => Task::TextClassification,
            Self::Choices(_) => Task::MultipleChoice,
        }
    }

    pub(crate) fn questions(&self) -> Result<&Arc<Queue<Question>>, ApiError> {
        match self {
            Self::Questions(queue) => Ok(queue),
            Self::Texts(_) | Self::Choices(_) => Err(self.other_task()),
        }
    }

    pub(crate) fn texts(&self) -> Result<&Arc<Queue<Text>>, ApiError> {
        match self {
            Self::Texts(queue) => Ok(queue),
            Self::Questions(_) | Self::Choices(_) => Err(self.other_task()),
        }
    }

    pub(crate) fn choices(&self) -> Result<&Arc<Queue<Choice>>, ApiError> {
        match self {
            Self::Choices(queue) => Ok(queue),
            Self::Questions(_) | Self::Texts(_) => Err(self.other_task()),
        }
    }

    fn other_task(&self) -> ApiError {
        let (does, route) = self.task().says();
        ApiError::unprocessable(
            "other_task",
            format!("The model of this server {does}: ask it at {route}."),
        )
    }

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

    /// Refuses further questions and drops the waiting ones.
    pub(crate) fn close(&self) {
        match self {
            Self::Questions(queue) => queue.close(),
            Self::Texts(queue) => queue.close(),
            Self::Choices(queue) => queue.close(),
        }
    }
}
