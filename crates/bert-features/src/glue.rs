//! Sentences and sentence pairs turned into token ids.

use bert_datasets::glue::{GlueDataset, GlueLabel};
use bert_tokenization::BertTokenizer;
use rayon::prelude::*;
use serde::{Serialize, Serializer};

use crate::FeatureError;
use crate::pair::{SequenceFeatures, TokenRow, check_length, encode, ids};

/// Tokens of a row in the 2018 script, `run_classifier.py`.
pub const DEFAULT_MAX_SEQ_LENGTH: usize = 128;

/// Converts texts, each alone or with a second one, in parallel on rayon's current pool. Single texts are cut to
/// `max_seq_length - 2` tokens, pairs as [`truncate_pair`](crate::pair::truncate_pair) says.
///
/// # Errors
///
/// Fails where a row has no room for two texts, or the tokenizer fails.
pub fn convert(
    texts: &[(&str, Option<&str>)],
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
) -> Result<SequenceFeatures, FeatureError> {
    check_length(max_seq_length)?;
    let examples = texts
        .par_iter()
        .map(|(text_a, text_b)| {
            let a = ids(tokenizer, text_a)?;
            let b = text_b.map(|text| ids(tokenizer, text)).transpose()?;
            Ok(vec![encode(tokenizer, &a, b.as_deref(), max_seq_length)])
        })
        .collect::<Result<Vec<_>, FeatureError>>()?;
    Ok(SequenceFeatures::collect(examples, 1, max_seq_length))
}

/// Converts a GLUE file; see [`convert`].
///
/// # Errors
///
/// Those of [`convert`].
pub fn convert_dataset(
    dataset: &GlueDataset,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
) -> Result<SequenceFeatures, FeatureError> {
    let texts: Vec<_> = dataset
        .examples
        .iter()
        .map(|example| (example.text_a.as_str(), example.text_b.as_deref()))
        .collect();
    convert(&texts, tokenizer, max_seq_length)
}

/// One example as `features-glue` prints it, one line of JSON; keys in this order, without padding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GlueRecord {
    /// `<split>-<row>`, rows counted from 0 at the first data row.
    pub example_id: String,
    /// A class's index, a score, or nothing.
    #[serde(serialize_with = "label")]
    pub label: Option<GlueLabel>,
    /// `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]`.
    pub input_ids: Vec<u32>,
    /// 0 up to the first `[SEP]`, 1 after it.
    pub token_type_ids: Vec<u8>,
}

impl GlueRecord {
    /// An example of a dataset with its row of the dataset's features.
    ///
    /// # Panics
    ///
    /// Where the dataset has no such example.
    #[must_use]
    pub fn new(dataset: &GlueDataset, example: usize, row: TokenRow<'_>) -> Self {
        Self {
            example_id: example_id(dataset, example),
            label: dataset.examples[example].label,
            input_ids: row.input_ids.to_vec(),
            token_type_ids: row.token_type_ids(),
        }
    }
}

/// The id of a dataset's example: `<split>-<row>`, rows counted from 0 at the first data row.
///
/// # Panics
///
/// Where the dataset has no such example.
#[must_use]
pub fn example_id(dataset: &GlueDataset, example: usize) -> String {
    format!("{}-{}", dataset.split, dataset.examples[example].row)
}

fn label<S: Serializer>(label: &Option<GlueLabel>, serializer: S) -> Result<S::Ok, S::Error> {
    match label {
        Some(GlueLabel::Class(class)) => serializer.serialize_u64(*class as u64),
        Some(GlueLabel::Score(score)) => serializer.serialize_f64(*score),
        None => serializer.serialize_none(),
    }
}
