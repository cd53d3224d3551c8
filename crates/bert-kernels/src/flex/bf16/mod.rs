//! Matrix products of bf16 operands that are summed in 32 bits, by AVX512-BF16.
//!
//! Operands are 32-bit numbers that are rounded while they are packed, to the nearest bf16 and to the even one of two, as
//! PyTorch rounds; infinities and NaN stay what they are. `vdpbf16ps` adds the products of two pairs to a 32-bit sum, one
//! after the other (Intel, *Architecture Instruction Set Extensions Programming Reference*, 319433). Neither it nor the
//! rounding knows subnormal numbers: operands and sums below 2⁻¹²⁶ are zero.
//!
//! An element's sum is one over all of `k` in a fixed order. It depends neither on the place of the element nor on the
//! number of threads.
//!
//! A core of Zen 4 issues the instruction as often as a multiply-add of fp32, and it does twice the work. One of Emerald
//! Rapids issues it a quarter as often, so that a product in bf16 takes twice as long as one in fp32.

#[cfg(target_arch = "x86_64")]
mod blocks;
#[cfg(target_arch = "x86_64")]
mod pack;
#[cfg(all(test, target_arch = "x86_64"))]
mod tests;
#[cfg(target_arch = "x86_64")]
mod tile;

use super::product::{Matrix, Product};
use crate::pass::processor_has_bf16;

/// A product of rounded operands.
///
/// # Panics
/// When the processor lacks the instructions.
///
/// # Safety
/// `a` and `b` must be whole: have every element that the product reads. `out` must be valid for reads and writes of
/// every element of the product, which no other thread touches.
#[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables))]
pub(super) unsafe fn product(product: Product, out: *mut f32, a: Matrix<'_>, b: Matrix<'_>) {
    assert!(
        processor_has_bf16(),
        "products in bf16 need a processor with AVX512-BF16"
    );
    // SAFETY: the instructions are there, the rest is the caller's promise.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        blocks::product(product, out, a, b);
    }
}
