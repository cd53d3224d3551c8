//! BERT and its heads as a graph, with the inputs and outputs that exports of `transformers` models have.

use std::collections::HashMap;

use bert_model::parameters::NamedValues;
use bert_model::{BertConfig, HiddenAct};

use crate::graph::{Graph, Value};
use crate::linear::Linear;
use crate::proto::{AttributeProto, GraphProto, Size};
use crate::{Head, Precision};

/// Added to the scores of padding, whose softmax is then zero in each precision.
const MASKED: f64 = -10_000.0;

/// In a shape: as in the input.
const SAME: i64 = 0;
/// In a shape: whatever remains.
const REST: i64 = -1;

/// A model's weights by their names in its checkpoint.
pub(crate) struct Weights<'a> {
    by_name: HashMap<&'a str, &'a NamedValues>,
}

impl<'a> Weights<'a> {
    pub(crate) fn new(values: &'a [NamedValues]) -> Self {
        let by_name = values.iter().map(|tensor| (tensor.name.as_str(), tensor));
        Self {
            by_name: by_name.collect(),
        }
    }

    fn tensor(&self, name: &str) -> &'a NamedValues {
        let tensor = self.by_name.get(name);
        tensor.unwrap_or_else(|| panic!("a loaded model has {name}"))
    }

    fn linear(&self, name: &str) -> Linear<'a> {
        let weight = self.tensor(&format!("{name}.weight"));
        Linear {
            outputs: weight.shape[0],
            inputs: weight.shape[1],
            weight: &weight.values,
            bias: &self.tensor(&format!("{name}.bias")).values,
        }
    }
}

/// The graph of a model.
pub(crate) fn graph(
    config: &BertConfig,
    head: Head,
    weights: &Weights<'_>,
    precision: Precision,
) -> GraphProto {
    let mut bert = Bert {
        graph: Graph::new(head.architecture(), precision),
        config,
        weights,
    };
    bert.build(head);
    bert.graph.finish()
}

struct Bert<'a> {
    graph: Graph,
    config: &'a BertConfig,
    weights: &'a Weights<'a>,
}

impl Bert<'_> {
    fn build(&mut self, head: Head) {
        let dims: &[&str] = match head {
            Head::Choices => &["batch_size", "num_choices", "sequence_length"],
            Head::Spans | Head::Classes => &["batch_size", "sequence_length"],
        };
        let inputs = ["input_ids", "attention_mask", "token_type_ids"];
        let given = inputs.map(|name| self.graph.input(name, dims));
        let [ids, mask, types] = match head {
            Head::Choices => {
                let rows = self.rows(&given[0]);
                let flat = |name: &str| format!("{name}.rows");
                given
                    .clone()
                    .map(|name| self.graph.op("Reshape", &flat(&name), &[&name, &rows]))
            }
            Head::Spans | Head::Classes => given.clone(),
        };
        let mask = self.mask(&mask);
        let mut hidden = self.embeddings(&ids, &types);
        for layer in 0..self.config.num_hidden_layers {
            hidden = self.layer(layer, &hidden, &mask);
        }
        let batch = || Size::Name("batch_size".to_owned());
        match head {
            Head::Spans => self.spans(&hidden),
            Head::Classes => {
                let logits = self.pooled_logits(&hidden);
                let labels = self.config.label_list().outputs() as i64;
                let dims = vec![batch(), Size::Value(labels)];
                self.graph.output("logits", &logits, dims);
            }
            Head::Choices => {
                let logits = self.pooled_logits(&hidden); // [batch * choices, 1]
                let shape = self.graph.op("Shape", "choices.shape", &[&given[0]]);
                let two = self.graph.ints("choices.two", &[2]);
                let zero = self.graph.ints("zero", &[0]);
                let shape = self
                    .graph
                    .op("Slice", "choices.dims", &[&shape, &zero, &two]);
                let logits = self.graph.op("Reshape", "choices", &[&logits, &shape]);
                let dims = vec![batch(), Size::Name("num_choices".to_owned())];
                self.graph.output("logits", &logits, dims);
            }
        }
    }

    /// The shape `[batch * choices, sequence]` of choices side by side.
    fn rows(&mut self, ids: &Value) -> Value {
        let length = self.length(ids, 2);
        let rest = self.graph.ints("rest", &[REST]);
        let axis = AttributeProto::int("axis", 0);
        self.graph
            .op_with("Concat", "rows.shape", &[&rest, &length], vec![axis])
    }

    /// The size of an axis, as a vector of one.
    fn length(&mut self, of: &Value, axis: i64) -> Value {
        let shape = self.graph.op("Shape", &format!("{of}.shape"), &[of]);
        let index = self.graph.ints(&format!("axis.{axis}"), &[axis]);
        self.graph
            .op("Gather", &format!("{of}.length"), &[&shape, &index])
    }

    /// What is added to attention's scores, `[rows, 1, 1, sequence]`.
    fn mask(&mut self, mask: &Value) -> Value {
        let graph = &mut self.graph;
        let to = AttributeProto::int("to", graph.float_type() as i64);
        let mask = graph.op_with("Cast", "mask.float", &[mask], vec![to]);
        let one = graph.scalar("one", 1.0);
        let padding = graph.op("Sub", "mask.padding", &[&one, &mask]);
        let masked = graph.scalar("masked", MASKED);
        let added = graph.op("Mul", "mask.added", &[&padding, &masked]);
        let axes = graph.ints("mask.axes", &[1, 2]);
        graph.op("Unsqueeze", "mask", &[&added, &axes])
    }

    fn table(&mut self, name: &str) -> Value {
        let name = format!("bert.embeddings.{name}_embeddings.weight");
        let table = self.weights.tensor(&name);
        self.graph.floats(&name, &table.shape, &table.values)
    }

    fn embeddings(&mut self, ids: &Value, types: &Value) -> Value {
        let words = self.table("word");
        let words = self.graph.op("Gather", "words", &[&words, ids]);
        let segments = self.table("token_type");
        let segments = self.graph.op("Gather", "segments", &[&segments, types]);
        let length = self.length(ids, 1);
        let places = self.table("position");
        let zero = self.graph.ints("zero", &[0]);
        let inputs = [&places, &zero, &length];
        let places = self.graph.op("Slice", "positions", &inputs);
        let sum = self
            .graph
            .op("Add", "words_and_segments", &[&words, &segments]);
        let sum = self.graph.op("Add", "embedded", &[&sum, &places]);
        self.layer_norm("bert.embeddings.LayerNorm", &sum)
    }

    fn layer_norm(&mut self, name: &str, x: &Value) -> Value {
        let [scale, shift] = ["weight", "bias"].map(|part| {
            let name = format!("{name}.{part}");
            let tensor = self.weights.tensor(&name);
            self.graph.floats(&name, &tensor.shape, &tensor.values)
        });
        let attributes = vec![
            AttributeProto::int("axis", -1),
            AttributeProto::float("epsilon", self.config.layer_norm_eps as f32),
        ];
        self.graph
            .op_with("LayerNormalization", name, &[x, &scale, &shift], attributes)
    }

    fn linear(&mut self, name: &str, x: &Value) -> Value {
        self.graph
            .quantised_linear(name, x, &self.weights.linear(name))
    }

    fn layer(&mut self, layer: usize, x: &Value, mask: &Value) -> Value {
        let name = |part: &str| format!("bert.encoder.layer.{layer}.{part}");
        let context = self.attention(&name("attention.self"), x, mask);
        let dense = self.linear(&name("attention.output.dense"), &context);
        let sum = self
            .graph
            .op("Add", &name("attention.output.sum"), &[&dense, x]);
        let attended = self.layer_norm(&name("attention.output.LayerNorm"), &sum);
        let inner = self.linear(&name("intermediate.dense"), &attended);
        let inner = self.activation(&name("intermediate"), &inner);
        let dense = self.linear(&name("output.dense"), &inner);
        let sum = self
            .graph
            .op("Add", &name("output.sum"), &[&dense, &attended]);
        self.layer_norm(&name("output.LayerNorm"), &sum)
    }

    /// Self-attention (Vaswani et al. 2017, 3.2).
    fn attention(&mut self, name: &str, x: &Value, mask: &Value) -> Value {
        let heads = self.config.num_attention_heads as i64;
        let head_size = self.config.head_size();
        let split = [SAME, SAME, heads, head_size as i64];
        let split = self.graph.ints("heads", &split);
        // [rows, sequence, hidden] → [rows, heads, sequence, head] or, of keys, [rows, heads, head, sequence]
        let orders = [
            ("query", [0, 2, 1, 3]),
            ("key", [0, 2, 3, 1]),
            ("value", [0, 2, 1, 3]),
        ];
        let [query, key, value] = orders.map(|(part, order)| {
            let part = format!("{name}.{part}");
            let x = self.linear(&part, x);
            let graph = &mut self.graph;
            let x = graph.op("Reshape", &format!("{part}.heads"), &[&x, &split]);
            let order = vec![AttributeProto::ints("perm", &order)];
            graph.op_with("Transpose", &format!("{part}.transposed"), &[&x], order)
        });
        let graph = &mut self.graph;
        let part = |part: &str| format!("{name}.{part}");
        let scores = graph.op("MatMul", &part("products"), &[&query, &key]);
        let scale = graph.scalar("scale", (head_size as f64).sqrt());
        let scores = graph.op("Div", &part("scores"), &[&scores, &scale]);
        let scores = graph.op("Add", &part("masked"), &[&scores, mask]);
        let axis = vec![AttributeProto::int("axis", -1)];
        let weights = graph.op_with("Softmax", &part("softmax"), &[&scores], axis);
        let context = graph.op("MatMul", &part("context"), &[&weights, &value]);
        let order = vec![AttributeProto::ints("perm", &[0, 2, 1, 3])];
        let context = graph.op_with("Transpose", &part("joined"), &[&context], order);
        let width = self.config.hidden_size as i64;
        let joined = graph.ints("hidden", &[SAME, SAME, width]);
        graph.op("Reshape", name, &[&context, &joined])
    }

    /// The feed-forward layer's activation, by the formulas of [`HiddenAct`].
    fn activation(&mut self, name: &str, x: &Value) -> Value {
        let graph = &mut self.graph;
        let part = |part: &str| format!("{name}.{part}");
        let one = graph.scalar("one", 1.0);
        let half = graph.scalar("half", 0.5);
        let tanh_gelu = |graph: &mut Graph, scale: f64| {
            let square = graph.op("Mul", &part("square"), &[x, x]);
            let cube = graph.op("Mul", &part("cube"), &[&square, x]);
            let of_cube = graph.scalar("of_cube", 0.044_715);
            let cubic = graph.op("Mul", &part("cubic"), &[&cube, &of_cube]);
            let sum = graph.op("Add", &part("sum"), &[x, &cubic]);
            let scale = graph.scalar("of_tanh", scale);
            let scaled = graph.op("Mul", &part("scaled"), &[&sum, &scale]);
            let tanh = graph.op("Tanh", &part("tanh"), &[&scaled]);
            let above = graph.op("Add", &part("above"), &[&tanh, &one]);
            let product = graph.op("Mul", &part("product"), &[x, &above]);
            graph.op("Mul", name, &[&product, &half])
        };
        match self.config.hidden_act {
            HiddenAct::Gelu => {
                let root = graph.scalar("root_of_two", std::f64::consts::SQRT_2);
                let scaled = graph.op("Div", &part("scaled"), &[x, &root]);
                let erf = graph.op("Erf", &part("erf"), &[&scaled]);
                let above = graph.op("Add", &part("above"), &[&erf, &one]);
                let product = graph.op("Mul", &part("product"), &[x, &above]);
                graph.op("Mul", name, &[&product, &half])
            }
            HiddenAct::GeluNew | HiddenAct::GeluPytorchTanh => {
                tanh_gelu(graph, std::f64::consts::FRAC_2_PI.sqrt())
            }
            HiddenAct::GeluFast => tanh_gelu(graph, 0.797_884_560_8),
            HiddenAct::QuickGelu => {
                let scale = graph.scalar("of_sigmoid", 1.702);
                let scaled = graph.op("Mul", &part("scaled"), &[x, &scale]);
                let sigmoid = graph.op("Sigmoid", &part("sigmoid"), &[&scaled]);
                graph.op("Mul", name, &[x, &sigmoid])
            }
            HiddenAct::Relu => graph.op("Relu", name, &[x]),
            HiddenAct::Silu | HiddenAct::Swish => {
                let sigmoid = graph.op("Sigmoid", &part("sigmoid"), &[x]);
                graph.op("Mul", name, &[x, &sigmoid])
            }
            HiddenAct::Mish => {
                let softplus = graph.op("Softplus", &part("softplus"), &[x]);
                let tanh = graph.op("Tanh", &part("tanh"), &[&softplus]);
                graph.op("Mul", name, &[x, &tanh])
            }
            HiddenAct::Tanh => graph.op("Tanh", name, &[x]),
            HiddenAct::Sigmoid => graph.op("Sigmoid", name, &[x]),
        }
    }

    /// Scores of each token as an answer's first and last.
    fn spans(&mut self, hidden: &Value) {
        let both = self
            .graph
            .linear("qa_outputs", hidden, &self.weights.linear("qa_outputs"));
        for (column, name) in [(0, "start_logits"), (1, "end_logits")] {
            let graph = &mut self.graph;
            let index = graph.int(&format!("column.{column}"), column);
            let axis = vec![AttributeProto::int("axis", -1)];
            let of_one = graph.op_with("Gather", &format!("{name}.column"), &[&both, &index], axis);
            let dims = ["batch_size", "sequence_length"].map(|dim| Size::Name(dim.to_owned()));
            graph.output(name, &of_one, dims.to_vec());
        }
    }

    /// The classifier on the pooled vector of each row.
    fn pooled_logits(&mut self, hidden: &Value) -> Value {
        let first = self.graph.int("first", 0);
        let axis = vec![AttributeProto::int("axis", 1)];
        let first = self
            .graph
            .op_with("Gather", "first_token", &[hidden, &first], axis);
        let pooler = "bert.pooler.dense";
        let dense = self
            .graph
            .linear(pooler, &first, &self.weights.linear(pooler));
        let pooled = self.graph.op("Tanh", "pooled", &[&dense]);
        self.graph
            .linear("classifier", &pooled, &self.weights.linear("classifier"))
    }
}
