//! A graph while it is built: a node for each operator, named after what it computes.

use half::f16;

use crate::Precision;
use crate::proto::{
    AttributeProto, DataType, Dimension, GraphProto, NodeProto, Size, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

/// The name of a node's output, or of a tensor that the file holds.
pub(crate) type Value = String;

/// Nodes and tensors so far.
pub(crate) struct Graph {
    pub(crate) precision: Precision,
    proto: GraphProto,
}

impl Graph {
    pub(crate) fn new(name: &str, precision: Precision) -> Self {
        Self {
            precision,
            proto: GraphProto {
                name: name.to_owned(),
                ..GraphProto::default()
            },
        }
    }

    pub(crate) fn finish(self) -> GraphProto {
        self.proto
    }

    /// An input of 64-bit integers, whose dimensions have names.
    pub(crate) fn input(&mut self, name: &str, dims: &[&str]) -> Value {
        let dims = dims.iter().map(|dim| Size::Name((*dim).to_owned()));
        let info = value_info(name, DataType::Int64, dims);
        self.proto.input.push(info);
        name.to_owned()
    }

    /// Makes a value, in 32 bits, an output of this name.
    pub(crate) fn output(&mut self, name: &str, value: &Value, dims: Vec<Size>) {
        let to = AttributeProto::int("to", DataType::Float as i64);
        self.node("Cast", name, &[value], vec![to], &[name]);
        let info = value_info(name, DataType::Float, dims.into_iter());
        self.proto.output.push(info);
    }

    /// The only output of an operator, which has the operator's name.
    pub(crate) fn op(&mut self, kind: &str, name: &str, inputs: &[&Value]) -> Value {
        self.op_with(kind, name, inputs, Vec::new())
    }

    pub(crate) fn op_with(
        &mut self,
        kind: &str,
        name: &str,
        inputs: &[&Value],
        attributes: Vec<AttributeProto>,
    ) -> Value {
        self.node(kind, name, inputs, attributes, &[name]);
        name.to_owned()
    }

    pub(crate) fn node(
        &mut self,
        kind: &str,
        name: &str,
        inputs: &[&Value],
        attributes: Vec<AttributeProto>,
        outputs: &[&str],
    ) {
        self.proto.node.push(NodeProto {
            input: inputs.iter().map(|input| (*input).clone()).collect(),
            output: outputs.iter().map(|output| (*output).to_owned()).collect(),
            name: name.to_owned(),
            op_type: kind.to_owned(),
            attribute: attributes,
        });
    }

    /// Whether a node or an output of this name is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.proto.node.iter().any(|node| node.name == name)
    }

    /// Numbers in the type of activations.
    pub(crate) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Value {
        let raw_data = match self.precision {
            Precision::Fp16 => bytes(values, |x| f16::from_f32(x).to_le_bytes()),
            Precision::Fp32 | Precision::Int8 => bytes(values, f32::to_le_bytes),
        };
        self.tensor(name, shape, self.float_type(), raw_data)
    }

    /// Numbers in 32 bits whatever the type of activations is.
    pub(crate) fn floats_in_32_bits(&mut self, name: &str, values: &[f32]) -> Value {
        let raw_data = bytes(values, f32::to_le_bytes);
        self.tensor(name, &[values.len()], DataType::Float, raw_data)
    }

    /// One number, in the type of activations.
    pub(crate) fn scalar(&mut self, name: &str, value: f64) -> Value {
        self.floats(name, &[], &[value as f32])
    }

    pub(crate) fn bytes(&mut self, name: &str, shape: &[usize], values: Vec<u8>) -> Value {
        self.tensor(name, shape, DataType::Uint8, values)
    }

    /// A vector of integers, such as a shape.
    pub(crate) fn ints(&mut self, name: &str, values: &[i64]) -> Value {
        let raw_data = bytes(values, i64::to_le_bytes);
        self.tensor(name, &[values.len()], DataType::Int64, raw_data)
    }

    /// One integer, such as an index.
    pub(crate) fn int(&mut self, name: &str, value: i64) -> Value {
        self.tensor(name, &[], DataType::Int64, value.to_le_bytes().to_vec())
    }

    /// The type of activations.
    pub(crate) fn float_type(&self) -> DataType {
        match self.precision {
            Precision::Fp16 => DataType::Float16,
            Precision::Fp32 | Precision::Int8 => DataType::Float,
        }
    }

    /// A tensor that the file holds; the same name is the same tensor.
    fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        data_type: DataType,
        raw_data: Vec<u8>,
    ) -> Value {
        if !self.proto.initializer.iter().any(|held| held.name == name) {
            self.proto.initializer.push(TensorProto {
                dims: shape.iter().map(|size| *size as i64).collect(),
                data_type: data_type as i32,
                name: name.to_owned(),
                raw_data,
            });
        }
        name.to_owned()
    }
}

fn value_info(name: &str, kind: DataType, dims: impl Iterator<Item = Size>) -> ValueInfoProto {
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: kind as i32,
                shape: Some(TensorShapeProto {
                    dim: dims.map(|size| Dimension { size: Some(size) }).collect(),
                }),
            }),
        }),
    }
}

fn bytes<T: Copy, const N: usize>(values: &[T], of: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|value| of(*value)).collect()
}
