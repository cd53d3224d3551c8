//! [`crate::gelu`]: one launch forward, one backward, which reads the input only.

use burn::tensor::Tensor;
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::memory::{contiguous, empty};
use super::units::{UNITS, cubes};
use super::{Differentiable, Plain, apply, input, queue_fixed};

/// The Gaussian distribution function.
#[cube]
fn distribution(x: f32) -> f32 {
    Erf::erf(x * comptime!(std::f32::consts::FRAC_1_SQRT_2)) * 0.5f32 + 0.5f32
}

#[cube(launch)]
fn forward_kernel<X: Float>(
    x: &[X],
    output: &mut [X],
    count: usize,
    #[define(X)] _operand: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= count {
        terminate!();
    }
    let value = f32::cast_from(x[at]);
    output[at] = X::cast_from(value * distribution(value));
}

#[cube(launch)]
fn backward_kernel<X: Float>(
    gradient: &[X],
    x: &[X],
    of_x: &mut [X],
    count: usize,
    #[define(X)] _operand: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= count {
        terminate!();
    }
    let value = f32::cast_from(x[at]);
    // 1 / √2π
    let density = (value * value * -0.5f32).exp() * comptime!(0.398_942_3f32);
    let slope = distribution(value) + value * density;
    of_x[at] = X::cast_from(f32::cast_from(gradient[at]) * slope);
}

fn forward(x: CubeTensor) -> CubeTensor {
    let x = contiguous(x);
    let output = empty(&x, x.meta.shape().clone(), x.dtype);
    let (client, operand) = (x.client.clone(), dtype_to_storage_type(x.dtype));
    let count = x.meta.num_elements();
    forward_kernel::launch(
        &client,
        cubes(count.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        x.into_buffer_arg(),
        output.clone().into_buffer_arg(),
        count,
        operand,
    );
    output
}

fn backward(gradient: CubeTensor, x: CubeTensor) -> CubeTensor {
    let [gradient, x] = [gradient, x].map(contiguous);
    let of_x = empty(&x, x.meta.shape().clone(), x.dtype);
    let (client, operand) = (x.client.clone(), dtype_to_storage_type(x.dtype));
    let count = x.meta.num_elements();
    backward_kernel::launch(
        &client,
        cubes(count.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        gradient.into_buffer_arg(),
        x.into_buffer_arg(),
        of_x.clone().into_buffer_arg(),
        count,
        operand,
    );
    of_x
}

#[derive(Clone, Debug)]
struct Gelu;

impl Differentiable<1> for Gelu {
    /// The input.
    type Saved = Plain;

    fn forward(&self, [x]: [Plain; 1]) -> (Plain, Plain) {
        let whole = (x.shape.clone(), x.dtype);
        let [output] = queue_fixed("gelu", [x.clone()], [whole], |[x]| [forward(x)]);
        (output, x)
    }

    fn backward(&self, x: Plain, gradient: Plain) -> [Plain; 1] {
        let whole = (x.shape.clone(), x.dtype);
        let launch = |[gradient, x]: [_; 2]| [backward(gradient, x)];
        queue_fixed("gelu_backward", [gradient, x], [whole], launch)
    }
}

pub(crate) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let tracked = x.is_autodiff();
    apply(Gelu, [input(x, tracked)])
}
