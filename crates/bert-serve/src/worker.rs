//! The thread that owns the answerer.

use std::{
    any::Any,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Instant,
};

use tokio::sync::oneshot;

use crate::{
    Answerer, Item, Refusal,
    metrics::ModelMetrics,
    queue::{Job, Outcome, Queue},
};

/// The thread's end, seen from outside.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Resolves, with an error, once the thread has ended.
    pub(crate) ended: oneshot::Receiver<()>,
}

/// Closes the queue when the thread ends, even by a panic, so that no question waits for ever.
struct LastAct<Q: Item> {
    queue: Arc<Queue<Q>>,
    _ended: oneshot::Sender<()>,
}

impl<Q: Item> Drop for LastAct<Q> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Starts the thread; it ends when the queue is closed.
pub(crate) fn start<Q: Item>(
    answerer: Box<dyn Answerer<Q>>,
    queue: Arc<Queue<Q>>,
    max_batch: usize,
    metrics: ModelMetrics,
) -> io::Result<Worker> {
    let (sender, ended) = oneshot::channel();
    let last_act = LastAct {
        queue: Arc::clone(&queue),
        _ended: sender,
    };
    thread::Builder::new()
        .name("answerer".into())
        .spawn(move || {
            let _last_act = last_act;
            let mut answerer = answerer;
            while let Some(jobs) = queue.take(max_batch) {
                answer_batch(&mut *answerer, jobs, &metrics);
            }
        })?;
    Ok(Worker { ended })
}

/// Answers a batch from the queue. After a panic each question is asked alone, so that only the one that causes the
/// panic fails.
fn answer_batch<Q: Item>(
    answerer: &mut dyn Answerer<Q>,
    jobs: Vec<Job<Q>>,
    metrics: &ModelMetrics,
) {
    let started = Instant::now();
    let (questions, rest): (Vec<Q>, Vec<_>) = jobs
        .into_iter()
        .map(|job| {
            metrics.waited(started.duration_since(job.since));
            (job.question, job.reply)
        })
        .unzip();
    let outcomes = ask(answerer, &questions);
    metrics.batch(questions.len(), started.elapsed());
    match outcomes {
        Ok(outcomes) => {
            for ((outcome, question), reply) in outcomes.into_iter().zip(&questions).zip(rest) {
                deliver(outcome, question, reply, metrics);
            }
        }
        Err(reason) if questions.len() == 1 => {
            for (question, reply) in questions.iter().zip(rest) {
                deliver(
                    Err(Refusal::Failed(reason.clone())),
                    question,
                    reply,
                    metrics,
                );
            }
        }
        Err(reason) => {
            tracing::warn!(
                "the answerer failed on {} questions and is asked one by one: {reason}",
                questions.len()
            );
            for (question, reply) in questions.iter().zip(rest) {
                if reply.is_closed() {
                    continue;
                }
                let started = Instant::now();
                let outcome = match ask(answerer, std::slice::from_ref(question)) {
                    Ok(mut outcomes) => outcomes.swap_remove(0),
                    Err(reason) => Err(Refusal::Failed(reason)),
                };
                metrics.batch(1, started.elapsed());
                deliver(outcome, question, reply, metrics);
            }
        }
    }
}

/// Asks, and gives one outcome a question, or the reason why there are none.
fn ask<Q: Item>(
    answerer: &mut dyn Answerer<Q>,
    questions: &[Q],
) -> Result<Vec<Outcome<Q>>, String> {
    let outcomes = catch_unwind(AssertUnwindSafe(|| answerer.answer(questions)))
        .map_err(|panic| format!("it panicked: {}", message(&*panic)))?;
    if outcomes.len() == questions.len() {
        Ok(outcomes)
    } else {
        Err(format!(
            "found {} results, expected {}",
            outcomes.len(),
            questions.len()
        ))
    }
}

fn deliver<Q: Item>(
    outcome: Outcome<Q>,
    question: &Q,
    reply: oneshot::Sender<Outcome<Q>>,
    metrics: &ModelMetrics,
) {
    let outcome = outcome.and_then(|answer| match question.fault(&answer) {
        Some(fault) => Err(Refusal::Failed(fault)),
        None => Ok(answer),
    });
    metrics.question(match &outcome {
        Ok(_) => "answered",
        Err(Refusal::BadQuestion(_)) => "bad_question",
        Err(Refusal::Failed(reason)) => {
            tracing::error!("the answerer failed on a question: {reason}");
            "failed"
        }
    });
    // The client may have disconnected.
    drop(reply.send(outcome));
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
