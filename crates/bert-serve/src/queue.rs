//! Questions that wait for the model.
//!
//! The questions of a request enter together or not at all, and are removed when their client disconnects or times out.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::oneshot;

use crate::{Item, Refusal, refusals::ApiError};

/// The result of a question.
pub(crate) type Outcome<Q> = Result<<Q as Item>::Answer, Refusal>;

/// A question that waits.
#[derive(Debug)]
pub(crate) struct Job<Q: Item> {
    id: u64,
    pub(crate) question: Q,
    pub(crate) reply: oneshot::Sender<Outcome<Q>>,
    pub(crate) since: Instant,
}

/// A bounded queue between the connections and the model's thread.
#[derive(Debug)]
pub(crate) struct Queue<Q: Item> {
    capacity: usize,
    state: Mutex<State<Q>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<Q: Item> {
    waiting: VecDeque<Job<Q>>,
    next_id: u64,
    closed: bool,
}

/// Why questions cannot wait here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// The queue is full.
    Full,
    /// The model's thread takes no more questions.
    Closed,
}

/// Questions of a request that wait or are being answered. Dropping it removes those that still wait.
#[derive(Debug)]
pub(crate) struct Pending<Q: Item> {
    queue: Arc<Queue<Q>>,
    ids: Range<u64>,
    replies: Vec<oneshot::Receiver<Outcome<Q>>>,
}

impl<Q: Item> Queue<Q> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                next_id: 0,
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Nothing panics while it holds the lock, and the state is whole at every moment.
    fn state(&self) -> MutexGuard<'_, State<Q>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many questions wait.
    pub(crate) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    /// Whether the queue refuses all questions.
    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Puts the questions of a request at the end, where there is room for all of them.
    pub(crate) fn submit(self: &Arc<Self>, questions: Vec<Q>) -> Result<Pending<Q>, NoRoom> {
        let mut state = self.state();
        if state.closed {
            return Err(NoRoom::Closed);
        }
        if questions.len() > self.capacity - state.waiting.len() {
            return Err(NoRoom::Full);
        }
        let first = state.next_id;
        let since = Instant::now();
        let mut replies = Vec::with_capacity(questions.len());
        for question in questions {
            let (reply, receiver) = oneshot::channel();
            let id = state.next_id;
            state.next_id += 1;
            state.waiting.push_back(Job {
                id,
                question,
                reply,
                since,
            });
            replies.push(receiver);
        }
        let ids = first..state.next_id;
        drop(state);
        self.changed.notify_one();
        Ok(Pending {
            queue: Arc::clone(self),
            ids,
            replies,
        })
    }

    /// Has the questions of a request answered: one result for each, in their order.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        questions: Vec<Q>,
    ) -> Result<Vec<Outcome<Q>>, ApiError> {
        let pending = self.submit(questions).map_err(|full| match full {
            NoRoom::Full => ApiError::unavailable(
                "busy",
                "Too many questions are waiting: ask again in a moment.",
            ),
            NoRoom::Closed => ApiError::gone(),
        })?;
        pending.outcomes().await.ok_or_else(ApiError::gone)
    }

    /// Waits until there is a question, and takes up to `most`, in their order: the one that waits longest, and where
    /// there are more those that are nearest to its length, whichever request they came with. Nothing once the queue is
    /// closed.
    pub(crate) fn take(&self, most: usize) -> Option<Vec<Job<Q>>> {
        let mut state = self.state();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.waiting.len() <= most {
            return Some(state.waiting.drain(..).collect());
        }
        let oldest = state.waiting[0].question.length();
        let mut nearest: Vec<usize> = (0..state.waiting.len()).collect();
        // The sort is stable: of equal ones the oldest are taken.
        nearest.sort_by_key(|place| state.waiting[*place].question.length().abs_diff(oldest));
        nearest.truncate(most);
        nearest.sort_unstable();
        let from_the_end = nearest.into_iter().rev();
        let mut taken: Vec<_> = from_the_end
            .filter_map(|place| state.waiting.remove(place))
            .collect();
        taken.reverse();
        Some(taken)
    }

    /// Refuses further questions and drops the waiting ones.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        // Dropped after the lock: receivers wake up.
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(waiting);
        self.changed.notify_all();
    }
}

impl<Q: Item> Pending<Q> {
    /// The results of the questions, in their order; `None` where the model's thread has ended.
    pub(crate) async fn outcomes(mut self) -> Option<Vec<Outcome<Q>>> {
        let mut outcomes = Vec::with_capacity(self.replies.len());
        for reply in &mut self.replies {
            outcomes.push(reply.await.ok()?);
        }
        Some(outcomes)
    }
}

impl<Q: Item> Drop for Pending<Q> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.waiting.retain(|job| !self.ids.contains(&job.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Question;

    fn questions(names: &[&str]) -> Vec<Question> {
        let question = |name: &&str| Question {
            question: (*name).into(),
            passage: Some("passage".into()),
            n_best: 1,
            settings: crate::QuestionSettings::default(),
        };
        names.iter().map(question).collect()
    }

    fn taken(queue: &Queue<Question>, most: usize) -> Vec<String> {
        let jobs = queue.take(most).unwrap_or_default();
        jobs.into_iter().map(|job| job.question.question).collect()
    }

    #[test]
    fn a_request_is_let_in_whole_or_not_at_all() {
        let queue = Arc::new(Queue::new(3));
        let _first = queue.submit(questions(&["a", "b"])).expect("there is room");
        let refused = queue.submit(questions(&["c", "d"])).expect_err("too many");
        assert_eq!(refused, NoRoom::Full);
        let _last = queue.submit(questions(&["e"])).expect("there is room");
        assert_eq!(taken(&queue, 2), ["a", "b"]);
        assert_eq!(taken(&queue, 2), ["e"]);
    }

    #[test]
    fn what_nobody_waits_for_makes_room() {
        let queue = Arc::new(Queue::new(3));
        let gone = queue.submit(questions(&["a", "b"])).expect("there is room");
        let _stays = queue.submit(questions(&["c"])).expect("there is room");
        drop(gone);
        assert_eq!(queue.len(), 1);
        let _more = queue.submit(questions(&["d", "e"])).expect("there is room");
        assert_eq!(taken(&queue, 9), ["c", "d", "e"]);
    }

    #[test]
    fn the_oldest_is_taken_with_those_of_about_its_length() {
        let queue = Arc::new(Queue::new(9));
        let names = [
            "aa",
            "a long one",
            "b",
            "another long",
            "cc",
            "the longest of them",
        ];
        let _waits: Vec<_> = names
            .iter()
            .map(|name| queue.submit(questions(&[name])).expect("there is room"))
            .collect();
        assert_eq!(taken(&queue, 3), ["aa", "b", "cc"]);
        assert_eq!(taken(&queue, 2), ["a long one", "another long"]);
        assert_eq!(taken(&queue, 2), ["the longest of them"]);
    }

    #[test]
    fn a_closed_queue_is_empty_and_lets_nothing_in() {
        let queue = Arc::new(Queue::new(3));
        let _waits = queue.submit(questions(&["a"])).expect("there is room");
        assert!(!queue.is_closed());
        queue.close();
        assert!(queue.is_closed());
        let refused = queue.submit(questions(&["b"])).expect_err("it is closed");
        assert_eq!(refused, NoRoom::Closed);
        assert!(queue.take(9).is_none());
    }
}
