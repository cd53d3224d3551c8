//! [`crate::cross_entropy_of_columns`]: one launch forward, one backward.

use burn::tensor::{DType, Tensor};
use burn_backend::cubecl::dtype_to_storage_type;
use burn_cubecl::Cube;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::memory::{contiguous, empty};
use super::units::{UNITS, cubes, largest_of_units, sum_over_units};
use super::{Differentiable, ON_GPU, Plain, apply, input, queue_fixed};

/// A cube takes an example. Its choices' logits lie `choices` apart; `logs` are the logarithms of the softmax'
/// denominators.
#[cube(launch)]
fn forward_kernel<I: Int>(
    logits: &[f32],
    classes: &[I],
    losses: &mut [f32],
    logs: &mut [f32],
    examples: usize,
    size: usize,
    #[comptime] choices: usize,
    #[define(I)] _class: ElemType,
) {
    let example = CUBE_POS;
    if example >= examples {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut loss = 0.0f32;
    #[unroll]
    for n in 0..choices {
        let first = example * size * choices + n;
        let mut most = f32::new(-3.0e38);
        let mut class = unit;
        while class < size {
            most = max(most, logits[first + class * choices]);
            class += UNITS;
        }
        let most = largest_of_units(most, &mut shared, UNITS);
        let mut sum = 0.0f32;
        class = unit;
        while class < size {
            sum += (logits[first + class * choices] - most).exp();
            class += UNITS;
        }
        let log = most + sum_over_units(sum, &mut shared, UNITS).ln();
        let choice = example * choices + n;
        if unit == 0 {
            logs[choice] = log;
        }
        loss += log - logits[first + usize::cast_from(classes[choice]) * choices];
    }
    if unit == 0 {
        losses[example] = loss / f32::cast_from(choices);
    }
}

#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn backward_kernel<I: Int>(
    gradient: &[f32],
    logits: &[f32],
    classes: &[I],
    logs: &[f32],
    of_logits: &mut [f32],
    count: usize,
    size: usize,
    #[comptime] choices: usize,
    #[define(I)] _class: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= count {
        terminate!();
    }
    let example = at / (size * choices);
    let choice = example * choices + at % choices;
    let mut slope = (logits[at] - logs[choice]).exp();
    if at / choices % size == usize::cast_from(classes[choice]) {
        slope -= 1.0f32;
    }
    of_logits[at] = gradient[example] * slope / f32::cast_from(choices);
}

/// The losses, and the logarithms of the denominators.
fn forward(logits: CubeTensor, classes: CubeTensor) -> [CubeTensor; 2] {
    let [logits, classes] = [logits, classes].map(contiguous);
    let [examples, size, choices] = [0, 1, 2].map(|axis| logits.meta.shape()[axis]);
    let losses = empty(&logits, [examples].into(), DType::F32);
    let logs = empty(&logits, [examples, choices].into(), DType::F32);
    let (client, class) = (logits.client.clone(), dtype_to_storage_type(classes.dtype));
    forward_kernel::launch(
        &client,
        cubes(examples),
        CubeDim::new_1d(UNITS as u32),
        logits.into_buffer_arg(),
        classes.into_buffer_arg(),
        losses.clone().into_buffer_arg(),
        logs.clone().into_buffer_arg(),
        examples,
        size,
        choices,
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
    let [size, choices] = [1, 2].map(|axis| logits.meta.shape()[axis]);
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
        size,
        choices,
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
        let of_example = ([logits.shape[0]].into(), DType::F32);
        let of_choice = ([logits.shape[0], logits.shape[2]].into(), DType::F32);
        let launch = |[logits, classes]: [_; 2]| forward(logits, classes);
        let [losses, logs] = queue_fixed(
            "cross_entropy",
            [logits.clone(), self.classes.clone()],
            [of_example, of_choice],
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

pub(crate) fn cross_entropy(logits: Tensor<3>, classes: Tensor<2, burn::tensor::Int>) -> Tensor<1> {
    let operation = CrossEntropy {
        classes: classes.try_into_primitive::<Cube>().expect(ON_GPU),
    };
    let tracked = logits.is_autodiff();
    apply(operation, [input(logits, tracked)])
}
