//! What a step's products are, in floating-point operations, and how many of them the processor can do.

use bert_model::BertConfig;

/// Floating-point operations of the products of a training step over batches of `[rows, width]` tokens: those of the
/// layers, forward and twice as many backward. What is computed again in the backward pass does not count.
pub(super) fn flop_of_training(model: &BertConfig, batches: &[[usize; 2]]) -> f64 {
    let (hidden, inner) = (model.hidden_size as f64, model.intermediate_size as f64);
    let of_batch = |[rows, width]: &[usize; 2]| {
        let (rows, width) = (*rows as f64, *width as f64);
        let weights = 4.0 * hidden * hidden + 2.0 * hidden * inner;
        let attention = 2.0 * width * hidden;
        2.0 * rows * width * (weights + attention)
    };
    3.0 * model.num_hidden_layers as f64 * batches.iter().map(of_batch).sum::<f64>()
}

/// Floating-point operations in a second of all cores together, multiplying and adding 32-bit numbers in registers;
/// `None` for a processor without AVX-512, which is not measured.
pub(super) fn flop_per_second() -> Option<f64> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        return Some(avx512::flop_per_second());
    }
    None
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{_mm512_add_ps, _mm512_fmadd_ps, _mm512_reduce_add_ps, _mm512_set1_ps};
    use std::hint::black_box;
    use std::thread;
    use std::time::{Duration, Instant};

    /// Sums at once: more than the instructions that are in flight.
    const SUMS: usize = 24;
    /// Multiplications and additions to each sum between two looks at the clock.
    const ROUNDS: usize = 20_000;
    /// How long they are counted.
    const TIME: Duration = Duration::from_millis(40);
    /// The best of so many counts: other processes only slow it down.
    const TRIES: usize = 5;

    pub(super) fn flop_per_second() -> f64 {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let of_core = || {
            let started = Instant::now();
            let mut flop = 0;
            while started.elapsed() < TIME {
                // SAFETY: the caller has checked the processor.
                black_box(unsafe { multiply_and_add() });
                flop += 2 * 16 * SUMS * ROUNDS;
            }
            flop as f64 / started.elapsed().as_secs_f64()
        };
        let of_all = || {
            thread::scope(|scope| {
                let threads: Vec<_> = (0..cores).map(|_| scope.spawn(of_core)).collect();
                let counts = threads.into_iter().map(|thread| thread.join());
                counts
                    .map(|count| count.expect("counting does not panic"))
                    .sum()
            })
        };
        (0..TRIES).map(|_| of_all()).fold(0.0, f64::max)
    }

    #[target_feature(enable = "avx512f")]
    fn multiply_and_add() -> f32 {
        let factor = _mm512_set1_ps(black_box(0.5));
        let term = _mm512_set1_ps(black_box(1.0));
        let mut sums = [term; SUMS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(*sum, factor, term);
            }
        }
        _mm512_reduce_add_ps(sums.into_iter().fold(term, |a, b| _mm512_add_ps(a, b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 6 operations for each weight of a layer and token, and 12 for each element of a row's scores and head's width.
    #[test]
    fn flop_are_those_of_the_products() {
        let model = BertConfig {
            hidden_size: 4,
            intermediate_size: 16,
            num_hidden_layers: 2,
            ..super::super::model_config(crate::args::ModelShape::Tiny).unwrap()
        };
        let layer = 6 * (4 * 4 * 4 + 2 * 4 * 16) * (3 * 10) + 12 * 3 * 10 * 10 * 4;
        assert_eq!(flop_of_training(&model, &[[3, 10]]), f64::from(2 * layer));
    }
}
