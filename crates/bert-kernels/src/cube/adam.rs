//! Adam over all parameters: a launch for the squares of as many gradients as a launch may read, one for the norm,
//! and a launch for the updates of as many parameters as a launch may write. Updates are in place.

use burn::tensor::Tensor;
use burn_cubecl::Cube;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::memory::{buffers, contiguous, empty, owned};
use super::units::{UNITS, cubes, sum_over_units};
use super::{plain, queue};
use crate::adam::{AdamStep, Clip, Parameter, Updated};

/// Elements that a cube reads or updates.
const CHUNK: usize = 64 * UNITS;
/// Tensors of a launch at most: a kernel has code for each.
const MOST: usize = 256;
/// Tensors of an update besides its parameters: squares and norm.
const OTHERS: usize = 2;

/// Which cubes work on which parameters. A buffer may be longer than what it holds, so lengths are told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shares {
    /// Elements of each parameter.
    lengths: Vec<usize>,
    /// The first cube of each, and the number of cubes.
    firsts: Vec<usize>,
}

impl Shares {
    fn new(lengths: &[usize]) -> Self {
        let mut sum = 0;
        let ends = lengths.iter().map(|length| {
            sum += length.div_ceil(CHUNK).max(1);
            sum
        });
        Self {
            firsts: std::iter::once(0).chain(ends).collect(),
            lengths: lengths.to_vec(),
        }
    }

    /// All cubes.
    fn cubes(&self) -> usize {
        self.firsts[self.lengths.len()]
    }
}

/// Sums the squares of a chunk.
#[cube(launch)]
fn squares_kernel(
    gradients: Sequence<Box<[f32]>>,
    squares: &mut [f32],
    offset: usize,
    #[comptime] shares: Shares,
) {
    let cube = CUBE_POS;
    let count = comptime!(shares.lengths.len());
    if cube >= comptime!(shares.cubes()) {
        terminate!();
    }
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut sum = 0.0f32;
    #[unroll]
    for n in 0..count {
        let first = comptime!(shares.firsts[n]);
        let last = comptime!(shares.firsts[n + 1]);
        if cube >= first && cube < last {
            let gradient = &gradients[n];
            let start = (cube - first) * CHUNK;
            let end = min(start + CHUNK, comptime!(shares.lengths[n]));
            let mut at = start + UNIT_POS as usize;
            while at < end {
                let value = gradient[at];
                sum += value * value;
                at += UNITS;
            }
        }
    }
    let sum = sum_over_units(sum, &mut shared, UNITS);
    if UNIT_POS == 0 {
        squares[offset + cube] = sum;
    }
}

/// The root of the sum of some numbers, by one cube.
#[cube(launch)]
fn norm_kernel(squares: &[f32], norm: &mut [f32], count: usize) {
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let sum = sum_of(squares, 0usize, count, &mut shared);
    if UNIT_POS == 0 {
        norm[0] = sum.sqrt();
    }
}

#[cube]
fn sum_of(values: &[f32], first: usize, last: usize, shared: &mut Shared<[f32]>) -> f32 {
    let mut sum = 0.0f32;
    let mut at = first + UNIT_POS as usize;
    while at < last {
        sum += values[at];
        at += UNITS;
    }
    sum_over_units(sum, shared, UNITS)
}

/// The constants of a step.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct Constants {
    rate: f32,
    decay: f32,
    beta_1: f32,
    beta_2: f32,
    /// `1 - β`, from 64 bits: 32 would lose a third of 0.001's digits.
    new_1: f32,
    new_2: f32,
    correction_1: f32,
    correction_2: f32,
    epsilon: f32,
    bound: f32,
    norm_epsilon: f32,
}

/// What a kernel has code for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Plan {
    shares: Shares,
    decays: Vec<bool>,
    /// Each parameter's share of the learning rate, as bits.
    rates: Vec<u32>,
    clip: ClipKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ClipKind {
    PerTensor,
    Global,
    Off,
}

/// Updates a chunk.
#[cube(launch)]
#[allow(clippy::too_many_arguments)]
fn update_kernel(
    gradients: Sequence<Box<[f32]>>,
    mut weights: Sequence<Box<[f32]>>,
    mut firsts: Sequence<Box<[f32]>>,
    mut seconds: Sequence<Box<[f32]>>,
    squares: &[f32],
    norm: &[f32],
    offset: usize,
    with: &Constants,
    #[comptime] plan: Plan,
) {
    let cube = CUBE_POS;
    let count = comptime!(plan.decays.len());
    if cube >= comptime!(plan.shares.cubes()) {
        terminate!();
    }
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    #[unroll]
    for n in 0..count {
        let begin = comptime!(plan.shares.firsts[n]);
        let end = comptime!(plan.shares.firsts[n + 1]);
        if cube >= begin && cube < end {
            let mut factor = 1.0f32;
            if comptime!(plan.clip == ClipKind::PerTensor) {
                let own = sum_of(squares, offset + begin, offset + end, &mut shared).sqrt();
                factor = min(with.bound / (own + with.norm_epsilon), 1.0f32);
            }
            if comptime!(plan.clip == ClipKind::Global) {
                factor = min(with.bound / (norm[0] + with.norm_epsilon), 1.0f32);
            }
            let gradient = &gradients[n];
            let weight = &mut weights[n];
            let first = &mut firsts[n];
            let second = &mut seconds[n];
            let start = (cube - begin) * CHUNK;
            let stop = min(start + CHUNK, comptime!(plan.shares.lengths[n]));
            let rate = with.rate * comptime!(f32::from_bits(plan.rates[n]));
            let mut at = start + UNIT_POS as usize;
            while at < stop {
                let clipped = gradient[at] * factor;
                let mean = first[at] * with.beta_1 + clipped * with.new_1;
                let square = second[at] * with.beta_2 + clipped * clipped * with.new_2;
                let value = weight[at];
                let root = square.sqrt() * with.correction_2;
                let mut direction = mean * with.correction_1 / (root + with.epsilon);
                if comptime!(plan.decays[n]) {
                    direction += value * with.decay;
                }
                first[at] = mean;
                second[at] = square;
                weight[at] = value - direction * rate;
                at += UNITS;
            }
        }
    }
}

/// The updated weights, first and second moments, and the norm, in one list. `of` says of each parameter whether it
/// decays, and the bits of its share of the learning rate.
fn launch(tensors: Vec<CubeTensor>, of: &[(bool, u32)], with: &AdamStep) -> Vec<CubeTensor> {
    let count = of.len();
    let mut tensors = tensors.into_iter();
    let mut take = |one: fn(CubeTensor) -> CubeTensor| -> Vec<CubeTensor> {
        tensors.by_ref().take(count).map(one).collect()
    };
    let gradients = take(contiguous);
    let [weights, first, second] = [(), (), ()].map(|()| take(owned));
    let client = gradients[0].client.clone();
    let dim = CubeDim::new_1d(UNITS as u32);
    let lengths: Vec<usize> = gradients
        .iter()
        .map(|gradient| gradient.meta.num_elements())
        .collect();
    let bindings = client.properties().hardware.max_bindings as usize;
    // A kernel's arguments include their lengths, in a buffer of its own.
    let room = bindings.saturating_sub(OTHERS + 1).min(MOST);
    let groups = |tensors: usize| {
        let group = (room / tensors).max(1);
        let firsts = (0..count).step_by(group);
        firsts.map(move |first| first..count.min(first + group))
    };
    let all = Shares::new(&lengths);
    let squares = empty(&gradients[0], [all.cubes()].into(), gradients[0].dtype);
    for range in groups(1) {
        let shares = Shares::new(&lengths[range.clone()]);
        squares_kernel::launch(
            &client,
            cubes(shares.cubes()),
            dim,
            buffers(&gradients[range.clone()]),
            squares.clone().into_buffer_arg(),
            all.firsts[range.start],
            shares,
        );
    }
    let norm = empty(&gradients[0], [1].into(), gradients[0].dtype);
    norm_kernel::launch(
        &client,
        cubes(1),
        dim,
        squares.clone().into_buffer_arg(),
        norm.clone().into_buffer_arg(),
        all.cubes(),
    );
    let (clip, bound) = match with.clip {
        Clip::PerTensor(bound) => (ClipKind::PerTensor, bound),
        Clip::Global(bound) => (ClipKind::Global, bound),
        Clip::Off => (ClipKind::Off, 0.0),
    };
    for range in groups(4) {
        let shares = Shares::new(&lengths[range.clone()]);
        update_kernel::launch(
            &client,
            cubes(shares.cubes()),
            dim,
            buffers(&gradients[range.clone()]),
            buffers(&weights[range.clone()]),
            buffers(&first[range.clone()]),
            buffers(&second[range.clone()]),
            squares.clone().into_buffer_arg(),
            norm.clone().into_buffer_arg(),
            all.firsts[range.start],
            ConstantsLaunch::new(
                with.learning_rate as f32,
                with.weight_decay as f32,
                with.beta_1 as f32,
                with.beta_2 as f32,
                (1.0 - with.beta_1) as f32,
                (1.0 - with.beta_2) as f32,
                with.correction_1 as f32,
                with.correction_2 as f32,
                with.epsilon as f32,
                bound as f32,
                with.norm_epsilon as f32,
            ),
            Plan {
                shares,
                decays: of[range.clone()].iter().map(|it| it.0).collect(),
                rates: of[range].iter().map(|it| it.1).collect(),
                clip,
            },
        );
    }
    let mut outputs = weights;
    outputs.extend(first);
    outputs.extend(second);
    outputs.push(norm);
    outputs
}

pub(crate) fn update(parameters: Vec<Parameter>, with: AdamStep) -> (Vec<Updated>, Tensor<1>) {
    let rate = |it: &Parameter| (it.rate as f32).to_bits();
    let of: Vec<_> = parameters.iter().map(|it| (it.decays, rate(it))).collect();
    let count = of.len();
    let mut lists: [Vec<_>; 4] = Default::default();
    for it in parameters {
        let tensors = [it.gradient, it.weights, it.first, it.second];
        for (list, tensor) in lists.iter_mut().zip(tensors) {
            list.push(plain(Tensor::<1>::from_bridge(tensor)));
        }
    }
    let specs = |list: &[super::Plain]| -> Vec<_> {
        list.iter()
            .map(|tensor| (tensor.shape.clone(), tensor.dtype))
            .collect()
    };
    let mut outputs: Vec<_> = lists[1..].iter().flat_map(|list| specs(list)).collect();
    outputs.push(([1].into(), lists[0][0].dtype));
    let run = move |tensors| launch(tensors, &of, &with);
    let inputs = lists.into_iter().flatten().collect();
    let mut made = queue("adam", inputs, outputs, run)
        .into_iter()
        .map(Tensor::<1>::from_primitive::<Cube>);
    let mut take = || -> Vec<_> {
        let tensors = made.by_ref().take(count);
        tensors.map(Tensor::into_bridge).collect()
    };
    let [weights, first, second] = [take(), take(), take()];
    let moments = first.into_iter().zip(second);
    let updated = weights
        .into_iter()
        .zip(moments)
        .map(|(weights, (first, second))| Updated {
            weights,
            first,
            second,
        });
    let updated = updated.collect();
    let norm = made.next().expect("the norm is the last output");
    (updated, norm)
}
