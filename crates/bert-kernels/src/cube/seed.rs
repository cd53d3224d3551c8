//! The beginning of a backward pass: nothing is computed, the gradient is handed on.

use burn::tensor::{DType, Tensor};

use super::memory::empty;
use super::{Differentiable, Plain, apply, input, plain, queue_fixed};

#[derive(Clone, Debug)]
struct Seed {
    gradient: Plain,
}

impl Differentiable<1> for Seed {
    type Saved = ();

    /// A number that no one reads.
    fn forward(&self, [output]: [Plain; 1]) -> (Plain, ()) {
        let one: [usize; 1] = [1];
        let launch = move |[like]: [_; 1]| [empty(&like, one.into(), DType::F32)];
        let [scalar] = queue_fixed("seed", [output], [(one.into(), DType::F32)], launch);
        (scalar, ())
    }

    fn backward(&self, (): (), _: Plain) -> [Plain; 1] {
        [self.gradient.clone()]
    }
}

pub(crate) fn seed<const D: usize>(output: Tensor<D>, gradient: Tensor<D>) -> Tensor<1> {
    let operation = Seed {
        gradient: plain(gradient.without_autodiff()),
    };
    let tracked = output.is_autodiff();
    apply(operation, [input(output, tracked)])
}
