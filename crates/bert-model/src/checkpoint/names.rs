//! The names of tensors in files.
//!
//! A module's field names are this crate's own affair: a table turns them into an architecture's names, and this table
//! is all that another architecture has to bring.

/// How the checkpoints of an architecture name the tensors of its encoder. A head's tensors have the names of the
/// module's fields.
#[derive(Debug)]
pub struct TensorNames {
    /// What the encoder is called in a model with a head.
    pub encoder: &'static str,
    /// For each module of the encoder its path by field names, and its name in files; `{}` is a layer's number.
    pub modules: &'static [(&'static str, &'static str)],
}

/// The field in which every model with a head holds its encoder.
const ENCODER_FIELD: &str = "bert";
/// Stands for a layer's number.
const NUMBER: &str = "{}";

/// The names of BERT.
pub const BERT: TensorNames = TensorNames {
    encoder: "bert",
    modules: &[
        ("embeddings.word_embeddings", "embeddings.word_embeddings"),
        (
            "embeddings.position_embeddings",
            "embeddings.position_embeddings",
        ),
        (
            "embeddings.token_type_embeddings",
            "embeddings.token_type_embeddings",
        ),
        ("embeddings.layer_norm", "embeddings.LayerNorm"),
        (
            "layers.{}.attention.query",
            "encoder.layer.{}.attention.self.query",
        ),
        (
            "layers.{}.attention.key",
            "encoder.layer.{}.attention.self.key",
        ),
        (
            "layers.{}.attention.value",
            "encoder.layer.{}.attention.self.value",
        ),
        (
            "layers.{}.attention_output.dense",
            "encoder.layer.{}.attention.output.dense",
        ),
        (
            "layers.{}.attention_output.layer_norm",
            "encoder.layer.{}.attention.output.LayerNorm",
        ),
        (
            "layers.{}.intermediate.dense",
            "encoder.layer.{}.intermediate.dense",
        ),
        ("layers.{}.output.dense", "encoder.layer.{}.output.dense"),
        (
            "layers.{}.output.layer_norm",
            "encoder.layer.{}.output.LayerNorm",
        ),
        ("pooler.dense", "pooler.dense"),
    ],
};

impl TensorNames {
    /// The name in files of the parameter at a path of field names, e.g. `bert.layers.0.attention.query.weight`. The
    /// encoder may also be the whole model.
    pub fn in_file(&self, path: &str) -> String {
        let below = path
            .strip_prefix(ENCODER_FIELD)
            .and_then(|rest| rest.strip_prefix('.'));
        let Some((module, parameter)) = below.unwrap_or(path).rsplit_once('.') else {
            return path.to_owned();
        };
        let (pattern, number) = with_number_left_out(module);
        let found = self.modules.iter().find(|(path, _)| *path == pattern);
        let Some((_, name)) = found else {
            return path.to_owned();
        };
        let name = name.replace(NUMBER, &number);
        match below {
            Some(_) => format!("{}.{name}.{parameter}", self.encoder),
            None => format!("{name}.{parameter}"),
        }
    }

    /// Today's name of a tensor in a model with a head, however a file spells it.
    pub(crate) fn canonical(&self, spelled: &str) -> String {
        // `torch.nn.DataParallel` wraps the model in `module`.
        let name = spelled.strip_prefix("module.").unwrap_or(spelled);
        // A checkpoint that was saved without a head has the encoder's parts at its root.
        let first = name.split('.').next().unwrap_or(name);
        let is_part = |part: &str| part.split('.').next() == Some(first);
        let mut canonical = if self.modules.iter().any(|(_, name)| is_part(name)) {
            format!("{}.{name}", self.encoder)
        } else {
            name.to_owned()
        };
        for (old, new) in [(".gamma", ".weight"), (".beta", ".bias")] {
            if let Some(stem) = canonical.strip_suffix(old) {
                canonical = format!("{stem}{new}");
            }
        }
        canonical
    }

    /// Whether a tensor of this canonical name belongs to the pooler, which checkpoints of tasks without one lack.
    pub(crate) fn is_pooler(&self, canonical: &str) -> bool {
        let mut pooler = self.modules.iter();
        let pooler = pooler.find(|(path, _)| path.starts_with("pooler."));
        pooler.is_some_and(|(_, name)| {
            let inner = self.below_encoder(canonical);
            inner.is_some_and(|inner| inner.starts_with(name))
        })
    }

    /// The number of the layer that a tensor of this canonical name belongs to, from 0.
    pub(crate) fn layer(&self, canonical: &str) -> Option<usize> {
        let inner = self.below_encoder(canonical)?;
        self.modules.iter().find_map(|(_, name)| {
            let (before, _) = name.split_once(NUMBER)?;
            let number = inner.strip_prefix(before)?.split('.').next()?;
            number.parse().ok()
        })
    }

    fn below_encoder<'a>(&self, canonical: &'a str) -> Option<&'a str> {
        canonical.strip_prefix(self.encoder)?.strip_prefix('.')
    }
}

/// A path with `{}` for the layer's number, and the number; empty where there is none.
fn with_number_left_out(path: &str) -> (String, String) {
    let mut number = String::new();
    let segments: Vec<&str> = path
        .split('.')
        .map(|segment| {
            if segment.bytes().all(|byte| byte.is_ascii_digit()) {
                number = segment.to_owned();
                NUMBER
            } else {
                segment
            }
        })
        .collect();
    (segments.join("."), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_maps_to_today_s() {
        let layer_norm = "bert.embeddings.LayerNorm.weight";
        for spelling in [
            "bert.embeddings.LayerNorm.weight",
            "embeddings.LayerNorm.weight",
            "bert.embeddings.LayerNorm.gamma",
            "module.bert.embeddings.LayerNorm.gamma",
        ] {
            assert_eq!(BERT.canonical(spelling), layer_norm);
        }
        for (spelling, name) in [
            ("pooler.dense.bias", "bert.pooler.dense.bias"),
            ("qa_outputs.weight", "qa_outputs.weight"),
            ("encoder.layer.11.x", "bert.encoder.layer.11.x"),
            ("embeddings.position_ids", "bert.embeddings.position_ids"),
        ] {
            assert_eq!(BERT.canonical(spelling), name);
        }
    }

    /// DistilBERT's names, which have another shape than the module's fields.
    const DISTILBERT: TensorNames = TensorNames {
        encoder: "distilbert",
        modules: &[
            ("embeddings.layer_norm", "embeddings.LayerNorm"),
            (
                "layers.{}.attention.query",
                "transformer.layer.{}.attention.q_lin",
            ),
            (
                "layers.{}.output.layer_norm",
                "transformer.layer.{}.output_layer_norm",
            ),
        ],
    };

    #[test]
    fn a_table_decides_names_in_files() {
        for (names, path, expected) in [
            (
                &BERT,
                "bert.layers.10.attention.query.weight",
                "bert.encoder.layer.10.attention.self.query.weight",
            ),
            (
                &BERT,
                "layers.0.attention_output.layer_norm.bias",
                "encoder.layer.0.attention.output.LayerNorm.bias",
            ),
            (&BERT, "bert.pooler.dense.bias", "bert.pooler.dense.bias"),
            (&BERT, "qa_outputs.weight", "qa_outputs.weight"),
            (
                &DISTILBERT,
                "bert.layers.3.attention.query.bias",
                "distilbert.transformer.layer.3.attention.q_lin.bias",
            ),
            (
                &DISTILBERT,
                "layers.5.output.layer_norm.weight",
                "transformer.layer.5.output_layer_norm.weight",
            ),
        ] {
            assert_eq!(names.in_file(path), expected);
        }
    }

    #[test]
    fn layers_and_the_pooler_are_known_by_their_names() {
        for (names, name, layer) in [
            (
                &BERT,
                "bert.encoder.layer.11.output.LayerNorm.bias",
                Some(11),
            ),
            (&BERT, "bert.embeddings.LayerNorm.bias", None),
            (&BERT, "classifier.layer.1.weight", None),
            (
                &DISTILBERT,
                "distilbert.transformer.layer.2.ffn.lin1.bias",
                Some(2),
            ),
        ] {
            assert_eq!(names.layer(name), layer, "{name}");
        }
        assert!(BERT.is_pooler("bert.pooler.dense.bias"));
        assert!(!BERT.is_pooler("bert.embeddings.LayerNorm.bias"));
        assert!(!DISTILBERT.is_pooler("distilbert.pooler.dense.bias"));
    }
}
