//! A thread that talks to the other processes, one thing after the other, while the process computes.

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::{Collective, CollectiveError, ReducePrecision, halves};

/// What the processes can do together. Calls wait for the others; all are made by one thread, the one that made the
/// engine.
pub trait Engine {
    /// This process's number, from 0.
    fn rank(&self) -> usize;

    /// How many processes there are.
    fn size(&self) -> usize;

    /// This process's number among those of its machine, from 0.
    fn local_rank(&self) -> usize;

    /// Replaces each number by its sum over all processes, to the bit the same in each.
    ///
    /// # Errors
    /// When a process cannot be reached.
    fn sum(&mut self, numbers: &mut [f32]) -> Result<(), CollectiveError>;

    /// Sends to each process its piece, the n-th to the n-th, and returns the pieces for this one, by where they are
    /// from. All pieces are as long.
    ///
    /// # Errors
    /// When a process cannot be reached.
    fn exchange(&mut self, pieces: &[u16]) -> Result<Vec<u16>, CollectiveError>;

    /// Every process's numbers, of which each has as many, one after the other by rank.
    ///
    /// # Errors
    /// When a process cannot be reached.
    fn join(&mut self, numbers: &[u16]) -> Result<Vec<u16>, CollectiveError>;

    /// The bytes of process 0, in every process.
    ///
    /// # Errors
    /// When a process cannot be reached, or there are too many bytes.
    fn broadcast(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, CollectiveError>;

    /// The bytes of every process by its rank, in every process.
    ///
    /// # Errors
    /// When a process cannot be reached, or there are too many bytes.
    fn gather(&mut self, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, CollectiveError>;
}

type Work = Box<dyn FnOnce(&mut dyn Engine) + Send>;

/// A [`Collective`] whose work is done by a thread of its own, in the order in which it is asked for.
pub struct Queue {
    rank: usize,
    size: usize,
    local_rank: usize,
    /// `None` once the queue is closed. Behind locks so that threads may share the queue.
    work: Mutex<Option<Sender<Work>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Queue {
    /// Starts the thread, which opens the engine.
    ///
    /// # Errors
    /// When the engine cannot be opened, or the thread not be started.
    pub fn start<E: Engine>(
        open: impl FnOnce() -> Result<E, CollectiveError> + Send + 'static,
    ) -> Result<Self, CollectiveError> {
        let (work, waiting) = channel::<Work>();
        let (tell, told) = channel();
        let serve = move || {
            let mut engine = match open() {
                Ok(engine) => engine,
                Err(error) => {
                    let _ = tell.send(Err(error));
                    return;
                }
            };
            let place = (engine.rank(), engine.size(), engine.local_rank());
            let _ = tell.send(Ok(place));
            for work in waiting {
                work(&mut engine);
            }
        };
        let thread = std::thread::Builder::new().name("collective".into());
        let thread = thread
            .spawn(serve)
            .map_err(|error| CollectiveError::NotJoined(error.to_string()))?;
        let (rank, size, local_rank) = told.recv().map_err(|_| CollectiveError::Closed)??;
        Ok(Self {
            rank,
            size,
            local_rank,
            work: Mutex::new(Some(work)),
            thread: Mutex::new(Some(thread)),
        })
    }

    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Engine) -> Result<T, CollectiveError> + Send + 'static,
    ) -> Pending<T> {
        let (tell, told) = channel();
        let work: Work = Box::new(move |engine| {
            // Who no longer waits is not told.
            let _ = tell.send(work(engine));
        });
        let queue = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queue.as_ref() {
            // A thread that has ended drops the work, which tells who waits.
            let _ = queue.send(work);
        }
        Pending {
            outcome: Outcome::Coming(told),
        }
    }
}

fn taken<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Queue({} of {})", self.rank, self.size)
    }
}

impl Collective for Queue {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn local_rank(&self) -> usize {
        self.local_rank
    }

    fn start_sum(&self, mut numbers: Vec<f32>, precision: ReducePrecision) -> Pending<Vec<f32>> {
        self.ask(move |engine| {
            match precision {
                ReducePrecision::Fp32 => engine.sum(&mut numbers)?,
                ReducePrecision::Bf16 => halves::sum(engine, &mut numbers)?,
            }
            Ok(numbers)
        })
    }

    fn finish(&self) {
        drop(taken(&self.work));
        if let Some(thread) = taken(&self.thread) {
            // A panic was told to who waited for the work.
            let _ = thread.join();
        }
    }

    fn broadcast(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CollectiveError> {
        self.ask(|engine| engine.broadcast(bytes)).wait()
    }

    fn gather(&self, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, CollectiveError> {
        self.ask(|engine| engine.gather(bytes)).wait()
    }
}

/// What the processes are at work on.
#[derive(Debug)]
pub struct Pending<T> {
    outcome: Outcome<T>,
}

#[derive(Debug)]
enum Outcome<T> {
    Known(Result<T, CollectiveError>),
    Coming(Receiver<Result<T, CollectiveError>>),
}

impl<T> Pending<T> {
    /// What is there already, or has failed.
    pub fn done(outcome: Result<T, CollectiveError>) -> Self {
        Self {
            outcome: Outcome::Known(outcome),
        }
    }

    /// Whether [`wait`](Self::wait) returns at once.
    pub fn is_done(&mut self) -> bool {
        let Outcome::Coming(told) = &self.outcome else {
            return true;
        };
        let outcome = match told.try_recv() {
            Ok(outcome) => outcome,
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Disconnected) => Err(CollectiveError::Closed),
        };
        self.outcome = Outcome::Known(outcome);
        true
    }

    /// Waits for it.
    ///
    /// # Errors
    /// When a process cannot be reached.
    pub fn wait(self) -> Result<T, CollectiveError> {
        match self.outcome {
            Outcome::Known(outcome) => outcome,
            Outcome::Coming(told) => told.recv().unwrap_or(Err(CollectiveError::Closed)),
        }
    }
}
