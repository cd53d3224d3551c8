//! The batches of a prediction, shared by several processes.

use bert_collective::Collective;

use crate::InferenceError;

/// How a process's part of the work ended.
const DONE: u8 = 0;
const STOPPED: u8 = 1;
const FAILED: u8 = 2;

/// A number of the leading process, by which all cut the same batches.
///
/// # Errors
/// When it cannot be reached.
pub(crate) fn of_leader(
    collective: &dyn Collective,
    number: usize,
) -> Result<usize, InferenceError> {
    if collective.size() == 1 {
        return Ok(number);
    }
    let bytes = collective.broadcast((number as u64).to_le_bytes().to_vec())?;
    let told = bytes.as_slice().try_into().map(u64::from_le_bytes);
    Ok(told.map_or(number, |number| number as usize))
}

/// The batches of this process: all, or every n-th of n processes. They go from long to short, so that all have about as
/// much work.
pub(crate) fn own<'a>(batches: &'a [Vec<usize>], collective: &dyn Collective) -> Vec<&'a [usize]> {
    let own = batches.iter().skip(collective.rank());
    own.step_by(collective.size()).map(Vec::as_slice).collect()
}

/// The numbers of every batch, each example's by itself, in every process. `computed` are those of [`own`] batches, and
/// `of` is the number of examples of all.
///
/// # Errors
/// That of `computed`, [`InferenceError::Stopped`] when another process was stopped, and
/// [`InferenceError::Elsewhere`] when it failed.
pub(crate) fn exchange(
    batches: &[Vec<usize>],
    computed: Result<Vec<Vec<Vec<f32>>>, InferenceError>,
    of: usize,
    collective: &dyn Collective,
) -> Result<Vec<Vec<Vec<f32>>>, InferenceError> {
    if collective.size() == 1 {
        return computed;
    }
    // Who fails says so first: the others wait for its part.
    let told = collective.gather(encoded(&computed))?;
    computed?;
    let mut parts = Vec::with_capacity(told.len());
    for (rank, bytes) in told.iter().enumerate() {
        let (kind, bytes) = bytes.split_first().unwrap_or((&FAILED, &[]));
        match *kind {
            DONE => parts.push(bytes),
            STOPPED => return Err(InferenceError::Stopped { done: 0, of }),
            _ => {
                let reason = String::from_utf8_lossy(bytes).into_owned();
                return Err(InferenceError::Elsewhere { rank, reason });
            }
        }
    }
    let of_batch = |(n, examples): (usize, &Vec<usize>)| {
        let rank = n % parts.len();
        let decoded = examples.iter().map(|_| decode(&mut parts[rank]));
        let decoded: Option<Vec<Vec<f32>>> = decoded.collect();
        decoded.ok_or_else(|| InferenceError::Elsewhere {
            rank,
            reason: "found fewer numbers than its examples have".to_owned(),
        })
    };
    batches.iter().enumerate().map(of_batch).collect()
}

fn encoded(computed: &Result<Vec<Vec<Vec<f32>>>, InferenceError>) -> Vec<u8> {
    match computed {
        Ok(batches) => {
            let mut bytes = vec![DONE];
            for numbers in batches.iter().flatten() {
                bytes.extend((numbers.len() as u32).to_le_bytes());
                bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            }
            bytes
        }
        Err(InferenceError::Stopped { .. }) => vec![STOPPED],
        Err(error) => {
            let mut bytes = vec![FAILED];
            bytes.extend(error.to_string().into_bytes());
            bytes
        }
    }
}

/// The next example's numbers.
fn decode(bytes: &mut &[u8]) -> Option<Vec<f32>> {
    let (count, left) = bytes.split_first_chunk()?;
    let (numbers, left) = left.split_at_checked(4 * u32::from_le_bytes(*count) as usize)?;
    *bytes = left;
    let (numbers, _) = numbers.as_chunks();
    Some(
        numbers
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use bert_collective::{Queue, threads};

    use super::*;

    /// What `work` returns in each process, by rank.
    fn each<T: Send>(size: usize, work: impl Fn(&Queue) -> T + Sync) -> Vec<T> {
        let queues = threads::group(size).unwrap();
        let work = &work;
        std::thread::scope(|scope| {
            let threads = queues.iter().map(|queue| scope.spawn(move || work(queue)));
            let threads: Vec<_> = threads.collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        })
    }

    fn batches() -> Vec<Vec<usize>> {
        vec![vec![4, 2, 0], vec![1, 3], vec![5]]
    }

    /// An example's numbers are its own number, as often as it says.
    fn numbers(example: &usize) -> Vec<f32> {
        vec![*example as f32 + 0.5; *example]
    }

    #[test]
    fn every_process_has_all_numbers_whatever_their_number() {
        let batches = batches();
        let of = |examples: &[usize]| -> Vec<Vec<f32>> { examples.iter().map(numbers).collect() };
        let expected: Vec<_> = batches.iter().map(|examples| of(examples)).collect();
        for size in [1, 2, 3, 5] {
            let found = each(size, |queue| {
                let own = own(&batches, queue);
                let computed = own.into_iter().map(of).collect();
                exchange(&batches, Ok(computed), 6, queue).unwrap()
            });
            assert!(found.iter().all(|found| *found == expected), "{size}");
        }
    }

    #[test]
    fn what_ends_one_process_ends_all() {
        let batches = batches();
        let reason = || InferenceError::Setting {
            setting: "batch_size",
            found: 0,
        };
        let ended = each(3, |queue| {
            let computed = match queue.rank() {
                1 => Err(reason()),
                _ => Ok(vec![]),
            };
            exchange(&batches, computed, 6, queue)
                .unwrap_err()
                .to_string()
        });
        let there = format!("process 1: {}", reason());
        assert_eq!(ended, [there.clone(), reason().to_string(), there]);
        let ended = each(2, |queue| {
            let stopped = InferenceError::Stopped { done: 3, of: 6 };
            let computed = if queue.leads() {
                Err(stopped)
            } else {
                Ok(vec![])
            };
            exchange(&batches, computed, 6, queue).unwrap_err()
        });
        let all = ended
            .iter()
            .all(|error| matches!(error, InferenceError::Stopped { of: 6, .. }));
        assert!(all, "{ended:?}");
    }
}
