//! The update in the device's memory, in tensor operations that a fusing backend joins.
//!
//! Most of a BERT's tensors are vectors: biases and the parameters of layer normalisations, too small to be worth a
//! kernel launch each. Those of equal length are updated together, as the rows of a matrix.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::clip::NORM_EPSILON;
use super::{BertAdam, GradientClip};

/// One parameter's moments, flattened.
pub(super) struct State {
    pub(super) first: Tensor<1>,
    pub(super) second: Tensor<1>,
}

/// The moments of vectors of one length, a row each.
pub(super) struct Group {
    pub(super) ids: Vec<ParamId>,
    /// `[vectors, length]`
    pub(super) first: Tensor<2>,
    /// `[vectors, length]`
    pub(super) second: Tensor<2>,
}

impl Group {
    fn dissolve(self, states: &mut HashMap<ParamId, State>) {
        for (n, id) in self.ids.into_iter().enumerate() {
            let [first, second] = [&self.first, &self.second].map(|rows| row(rows, n));
            states.insert(id, State { first, second });
        }
    }
}

fn row(rows: &Tensor<2>, n: usize) -> Tensor<1> {
    let [_, length] = rows.dims();
    rows.clone().slice([n..n + 1, 0..length]).reshape([length])
}

/// Which vectors are updated together: their length, and whether weights decay.
pub(super) type GroupKey = (usize, bool);

pub(super) fn step<M: Module>(
    optimizer: &mut BertAdam,
    model: M,
    gradients: GradientsParams,
    learning_rate: f64,
) -> (M, Tensor<1>) {
    let mut reader = Reader {
        optimizer,
        gradients,
        tensors: HashMap::new(),
        vectors: BTreeMap::new(),
        squares: Vec::new(),
    };
    model.visit(&mut reader);
    let Reader {
        tensors,
        vectors,
        mut squares,
        ..
    } = reader;
    let stacked: Vec<(GroupKey, Stack)> = vectors
        .into_iter()
        .map(|(key, vectors)| (key, Stack::new(vectors)))
        .collect();
    squares.extend(stacked.iter().map(|(_, stack)| stack.squares.clone()));
    let all = match squares.is_empty() {
        true => Tensor::zeros([1], &burn::tensor::Device::default()),
        false => Tensor::cat(squares, 0).sum().sqrt(),
    };
    let mut rows = HashMap::new();
    for (key, stack) in stacked {
        rows.extend(stack.update(optimizer, key, &all, learning_rate));
    }
    let mut updater = Updater {
        optimizer,
        gradients: tensors,
        rows,
        all: all.clone(),
        learning_rate,
    };
    (model.map(&mut updater), all)
}

struct Reader<'a> {
    optimizer: &'a BertAdam,
    gradients: GradientsParams,
    tensors: HashMap<ParamId, Gradient>,
    vectors: BTreeMap<GroupKey, Vec<Vector>>,
    squares: Vec<Tensor<1>>,
}

struct Gradient {
    flat: Tensor<1>,
    /// `[1]`
    norm: Tensor<1>,
}

struct Vector {
    id: ParamId,
    gradient: Tensor<1>,
    weights: Tensor<1>,
}

impl ModuleVisitor for Reader<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return;
        };
        let count = gradient.shape().num_elements();
        let flat = gradient.reshape([count]);
        if D == 1 {
            let vector = Vector {
                id: param.id,
                gradient: flat,
                weights: param.val().without_autodiff().reshape([count]),
            };
            let key = (count, self.optimizer.decay_of(param.id) != 0.0);
            self.vectors.entry(key).or_default().push(vector);
            return;
        }
        let squares = flat.clone().square().sum();
        self.squares.push(squares.clone());
        let norm = squares.sqrt();
        self.tensors.insert(param.id, Gradient { flat, norm });
    }
}

/// Vectors of one length.
struct Stack {
    ids: Vec<ParamId>,
    /// `[vectors, length]`
    gradient: Tensor<2>,
    /// `[vectors, length]`
    weights: Tensor<2>,
    /// Squared norms, `[vectors]`.
    squares: Tensor<1>,
}

impl Stack {
    fn new(vectors: Vec<Vector>) -> Self {
        let ids: Vec<ParamId> = vectors.iter().map(|vector| vector.id).collect();
        let pairs = vectors
            .into_iter()
            .map(|vector| (vector.gradient, vector.weights));
        let (gradients, weights): (Vec<_>, Vec<_>) = pairs.unzip();
        let gradient: Tensor<2> = Tensor::stack(gradients, 0);
        let squares = gradient.clone().square().sum_dim(1).reshape([ids.len()]);
        Self {
            weights: Tensor::stack(weights, 0),
            ids,
            gradient,
            squares,
        }
    }

    /// The updated vectors.
    fn update(
        self,
        optimizer: &mut BertAdam,
        key: GroupKey,
        all: &Tensor<1>,
        learning_rate: f64,
    ) -> Vec<(ParamId, Tensor<1>)> {
        let count = self.ids.len();
        let norms = self.squares.sqrt().reshape([count, 1]); // [vectors] → [vectors, 1]
        let all = all.clone().reshape([1, 1]);
        let gradient = clipped(self.gradient, norms, all, optimizer.config.clip);
        let group = match optimizer.groups.remove(&key) {
            Some(group) if group.ids == self.ids => Some((group.first, group.second)),
            other => {
                // Other vectors than in the last step: each takes its own moments along.
                if let Some(group) = other {
                    group.dissolve(&mut optimizer.device);
                }
                stack_states(optimizer, &self.ids, &gradient)
            }
        };
        let decay = if key.1 {
            optimizer.config.weight_decay
        } else {
            0.0
        };
        let (first, second, updated) = updated(
            optimizer,
            group,
            gradient,
            self.weights,
            decay,
            learning_rate,
        );
        let rows = self.ids.iter().enumerate();
        let rows = rows.map(|(n, id)| (*id, row(&updated, n))).collect();
        let group = Group {
            ids: self.ids,
            first,
            second,
        };
        optimizer.groups.insert(key, group);
        rows
    }
}

/// The moments of single vectors, as a resumed run has them, as rows; `None` where there are none.
fn stack_states(
    optimizer: &mut BertAdam,
    ids: &[ParamId],
    like: &Tensor<2>,
) -> Option<(Tensor<2>, Tensor<2>)> {
    let states: Vec<Option<State>> = ids.iter().map(|id| optimizer.device.remove(id)).collect();
    if states.iter().all(Option::is_none) {
        return None;
    }
    let [_, length] = like.dims();
    let pairs = states.into_iter().map(|state| match state {
        Some(State { first, second }) => (first, second),
        None => {
            let zeros = Tensor::zeros([length], &like.device());
            (zeros.clone(), zeros)
        }
    });
    let (first, second): (Vec<_>, Vec<_>) = pairs.unzip();
    Some((Tensor::stack(first, 0), Tensor::stack(second, 0)))
}

struct Updater<'a> {
    optimizer: &'a mut BertAdam,
    gradients: HashMap<ParamId, Gradient>,
    /// Vectors that are updated already.
    rows: HashMap<ParamId, Tensor<1>>,
    all: Tensor<1>,
    learning_rate: f64,
}

impl ModuleMapper for Updater<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let shape = tensor.shape();
        let updated = if let Some(row) = self.rows.remove(&id) {
            row
        } else if let Some(Gradient { flat, norm }) = self.gradients.remove(&id) {
            let gradient = clipped(flat, norm, self.all.clone(), self.optimizer.config.clip);
            let state = self.optimizer.device.remove(&id);
            let state = state.map(|State { first, second }| (first, second));
            let weights = tensor.without_autodiff().reshape([-1]);
            let decay = self.optimizer.decay_of(id);
            let rate = self.learning_rate;
            let (first, second, updated) =
                updated(self.optimizer, state, gradient, weights, decay, rate);
            self.optimizer.device.insert(id, State { first, second });
            updated
        } else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let updated: Tensor<D> = updated.reshape(shape);
        Param::from_mapped_value(id, updated.autodiff().require_grad(), mapper)
    }
}

/// A gradient within its bound. Norms are broadcast over the gradient.
fn clipped<const D: usize>(
    gradient: Tensor<D>,
    own: Tensor<D>,
    all: Tensor<D>,
    clip: GradientClip,
) -> Tensor<D> {
    match clip {
        GradientClip::PerTensor(bound) => gradient * factor(own, bound),
        GradientClip::Global(bound) => gradient * factor(all, bound),
        GradientClip::Off => gradient,
    }
}

/// `min(bound / (norm + ε), 1)`.
fn factor<const D: usize>(norm: Tensor<D>, bound: f64) -> Tensor<D> {
    ((norm + NORM_EPSILON).recip() * bound).clamp_max(1.0)
}

/// Both moments and the weights after a step.
fn updated<const D: usize>(
    optimizer: &BertAdam,
    moments: Option<(Tensor<D>, Tensor<D>)>,
    gradient: Tensor<D>,
    weights: Tensor<D>,
    decay: f64,
    learning_rate: f64,
) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
    let config = optimizer.config;
    let (first, second) = match moments {
        Some((first, second)) => (first * config.beta_1, second * config.beta_2),
        None => (gradient.zeros_like(), gradient.zeros_like()),
    };
    let first = first + gradient.clone() * (1.0 - config.beta_1);
    let second = second + gradient.square() * (1.0 - config.beta_2);
    let direction = first.clone() / (second.clone().sqrt() + config.epsilon);
    // Biases and layer normalisations do not decay: no product for them.
    let direction = match decay == 0.0 {
        true => direction,
        false => direction + weights.clone() * decay,
    };
    (first, second, weights - direction * learning_rate)
}
