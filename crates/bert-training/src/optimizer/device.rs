//! The update in the device's memory, in tensor operations that a fusing backend joins.
//!
//! Most of a BERT's tensors are vectors: biases and the parameters of layer normalisations, too small to be worth a
//! kernel launch each. Those of equal length are updated together, as the rows of a matrix.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};

use super::clip::NORM_EPSILON;
use super::{BertAdamConfig, GradientClip, Moments, Rule};
use crate::TrainError;

/// One parameter's moments, flattened.
struct State {
    first: Tensor<1>,
    second: Tensor<1>,
}

/// The moments of vectors of one length, a row each.
struct Group {
    ids: Vec<ParamId>,
    /// `[vectors, length]`
    first: Tensor<2>,
    /// `[vectors, length]`
    second: Tensor<2>,
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
type GroupKey = (usize, bool);

/// The moments: of vectors together, of everything else one by one.
#[derive(Default)]
pub(super) struct DeviceState {
    single: HashMap<ParamId, State>,
    groups: BTreeMap<GroupKey, Group>,
}

impl DeviceState {
    pub(super) fn moments(&self) -> Result<HashMap<ParamId, Moments>, TrainError> {
        let mut moments = HashMap::new();
        for (id, State { first, second }) in &self.single {
            let (first, second) = (read(first.clone())?, read(second.clone())?);
            moments.insert(*id, Moments { first, second });
        }
        for ((length, _), group) in &self.groups {
            let (first, second) = (read(group.first.clone())?, read(group.second.clone())?);
            let rows = first
                .chunks_exact(*length)
                .zip(second.chunks_exact(*length));
            for (id, (first, second)) in group.ids.iter().zip(rows) {
                let (first, second) = (first.to_vec(), second.to_vec());
                moments.insert(*id, Moments { first, second });
            }
        }
        Ok(moments)
    }

    pub(super) fn set(&mut self, id: ParamId, moments: Moments, device: &Device) {
        let tensor = |values: Vec<f32>| {
            let count = values.len();
            Tensor::from_data(TensorData::new(values, [count]), device)
        };
        let (first, second) = (tensor(moments.first), tensor(moments.second));
        self.single.insert(id, State { first, second });
    }

    /// Updates every parameter that has a gradient.
    pub(super) fn update<M: Module>(
        &mut self,
        rule: &Rule,
        model: M,
        gradients: GradientsParams,
        learning_rate: f64,
    ) -> (M, Tensor<1>) {
        let mut reader = Reader {
            rule,
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
        let all = if squares.is_empty() {
            let device = model.devices().into_iter().next();
            Tensor::zeros([1], &device.unwrap_or_default().without_autodiff())
        } else {
            Tensor::cat(squares, 0).sum().sqrt()
        };
        let mut rows = HashMap::new();
        for (key, stack) in stacked {
            rows.extend(stack.update(rule, self, key, &all, learning_rate));
        }
        let mut updater = Updater {
            rule,
            states: &mut self.single,
            gradients: tensors,
            rows,
            all: all.clone(),
            learning_rate,
        };
        (model.map(&mut updater), all)
    }
}

struct Reader<'a> {
    rule: &'a Rule,
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
            let key = (count, self.rule.decay_of(param.id) != 0.0);
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
        rule: &Rule,
        state: &mut DeviceState,
        key: GroupKey,
        all: &Tensor<1>,
        learning_rate: f64,
    ) -> Vec<(ParamId, Tensor<1>)> {
        let count = self.ids.len();
        let norms = self.squares.sqrt().reshape([count, 1]); // [vectors] → [vectors, 1]
        let all = all.clone().reshape([1, 1]);
        let gradient = clipped(self.gradient, norms, all, rule.config.clip);
        let group = match state.groups.remove(&key) {
            Some(group) if group.ids == self.ids => Some((group.first, group.second)),
            other => {
                // Other vectors than in the last step: each takes its own moments along.
                if let Some(group) = other {
                    group.dissolve(&mut state.single);
                }
                stack_states(&mut state.single, &self.ids, &gradient)
            }
        };
        let decay = if key.1 { rule.config.weight_decay } else { 0.0 };
        let (first, second, updated) = updated(
            &rule.config,
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
        state.groups.insert(key, group);
        rows
    }
}

/// The moments of single vectors, as a resumed run has them, as rows; `None` where there are none.
fn stack_states(
    single: &mut HashMap<ParamId, State>,
    ids: &[ParamId],
    like: &Tensor<2>,
) -> Option<(Tensor<2>, Tensor<2>)> {
    let states: Vec<Option<State>> = ids.iter().map(|id| single.remove(id)).collect();
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
    rule: &'a Rule,
    states: &'a mut HashMap<ParamId, State>,
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
            let gradient = clipped(flat, norm, self.all.clone(), self.rule.config.clip);
            let state = self.states.remove(&id);
            let state = state.map(|State { first, second }| (first, second));
            let weights = tensor.without_autodiff().reshape([-1]);
            let decay = self.rule.decay_of(id);
            let rate = self.learning_rate;
            let (first, second, updated) =
                updated(&self.rule.config, state, gradient, weights, decay, rate);
            self.states.insert(id, State { first, second });
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
    config: &BertAdamConfig,
    moments: Option<(Tensor<D>, Tensor<D>)>,
    gradient: Tensor<D>,
    weights: Tensor<D>,
    decay: f64,
    learning_rate: f64,
) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
    let (first, second) = match moments {
        Some((first, second)) => (first * config.beta_1, second * config.beta_2),
        None => (gradient.zeros_like(), gradient.zeros_like()),
    };
    let first = first + gradient.clone() * (1.0 - config.beta_1);
    let second = second + gradient.square() * (1.0 - config.beta_2);
    let direction = first.clone() / (second.clone().sqrt() + config.epsilon);
    // Biases and layer normalisations do not decay: no product for them.
    let direction = if decay == 0.0 {
        direction
    } else {
        direction + weights.clone() * decay
    };
    (first, second, weights - direction * learning_rate)
}

fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    tensor
        .try_into_vec_as()
        .map_err(|error| TrainError::device(format!("{error:?}")))
}
