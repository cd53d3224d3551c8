//! Where a module takes its parameters from: a checkpoint's tensors or a seeded generator.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use crate::ModelError;
use crate::checkpoint::{TensorNames, Weights};
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;

/// Hands out parameters while a model is built.
///
/// A module asks by the name of its field, and [`ParameterSource::at`] descends one level; a table turns the path so
/// far into a name of the checkpoint.
pub struct ParameterSource<'a> {
    names: &'static TensorNames,
    origin: Origin<'a>,
    device: &'a Device,
    /// Standard deviation of fresh weights.
    initializer_range: f64,
    seed: u64,
    /// Parameters whose names begin with this are drawn even where the checkpoint has them.
    redrawn: Option<&'static str>,
    /// Layers from this one up, and the pooler, are drawn although the checkpoint has them.
    reinitialized_from: Option<usize>,
    prefix: String,
    fresh: Vec<String>,
}

enum Origin<'a> {
    Checkpoint(&'a mut Weights),
    Fresh,
}

/// How a parameter is filled where the checkpoint does not have it.
#[derive(Clone, Copy)]
pub(crate) enum Fill {
    Normal,
    Constant(f32),
    /// Where positions begin: a departure from the scripts, which never start from nothing.
    Sinusoidal,
}

impl<'a> ParameterSource<'a> {
    /// Draws every parameter anew: weights from N(0, `initializer_range`²), biases 0, LayerNorm 1 and 0, as
    /// Devlin et al.'s code and `transformers` do, and position embeddings from sinusoids, as they do not.
    pub fn fresh(
        names: &'static TensorNames,
        seed: u64,
        initializer_range: f64,
        device: &'a Device,
    ) -> Self {
        Self {
            names,
            origin: Origin::Fresh,
            device,
            initializer_range,
            seed,
            redrawn: None,
            reinitialized_from: None,
            prefix: String::new(),
            fresh: Vec::new(),
        }
    }

    /// Takes parameters from a checkpoint and draws those that it lacks, remembering their names.
    pub fn checkpoint(
        names: &'static TensorNames,
        weights: &'a mut Weights,
        seed: u64,
        initializer_range: f64,
        device: &'a Device,
    ) -> Self {
        Self {
            origin: Origin::Checkpoint(weights),
            ..Self::fresh(names, seed, initializer_range, device)
        }
    }

    /// Draws the parameters whose names begin with `prefix` even where the checkpoint has them.
    pub fn redrawing(self, prefix: &'static str) -> Self {
        Self {
            redrawn: Some(prefix),
            ..self
        }
    }

    /// Draws the layers from `first` up, and the pooler, although the checkpoint has them.
    pub(crate) fn reinitializing(self, first: usize) -> Self {
        Self {
            reinitialized_from: Some(first),
            ..self
        }
    }

    /// Names of the parameters that were drawn because the checkpoint lacks them.
    pub fn into_fresh(self) -> Vec<String> {
        self.fresh
    }

    /// The device on which parameters are made.
    pub fn device(&self) -> &Device {
        self.device
    }

    /// Runs `build` one level down the path.
    ///
    /// # Errors
    /// Those of `build`.
    pub fn at<T>(
        &mut self,
        name: &str,
        build: impl FnOnce(&mut Self) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        let length = self.prefix.len();
        self.prefix.push_str(name);
        self.prefix.push('.');
        let built = build(self);
        self.prefix.truncate(length);
        built
    }

    /// A linear layer `name`, its weight transposed from the checkpoint's `[output, input]`.
    ///
    /// # Errors
    /// When a tensor has another shape or is damaged.
    pub(crate) fn linear(
        &mut self,
        name: &str,
        input: usize,
        output: usize,
    ) -> Result<Linear, ModelError> {
        self.at(name, |source| {
            let stored = source.values("weight", &[output, input], Fill::Normal)?;
            let weight = Tensor::<2>::from_data(
                TensorData::new(transpose(&stored, output, input), [input, output]),
                source.device,
            );
            let bias = source.tensor::<1>("bias", [output], Fill::Constant(0.0))?;
            Ok(Linear {
                weight: Param::from_tensor(weight),
                bias,
            })
        })
    }

    /// An embedding table `name` of shape `[entries, width]`, filled with `fill` where it is not in a checkpoint.
    ///
    /// # Errors
    /// When the tensor has another shape or is damaged.
    pub(crate) fn embedding(
        &mut self,
        name: &str,
        [entries, width]: [usize; 2],
        fill: Fill,
    ) -> Result<Param<Tensor<2>>, ModelError> {
        self.at(name, |source| {
            source.tensor("weight", [entries, width], fill)
        })
    }

    /// A layer normalisation `name` over the last `width` values.
    ///
    /// # Errors
    /// When a tensor has another shape or is damaged.
    pub(crate) fn layer_norm(
        &mut self,
        name: &str,
        width: usize,
        epsilon: f64,
    ) -> Result<LayerNorm, ModelError> {
        self.at(name, |source| {
            Ok(LayerNorm {
                weight: source.tensor("weight", [width], Fill::Constant(1.0))?,
                bias: source.tensor("bias", [width], Fill::Constant(0.0))?,
                epsilon,
            })
        })
    }

    fn tensor<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        fill: Fill,
    ) -> Result<Param<Tensor<D>>, ModelError> {
        let values = self.values(name, &shape, fill)?;
        let tensor = Tensor::from_data(TensorData::new(values, shape), self.device);
        Ok(Param::from_tensor(tensor))
    }

    fn values(&mut self, name: &str, shape: &[usize], fill: Fill) -> Result<Vec<f32>, ModelError> {
        let path = self.names.in_file(&format!("{}{name}", self.prefix));
        let redrawn = self.redrawn.is_some_and(|prefix| path.starts_with(prefix));
        let reinitialized = self.reinitialized_from.is_some_and(|first| {
            let layer = self.names.layer(&path);
            layer.is_some_and(|layer| layer >= first) || self.names.is_pooler(&path)
        });
        if !redrawn
            && let Origin::Checkpoint(weights) = &mut self.origin
            && let Some(values) = weights.take(&path, shape)?
            && !reinitialized
        {
            return Ok(values);
        }
        if let Origin::Checkpoint(weights) = &self.origin {
            weights.check_drawn(&path, shape)?;
        }
        let count = shape.iter().product();
        let values = match fill {
            Fill::Constant(value) => vec![value; count],
            Fill::Sinusoidal => sinusoids(shape[0], shape[1]),
            Fill::Normal => {
                let normal = Normal::new(0.0, self.initializer_range)
                    .expect("initializer_range is validated to be finite and positive");
                let mut generator = ChaCha8Rng::seed_from_u64(self.seed ^ name_hash(&path));
                (0..count)
                    .map(|_| normal.sample(&mut generator) as f32)
                    .collect()
            }
        };
        if !reinitialized {
            self.fresh.push(path);
        }
        Ok(values)
    }
}

/// Sines and cosines of geometrically growing wavelengths (Vaswani et al. 2017, 3.5), scaled by 0.1 to
/// the size of the other embeddings.
fn sinusoids(positions: usize, width: usize) -> Vec<f32> {
    let value = |position: usize, column: usize| {
        let exponent = (column / 2 * 2) as f64 / width as f64;
        let angle = position as f64 / 10_000_f64.powf(exponent);
        let wave = if column.is_multiple_of(2) {
            angle.sin()
        } else {
            angle.cos()
        };
        (0.1 * wave) as f32
    };
    (0..positions)
        .flat_map(|position| (0..width).map(move |column| value(position, column)))
        .collect()
}

/// FNV-1a (Fowler, Noll & Vo): gives each parameter a stream of its own, whatever else is drawn.
fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// `[rows, columns]` → `[columns, rows]`.
pub(crate) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    for (row, line) in values.chunks_exact(columns).enumerate() {
        for (column, value) in line.iter().enumerate() {
            out[column * rows + row] = *value;
        }
    }
    out
}
