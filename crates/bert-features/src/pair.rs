//! One text or a pair of texts as one input sequence, cut to a length: what GLUE and SWAG share.

use bert_tokenization::BertTokenizer;

use crate::FeatureError;

/// `[CLS]` and one `[SEP]`, or two for a pair.
const SPECIAL_TOKENS_SINGLE: usize = 2;
const SPECIAL_TOKENS_PAIR: usize = 3;

/// How many tokens of `a` and of `b` are kept where both must fit into `room`: the longer one loses its last
/// token until they do; of two equally long ones, `b` does (`_truncate_seq_pair` of the 2018 scripts).
///
/// `transformers`' `longest_first` gives the same lengths but for one case: where both are longer than half of an odd
/// `room` and `a` is not the longer one, it keeps the odd token for `b` and this for `a`.
#[must_use]
pub fn truncate_pair(a: usize, b: usize, room: usize) -> (usize, usize) {
    if a + b <= room {
        return (a, b);
    }
    let half = room / 2;
    if b <= half {
        (room - b, b)
    } else if a <= half {
        (a, room - a)
    } else {
        (room - half, half)
    }
}

/// Input sequences of one text or two, end to end: compact, and without padding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenRows {
    ids: Vec<u32>,
    /// Where each row ends in `ids`.
    ends: Vec<usize>,
    /// Each row's first position with token type 1.
    segment_b_starts: Vec<u32>,
}

/// One row of [`TokenRows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRow<'a> {
    /// `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]`.
    pub input_ids: &'a [u32],
    /// First position with token type 1; the row's length where there is no second text.
    pub segment_b_start: usize,
}

impl TokenRow<'_> {
    /// 0 up to the first `[SEP]`, 1 after it.
    #[must_use]
    pub fn token_type_ids(&self) -> Vec<u8> {
        let mut types = vec![0; self.segment_b_start];
        types.resize(self.input_ids.len(), 1);
        types
    }
}

impl TokenRows {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A row.
    ///
    /// # Panics
    ///
    /// Where there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> TokenRow<'_> {
        let start = match row {
            0 => 0,
            _ => self.ends[row - 1],
        };
        TokenRow {
            input_ids: &self.ids[start..self.ends[row]],
            segment_b_start: self.segment_b_starts[row] as usize,
        }
    }

    /// Appends a row whose tokens from `segment_b_start` on have token type 1.
    pub fn push(&mut self, input_ids: &[u32], segment_b_start: usize) {
        self.ids.extend_from_slice(input_ids);
        self.ends.push(self.ids.len());
        // A row has some hundred tokens.
        self.segment_b_starts.push(segment_b_start as u32);
    }
}

/// Examples of one row each (a sentence or a pair), or of several (a row a choice).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceFeatures {
    /// The rows, example by example.
    pub rows: TokenRows,
    /// Rows of one example.
    pub rows_per_example: usize,
    /// Longest row that there may be, in tokens.
    pub max_seq_length: usize,
    /// Examples that lost tokens to `max_seq_length`.
    pub truncated: usize,
}

impl SequenceFeatures {
    /// Number of examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len() / self.rows_per_example
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows of an example.
    ///
    /// # Panics
    ///
    /// Where there is no such example.
    pub fn rows_of(&self, example: usize) -> impl Iterator<Item = TokenRow<'_>> {
        let first = example * self.rows_per_example;
        (first..first + self.rows_per_example).map(|row| self.rows.row(row))
    }

    /// Tokens of an example's longest row.
    ///
    /// # Panics
    ///
    /// Where there is no such example.
    #[must_use]
    pub fn longest_row(&self, example: usize) -> usize {
        let lengths = self.rows_of(example).map(|row| row.input_ids.len());
        lengths.max().unwrap_or(0)
    }

    /// Tokens of all of an example's rows.
    ///
    /// # Panics
    ///
    /// Where there is no such example.
    #[must_use]
    pub fn tokens(&self, example: usize) -> usize {
        self.rows_of(example).map(|row| row.input_ids.len()).sum()
    }

    /// Puts converted examples, each of `rows_per_example` rows, end to end.
    pub(crate) fn collect(
        examples: Vec<Vec<EncodedRow>>,
        rows_per_example: usize,
        max_seq_length: usize,
    ) -> Self {
        let mut rows = TokenRows::default();
        let mut truncated = 0;
        for example in &examples {
            truncated += usize::from(example.iter().any(|row| row.truncated));
            for row in example {
                rows.push(&row.input_ids, row.segment_b_start);
            }
        }
        Self {
            rows,
            rows_per_example,
            max_seq_length,
            truncated,
        }
    }
}

/// One row before it is put behind the others.
pub(crate) struct EncodedRow {
    input_ids: Vec<u32>,
    segment_b_start: usize,
    truncated: bool,
}

/// Joins token ids to `[CLS] a [SEP]`, or with a second text to `[CLS] a [SEP] b [SEP]`, of at most
/// `max_seq_length` tokens.
pub(crate) fn encode(
    tokenizer: &BertTokenizer,
    a: &[u32],
    b: Option<&[u32]>,
    max_seq_length: usize,
) -> EncodedRow {
    let (kept_a, kept_b) = match b {
        Some(b) => truncate_pair(a.len(), b.len(), max_seq_length - SPECIAL_TOKENS_PAIR),
        None => (a.len().min(max_seq_length - SPECIAL_TOKENS_SINGLE), 0),
    };
    let mut input_ids = Vec::with_capacity(kept_a + kept_b + SPECIAL_TOKENS_PAIR);
    input_ids.push(tokenizer.cls_id());
    input_ids.extend_from_slice(&a[..kept_a]);
    input_ids.push(tokenizer.sep_id());
    let segment_b_start = input_ids.len();
    if let Some(b) = b {
        input_ids.extend_from_slice(&b[..kept_b]);
        input_ids.push(tokenizer.sep_id());
    }
    EncodedRow {
        input_ids,
        segment_b_start,
        truncated: kept_a + kept_b < a.len() + b.map_or(0, <[u32]>::len),
    }
}

/// Token ids of a text.
pub(crate) fn ids(tokenizer: &BertTokenizer, text: &str) -> Result<Vec<u32>, FeatureError> {
    let tokens = tokenizer.tokenize(text)?;
    Ok(tokens.into_iter().map(|token| token.id).collect())
}

/// Checks that a row has room for a token of each text.
pub(crate) fn check_length(max_seq_length: usize) -> Result<(), FeatureError> {
    let least = SPECIAL_TOKENS_PAIR + 2;
    if max_seq_length < least {
        return Err(FeatureError::MaxSeqLength {
            found: max_seq_length,
            least,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The scripts' loop, token by token.
    fn token_by_token(mut a: usize, mut b: usize, room: usize) -> (usize, usize) {
        while a + b > room {
            if a > b {
                a -= 1;
            } else {
                b -= 1;
            }
        }
        (a, b)
    }

    #[test]
    fn the_longer_text_loses_first_and_ties_go_to_b() {
        for (a, b, room, expected) in [
            (3, 4, 10, (3, 4)),
            (10, 4, 10, (6, 4)),
            (4, 10, 10, (4, 6)),
            (10, 10, 10, (5, 5)),
            (10, 10, 11, (6, 5)),
            (9, 12, 11, (6, 5)),
            (0, 12, 11, (0, 11)),
            (12, 0, 11, (11, 0)),
        ] {
            assert_eq!(truncate_pair(a, b, room), expected, "{a} and {b} in {room}");
        }
    }

    proptest! {
        #[test]
        fn truncation_is_that_of_the_loop(a in 0_usize..80, b in 0_usize..80, room in 0_usize..100) {
            prop_assert_eq!(truncate_pair(a, b, room), token_by_token(a, b, room));
        }
    }
}
