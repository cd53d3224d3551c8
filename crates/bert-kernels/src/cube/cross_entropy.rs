//! [`crate::cross_entropy`]: one launch forward, one backward.

use burn::tensor::{DType, Tensor};
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::Cube;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::memory::{contiguous, empty};
use super::units::{UNITS, cubes, largest_of_units, sum_over_units};
use super::{Differentiable, ON_GPU, Plain, apply, input, queue_fixed};

/// A cube takes a row; `logs` are the logarithms of the softmax' denominators.
#[cube(launch)]
fn forward_kernel<I: Int>(
    logits: &[f32],
    classes: &[I],
    losses: &mut [f32],
    logs: &mut [f32],
    rows: usize,
    columns: usize,
    #[define(I)] _class: ElemType,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let first = row * columns;
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut most = f32::new(-3.0e38);
    let mut column = unit;
    while column < columns {
        most = max(most, logits[first + column]);
        column += UNITS;
    }
    let most = largest_of_units(most, &mut shared, UNITS);
    let mut sum = 0.0f32;
    column = unit;
    while column < columns {
        sum += (logits[first + column] - most).exp();
        column += UNITS;
    }
    let log = most + sum_over_units(sum, &mut shared, UNITS).ln();
    if unit == 0 {
        logs[row] = log;
        losses[row] = log - logits[first + usize::cast_from(classes[row])];
    }
}

#[cube(launch)]
fn backward_kernel<I: Int>(
    gradient: &[f32],
    logits: &[f32],
    classes: &[I],
    logs: &[f32],
    of_logits: &mut [f32],
    count: usize,
    columns: usize,
    #[define(I)] _class: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= count {
        terminate!();
    }
    let row = at / columns;
    let mut slope = (logits[at] - logs[row]).exp();
    if at % columns == usize::cast_from(classes[row]) {
        slope -= 1.0f32;
    }
    of_logits[at] = gradient[row] * slope;
}

/// The losses, and the logarithms of the denominators.
fn forward(logits: CubeTensor, classes: CubeTensor) -> [CubeTensor; 2] {
    let [logits, classes] = [logits, classes].map(contiguous);
    let [rows, columns] = [0, 1].map(|axis| logits.meta.shape()[axis]);
    let [losses, logs] = [(), ()].map(|()| empty(&logits, [rows].into(), DType::F32));
    let (client, class) = (logits.client.clone(), dtype_to_storage_type(classes.dtype));
    forward_kernel::launch(
        &client,
        cubes(rows),
        CubeDim::new_1d(UNITS as u32),
        logits.into_buffer_arg(),
        classes.into_buffer_arg(),
        losses.clone().into_buffer_arg(),
        logs.clone().into_buffer_arg(),
        rows,
        columns,
        class,
    );
    [losses, logs]
}

fn backward(
    gradient: CubeTensor,
    logits: CubeTensor,
    classes: CubeTensor,
    logs: CubeTensor,
) -> CubeTensor {
    let [gradient, logits, classes, logs] = [gradient, logits, classes, logs].map(contiguous);
    let columns = logits.meta.shape()[1];
    let of_logits = empty(&logits, logits.meta.shape().clone(), DType::F32);
    let (client, class) = (logits.client.clone(), dtype_to_storage_type(classes.dtype));
    let count = logits.meta.num_elements();
    backward_kernel::launch(
        &client,
        cubes(count.div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        gradient.into_buffer_arg(),
        logits.into_buffer_arg(),
        classes.into_buffer_arg(),
        logs.into_buffer_arg(),
        of_logits.clone().into_buffer_arg(),
        count,
        columns,
        class,
    );
    of_logits
}

#[derive(Clone, Debug)]
struct CrossEntropy {
    classes: Plain,
}

impl Differentiable<1> for CrossEntropy {
    /// The logits and the logarithms of the denominators.
    type Saved = [Plain; 2];

    fn forward(&self, [logits]: [Plain; 1]) -> (Plain, Self::Saved) {
        let of_row = ([logits.shape[0]].into(), DType::F32);
        let launch = |[logits, classes]: [_; 2]| forward(logits, classes);
        let [losses, logs] = queue_fixed(
            "cross_entropy",
            [logits.clone(), self.classes.clone()],
            [of_row.clone(), of_row],
            launch,
        );
        (losses, [logits, logs])
    }

    fn backward(&self, [logits, logs]: Self::Saved, gradient: Plain) -> [Plain; 1] {
        let whole = (logits.shape.clone(), logits.dtype);
        let inputs = [gradient, logits, self.classes.clone(), logs];
        let launch =
            |[gradient, logits, classes, logs]: [_; 4]| [backward(gradient, logits, classes, logs)];
        queue_fixed("cross_entropy_backward", inputs, [whole], launch)
    }
}

pub(crate) fn cross_entropy(logits: Tensor<2>, classes: Tensor<1, burn::tensor::Int>) -> Tensor<1> {
    let operation = CrossEntropy {
        classes: classes.try_into_primitive::<Cube>().expect(ON_GPU),
    };
    let tracked = logits.is_autodiff();
    apply(operation, [input(logits, tracked)])
}
