//! Four-way choices turned into token ids: a row for each ending.

use bert_datasets::swag::SwagDataset;
use bert_tokenization::BertTokenizer;
use rayon::prelude::*;
use serde::Serialize;

use crate::FeatureError;
use crate::pair::{SequenceFeatures, check_length, encode, ids};

/// Endings of an example.
pub const CHOICES: usize = 4;
/// Tokens of a row in the 2018 script, `run_swag.py`.
pub const DEFAULT_MAX_SEQ_LENGTH: usize = 128;

/// Converts a dataset, in parallel on rayon's current pool. Segment A is `sent1`, segment B is `sent2` and the ending;
/// pairs are cut as [`truncate_pair`](crate::pair::truncate_pair) says. The two sentences are tokenised once an example.
///
/// # Errors
///
/// Fails where a row has no room for two texts, or the tokenizer fails.
pub fn convert(
    dataset: &SwagDataset,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
) -> Result<SequenceFeatures, FeatureError> {
    check_length(max_seq_length)?;
    let examples = dataset
        .examples
        .par_iter()
        .map(|example| {
            let a = ids(tokenizer, &example.sent1)?;
            let start = ids(tokenizer, &example.sent2)?;
            let row = |ending: &String| {
                let mut b = start.clone();
                b.extend(ids(tokenizer, ending)?);
                Ok(encode(tokenizer, &a, Some(&b), max_seq_length))
            };
            example.endings.iter().map(row).collect()
        })
        .collect::<Result<Vec<Vec<_>>, FeatureError>>()?;
    Ok(SequenceFeatures::collect(examples, CHOICES, max_seq_length))
}

/// One example as `features-swag` prints it, one line of JSON; keys in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SwagRecord<'a> {
    /// The `fold-ind` column.
    pub example_id: &'a str,
    /// Which ending is right, from 0; none where the file does not say.
    pub label: Option<u8>,
    /// A sequence for each ending.
    pub choices: Vec<SwagChoice>,
}

/// One ending's sequence, without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SwagChoice {
    /// `[CLS] sent1 [SEP] sent2 ending [SEP]`.
    pub input_ids: Vec<u32>,
    /// 0 up to the first `[SEP]`, 1 after it.
    pub token_type_ids: Vec<u8>,
}

impl<'a> SwagRecord<'a> {
    /// An example of a dataset with the dataset's features.
    ///
    /// # Panics
    ///
    /// Where there is no such example.
    #[must_use]
    pub fn new(dataset: &'a SwagDataset, features: &SequenceFeatures, example: usize) -> Self {
        let described = &dataset.examples[example];
        Self {
            example_id: &described.id,
            label: described.label,
            choices: features
                .rows_of(example)
                .map(|row| SwagChoice {
                    input_ids: row.input_ids.to_vec(),
                    token_type_ids: row.token_type_ids(),
                })
                .collect(),
        }
    }
}
