//! The masks of [`crate::dropout`], element by element.

use cubecl::prelude::*;

use crate::dropout::{Dropout, ROUNDS};

/// What a kernel needs to know of a mask.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Mask {
    /// The keys of the hash's two rounds.
    first: u32,
    second: u32,
    /// The first element's place in the mask of the whole micro-batch.
    start: u32,
    /// An element is dropped when its hash, with the sign bit turned, is below this.
    threshold: u32,
    /// The factor on elements that are kept.
    kept: f32,
}

/// The arguments of a launch; without dropout they are not read.
pub(super) fn mask_args(dropout: Option<Dropout>) -> MaskLaunch {
    let (keys, start, threshold, kept) = match dropout {
        Some(dropout) => dropout.hashed(),
        None => ([0, 0], 0, 0, 1.0),
    };
    MaskLaunch::new(keys[0], keys[1], start, threshold, kept)
}

#[cube]
impl Mask {
    /// The factor on the element at a flat index: 0 or `1 / (1 - p)`.
    pub(super) fn factor(&self, index: u32) -> f32 {
        let mut x = round((index + self.start) ^ self.first, comptime!(ROUNDS[0]));
        x = round(x ^ self.second, comptime!(ROUNDS[1]));
        // Hashes are compared as signed integers: the sign bit is turned on both sides.
        select((x ^ 0x8000_0000u32) < self.threshold, 0.0f32, self.kept)
    }
}

#[cube]
fn round(index: u32, #[comptime] by: [u32; 2]) -> u32 {
    let mut x = index;
    x ^= x >> 16u32;
    x *= comptime!(by[0]);
    x ^= x >> 15u32;
    x *= comptime!(by[1]);
    x ^= x >> 16u32;
    x
}
