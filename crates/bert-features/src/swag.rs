//! Choices turned into token ids: a row for each ending.

use bert_datasets::swag::SwagDataset;
use bert_tokenization::BertTokenizer;
use rayon::prelude::*;
use serde::Serialize;

use crate::FeatureError;
use crate::pair::{SequenceFeatures, check_length, encode, ids};

/// Tokens of a row in the 2018 script, `run_swag.py`.
pub const DEFAULT_MAX_SEQ_LENGTH: usize = 128;

/// Converts a dataset, in parallel on rayon's current pool. Segment A is `sent1`, segment B is `sent2` and the ending;
/// pairs are cut as [`truncate_pair`](crate::pair::truncate_pair) says. The two sentences are tokenised once an example.
/// The features have as many rows an example as the dataset has endings.
///
/// # Errors
///
/// Fails where a row has no room for two texts, an example has no endings or another number of them than the first, or
/// the tokenizer fails.
pub fn convert(
    dataset: &SwagDataset,
    tokenizer: &BertTokenizer,
    max_seq_length: usize,
) -> Result<SequenceFeatures, FeatureError> {
    check_length(max_seq_length)?;
    let endings = endings(dataset)?;
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
    Ok(SequenceFeatures::collect(examples, endings, max_seq_length))
}

/// The endings of each example; 1 where there are no examples.
fn endings(dataset: &SwagDataset) -> Result<usize, FeatureError> {
    let first = dataset.examples.first();
    let expected = first.map_or(1, |first| first.endings.len());
    let other = dataset
        .examples
        .iter()
        .find(|example| example.endings.len() != expected || example.endings.is_empty());
    match other {
        None => Ok(expected),
        Some(example) => Err(FeatureError::Endings {
            id: example.id.clone(),
            found: example.endings.len(),
            expected: expected.max(1),
        }),
    }
}

/// One example as `features-swag` prints it, one line of JSON; keys in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SwagRecord<'a> {
    /// The example's id.
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

#[cfg(test)]
mod tests {
    use bert_datasets::swag::SwagExample;

    use super::*;

    const VOCAB: [&str; 8] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d"];

    fn tokenizer() -> BertTokenizer {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vocab.txt");
        std::fs::write(&path, VOCAB.join("\n")).unwrap();
        BertTokenizer::from_vocab_file(&path, true).unwrap()
    }

    fn dataset(endings: &[&[&str]]) -> SwagDataset {
        let examples = endings.iter().enumerate().map(|(n, endings)| SwagExample {
            id: n.to_string(),
            sent1: "a".to_owned(),
            sent2: "b".to_owned(),
            endings: endings.iter().map(|&it| it.to_owned()).collect(),
            label: None,
        });
        SwagDataset {
            examples: examples.collect(),
            labelled: false,
        }
    }

    #[test]
    fn an_example_has_a_row_for_each_ending() {
        let many = vec!["c d"; 26];
        for endings in [&["c", "d"][..], &["c", "d", "c c"], &many] {
            let dataset = dataset(&[endings, endings]);
            let features = convert(&dataset, &tokenizer(), 10).unwrap();
            assert_eq!(features.len(), 2);
            assert_eq!(features.rows_per_example, endings.len());
            for (row, ending) in features.rows_of(1).zip(endings) {
                let tokens: Vec<&str> =
                    row.input_ids.iter().map(|&id| VOCAB[id as usize]).collect();
                assert_eq!(tokens.join(" "), format!("[CLS] a [SEP] b {ending} [SEP]"));
            }
        }
    }

    #[test]
    fn examples_have_equally_many_endings() {
        let cases: [(&[&[&str]], &str); 2] = [
            (
                &[&["c", "d"], &["c", "d", "c"]],
                "example \"1\": found 3 endings, expected 2, as the first example has",
            ),
            (
                &[&[]],
                "example \"0\": found 0 endings, expected 1, as the first example has",
            ),
        ];
        for (endings, expected) in cases {
            let error = convert(&dataset(endings), &tokenizer(), 10).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let none = convert(&dataset(&[]), &tokenizer(), 10).unwrap();
        assert_eq!(none.len(), 0);
    }
}
