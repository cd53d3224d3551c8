//! The pre-trained weights of the SQuAD demo's model.

use std::collections::BTreeMap;

use half::f16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors, serialize};

/// The file `bytes` with its 32-bit floats in half precision; other tensors stay.
///
/// # Errors
///
/// If `bytes` is no file of the safetensors format.
pub fn half_precision(bytes: &[u8]) -> Result<Vec<u8>, SafeTensorError> {
    let file = SafeTensors::deserialize(bytes)?;
    let mut tensors = BTreeMap::new();
    for (name, tensor) in file.tensors() {
        let (kind, data) = match tensor.dtype() {
            Dtype::F32 => (Dtype::F16, halved(tensor.data())),
            other => (other, tensor.data().to_vec()),
        };
        tensors.insert(name, (kind, tensor.shape().to_vec(), data));
    }
    let mut views = BTreeMap::new();
    for (name, (kind, shape, data)) in &tensors {
        views.insert(name, TensorView::new(*kind, shape.clone(), data)?);
    }
    serialize(views, None)
}

fn halved(data: &[u8]) -> Vec<u8> {
    let (floats, _) = data.as_chunks::<4>();
    let floats = floats.iter().map(|bytes| f32::from_le_bytes(*bytes));
    floats
        .flat_map(|float| f16::from_f32(float).to_le_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_shapes_stay() {
        let data: Vec<u8> = [0.5f32, -2.0]
            .iter()
            .flat_map(|float| float.to_le_bytes())
            .collect();
        let view = TensorView::new(Dtype::F32, vec![2, 1], &data).unwrap();
        let file = half_precision(&serialize([("w", view)], None).unwrap()).unwrap();
        let tensors = SafeTensors::deserialize(&file).unwrap();
        let tensor = tensors.tensor("w").unwrap();
        assert_eq!((tensor.dtype(), tensor.shape()), (Dtype::F16, &[2, 1][..]));
        let halves: Vec<u8> = [0.5, -2.0]
            .map(f16::from_f32)
            .iter()
            .flat_map(|half| half.to_le_bytes())
            .collect();
        assert_eq!(tensor.data(), halves);
    }
}
