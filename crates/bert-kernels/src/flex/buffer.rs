//! Outputs that are written once, by all cores, without being zeroed first: their pages are touched where they are
//! computed.

use std::mem::MaybeUninit;

use pulp::Simd;
use rayon::prelude::*;

/// Elements of one parallel piece.
const CHUNK: usize = 1 << 14;

/// `value` of the elements of slices of one length, made by all cores.
pub(super) fn map<const N: usize>(
    simd: impl Simd,
    slices: [&[f32]; N],
    value: impl Fn([f32; N]) -> f32 + Sync,
) -> Vec<f32> {
    let write = |start: usize, piece: &mut [MaybeUninit<f32>]| {
        // Slices that are as long as the piece need no check of each element, which would keep the loop from SIMD.
        let slices = slices.map(|slice| &slice[start..][..piece.len()]);
        fill(piece, |n| value(slices.map(|slice| slice[n])));
    };
    // SAFETY: `fill` writes every element.
    unsafe { written(simd, slices[0].len(), CHUNK, write) }
}

/// A vector of `len` elements, written in parallel pieces of `piece` elements by `write`, which is given the place
/// of a piece's first element.
///
/// # Safety
/// `write` must write every element of its piece.
pub(super) unsafe fn written(
    simd: impl Simd,
    len: usize,
    piece: usize,
    write: impl Fn(usize, &mut [MaybeUninit<f32>]) + Sync,
) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    values.spare_capacity_mut()[..len]
        .par_chunks_mut(piece)
        .enumerate()
        .for_each(|(n, chunk)| simd.vectorize(|| write(n * piece, chunk)));
    // SAFETY: the pieces cover all `len` elements, and the caller promises that each is written.
    unsafe { values.set_len(len) };
    values
}

/// Writes every element of a piece.
#[inline(always)]
pub(super) fn fill(
    piece: &mut [MaybeUninit<f32>],
    mut value: impl FnMut(usize) -> f32,
) -> &mut [f32] {
    for (n, slot) in piece.iter_mut().enumerate() {
        slot.write(value(n));
    }
    // SAFETY: every element was just written.
    unsafe { piece.assume_init_mut() }
}

/// A pointer that tasks may write through, each to elements of its own.
#[derive(Clone, Copy)]
pub(super) struct Shared(pub(super) *mut f32);
// SAFETY: tasks write disjoint elements, and the buffer outlives them.
unsafe impl Send for Shared {}
// SAFETY: as above; nothing is read through it.
unsafe impl Sync for Shared {}

impl Shared {
    /// # Safety
    /// `offset` must be within the buffer.
    pub(super) unsafe fn at(self, offset: usize) -> *mut f32 {
        // SAFETY: the caller's promise.
        unsafe { self.0.add(offset) }
    }

    /// A piece that is not written yet.
    ///
    /// # Safety
    /// The piece must be within the buffer, and no other task may use it.
    pub(super) unsafe fn piece<'a>(self, start: usize, len: usize) -> &'a mut [MaybeUninit<f32>] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start).cast(), len) }
    }
}

/// Vectors of `len` elements each, which `write` fills.
///
/// # Safety
/// `write` must write all elements of each.
pub(super) unsafe fn through_pointers<const N: usize, T>(
    len: usize,
    write: impl FnOnce([Shared; N]) -> T,
) -> ([Vec<f32>; N], T) {
    let mut vectors = [(); N].map(|()| Vec::with_capacity(len));
    let result = write(vectors.each_mut().map(|vector| Shared(vector.as_mut_ptr())));
    for vector in &mut vectors {
        // SAFETY: the caller promises that every element was written.
        unsafe { vector.set_len(len) };
    }
    (vectors, result)
}
