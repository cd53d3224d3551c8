//! GELU on the CPU.

use burn::tensor::Tensor;
use pulp::Simd;

use super::math::{erf, exp};
use super::{Kernel, apply, buffer, input};

pub(crate) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let shape = x.dims();
    let tracked = x.is_autodiff();
    apply(Gelu, [input(x, tracked)], shape)
}

#[derive(Debug, Clone)]
struct Gelu;

#[inline(always)]
fn gaussian_cdf(x: f32) -> f32 {
    0.5 + 0.5 * erf(x * std::f32::consts::FRAC_1_SQRT_2)
}

impl Kernel<1> for Gelu {
    type Saved = ();
    const KEEPS: [bool; 1] = [true];

    fn forward(&self, simd: impl Simd, [x]: [&[f32]; 1], _: bool) -> (Vec<f32>, ()) {
        (buffer::map(simd, [x], |[x]| x * gaussian_cdf(x)), ())
    }

    fn backward(
        &self,
        simd: impl Simd,
        [x]: [&[f32]; 1],
        (): &(),
        gradient: &[f32],
    ) -> [Vec<f32>; 1] {
        // 1 / √(2π)
        const DENSITY: f32 = 0.398_942_3;
        [buffer::map(simd, [x, gradient], |[x, gradient]| {
            let density = DENSITY * exp(-0.5 * x * x);
            gradient * (gaussian_cdf(x) + x * density)
        })]
    }
}
