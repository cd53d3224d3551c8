//! Linear layers, in each precision.

use crate::Precision;
use crate::graph::{Graph, Value};
use crate::proto::{AttributeProto, DataType};

/// A weight `[outputs, inputs]` and a bias, as checkpoints hold them.
pub(crate) struct Linear<'a> {
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
    pub(crate) weight: &'a [f32],
    pub(crate) bias: &'a [f32],
}

/// The byte of a weight of zero. Bytes are unsigned: processors without VNNI add two products of an unsigned and a signed
/// byte in 16 bits, which are too few (Intel 64 and IA-32 Architectures Software Developer's Manual, `VPMADDUBSW`).
const ZERO: u8 = 128;
/// How far quantised weights are from [`ZERO`] at most.
const LARGEST: f32 = 127.0;

impl Graph {
    /// `x W + b` in the type of activations.
    pub(crate) fn linear(&mut self, name: &str, x: &Value, linear: &Linear<'_>) -> Value {
        let weight = transposed(linear.weight, linear.outputs);
        let shape = [linear.inputs, linear.outputs];
        let weight = self.floats(&format!("{name}.weight"), &shape, &weight);
        let product = self.op("MatMul", &format!("{name}.product"), &[x, &weight]);
        self.with_bias(name, &product, linear)
    }

    /// As [`Self::linear`], and with [`Precision::Int8`] as a product of bytes: those of the weight are the same for each
    /// input, with a scale for each output, those of `x` are found anew for each tensor (dynamic quantisation). Layers of
    /// one input share its bytes.
    pub(crate) fn quantised_linear(&mut self, name: &str, x: &Value, linear: &Linear<'_>) -> Value {
        if self.precision != Precision::Int8 {
            return self.linear(name, x, linear);
        }
        let of_x = |part: &str| format!("{x}.{part}");
        let [bytes, scale, zero] = [of_x("bytes"), of_x("scale"), of_x("zero")];
        if !self.has(&bytes) {
            let outputs = [&*bytes, &*scale, &*zero];
            self.node("DynamicQuantizeLinear", &bytes, &[x], Vec::new(), &outputs);
        }
        let (weight, scales) = quantised(linear);
        let shape = [linear.inputs, linear.outputs];
        let weight = self.bytes(&format!("{name}.weight"), &shape, weight);
        let scales = self.floats_in_32_bits(&format!("{name}.scales"), &scales);
        let zero_weight = self.bytes("weight.zero", &[], vec![ZERO]);
        let inputs = [&bytes, &weight, &zero, &zero_weight];
        let sums = self.op("MatMulInteger", &format!("{name}.sums"), &inputs);
        let to = AttributeProto::int("to", DataType::Float as i64);
        let sums = self.op_with("Cast", &format!("{name}.cast"), &[&sums], vec![to]);
        let scale = self.op("Mul", &format!("{name}.scale"), &[&scale, &scales]);
        let product = self.op("Mul", &format!("{name}.product"), &[&sums, &scale]);
        self.with_bias(name, &product, linear)
    }

    fn with_bias(&mut self, name: &str, product: &Value, linear: &Linear<'_>) -> Value {
        let bias = self.floats(&format!("{name}.bias"), &[linear.outputs], linear.bias);
        self.op("Add", name, &[product, &bias])
    }
}

/// A weight's bytes, `[inputs, outputs]`, and what each output's are multiplied by.
fn quantised(linear: &Linear<'_>) -> (Vec<u8>, Vec<f32>) {
    let rows = linear.weight.chunks(linear.inputs);
    let scales: Vec<f32> = rows
        .clone()
        .map(|row| {
            let largest = row.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
            // A row of zeros has any scale.
            if largest > 0.0 {
                largest / LARGEST
            } else {
                1.0
            }
        })
        .collect();
    let byte = |x: f32| (x.round() + f32::from(ZERO)) as u8;
    let bytes: Vec<u8> = rows
        .zip(&scales)
        .flat_map(|(row, scale)| row.iter().map(move |x| byte(x / scale)))
        .collect();
    (transposed(&bytes, linear.outputs), scales)
}

/// `[rows, columns]` as `[columns, rows]`.
fn transposed<T: Copy>(values: &[T], rows: usize) -> Vec<T> {
    let columns = values.len() / rows;
    let column = |column: usize| values.iter().skip(column).step_by(columns).copied();
    (0..columns).flat_map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_times_their_scale_are_the_weight_within_half_a_step() {
        let weight = [0.6, -1.0, 0.25, 0.0, 0.0, 0.0];
        let linear = Linear {
            outputs: 2,
            inputs: 3,
            weight: &weight,
            bias: &[0.0, 0.0],
        };
        let (bytes, scales) = quantised(&linear);
        assert_eq!(bytes, [204, 128, 1, 128, 160, 128]);
        for (n, exact) in weight.iter().enumerate() {
            let (output, input) = (n / 3, n % 3);
            let near = (f32::from(bytes[input * 2 + output]) - 128.0) * scales[output];
            assert!((near - exact).abs() <= scales[output] / 2.0, "{n}: {near}");
        }
    }
}
