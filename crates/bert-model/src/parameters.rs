//! The parameters of a module under their names in checkpoints, which a table gives ([`TensorNames`]).
//!
//! A linear layer's weight is `[input, output]` here and `[output, input]` in files.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{Shape, Tensor};

use crate::ModelError;
use crate::checkpoint::TensorNames;
use crate::init::transpose;

/// One trainable tensor of a module.
#[derive(Debug, Clone)]
pub struct ParameterInfo {
    /// Its name in a checkpoint, e.g. `bert.encoder.layer.0.attention.self.query.weight`.
    pub name: String,
    /// Burn's id, valid within this process.
    pub id: ParamId,
    /// Its shape in the module.
    pub shape: Shape,
    /// Whether the file holds its transpose.
    pub transposed_in_file: bool,
    /// Whether weight decay applies: to all but biases and LayerNorm (Devlin et al.'s `optimization.py`).
    pub decays: bool,
    /// Where in the model it is.
    pub part: Part,
}

/// A part of a model, from the input up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Below the first layer.
    Embeddings,
    /// A layer of the encoder, counted from 0 from the input up.
    Layer(usize),
    /// The pooler and the head.
    Head,
}

impl Part {
    /// Of the parameter at a path of field names, in a model with a head or in an encoder.
    fn of(path: &[&str]) -> Self {
        match path {
            ["bert", rest @ ..] => Self::of(rest),
            ["embeddings", ..] => Self::Embeddings,
            ["layers", number, ..] => number.parse().map_or(Self::Head, Self::Layer),
            _ => Self::Head,
        }
    }
}

impl ParameterInfo {
    /// Values of this parameter's shape, the parameter's own or an optimiser's, in the layout of a checkpoint.
    pub fn to_file(&self, name: String, mut values: Vec<f32>) -> NamedValues {
        let mut shape = self.shape.to_vec();
        if self.transposed_in_file {
            values = transpose(&values, shape[0], shape[1]);
            shape.reverse();
        }
        NamedValues {
            name,
            shape,
            values,
        }
    }

    /// The way back of [`ParameterInfo::to_file`]; `None` when the values have another shape.
    pub fn from_file(&self, stored: NamedValues) -> Option<Vec<f32>> {
        let mut expected = self.shape.to_vec();
        if self.transposed_in_file {
            expected.reverse();
        }
        if stored.shape != expected || stored.values.len() != self.shape.num_elements() {
            return None;
        }
        Some(if self.transposed_in_file {
            transpose(&stored.values, expected[0], expected[1])
        } else {
            stored.values
        })
    }
}

/// A parameter's values in the layout of a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedValues {
    /// Its name in a checkpoint.
    pub name: String,
    /// Its shape in a checkpoint.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

/// Lists a module's parameters in the order of its fields.
pub fn list<M: Module>(module: &M, names: &TensorNames) -> Vec<ParameterInfo> {
    let mut visitor = Walker::new(names, |info: ParameterInfo, _: &Read<'_>| info);
    module.visit(&mut visitor);
    visitor.collected
}

/// A parameter's values in host memory, in the layout of the module.
#[derive(Debug, Clone)]
pub struct HostParameter {
    /// Which one.
    pub info: ParameterInfo,
    /// Row-major.
    pub values: Vec<f32>,
}

impl HostParameter {
    /// In the layout of a checkpoint, under its own name.
    pub fn into_file(self) -> NamedValues {
        self.info.to_file(self.info.name.clone(), self.values)
    }
}

/// Copies a module's parameters to host memory as they are: quick, so that a training that goes on waits no
/// longer than it must.
///
/// # Errors
/// [`ModelError::Device`] when one cannot be read.
pub fn to_host<M: Module>(
    module: &M,
    names: &TensorNames,
) -> Result<Vec<HostParameter>, ModelError> {
    let mut visitor = Walker::new(names, |info: ParameterInfo, read: &Read<'_>| match read() {
        Ok(values) => Ok(HostParameter { info, values }),
        Err(reason) => Err(ModelError::Device {
            name: info.name,
            reason,
        }),
    });
    module.visit(&mut visitor);
    bert_kernels::device_fault::check()?;
    visitor.collected.into_iter().collect()
}

/// Copies a module's parameters to host memory in the layout of a checkpoint.
///
/// # Panics
/// When the device fails.
pub fn values<M: Module>(module: &M, names: &TensorNames) -> Vec<NamedValues> {
    let parameters = to_host(module, names).unwrap_or_else(|error| panic!("{error}"));
    parameters
        .into_iter()
        .map(HostParameter::into_file)
        .collect()
}

/// What this crate's modules call every layer normalisation.
const LAYER_NORM: &str = "layer_norm";

/// Brings a parameter's values to host memory, or says why that fails.
type Read<'a> = dyn Fn() -> Result<Vec<f32>, String> + 'a;

/// Keeps track of the path while a module is visited, and hands each parameter to `take`.
struct Walker<'a, T, F> {
    names: &'a TensorNames,
    path: Vec<(String, bool)>,
    take: F,
    collected: Vec<T>,
}

impl<'a, T, F> Walker<'a, T, F> {
    fn new(names: &'a TensorNames, take: F) -> Self {
        Self {
            names,
            path: Vec::new(),
            take,
            collected: Vec::new(),
        }
    }
}

impl<T, F> ModuleVisitor for Walker<'_, T, F>
where
    F: FnMut(ParameterInfo, &Read<'_>) -> T,
{
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path
            .push((name.to_owned(), container_type == "Struct:Linear"));
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let segments: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
        let in_linear = self.path.last().is_some_and(|(_, linear)| *linear);
        let is_exempt = |segment: &&str| ["bias", LAYER_NORM].contains(segment);
        let info = ParameterInfo {
            name: self.names.in_file(&segments.join(".")),
            decays: !segments.iter().any(is_exempt),
            part: Part::of(&segments),
            id: param.id,
            shape: param.val().shape(),
            transposed_in_file: in_linear && D == 2,
        };
        let read = || {
            let values = param.val().try_into_vec_as::<f32>();
            values.map_err(|error| format!("{error:?}"))
        };
        self.collected.push((self.take)(info, &read));
    }
}
