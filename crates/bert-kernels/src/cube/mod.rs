//! Kernels for GPUs, in CubeCL: one source for CUDA, wgpu and HIP.
//!
//! [`queue`] hands a launch to Burn's fusing backend, which runs what it fuses up to there first; [`apply`] ties an
//! operation into its autodiff. No kernel uses operations of a subgroup, so that all devices run all of them, and none
//! adds atomically, so that sums have the same bits every time.

pub(crate) mod accumulate;
pub(crate) mod adam;
pub(crate) mod attention;
pub(crate) mod cross_entropy;
mod dropout;
pub(crate) mod embedding;
mod gelu;
mod heads;
pub(crate) mod layer;
pub(crate) mod linear;
mod memory;
mod norm;
mod operands;
mod product;
pub(crate) mod residual;
mod rows;
pub(crate) mod seed;
mod softmax;
pub(crate) mod tokens;
mod units;

use std::fmt;
use std::marker::PhantomData;

use burn::tensor::{DType, Shape, Tensor};
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::NoCheckpointing;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_backend::ExecutionError;
use burn_backend::tensor::FloatTensor;
use burn_cubecl::fusion::{CubeFusionHandle, FusionCubeRuntime};
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{Cube, CubeBackend};
use burn_fusion::FusionTensor;
use burn_fusion::stream::{Operation, StreamId};
use burn_ir::{CustomOpIr, HandleContainer, OperationIr, TensorIr};

#[cfg(feature = "cuda")]
pub(crate) use self::memory::exact;

/// A tensor of the fusing backend.
pub(crate) type Plain = FusionTensor<FusionCubeRuntime>;

/// Whether a tensor is on a GPU.
pub(crate) fn runs<const D: usize>(x: &Tensor<D>) -> bool {
    if x.is_autodiff() {
        x.clone().try_into_primitive::<Autodiff<Cube>>().is_ok()
    } else {
        x.clone().try_into_primitive::<Cube>().is_ok()
    }
}

/// Queues a launch behind what the inputs are made of, and returns its outputs, of the shapes and types given.
///
/// # Panics
/// Without inputs.
fn queue(
    name: &'static str,
    inputs: Vec<Plain>,
    outputs: Vec<(Shape, DType)>,
    launch: impl Fn(Vec<CubeTensor>) -> Vec<CubeTensor> + Send + Sync + 'static,
) -> Vec<Plain> {
    let client = inputs[0].client.clone();
    let inputs: Vec<TensorIr> = inputs.into_iter().map(Plain::into_ir).collect();
    let outputs = outputs.into_iter();
    let outputs: Vec<TensorIr> = outputs
        .map(|(shape, dtype)| TensorIr::uninit(client.create_empty_handle(), shape, dtype))
        .collect();
    let queued = CustomOpIr::new(name, &inputs, &outputs);
    let launch = Launch {
        name,
        inputs,
        outputs,
        launch,
    };
    client.register(StreamId::current(), OperationIr::Custom(queued), launch)
}

/// [`queue`] with numbers of tensors that are known.
fn queue_fixed<const I: usize, const O: usize>(
    name: &'static str,
    inputs: [Plain; I],
    outputs: [(Shape, DType); O],
    launch: impl Fn([CubeTensor; I]) -> [CubeTensor; O] + Send + Sync + 'static,
) -> [Plain; O] {
    let launch = move |inputs: Vec<CubeTensor>| launch(exactly(inputs)).to_vec();
    // Moved, so that a launch may write where the last reader of an input would read.
    exactly(queue(name, inputs.into(), outputs.into(), launch))
}

fn exactly<T, const N: usize>(values: Vec<T>) -> [T; N] {
    let count = values.len();
    let Ok(values) = values.try_into() else {
        unreachable!("{count} tensors for {N}");
    };
    values
}

/// A launch in the queue.
struct Launch<F> {
    name: &'static str,
    inputs: Vec<TensorIr>,
    outputs: Vec<TensorIr>,
    launch: F,
}

impl<F> fmt::Debug for Launch<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl<F> Operation<FusionCubeRuntime> for Launch<F>
where
    F: Fn(Vec<CubeTensor>) -> Vec<CubeTensor> + Send + Sync,
{
    fn execute(
        &self,
        handles: &mut HandleContainer<CubeFusionHandle>,
    ) -> Result<(), ExecutionError> {
        let inputs = self.inputs.iter();
        let inputs = inputs.map(|input| handles.get_float_tensor::<CubeBackend>(input));
        let outputs = (self.launch)(inputs.collect());
        for (made, output) in outputs.into_iter().zip(&self.outputs) {
            handles.register_float_tensor::<CubeBackend>(&output.id, made);
        }
        Ok(())
    }
}

/// An operation of `N` tensors, with its derivative.
pub(crate) trait Differentiable<const N: usize>:
    Clone + Send + fmt::Debug + 'static
{
    /// What the backward pass reads.
    type Saved: Clone + Send + fmt::Debug + 'static;

    fn forward(&self, inputs: [Plain; N]) -> (Plain, Self::Saved);

    /// The gradient of each input.
    fn backward(&self, saved: Self::Saved, gradient: Plain) -> [Plain; N];
}

const ON_GPU: &str = "all operands of a kernel are on one GPU";

/// An input whose rank is forgotten.
pub(crate) enum Input {
    Plain(Plain),
    Tracked(FloatTensor<Autodiff<Cube>>),
}

/// Takes a tensor's primitive; `tracked` where the operation records a graph.
pub(crate) fn input<const D: usize>(x: Tensor<D>, tracked: bool) -> Input {
    if tracked {
        let tracked = x.autodiff().try_into_primitive::<Autodiff<Cube>>();
        Input::Tracked(tracked.expect(ON_GPU))
    } else {
        Input::Plain(plain(x))
    }
}

/// The primitive of a tensor that is not tracked.
pub(crate) fn plain<const D: usize>(x: Tensor<D>) -> Plain {
    x.try_into_primitive::<Cube>().expect(ON_GPU)
}

/// Runs an operation, and records it where the inputs are tracked.
pub(crate) fn apply<O: Differentiable<N>, const N: usize, const D: usize>(
    operation: O,
    inputs: [Input; N],
) -> Tensor<D> {
    let mut tensors = Vec::with_capacity(N);
    let mut guards = Vec::with_capacity(N);
    for input in inputs {
        match input {
            Input::Plain(tensor) => tensors.push(tensor),
            Input::Tracked(tensor) => {
                let (tensor, guard) = tensor.into_parts();
                tensors.push(tensor);
                guards.push(guard);
            }
        }
    }
    let (output, saved) = operation.forward(exactly(tensors));
    if guards.is_empty() {
        return Tensor::from_primitive::<Cube>(output);
    }
    let tracked = match Recorded::<O, N>(PhantomData)
        .prepare::<NoCheckpointing>(exactly(guards))
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => prep.finish((operation, saved), output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    };
    Tensor::from_primitive::<Autodiff<Cube>>(tracked)
}

/// An operation in a graph.
struct Recorded<O, const N: usize>(PhantomData<O>);

impl<O, const N: usize> fmt::Debug for Recorded<O, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<O>())
    }
}

impl<O: Differentiable<N>, const N: usize> Backward<Cube, N> for Recorded<O, N> {
    type State = (O, O::Saved);

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (operation, saved) = ops.state;
        let gradient = grads.consume::<Cube>(&ops.node);
        let gradients = operation.backward(saved, gradient);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<Cube>(parent.id, gradient);
            }
        }
    }
}
