//! Processes that `mpirun`, or another launcher of MPI, has started.

use std::time::Duration;

use mpi::Count;
use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::topology::{Communicator, SimpleCommunicator};
use mpi::traits::{CommunicatorCollectives, Root};

use crate::{CollectiveError, Engine, Queue};

/// The first pause between two looks at whether all processes have come, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_micros(20), Duration::from_millis(1)];

/// The most numbers of one sum: MPI 3 counts in 32 bits.
const MOST: usize = Count::MAX as usize;

/// Joins the processes that the launcher has started, once a program.
///
/// # Errors
/// When MPI has been started before, or does not let a thread of its own talk.
pub fn start() -> Result<Queue, CollectiveError> {
    Queue::start(Mpi::open)
}

/// MPI, called by the thread that has opened it alone.
struct Mpi {
    world: SimpleCommunicator,
    local_rank: usize,
    /// Dropped last: it ends MPI.
    _universe: Universe,
}

impl Mpi {
    fn open() -> Result<Self, CollectiveError> {
        let refused = |reason: &str| CollectiveError::NotJoined(reason.to_owned());
        let opened = mpi::initialize_with_threading(Threading::Funneled);
        let (universe, threading) = opened.ok_or_else(|| refused("MPI was started before"))?;
        if threading < Threading::Funneled {
            return Err(refused("this MPI serves programs of one thread only"));
        }
        let world = universe.world();
        let machine = world.split_shared(world.rank());
        Ok(Self {
            local_rank: machine.rank() as usize,
            world,
            _universe: universe,
        })
    }

    /// Waits until every process is here, asleep: a call of MPI that waits takes a whole core.
    fn arrive(&self) {
        let [mut pause, longest] = PAUSES;
        let mut barrier = self.world.immediate_barrier();
        while let Err(waiting) = barrier.test() {
            barrier = waiting;
            std::thread::sleep(pause);
            pause = (2 * pause).min(longest);
        }
    }

    /// The number of bytes of every process.
    fn lengths(&self, own: usize) -> Result<Vec<usize>, CollectiveError> {
        let mut lengths = vec![0; self.size()];
        self.world.all_gather_into(&(own as u64), &mut lengths);
        let found = lengths.iter().sum::<u64>() as usize;
        if found > MOST {
            return Err(CollectiveError::TooLong { found, most: MOST });
        }
        Ok(lengths.into_iter().map(|length| length as usize).collect())
    }
}

impl Engine for Mpi {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn size(&self) -> usize {
        self.world.size() as usize
    }

    fn local_rank(&self) -> usize {
        self.local_rank
    }

    fn sum(&mut self, numbers: &mut [f32]) -> Result<(), CollectiveError> {
        self.arrive();
        for numbers in numbers.chunks_mut(MOST) {
            let own = numbers.to_vec();
            self.world
                .all_reduce_into(&own, numbers, SystemOperation::sum());
        }
        Ok(())
    }

    fn exchange(&mut self, pieces: &[u16]) -> Result<Vec<u16>, CollectiveError> {
        self.arrive();
        let mut received = vec![0; pieces.len()];
        self.world.all_to_all_into(pieces, &mut received);
        Ok(received)
    }

    fn join(&mut self, numbers: &[u16]) -> Result<Vec<u16>, CollectiveError> {
        let mut all = vec![0; numbers.len() * self.size()];
        self.world.all_gather_into(numbers, &mut all);
        Ok(all)
    }

    fn broadcast(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>, CollectiveError> {
        self.arrive();
        let root = self.world.process_at_rank(0);
        let mut length = bytes.len() as u64;
        root.broadcast_into(&mut length);
        let length = length as usize;
        bytes.resize(length, 0);
        for part in bytes.chunks_mut(MOST) {
            root.broadcast_into(part);
        }
        Ok(bytes)
    }

    fn gather(&mut self, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, CollectiveError> {
        self.arrive();
        let lengths = self.lengths(bytes.len())?;
        let mut all = vec![0; lengths.iter().sum()];
        let counts: Vec<Count> = lengths.iter().map(|length| *length as Count).collect();
        let mut end = 0;
        let starts: Vec<Count> = counts
            .iter()
            .map(|count| {
                end += count;
                end - count
            })
            .collect();
        let mut places = PartitionMut::new(&mut all[..], counts, starts);
        self.world.all_gather_varcount_into(&bytes[..], &mut places);
        let mut left = &all[..];
        let split = lengths.into_iter().map(|length| {
            let (own, others) = left.split_at(length);
            left = others;
            own.to_vec()
        });
        Ok(split.collect())
    }
}
