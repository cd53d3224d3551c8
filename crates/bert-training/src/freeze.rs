//! Parts of a model that are not trained.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use bert_model::parameters::{ParameterInfo, Part};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::TrainError;

/// Numbers of layers that can be told apart: more than a BERT has.
const MOST_LAYERS: usize = 1024;
const BITS: usize = u128::BITS as usize;

/// The embeddings, some layers, or both: `embeddings,0-5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Freeze {
    embeddings: bool,
    /// A bit for each layer.
    layers: [u128; MOST_LAYERS / BITS],
}

impl Freeze {
    /// Whether a part is frozen.
    pub fn holds(&self, part: Part) -> bool {
        match part {
            Part::Embeddings => self.embeddings,
            Part::Layer(n) => n < MOST_LAYERS && self.layers[n / BITS] >> (n % BITS) & 1 == 1,
            Part::Head => false,
        }
    }

    /// How many parts from the input up are frozen without a gap, the embeddings first: nothing below needs a backward
    /// pass.
    pub fn depth(&self) -> usize {
        if !self.embeddings {
            return 0;
        }
        1 + self
            .layer_numbers()
            .zip(0..)
            .take_while(|(n, at)| n == at)
            .count()
    }

    /// The frozen layers, from the input up.
    pub fn layer_numbers(&self) -> impl Iterator<Item = usize> + '_ {
        (0..MOST_LAYERS).filter(|n| self.holds(Part::Layer(*n)))
    }

    /// Whether the embeddings are frozen.
    pub fn embeddings(&self) -> bool {
        self.embeddings
    }

    /// Checks that a model with `layers` layers has what is frozen.
    ///
    /// # Errors
    /// [`TrainError::Setting`].
    pub fn check(&self, layers: usize) -> Result<(), TrainError> {
        match self.layer_numbers().find(|n| *n >= layers) {
            None => Ok(()),
            Some(n) => Err(TrainError::Setting {
                setting: "freeze",
                found: format!("layer {n}"),
                expected: format!("layers 0 to {} of this model", layers.saturating_sub(1)),
            }),
        }
    }

    /// The model with its frozen parameters as constants.
    pub(crate) fn apply<M: Module>(&self, model: M, parameters: &[ParameterInfo]) -> M {
        let frozen = parameters.iter().filter(|info| self.holds(info.part));
        model.map(&mut Freezer(frozen.map(|info| info.id).collect()))
    }
}

struct Freezer(HashSet<ParamId>);

impl ModuleMapper for Freezer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.0.contains(&param.id) {
            param.set_require_grad(false)
        } else {
            param
        }
    }
}

impl fmt::Display for Freeze {
    /// With neighbouring layers as ranges.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.embeddings {
            parts.push("embeddings".to_owned());
        }
        let mut left = self.layer_numbers().peekable();
        while let Some(first) = left.next() {
            let mut last = first;
            while let Some(next) = left.next_if_eq(&(last + 1)) {
                last = next;
            }
            parts.push(if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            });
        }
        f.write_str(&parts.join(","))
    }
}

impl FromStr for Freeze {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "found {text:?}, expected embeddings, numbers of layers from 0, and ranges of them, such as embeddings,0-5"
            )
        };
        let mut frozen = Self {
            embeddings: false,
            layers: [0; MOST_LAYERS / BITS],
        };
        for part in text.split(',').map(str::trim) {
            if part == "embeddings" {
                frozen.embeddings = true;
                continue;
            }
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| {
                text.trim()
                    .parse::<usize>()
                    .ok()
                    .filter(|n| *n < MOST_LAYERS)
            };
            match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last => {
                    for n in first..=last {
                        frozen.layers[n / BITS] |= 1 << (n % BITS);
                    }
                }
                _ => return Err(expected()),
            }
        }
        Ok(frozen)
    }
}

impl From<Freeze> for String {
    fn from(frozen: Freeze) -> Self {
        frozen.to_string()
    }
}

impl TryFrom<String> for Freeze {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_and_written() {
        for (text, written, depth) in [
            ("embeddings,0-5", "embeddings,0-5", 7),
            ("embeddings", "embeddings", 1),
            ("0-5", "0-5", 0),
            ("embeddings,1-3", "embeddings,1-3", 1),
            ("3,embeddings, 0,2-2,1", "embeddings,0-3", 5),
            ("127-129,1000", "127-129,1000", 0),
        ] {
            let frozen: Freeze = text.parse().unwrap();
            assert_eq!(frozen.to_string(), written);
            assert_eq!(frozen.depth(), depth, "{text}");
            assert_eq!(serde_json::to_value(frozen).unwrap(), written);
            assert_eq!(
                serde_json::from_value::<Freeze>(written.into()).unwrap(),
                frozen
            );
        }
        for text in [
            "",
            "all",
            "5-3",
            "-1",
            "0-",
            "embeddings,,1",
            "1024",
            "0-9999999999",
        ] {
            let error = text.parse::<Freeze>().unwrap_err();
            assert!(
                error.starts_with(&format!("found {text:?}, expected")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_layer_that_is_not_there_is_named() {
        let frozen: Freeze = "embeddings,0-5".parse().unwrap();
        assert!(frozen.check(6).is_ok());
        assert_eq!(
            frozen.check(5).unwrap_err().to_string(),
            "`freeze`: found layer 5, expected layers 0 to 4 of this model"
        );
    }
}
