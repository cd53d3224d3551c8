//! GELU on the CPU.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::math::{erf, exp};
use super::{Kernel, apply, input};

/// Elements of one parallel piece.
const CHUNK: usize = 1 << 14;

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

    fn forward(&self, [x]: [&[f32]; 1], _: bool) -> (Vec<f32>, ()) {
        let mut y = vec![0.0; x.len()];
        y.par_chunks_mut(CHUNK)
            .zip(x.par_chunks(CHUNK))
            .for_each(|(y, x)| {
                for (y, x) in y.iter_mut().zip(x) {
                    *y = x * gaussian_cdf(*x);
                }
            });
        (y, ())
    }

    fn backward(&self, [x]: [&[f32]; 1], (): &(), gradient: &[f32]) -> [Vec<f32>; 1] {
        // 1 / √(2π)
        const DENSITY: f32 = 0.398_942_3;
        let mut dx = vec![0.0; x.len()];
        dx.par_chunks_mut(CHUNK)
            .zip(x.par_chunks(CHUNK))
            .zip(gradient.par_chunks(CHUNK))
            .for_each(|((dx, x), gradient)| {
                for ((dx, x), g) in dx.iter_mut().zip(x).zip(gradient) {
                    let density = DENSITY * exp(-0.5 * x * x);
                    *dx = g * (gaussian_cdf(*x) + x * density);
                }
            });
        [dx]
    }
}
