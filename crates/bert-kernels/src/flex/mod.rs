//! Kernels for Burn's CPU backend, each in a file of its own.
//!
//! A kernel works on slices ([`Kernel`]); [`apply`] ties it into Burn's autodiff. Work is cut into
//! pieces of fixed size, so that results do not depend on the number of threads.
//!
//! Every loop is compiled for AVX-512, for AVX2 and for the processor that the build is for, and the first that the processor has
//! is taken. A kernel is generic over them ([`Simd`]) so that each of its closures is compiled once for each: one that had several
//! callers would be called, and a function that is called has the instructions of the build. Numbers are the same bits with each.

pub(crate) mod accumulate;
pub(crate) mod attention;
mod bf16;
mod buffer;
pub(crate) mod embedding;
pub(crate) mod gelu;
pub(crate) mod linear;
mod math;
mod norm;
mod product;
pub(crate) mod residual;
pub(crate) mod seed;

use burn::tensor::{Shape, Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_backend::tensor::FloatTensor;
use burn_flex::{Flex, FlexTensor};
use pulp::{Arch, Simd, WithSimd};

/// Whether a tensor is a 32-bit one on the CPU backend, without gradient checkpointing.
pub(crate) fn runs<const D: usize>(x: &Tensor<D>) -> bool {
    if x.dtype() != burn::tensor::DType::F32 {
        return false;
    }
    if x.is_autodiff() {
        x.clone().try_into_primitive::<Autodiff<Flex>>().is_ok()
    } else {
        x.clone().try_into_primitive::<Flex>().is_ok()
    }
}

/// An operation of `N` tensors on slices, with its derivative.
pub(crate) trait Kernel<const N: usize>: Clone + Send + std::fmt::Debug + 'static {
    /// What the backward pass needs besides the inputs it keeps.
    type Saved: Clone + Send + std::fmt::Debug + 'static;
    /// Which inputs the backward pass reads.
    const KEEPS: [bool; N];

    /// The output's values. `training` says whether a backward pass may follow. Loops are given to `simd`, which compiles them
    /// for its instructions.
    fn forward(
        &self,
        simd: impl Simd,
        inputs: [&[f32]; N],
        training: bool,
    ) -> (Vec<f32>, Self::Saved);

    /// The gradient of each input; those that are not kept are empty slices here.
    fn backward(
        &self,
        simd: impl Simd,
        inputs: [&[f32]; N],
        saved: &Self::Saved,
        gradient: &[f32],
    ) -> [Vec<f32>; N];
}

/// A forward pass, for the instructions that the processor has.
struct Forward<'a, K, const N: usize>(&'a K, [&'a [f32]; N], bool);

impl<K: Kernel<N>, const N: usize> WithSimd for Forward<'_, K, N> {
    type Output = (Vec<f32>, K::Saved);

    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self(kernel, inputs, training) = self;
        kernel.forward(simd, inputs, training)
    }
}

/// A backward pass, for the instructions that the processor has.
struct Reverse<'a, K: Kernel<N>, const N: usize>(&'a K, [&'a [f32]; N], &'a K::Saved, &'a [f32]);

impl<K: Kernel<N>, const N: usize> WithSimd for Reverse<'_, K, N> {
    type Output = [Vec<f32>; N];

    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self(kernel, inputs, saved, gradient) = self;
        kernel.backward(simd, inputs, saved, gradient)
    }
}

/// An input whose rank is forgotten.
pub(crate) enum Input {
    Plain(FlexTensor),
    Tracked(FloatTensor<Autodiff<Flex>>),
}

const ON_FLEX: &str = "all operands of a kernel are on the CPU backend";

/// Takes a tensor's primitive; `tracked` where the operation records a graph.
pub(crate) fn input<const D: usize>(x: Tensor<D>, tracked: bool) -> Input {
    if tracked {
        let tracked = x.autodiff().try_into_primitive::<Autodiff<Flex>>();
        Input::Tracked(tracked.expect(ON_FLEX))
    } else {
        Input::Plain(x.try_into_primitive::<Flex>().expect(ON_FLEX))
    }
}

/// Runs a kernel, and records it where the inputs are tracked.
pub(crate) fn apply<K: Kernel<N>, const N: usize, const D: usize>(
    kernel: K,
    inputs: [Input; N],
    shape: [usize; D],
) -> Tensor<D> {
    let mut plain = Vec::with_capacity(N);
    let mut guards = Vec::with_capacity(N);
    for input in inputs {
        match input {
            Input::Plain(tensor) => plain.push(tensor.to_contiguous()),
            Input::Tracked(tensor) => {
                let (tensor, guard) = tensor.into_parts();
                plain.push(tensor.to_contiguous());
                guards.push(guard);
            }
        }
    }
    let plain: [FlexTensor; N] = plain.try_into().expect("each input was pushed once");
    let output = |values: Vec<f32>| FlexTensor::from_data(TensorData::new(values, shape));
    if guards.is_empty() {
        let forward = Forward(&kernel, plain.each_ref().map(slice), false);
        let (values, _) = Arch::new().dispatch(forward);
        return Tensor::from_primitive::<Flex>(output(values));
    }
    let guards = guards
        .try_into()
        .expect("either all inputs are tracked or none");
    let forward = Forward(&kernel, plain.each_ref().map(slice), true);
    let (values, saved) = Arch::new().dispatch(forward);
    let tracked = match Recorded::<K, N>::new()
        .prepare::<burn_autodiff::checkpoint::strategy::NoCheckpointing>(guards)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => {
            let shapes = plain
                .each_ref()
                .map(|tensor| tensor.layout().shape().clone());
            let mut keeps = K::KEEPS.iter();
            let kept = plain.map(|tensor| keeps.next().is_some_and(|k| *k).then_some(tensor));
            prep.finish(
                State {
                    kernel,
                    saved,
                    kept,
                    shapes,
                },
                output(values),
            )
        }
        OpsKind::UnTracked(prep) => prep.finish(output(values)),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(tracked)
}

fn slice(tensor: &FlexTensor) -> &[f32] {
    tensor
        .as_slice()
        .expect("kernels are given contiguous f32 tensors")
}

/// A kernel in a graph.
struct Recorded<K, const N: usize>(std::marker::PhantomData<K>);

impl<K, const N: usize> Recorded<K, N> {
    fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<K, const N: usize> std::fmt::Debug for Recorded<K, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::any::type_name::<K>())
    }
}

#[derive(Clone, Debug)]
struct State<K: Kernel<N>, const N: usize> {
    kernel: K,
    saved: K::Saved,
    kept: [Option<FlexTensor>; N],
    shapes: [Shape; N],
}

impl<K: Kernel<N>, const N: usize> Backward<Flex, N> for Recorded<K, N> {
    type State = State<K, N>;

    fn backward(self, ops: Ops<State<K, N>, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let State {
            kernel,
            saved,
            kept,
            shapes,
        } = ops.state;
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let inputs = kept
            .each_ref()
            .map(|tensor| tensor.as_ref().map_or(&[][..], slice));
        let reverse = Reverse(&kernel, inputs, &saved, slice(&gradient));
        let gradients = Arch::new().dispatch(reverse);
        for ((parent, values), shape) in ops.parents.into_iter().zip(gradients).zip(shapes) {
            if let Some(parent) = parent {
                let tensor = FlexTensor::from_data(TensorData::new(values, shape));
                grads.register::<Flex>(parent.id, tensor);
            }
        }
    }
}
