//! How large a micro-batch the device can hold, found by trying.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use burn::tensor::Device;

use crate::batches::{BatchConfig, StepExamples};
use crate::collate::Collator;
use crate::collective::Alone;
use crate::memory::accumulations;
use crate::share::{Share, pieces_of};
use crate::{Task, TrainConfig, TrainError, Trainer};

/// Runs steps of the widest micro-batch without updates, and again in halves where the device has not enough memory for
/// them; returns the micro-batches of a step with which it has. Of several `processes` each computes a part of one. The
/// model stays as it is. `device` is that of the model, an autodiff device.
///
/// # Errors
/// When one example is too much, or the device fails in another way.
pub fn fit_micro_batch<T: Task>(
    task: &T,
    model: &T::Model,
    config: &TrainConfig,
    device: &Device,
    processes: usize,
) -> Result<usize, TrainError> {
    let BatchConfig {
        batch_size,
        accumulation,
        padding,
    } = config.batches();
    let collator = Collator::new(task, padding);
    let lengths = collator.lengths();
    let mut longest: Vec<usize> = (0..lengths.len()).collect();
    longest.sort_by_key(|example| std::cmp::Reverse(lengths[*example]));
    halving(batch_size, accumulation, |accumulation| {
        let tried = config.with_accumulation(accumulation);
        let examples = (batch_size / accumulation).div_ceil(pieces_of(accumulation, processes));
        let examples: Vec<usize> = longest.iter().copied().take(examples).collect();
        // The second micro-batch's gradients are computed beside the sums of the first.
        let step = StepExamples {
            micro_batches: vec![examples; accumulation.div_ceil(processes).min(2)],
        };
        let batch = collator.collate(&step, Share::WHOLE);
        let outcome = quietly(|| {
            let mut trainer = Trainer::new(task, model.clone(), &tried, device, &Alone)?;
            trainer.rehearse(&batch)
        });
        if outcome.is_err() {
            device.memory_cleanup();
        }
        outcome
    })
}

/// Turns a panic for lack of memory into an error, and prints nothing about it; other panics continue.
fn quietly(run: impl FnOnce() -> Result<(), TrainError>) -> Result<(), TrainError> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(run));
    std::panic::set_hook(hook);
    outcome.unwrap_or_else(|panic| {
        let error = TrainError::device(message(&*panic));
        if error.is_out_of_memory() {
            Err(error)
        } else {
            resume_unwind(panic)
        }
    })
}

/// The text of a panic.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}

/// The first of more and more micro-batches, each time at least twice as many, that is not out of memory.
fn halving(
    batch_size: usize,
    first: usize,
    mut run: impl FnMut(usize) -> Result<(), TrainError>,
) -> Result<usize, TrainError> {
    let mut tried = first;
    loop {
        match run(tried) {
            Ok(()) => return Ok(tried),
            Err(error) if error.is_out_of_memory() => {
                let Some(next) = accumulations(batch_size, 2 * tried).first().copied() else {
                    return Err(error);
                };
                tried = next;
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oom() -> TrainError {
        TrainError::device("CUDA_ERROR_OUT_OF_MEMORY")
    }

    #[test]
    fn micro_batches_are_halved_until_they_fit() {
        for (batch_size, first, holds, expected) in [
            (12, 1, 12, 1),
            (12, 1, 3, 4),
            (12, 1, 1, 12),
            (32, 2, 5, 8),
            (7, 1, 3, 7),
        ] {
            let mut tried = Vec::new();
            let found = halving(batch_size, first, |accumulation| {
                tried.push(accumulation);
                if batch_size / accumulation <= holds {
                    Ok(())
                } else {
                    Err(oom())
                }
            });
            assert_eq!(found.unwrap(), expected, "{batch_size} {holds}: {tried:?}");
        }
    }

    #[test]
    fn what_never_fits_and_what_fails_otherwise_is_an_error() {
        let never = halving(4, 1, |_| Err(oom())).unwrap_err();
        assert!(never.is_out_of_memory(), "{never}");
        let mut calls = 0;
        let other = halving(4, 1, |_| {
            calls += 1;
            Err(TrainError::device("the cable is loose"))
        });
        assert!(!other.unwrap_err().is_out_of_memory());
        assert_eq!(calls, 1);
    }

    #[test]
    fn a_panic_of_the_device_is_read() {
        let error = quietly(|| panic!("out of device memory allocating {} bytes", 5)).unwrap_err();
        assert!(error.is_out_of_memory(), "{error}");
        let other = catch_unwind(|| quietly(|| panic!("a mistake of ours")));
        assert!(other.is_err());
    }
}
