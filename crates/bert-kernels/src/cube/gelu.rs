//! GELU behind a product: one launch forward and one backward, which read the product only.

use burn::tensor::DType;
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::heads::Parts;
use super::memory::{contiguous, empty};
use super::rows::SHARE;
use super::units::{UNITS, cubes};

/// The Gaussian distribution function.
#[cube]
fn distribution(x: f32) -> f32 {
    Erf::erf(x * comptime!(std::f32::consts::FRAC_1_SQRT_2)) * 0.5f32 + 0.5f32
}

#[cube(launch)]
fn forward_kernel<X: Float>(
    x: &[X],
    bias: &[f32],
    output: &mut [X],
    count: usize,
    #[comptime] columns: usize,
    #[define(X)] _operand: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= count {
        terminate!();
    }
    let value = f32::cast_from(x[at]) + bias[at % columns];
    output[at] = X::cast_from(value * distribution(value));
}

/// A cube takes [`UNITS`] columns of [`SHARE`] rows, and sums their gradients.
#[cube(launch)]
fn backward_kernel<X: Float>(
    gradient: &[X],
    x: &[X],
    bias: &[f32],
    of_x: &mut [X],
    parts: &mut [f32],
    rows: usize,
    #[comptime] columns: usize,
    #[define(X)] _operand: ElemType,
) {
    let wide = comptime!(columns.div_ceil(UNITS));
    let share = CUBE_POS / wide;
    let first = share * SHARE;
    let column = (CUBE_POS % wide) * UNITS + UNIT_POS as usize;
    if first >= rows || column >= columns {
        terminate!();
    }
    let last = min(first + SHARE, rows);
    let mut sum = 0.0f32;
    for row in first..last {
        let at = row * columns + column;
        let value = f32::cast_from(x[at]) + bias[column];
        // 1 / √2π
        let density = (value * value * -0.5f32).exp() * comptime!(0.398_942_3f32);
        let slope = distribution(value) + value * density;
        let of_value = f32::cast_from(gradient[at]) * slope;
        of_x[at] = X::cast_from(of_value);
        sum += of_value;
    }
    parts[share * columns + column] = sum;
}

/// `y Φ(y)` of `y = x + b`.
pub(super) fn forward(x: CubeTensor, bias: CubeTensor) -> CubeTensor {
    let [x, bias] = [x, bias].map(contiguous);
    let output = empty(&x, x.meta.shape().clone(), x.dtype);
    let (client, operand) = (x.client.clone(), dtype_to_storage_type(x.dtype));
    let (count, columns) = (x.meta.num_elements(), bias.meta.num_elements());
    forward_kernel::launch(
        &client,
        cubes(count.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        x.into_buffer_arg(),
        bias.into_buffer_arg(),
        output.clone().into_buffer_arg(),
        count,
        columns,
        operand,
    );
    output
}

/// The gradients of `x`, and of the bias, as shares.
pub(super) fn backward(
    gradient: CubeTensor,
    x: CubeTensor,
    bias: CubeTensor,
) -> (CubeTensor, Parts) {
    let [gradient, x, bias] = [gradient, x, bias].map(contiguous);
    let of_x = empty(&x, x.meta.shape().clone(), x.dtype);
    let columns = bias.meta.num_elements();
    let rows = x.meta.num_elements() / columns.max(1);
    let shares = rows.div_ceil(SHARE);
    let parts = empty(&x, [shares, columns].into(), DType::F32);
    let (client, operand) = (x.client.clone(), dtype_to_storage_type(x.dtype));
    backward_kernel::launch(
        &client,
        cubes(shares * columns.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        gradient.into_buffer_arg(),
        x.into_buffer_arg(),
        bias.into_buffer_arg(),
        of_x.clone().into_buffer_arg(),
        parts.clone().into_buffer_arg(),
        rows,
        columns,
        operand,
    );
    let widths = vec![columns];
    let sums = parts;
    (of_x, Parts { sums, widths })
}
