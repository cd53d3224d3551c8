//! Several processes as threads of one: what tests work together with.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::{CollectiveError, Engine, Queue};

/// As many collectives as there are to be processes, by rank.
///
/// # Errors
/// When a thread cannot be started.
pub fn group(size: usize) -> Result<Vec<Queue>, CollectiveError> {
    let meeting = Arc::new(Meeting {
        state: Mutex::new(State {
            round: 0,
            brought: vec![None; size],
            taken: Arc::default(),
            gone: None,
        }),
        changed: Condvar::new(),
    });
    let member = |rank| {
        let meeting = Arc::clone(&meeting);
        Queue::start(move || Ok(Member { rank, meeting }))
    };
    (0..size).map(member).collect()
}

/// Where all bring something and take what all have brought.
struct Meeting {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Meetings that have taken place.
    round: u64,
    /// What has been brought to the next one.
    brought: Vec<Option<Vec<u8>>>,
    /// What was brought to the last one.
    taken: Arc<Vec<Vec<u8>>>,
    /// A process that has ended.
    gone: Option<usize>,
}

impl Meeting {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No change is left half-made by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meet(&self, rank: usize, bytes: Vec<u8>) -> Result<Arc<Vec<Vec<u8>>>, CollectiveError> {
        let mut state = self.lock();
        let round = state.round;
        state.brought[rank] = Some(bytes);
        if state.brought.iter().all(Option::is_some) {
            let brought = state.brought.iter_mut().filter_map(Option::take).collect();
            state.taken = Arc::new(brought);
            state.round += 1;
            self.changed.notify_all();
            return Ok(Arc::clone(&state.taken));
        }
        while state.round == round {
            if let Some(rank) = state.gone {
                return Err(CollectiveError::Gone { rank });
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Ok(Arc::clone(&state.taken))
    }
}

struct Member {
    rank: usize,
    meeting: Arc<Meeting>,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.meeting.lock().gone.get_or_insert(self.rank);
        self.meeting.changed.notify_all();
    }
}

impl Member {
    fn halves(&self, numbers: &[u16]) -> Result<Vec<Vec<u16>>, CollectiveError> {
        let bytes = numbers.iter().flat_map(|n| n.to_ne_bytes()).collect();
        let all = self.meeting.meet(self.rank, bytes)?;
        let numbers = all.iter().map(|bytes| {
            let (pairs, _) = bytes.as_chunks();
            pairs.iter().map(|pair| u16::from_ne_bytes(*pair)).collect()
        });
        Ok(numbers.collect())
    }
}

impl Engine for Member {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.meeting.lock().brought.len()
    }

    fn local_rank(&self) -> usize {
        self.rank
    }

    fn sum(&mut self, numbers: &mut [f32]) -> Result<(), CollectiveError> {
        let bytes = numbers.iter().flat_map(|n| n.to_ne_bytes()).collect();
        let all = self.meeting.meet(self.rank, bytes)?;
        numbers.fill(0.0);
        for bytes in all.iter() {
            let (parts, _) = bytes.as_chunks();
            for (number, part) in numbers.iter_mut().zip(parts) {
                *number += f32::from_ne_bytes(*part);
            }
        }
        Ok(())
    }

    fn exchange(&mut self, pieces: &[u16]) -> Result<Vec<u16>, CollectiveError> {
        let all = self.halves(pieces)?;
        let piece = pieces.len() / all.len();
        let own = self.rank * piece..(self.rank + 1) * piece;
        Ok(all
            .iter()
            .flat_map(|from| &from[own.clone()])
            .copied()
            .collect())
    }

    fn join(&mut self, numbers: &[u16]) -> Result<Vec<u16>, CollectiveError> {
        Ok(self.halves(numbers)?.concat())
    }

    fn broadcast(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, CollectiveError> {
        Ok(self.meeting.meet(self.rank, bytes)?[0].clone())
    }

    fn gather(&mut self, bytes: Vec<u8>) -> Result<Vec<Vec<u8>>, CollectiveError> {
        Ok(self.meeting.meet(self.rank, bytes)?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Collective, ReducePrecision};

    /// What `work` returns in each process, by rank.
    fn each<T: Send>(size: usize, work: impl Fn(&Queue) -> T + Sync) -> Vec<T> {
        let queues = group(size).unwrap();
        let work = &work;
        std::thread::scope(|scope| {
            let threads: Vec<_> = queues
                .iter()
                .map(|queue| scope.spawn(move || work(queue)))
                .collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        })
    }

    #[test]
    fn sums_are_those_of_all_processes_and_the_same_in_each() {
        for size in [1, 2, 3, 5] {
            for (precision, allowed) in
                [(ReducePrecision::Fp32, 1e-6), (ReducePrecision::Bf16, 1e-2)]
            {
                // No multiple of any number of processes, and fewer numbers than processes.
                for count in [1, 2, 1001] {
                    let numbers = |rank: usize| -> Vec<f32> {
                        (0..count)
                            .map(|n| ((n * 7 + rank * 13) % 97) as f32 / 9.0)
                            .collect()
                    };
                    let sums = each(size, |queue| {
                        queue
                            .start_sum(numbers(queue.rank()), precision)
                            .wait()
                            .unwrap()
                    });
                    assert!(
                        sums.iter().all(|sum| sum == &sums[0]),
                        "{size} {precision:?}"
                    );
                    for (n, sum) in sums[0].iter().enumerate() {
                        let exact: f32 = (0..size).map(|rank| numbers(rank)[n]).sum();
                        let off = (sum - exact).abs();
                        assert!(
                            off <= allowed * exact.max(1.0),
                            "{size} {precision:?}: {off}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_asked_for_is_done_in_order_while_the_caller_goes_on() {
        let found = each(3, |queue| {
            let rank = queue.rank() as f32;
            let sums: Vec<_> = (0..20)
                .map(|n| queue.start_sum(vec![rank + n as f32; 3], ReducePrecision::Fp32))
                .collect();
            let gathered = queue
                .gather(vec![queue.rank() as u8; queue.rank()])
                .unwrap();
            let told = queue.broadcast(vec![queue.rank() as u8 + 7]).unwrap();
            let any = [0, 1, 9].map(|who| queue.any(queue.rank() == who).unwrap());
            let sums = sums.into_iter().map(|sum| sum.wait().unwrap()[0]);
            (sums.collect::<Vec<_>>(), gathered, told, any)
        });
        for (sums, gathered, told, any) in found {
            let expected: Vec<f32> = (0..20).map(|n| 3.0 + 3.0 * n as f32).collect();
            assert_eq!(sums, expected);
            assert_eq!(gathered, [vec![], vec![1], vec![2, 2]]);
            assert_eq!(told, [7]);
            assert_eq!(any, [true, true, false]);
        }
    }

    #[test]
    fn a_process_that_ends_ends_the_wait_of_the_others() {
        let mut queues = group(3).unwrap().into_iter();
        let (first, second) = (queues.next().unwrap(), queues.next().unwrap());
        let waiting = first.start_sum(vec![1.0], ReducePrecision::Fp32);
        second.finish();
        assert_eq!(waiting.wait(), Err(CollectiveError::Gone { rank: 1 }));
    }
}
