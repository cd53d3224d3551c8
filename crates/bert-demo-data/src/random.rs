//! The random source: ChaCha8, whose stream is fixed by its specification, and draws defined here, so that
//! neither a new version of a library nor another machine changes the committed files.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of draws.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// The stream with number `stream` of `seed`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // The bias of the multiplication is below 2^-32 for the short lists drawn from here.
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in `percent` of 100 draws.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A number of mean 0 and deviation 1, nearly normal: twelve even draws are summed, since logarithms differ between machines.
    pub(crate) fn normal(&mut self) -> f64 {
        let even = |draw: u64| (draw >> 11) as f64 / (1_u64 << 53) as f64;
        (0..12).map(|_| even(self.0.next_u64())).sum::<f64>() - 6.0
    }

    /// One of `items`, or `None` if there are none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// Shuffles `items` in place (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
