//! The beginning of a backward pass on the CPU: nothing is computed, the gradient is handed on.

use burn::tensor::Tensor;
use burn_flex::{Flex, FlexTensor};
use pulp::Simd;

use super::{Kernel, apply, input, slice};

pub(crate) fn seed<const D: usize>(output: Tensor<D>, gradient: Tensor<D>) -> Tensor<1> {
    let tracked = output.is_autodiff();
    let gradient = gradient
        .without_autodiff()
        .try_into_primitive::<Flex>()
        .expect(super::ON_FLEX)
        .to_contiguous();
    apply(Seed { gradient }, [input(output, tracked)], [1])
}

#[derive(Clone)]
struct Seed {
    gradient: FlexTensor,
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed")
    }
}

impl Kernel<1> for Seed {
    type Saved = ();
    const KEEPS: [bool; 1] = [false];

    fn forward(&self, _: impl Simd, _: [&[f32]; 1], _: bool) -> (Vec<f32>, ()) {
        (vec![0.0], ())
    }

    fn backward(
        &self,
        simd: impl Simd,
        _: [&[f32]; 1],
        (): &(),
        gradient: &[f32],
    ) -> [Vec<f32>; 1] {
        let values = slice(&self.gradient);
        let scale = gradient[0];
        [super::buffer::map(simd, [values], |[value]| scale * value)]
    }
}
