//! Outputs and gradients of whole models with shapes that kernels round up: odd widths, one row, one column.

use std::collections::HashMap;
use std::sync::Mutex;

use bert_backend::{Backend, DeviceChoice};
use bert_model::checkpoint::{BERT, initialize};
use bert_model::heads::{
    BertForMultipleChoice, BertForQuestionAnswering, BertForSequenceClassification, ExampleModel,
    TaskModel, cross_entropy, span_loss, squared_error,
};
use bert_model::{
    BertConfig, BertInput, DropoutKey, Encoder, MaskSource, PaddedRows, Pass, Phase, Precision,
    parameters,
};
use burn::module::{ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Gradients, Int, Tensor};

use crate::support::{cpu, device, tolerance_of_tensors};

/// Hidden size, heads, rows, and the width of a batch.
const SHAPES: [[usize; 4]; 2] = [[48, 3, 1, 7], [64, 4, 3, 33]];

fn config(hidden: usize, heads: usize, labels: usize) -> BertConfig {
    serde_json::from_value(serde_json::json!({
        "vocab_size": 211, "hidden_size": hidden, "num_hidden_layers": 2, "num_attention_heads": heads,
        "intermediate_size": 3 * hidden, "max_position_embeddings": 64, "num_labels": labels,
        "initializer_range": 0.1,
    }))
    .unwrap()
}

/// Rows of different lengths.
fn input(rows: usize, width: usize, device: &Device) -> BertInput {
    let lengths: Vec<usize> = (0..rows)
        .map(|row| width - row * width / (2 * rows))
        .collect();
    let ids = (0..rows * width).map(|n| {
        let (row, place) = (n / width, n % width);
        if place < lengths[row] {
            1 + (n as i32 * 37 + 11) % 200
        } else {
            0
        }
    });
    let ids: Vec<i32> = ids.collect();
    let types: Vec<i32> = (0..rows * width)
        .map(|n| i32::from(2 * (n % width) > width))
        .collect();
    let rows = PaddedRows {
        width,
        lengths: &lengths,
        input_ids: &ids,
        token_type_ids: &types,
    };
    BertInput::from_rows(&rows, device)
}

fn pass() -> Pass {
    let key = DropoutKey {
        seed: 5,
        step: 3,
        first_row: 2,
        masks: device().kind().masks,
    };
    Pass {
        phase: Phase::Training(key),
        precision: Precision::Fp32,
    }
}

/// A device, opened once: opening it runs a kernel.
fn opened(choice: DeviceChoice) -> Device {
    static DEVICES: Mutex<Vec<(DeviceChoice, Device)>> = Mutex::new(Vec::new());
    let mut devices = DEVICES.lock().unwrap();
    if let Some((_, device)) = devices.iter().find(|(opened, _)| *opened == choice) {
        return device.clone();
    }
    let device = Backend::open(choice).unwrap().device;
    devices.push((choice, device.clone()));
    device
}

struct Collect<'a> {
    gradients: &'a mut Gradients,
    names: HashMap<ParamId, String>,
    found: Vec<(String, Vec<f32>)>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad_remove(self.gradients);
        let values = gradient.map(|gradient| gradient.try_into_vec_as().unwrap());
        self.found
            .push((self.names[&param.id].clone(), values.unwrap_or_default()));
    }
}

/// The loss, and every parameter's gradient.
fn gradients<M: TaskModel>(
    config: &BertConfig,
    choice: DeviceChoice,
    loss: impl Fn(&M, &Device) -> Tensor<1>,
) -> Vec<(String, Vec<f32>)> {
    let plain = opened(choice);
    let device = plain.clone().autodiff();
    let model: M = initialize(config, 1, &device);
    let loss = loss(&model, &plain);
    let value: f32 = loss.clone().into_scalar();
    let mut gradients = loss.backward();
    let names = parameters::list(&model, &BERT);
    let mut collect = Collect {
        gradients: &mut gradients,
        names: names.into_iter().map(|info| (info.id, info.name)).collect(),
        found: vec![("loss".to_owned(), vec![value])],
    };
    model.visit(&mut collect);
    bert_model::device_fault::check().unwrap();
    collect.found
}

fn compare<M: TaskModel>(
    what: &str,
    config: &BertConfig,
    loss: impl Fn(&M, &Device) -> Tensor<1>,
) -> f32 {
    let expected = gradients(config, cpu(), &loss);
    let found = gradients(config, device(), &loss);
    let size = |values: &[f32]| {
        values
            .iter()
            .fold(0.0_f32, |most, value| most.max(value.abs()))
    };
    // Some gradients are zero in exact arithmetic, as those of keys' biases: rounding is left of them.
    let noise = 1e-2
        * expected[1..]
            .iter()
            .map(|(_, values)| size(values))
            .fold(0.0, f32::max);
    let mut largest = 0.0_f32;
    for ((name, expected), (_, found)) in expected.iter().zip(&found) {
        assert_eq!(expected.len(), found.len(), "{what}: {name}");
        assert!(
            found.iter().all(|value| value.is_finite()),
            "{what}: {name}: {found:?}"
        );
        let scale = size(expected).max(noise);
        for (a, b) in found.iter().zip(expected) {
            let off = (a - b).abs() / scale;
            assert!(
                off <= tolerance_of_tensors(),
                "{what}: {name}: {a} for {b}, of {scale}"
            );
            largest = largest.max(off);
        }
    }
    largest
}

#[test]
fn every_gradient_of_every_head_is_that_of_the_cpu() {
    let mut largest = 0.0_f32;
    for [hidden, heads, rows, width] in SHAPES {
        let shape = format!("hidden {hidden}, {rows} x {width}");
        let of_spans = compare::<BertForQuestionAnswering>(
            &format!("questions, {shape}"),
            &config(hidden, heads, 2),
            |model, device| {
                let logits = model.forward(&input(rows, width, device), pass());
                let spans = Tensor::<1, Int>::from_ints([1, 2].repeat(rows).as_slice(), device);
                span_loss(logits, spans.reshape([rows, 2])).sum()
            },
        );
        let of_classes = compare::<BertForSequenceClassification>(
            &format!("classes, {shape}"),
            &config(hidden, heads, 3),
            |model, device| {
                let logits = model.logits(&input(rows, width, device), 1, pass());
                let classes: Vec<i32> = (0..rows as i32).map(|row| row % 3).collect();
                cross_entropy(
                    logits,
                    Tensor::<1, Int>::from_ints(classes.as_slice(), device),
                )
                .sum()
            },
        );
        // Products with one column: an STS-B score, a choice's logit.
        let of_scores = compare::<BertForSequenceClassification>(
            &format!("scores, {shape}"),
            &config(hidden, heads, 1),
            |model, device| {
                let logits = model.logits(&input(rows, width, device), 1, pass());
                let scores: Vec<f32> = (0..rows).map(|row| row as f32).collect();
                squared_error(logits, Tensor::<1>::from_floats(scores.as_slice(), device)).sum()
            },
        );
        let of_choices = compare::<BertForMultipleChoice>(
            &format!("choices, {shape}"),
            &config(hidden, heads, 2),
            |model, device| {
                let logits = model.logits(&input(2 * rows, width, device), 2, pass());
                let classes: Vec<i32> = (0..rows as i32).map(|row| row % 2).collect();
                cross_entropy(
                    logits,
                    Tensor::<1, Int>::from_ints(classes.as_slice(), device),
                )
                .sum()
            },
        );
        for off in [of_spans, of_classes, of_scores, of_choices] {
            largest = largest.max(off);
        }
    }
    println!("gradients within {largest:.1e} of the largest of their tensor");
}

/// Masks are functions of seed, step, place and element, wherever they are computed.
#[test]
fn dropout_masks_are_those_of_the_host() {
    let device = opened(device());
    let run = |masks| {
        let model: BertForQuestionAnswering = initialize(&config(48, 3, 2), 1, &device);
        let key = DropoutKey {
            seed: 9,
            step: 4,
            first_row: 7,
            masks,
        };
        let pass = Pass {
            phase: Phase::Training(key),
            precision: Precision::Fp32,
        };
        let output = model.encoder().encode(&input(3, 33, &device), pass);
        output.try_into_vec_as::<f32>().unwrap()
    };
    let (host, device) = (run(MaskSource::Host), run(MaskSource::Device));
    // Another mask would move them by as much as they are large.
    let largest = host
        .iter()
        .fold(0.0_f32, |most, value| most.max(value.abs()));
    for (a, b) in host.iter().zip(&device) {
        let off = (a - b).abs();
        assert!(off <= tolerance_of_tensors() * largest, "{a} and {b}");
    }
}

/// A product of a text alone, whose matrix has one row, and of sizes that tiles do not divide.
#[test]
fn inputs_of_any_number_of_rows_give_the_cpu_s_outputs() {
    let allowed = tolerance_of_tensors();
    for rows in [1, 2, 3, 8, 17] {
        let run = |choice| {
            let device = opened(choice);
            let model: BertForSequenceClassification = initialize(&config(64, 4, 1), 1, &device);
            let pass = Pass::evaluation(Precision::Fp32);
            let logits = model.logits(&input(rows, 21, &device), 1, pass);
            logits.try_into_vec_as::<f32>().unwrap()
        };
        let (expected, found) = (run(cpu()), run(device()));
        let scale = expected
            .iter()
            .fold(0.0_f32, |most, value| most.max(value.abs()));
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() <= allowed * scale, "{rows} rows: {a} for {b}");
        }
    }
}
