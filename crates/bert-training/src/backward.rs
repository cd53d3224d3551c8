//! The forward and backward pass of a micro-batch, one layer after another.
//!
//! Each layer is a graph of its own: its input is a leaf, and its backward pass begins with the gradient that the
//! layer above found for its own input. So gradients can be summed layer by layer, without a second set of them in
//! memory, and a layer's graph need not exist before its backward pass: with gradient checkpointing (Chen et al.
//! 2016) only each layer's input is kept, and the layer is computed again, with the same dropout masks. Parts from the
//! input up that are frozen have no graph and no backward pass.

use bert_kernels::{add_into, backward_from};
use bert_model::heads::TaskModel;
use bert_model::{BertInput, Encoder, EncoderLayer, Pass};
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Gradients, Tensor};

use crate::collate::HostBatch;
use crate::{Task, TrainError};

/// The gradients of a step, summed over its micro-batches.
#[derive(Default)]
pub(crate) struct GradientSums {
    sums: GradientsParams,
}

impl GradientSums {
    /// The sums.
    pub(crate) fn into_inner(self) -> GradientsParams {
        self.sums
    }

    /// Adds a micro-batch, whose losses count `1 / examples` each, and returns its part of the step's loss, `[1]`.
    /// `finished` takes the sums of parameters to which this micro-batch adds nothing any more, one layer late: the
    /// device has work while they are read.
    ///
    /// # Errors
    /// Those of `finished`.
    pub(crate) fn add<T: Task>(
        &mut self,
        task: &T,
        model: &T::Model,
        batch: &HostBatch<T::Targets>,
        how: &PassConfig,
        mut finished: impl FnMut(&mut GradientsParams, &[ParamId]) -> Result<(), TrainError>,
    ) -> Result<Tensor<1>, TrainError> {
        let encoder = model.encoder();
        let table = encoder.input_table();
        let input = batch.to_device(&table.val().device().without_autodiff());
        let rows = encoder.look_up(&input);
        let (embedded, mut state) = if how.frozen > 0 {
            (None, encoder.valid().embed(rows, &input, how.pass))
        } else {
            let rows = leaf(rows);
            let embedded = encoder.embed(rows.clone(), &input, how.pass);
            let state = embedded.clone().without_autodiff();
            (Some((rows, embedded)), state)
        };
        let first = how.frozen.saturating_sub(1);
        let frozen = encoder.layers()[..first].iter().enumerate();
        for (n, layer) in frozen {
            state = layer.valid().forward(state, &input, n, how.pass);
        }
        let mut layers = Vec::with_capacity(encoder.layers().len() - first);
        for n in first..encoder.layers().len() {
            let layer = LayerPass::forward(encoder, n, state, &input, how);
            state = layer.output.clone().without_autodiff();
            layers.push(layer);
        }
        let last = leaf(state);
        let losses = task.loss(model, last.clone(), &batch.targets, how.pass);
        let mut share = (how.examples as f64).recip();
        let mut part = losses.clone().without_autodiff().sum() / how.examples as f64;
        if !how.counts {
            share = 0.0;
            part = part.zeros_like();
        }
        let shares = Tensor::full(losses.dims(), share, &losses.device().without_autodiff());
        let mut gradients = backward_from(losses, shares);
        let mut above = self.take(model, &mut gradients);
        let mut gradient = of_leaf(&last, &mut gradients);
        while let Some(layer) = layers.pop() {
            let number = first + layers.len();
            let (leaf, output) = layer.graph(encoder, number, &input, how);
            let mut gradients = backward_from(output, gradient);
            let taken = self.take(&encoder.layers()[number], &mut gradients);
            gradient = of_leaf(&leaf, &mut gradients);
            finished(&mut self.sums, &above)?;
            above = taken;
        }
        let Some((rows, embedded)) = embedded else {
            finished(&mut self.sums, &above)?;
            return Ok(part);
        };
        let mut gradients = backward_from(embedded, gradient);
        let mut taken = self.take(model, &mut gradients);
        let rows = of_leaf(&rows, &mut gradients);
        if table.val().is_require_grad() {
            let sum = self.sums.remove::<2>(table.id);
            let sum = encoder.add_input_gradient(sum, &input, rows);
            self.sums.register(table.id, sum);
            taken.push(table.id);
        }
        finished(&mut self.sums, &above)?;
        finished(&mut self.sums, &taken)?;
        Ok(part)
    }

    /// Adds the gradients that a backward pass found for a module's parameters, and returns which these are.
    fn take<M: Module>(&mut self, module: &M, gradients: &mut Gradients) -> Vec<ParamId> {
        let mut taker = Taker {
            gradients,
            sums: &mut self.sums,
            taken: Vec::new(),
        };
        module.visit(&mut taker);
        taker.taken
    }
}

/// How a step's micro-batches are passed through the model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PassConfig {
    /// Dropout and arithmetic.
    pub(crate) pass: Pass,
    /// Examples of the step.
    pub(crate) examples: usize,
    /// Whether its losses count; else every gradient is 0.
    pub(crate) counts: bool,
    /// Whether layers are computed again in the backward pass.
    pub(crate) checkpointing: bool,
    /// Parts from the input up without a backward pass, the embeddings first.
    pub(crate) frozen: usize,
}

/// A layer between its forward and its backward pass.
struct LayerPass {
    /// Its input: a leaf of the layer's graph, or with checkpointing a constant.
    input: Tensor<3>,
    /// Its output, which holds the graph, where there is one.
    output: Tensor<3>,
}

impl LayerPass {
    fn forward<E: Encoder>(
        encoder: &E,
        n: usize,
        state: Tensor<3>,
        input: &BertInput,
        how: &PassConfig,
    ) -> Self {
        let layer = &encoder.layers()[n];
        if how.checkpointing {
            let output = layer.valid().forward(state.clone(), input, n, how.pass);
            return Self {
                input: state,
                output,
            };
        }
        let state = leaf(state);
        let output = layer.forward(state.clone(), input, n, how.pass);
        Self {
            input: state,
            output,
        }
    }

    /// The leaf and the output of the layer's graph.
    fn graph<E: Encoder>(
        self,
        encoder: &E,
        n: usize,
        input: &BertInput,
        how: &PassConfig,
    ) -> (Tensor<3>, Tensor<3>) {
        if !how.checkpointing {
            return (self.input, self.output);
        }
        drop(self.output);
        let again = PassConfig {
            checkpointing: false,
            ..*how
        };
        let layer = Self::forward(encoder, n, self.input, input, &again);
        (layer.input, layer.output)
    }
}

fn leaf(constant: Tensor<3>) -> Tensor<3> {
    constant.autodiff().require_grad()
}

fn of_leaf(leaf: &Tensor<3>, gradients: &mut Gradients) -> Tensor<3> {
    leaf.grad_remove(gradients)
        .expect("every layer's output depends on its input")
}

/// Moves gradients into sums.
struct Taker<'a> {
    gradients: &'a mut Gradients,
    sums: &'a mut GradientsParams,
    taken: Vec<ParamId>,
}

impl ModuleVisitor for Taker<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(part) = param.val().grad_remove(self.gradients) else {
            return;
        };
        let sum = match self.sums.remove::<D>(param.id) {
            Some(sum) => add_into(sum, part),
            None => part,
        };
        self.sums.register(param.id, sum);
        self.taken.push(param.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bert_features::squad::SquadFeatureConfig;
    use bert_features::synthetic::{sequences, windows};
    use bert_model::checkpoint::initialize;
    use bert_model::heads::{BertForMultipleChoice, BertForSequenceClassification};
    use bert_model::{BertConfig, DropoutKey, MaskSource, Phase, Precision, parameters};
    use bert_test_device::test_device;

    use crate::classification::{ClassificationTask, Targets};
    use crate::squad::SquadTask;

    fn config(num_labels: usize) -> BertConfig {
        serde_json::from_value(serde_json::json!({
            "vocab_size": 30522, "hidden_size": 16, "num_hidden_layers": 3,
            "num_attention_heads": 2, "intermediate_size": 32, "num_labels": num_labels,
        }))
        .unwrap()
    }

    fn pass(step: u64, precision: Precision) -> Pass {
        let key = DropoutKey {
            seed: 9,
            step,
            first_row: 0,
            masks: MaskSource::Host,
        };
        Pass {
            phase: Phase::Training(key),
            precision,
        }
    }

    /// Every parameter's gradient, by name.
    fn by_name<M: TaskModel>(model: &M, gradients: &GradientsParams) -> Vec<(String, Vec<f32>)> {
        let parameters = parameters::list(model, M::Encoder::NAMES).into_iter();
        let read = parameters.map(|info| {
            let values = match info.shape.num_dims() {
                1 => gradients.get::<1>(info.id).map(Tensor::try_into_vec_as),
                _ => gradients.get::<2>(info.id).map(Tensor::try_into_vec_as),
            };
            let values = values.unwrap_or_else(|| panic!("{} has no gradient", info.name));
            (info.name, values.unwrap())
        });
        read.collect()
    }

    /// The gradients of two micro-batches in one graph each, as Burn accumulates them.
    fn whole<T: Task>(
        task: &T,
        model: &T::Model,
        batches: &[HostBatch<T::Targets>],
    ) -> GradientsParams {
        let device = test_device();
        let mut accumulator = burn::optim::GradientsAccumulator::new();
        for (n, batch) in batches.iter().enumerate() {
            let pass = pass(n as u64, Precision::Fp32);
            let last = model.encoder().encode(&batch.to_device(&device), pass);
            let loss = task.loss(model, last, &batch.targets, pass).sum() / task.len() as f64;
            let gradients = GradientsParams::from_grads(loss.backward(), model);
            accumulator.accumulate(model, gradients);
        }
        accumulator.grads()
    }

    fn summed<T: Task>(
        task: &T,
        model: &T::Model,
        batches: &[HostBatch<T::Targets>],
        checkpointing: bool,
        precision: Precision,
    ) -> Vec<(String, Vec<f32>)> {
        let mut sums = GradientSums::default();
        for (n, batch) in batches.iter().enumerate() {
            let how = PassConfig {
                pass: pass(n as u64, precision),
                examples: task.len(),
                counts: true,
                checkpointing,
                frozen: 0,
            };
            sums.add(task, model, batch, &how, |_, _| Ok(())).unwrap();
        }
        by_name(model, &sums.into_inner())
    }

    /// Layer by layer is as in one graph, and to the bit the same with layers computed again.
    fn compare<T: Task>(task: &T, width: usize, num_labels: usize) {
        let device = test_device().autodiff();
        let model: T::Model = initialize(&config(num_labels), 1, &device);
        let batches = [vec![0, 1], vec![2, 3]].map(|examples| task.collate(&examples, width));
        let expected = by_name(&model, &whole(task, &model, &batches));
        let found = summed(task, &model, &batches, false, Precision::Fp32);
        assert_eq!(expected.len(), found.len());
        let largest = |values: &[f32]| values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        // A key's bias changes no softmax: in exact arithmetic its gradient is 0, and what is left is rounding noise, whose
        // size is that of the model's other gradients.
        let all = expected.iter().map(|(_, values)| largest(values));
        let noise = 1e-6 * all.fold(0.0, f32::max);
        for ((name, expected), (_, found)) in expected.iter().zip(&found) {
            let largest = largest(expected);
            assert!(largest > 0.0, "{name}: the gradient is zero");
            let allowed = (1e-5 * largest).max(noise);
            for (expected, found) in expected.iter().zip(found) {
                let difference = (expected - found).abs();
                assert!(difference <= allowed, "{name}: {found} for {expected}");
            }
        }
        let again = summed(task, &model, &batches, true, Precision::Fp32);
        assert!(found == again, "computing layers again changes a gradient");
        let half = summed(task, &model, &batches, true, Precision::Bf16);
        let norm = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>().sqrt();
        // Some gradients are zero in exact arithmetic, as a key's bias': only rounding is left of them.
        let largest = found.iter().map(|(_, full)| norm(full)).fold(0.0, f32::max);
        for ((name, full), (_, half)) in found.iter().zip(&half) {
            let difference: Vec<f32> = full.iter().zip(half).map(|(a, b)| a - b).collect();
            let (off, of) = (norm(&difference), norm(full));
            assert!(off < 0.1 * of + 0.01 * largest, "{name}: {off:e} of {of:e}");
        }
        assert!(half != found, "the precision is used");
    }

    #[test]
    fn spans() {
        let features = windows(&[24, 17, 9, 24], SquadFeatureConfig::default());
        let task = SquadTask {
            features: &features,
            pad_token_id: 0,
        };
        compare(&task, 24, 3);
    }

    #[test]
    fn choices() {
        let features = sequences(4, 4, 12);
        let targets = Targets::Classes(vec![0, 3, 1, 2]);
        let task = ClassificationTask::<BertForMultipleChoice>::new(&features, &targets, 0);
        compare(&task, 16, 3);
    }

    #[test]
    fn two_choices() {
        let features = sequences(4, 2, 12);
        let targets = Targets::Classes(vec![0, 1, 1, 0]);
        let task = ClassificationTask::<BertForMultipleChoice>::new(&features, &targets, 0);
        compare(&task, 16, 3);
    }

    #[test]
    fn classes() {
        let features = sequences(4, 1, 12);
        let targets = Targets::Classes(vec![0, 1, 1, 0]);
        let task = ClassificationTask::<BertForSequenceClassification>::new(&features, &targets, 0);
        compare(&task, 12, 3);
    }

    #[test]
    fn scores() {
        let features = sequences(4, 1, 12);
        let targets = Targets::Scores(vec![0.0, 5.0, 2.5, 1.0]);
        let task = ClassificationTask::<BertForSequenceClassification>::new(&features, &targets, 0);
        compare(&task, 12, 1);
    }
}
