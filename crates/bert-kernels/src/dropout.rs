//! Dropout whose masks are a function of (seed, step, site, element).
//!
//! Each element's bit comes from a keyed integer hash of its flat index, so a mask needs no generator
//! state: it can be made in parallel, made again after a resume, and made in the same way on every
//! backend. CPU backends get it from the host ([`MaskSource::Host`]); others compute the same hash in
//! integer tensor operations, which a fusing backend joins into one kernel ([`MaskSource::Device`]).
//!
//! The hash is two rounds of the xorshift-multiply permutation of 32-bit integers with the constants
//! found by the `hash-prospector` search (Wellons 2018), each round keyed by one half of a 64-bit key.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::wide;

/// Names one forward pass of a run; every mask of the pass follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropoutKey {
    /// The run's seed.
    pub seed: u64,
    /// Count of forward passes (micro-batches) before this one.
    pub step: u64,
    /// Rows of the micro-batch before the first of this pass: 0, unless several processes share a micro-batch.
    pub first_row: usize,
    /// Where the masks are computed; the choice does not change their values.
    pub masks: MaskSource,
}

/// Where dropout masks are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskSource {
    /// On the host, in parallel: for backends whose memory is the host's.
    Host,
    /// On the device, in integer tensor operations.
    Device,
}

/// Whether a forward pass drops activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No dropout.
    Evaluation,
    /// Dropout with the masks of this key.
    Training(DropoutKey),
}

/// Dropout of one tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// An element is dropped where its hash, as a signed integer, is below this.
    threshold: i32,
    /// The factor on the others: `1 / (1 - p)`.
    kept: f32,
    keys: [u32; 2],
    /// The first element's place in the mask of the whole micro-batch. Places wrap.
    first: u32,
    masks: MaskSource,
}

impl Dropout {
    /// Dropout with probability `p` at a site of the model, by its number, of a tensor that has `row` elements for each
    /// row of the batch; `None` where nothing is dropped.
    pub fn at(site: u64, p: f64, phase: Phase, row: usize) -> Option<Self> {
        match phase {
            Phase::Training(key) if p > 0.0 => {
                let keys = site_keys(key.seed, key.step, site);
                let first = key.first_row.wrapping_mul(row) as u32;
                Some(Self::new(p, keys, first, key.masks))
            }
            _ => None,
        }
    }

    fn new(p: f64, keys: [u32; 2], first: u32, masks: MaskSource) -> Self {
        Self {
            threshold: threshold(p),
            kept: (1.0 / (1.0 - p)) as f32,
            keys,
            first,
            masks,
        }
    }

    /// The hash's keys, the first element's place, the unsigned number below which a hash whose sign bit is turned drops
    /// its element, and the factor on the others.
    #[cfg(feature = "cube")]
    pub(crate) fn hashed(self) -> ([u32; 2], u32, u32, f32) {
        let threshold = self.threshold as u32 ^ (1 << 31);
        (self.keys, self.first, threshold, self.kept)
    }

    /// The factor on the element at a flat index: 0 or `1 / (1 - p)`.
    #[inline(always)]
    pub(crate) fn factor(self, index: u32) -> f32 {
        let place = index.wrapping_add(self.first);
        let is_dropped = (hash(place, self.keys) as i32) < self.threshold;
        if is_dropped { 0.0 } else { self.kept }
    }
}

/// Zeroes each element with probability `p` and scales the others by `1 / (1 - p)`
/// (Srivastava et al. 2014, in the "inverted" form).
///
/// # Shapes
/// - `x`: any; the output has the same
pub fn dropout<const D: usize>(x: Tensor<D>, dropout: Option<Dropout>) -> Tensor<D> {
    let Some(dropout) = dropout else {
        return x;
    };
    let dims = x.dims();
    let count = dims.iter().product();
    let device = x.device().without_autodiff();
    let mask: Tensor<D> = match dropout.masks {
        MaskSource::Host => {
            let data = TensorData::new(host_mask(count, dropout), dims);
            Tensor::from_data(data, &device)
        }
        MaskSource::Device => {
            let columns = dims[D - 1];
            let rows = count / columns.max(1);
            device_mask([rows, columns], dropout, &device).reshape(dims)
        }
    };
    // The mask is a constant to autodiff: the backward pass is the same product.
    x * mask
}

/// The two 32-bit keys of a site's mask, by SplitMix64 (Steele et al. 2014) over (seed, step, site).
fn site_keys(seed: u64, step: u64, site: u64) -> [u32; 2] {
    let mut z = seed;
    for word in [step, site] {
        z = split_mix(z ^ word.wrapping_mul(0xD1B5_4A32_D192_ED03));
    }
    [z as u32, (z >> 32) as u32]
}

fn split_mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Multipliers and shifts of the two rounds.
pub(crate) const ROUNDS: [[u32; 2]; 2] = [[0x7FEB_352D, 0x846C_A68B], [0x2194_67A5, 0x6D7B_D38B]];

/// The hash of one element's index under a site's keys, uniform over the 32-bit integers.
#[inline(always)]
fn hash(index: u32, keys: [u32; 2]) -> u32 {
    let mut x = index;
    for (key, [first, second]) in keys.into_iter().zip(ROUNDS) {
        x ^= key;
        x ^= x >> 16;
        x = x.wrapping_mul(first);
        x ^= x >> 15;
        x = x.wrapping_mul(second);
        x ^= x >> 16;
    }
    x
}

/// [`Dropout::threshold`] of a probability.
fn threshold(p: f64) -> i32 {
    let scaled = (p * 4_294_967_296.0).round() as i64 + i64::from(i32::MIN);
    // p < 1 keeps `scaled` in range.
    scaled as i32
}

/// `0` or `1 / (1 - p)` for each of `count` elements.
fn host_mask(count: usize, dropout: Dropout) -> Vec<f32> {
    const CHUNK: usize = 1 << 16;
    let mut mask = vec![0.0; count];
    mask.par_chunks_mut(CHUNK)
        .enumerate()
        .for_each(|(chunk, out)| {
            let start = chunk * CHUNK;
            wide(|| {
                for (offset, value) in out.iter_mut().enumerate() {
                    *value = dropout.factor((start + offset) as u32);
                }
            });
        });
    mask
}

/// [`host_mask`] in tensor operations. Integers are `i32`, whose products wrap and whose right shifts
/// keep the sign, which the `bitwise_and` after each shift removes.
///
/// # Shapes
/// - output: `[rows, columns]`
fn device_mask([rows, columns]: [usize; 2], dropout: Dropout, device: &Device) -> Tensor<2> {
    let Dropout { keys, first, .. } = dropout;
    let shift = |x: &Tensor<2, Int>, by: i32| {
        x.clone()
            .bitwise_right_shift_scalar(by)
            .bitwise_and_scalar((u32::MAX >> by) as i32)
    };
    // Row and column are counted on the host. `Tensor::arange` of all elements is a cumulative sum under fusion, whose
    // kernel adds up to `count` numbers for each element (burn-cubecl 0.22.1, ops/numeric.rs), and is wrong where a
    // driver limits loops: from element 65,536 on, Mesa's lavapipe gave one index to all.
    let counted = |from: u32, count: usize, shape| {
        let numbers: Vec<i32> = (0..count as u32)
            .map(|number| number.wrapping_add(from) as i32)
            .collect();
        Tensor::<2, Int>::from_data(TensorData::new(numbers, shape), (device, DType::I32))
    };
    let mut x = counted(0, rows, [rows, 1]).mul_scalar(columns as i32)
        + counted(first, columns, [1, columns]);
    for (key, [first, second]) in keys.into_iter().zip(ROUNDS) {
        x = x.bitwise_xor_scalar(key as i32);
        x = x.clone().bitwise_xor(shift(&x, 16));
        x = x.mul_scalar(first as i32);
        x = x.clone().bitwise_xor(shift(&x, 15));
        x = x.mul_scalar(second as i32);
        x = x.clone().bitwise_xor(shift(&x, 16));
    }
    x.greater_equal_scalar(dropout.threshold).float() * dropout.kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use bert_test_device::test_device;

    const KEYS: [u32; 2] = [0x1234_5678, 0x9ABC_DEF0];

    fn mask_of(p: f64, keys: [u32; 2], first: u32) -> Dropout {
        Dropout::new(p, keys, first, MaskSource::Host)
    }

    #[test]
    fn the_share_of_dropped_elements_is_p() {
        for p in [0.1, 0.5, 0.9] {
            let mask = host_mask(1_000_000, mask_of(p, KEYS, 0));
            let dropped = mask.iter().filter(|v| **v == 0.0).count() as f64 / 1e6;
            // Five standard deviations of a binomial share.
            assert!(
                (dropped - p).abs() < 5.0 * (p * (1.0 - p) / 1e6).sqrt(),
                "{p}: {dropped}"
            );
            let mean = mask.iter().map(|v| f64::from(*v)).sum::<f64>() / 1e6;
            assert!((mean - 1.0).abs() < 0.02, "{p}: {mean}");
        }
    }

    #[test]
    fn masks_of_other_sites_steps_and_seeds_are_unrelated() {
        let count = 400_000;
        let at =
            |seed, step, site: u64| host_mask(count, mask_of(0.5, site_keys(seed, step, site), 0));
        let first = at(1, 0, 0);
        assert_eq!(first, at(1, 0, 0));
        for other in [at(2, 0, 0), at(1, 1, 0), at(1, 0, 2)] {
            let equal = first.iter().zip(&other).filter(|(a, b)| a == b).count() as f64;
            assert!((equal / count as f64 - 0.5).abs() < 0.005);
        }
        // Neighbours within a mask are unrelated too.
        for lag in [1, 2, 64, 384] {
            let equal = first
                .iter()
                .zip(&first[lag..])
                .filter(|(a, b)| a == b)
                .count() as f64;
            assert!(
                (equal / (count - lag) as f64 - 0.5).abs() < 0.005,
                "lag {lag}"
            );
        }
    }

    #[test]
    fn host_and_device_make_the_same_mask() {
        let device = test_device();
        for (p, first) in [(0.1, 0), (0.5, 0), (0.1, 1_234_567), (0.5, u32::MAX - 9)] {
            let mask = mask_of(p, KEYS, first);
            let host = host_mask(401 * 257, mask);
            let made: Vec<f32> = device_mask([401, 257], mask, &device)
                .try_into_vec_as()
                .unwrap();
            let wrong = host.iter().zip(&made).position(|(host, made)| host != made);
            assert_eq!(wrong, None, "the first element that differs");
        }
    }

    #[test]
    fn the_mask_of_some_rows_is_a_part_of_the_mask_of_all() {
        let at = |first_row, rows: usize| {
            let key = DropoutKey {
                seed: 1,
                step: 2,
                first_row,
                masks: MaskSource::Host,
            };
            let mask = Dropout::at(3, 0.3, Phase::Training(key), 77).unwrap();
            let factors: Vec<f32> = (0..77 * rows as u32).map(|n| mask.factor(n)).collect();
            assert_eq!(factors, host_mask(77 * rows, mask));
            factors
        };
        let all = at(0, 12);
        assert_eq!(all[77 * 5..77 * 9], at(5, 4));
    }
}
