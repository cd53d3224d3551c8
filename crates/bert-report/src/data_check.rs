//! What the files of a training hold: sizes, labels, lengths, and what is odd.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What was found in the files of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataCheck {
    /// Each file, that to train on first.
    pub files: Vec<FileCheck>,
    /// Rows of the development file that are in the training file too.
    pub overlap: usize,
    /// The length that holds 99 of 100 training rows whole; `None` where none of 512 tokens or less does.
    pub suggested_max_seq_length: Option<usize>,
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileCheck {
    /// The file.
    pub path: PathBuf,
    /// Examples.
    pub rows: usize,
    /// How many examples have each label; empty where there are none.
    pub labels: BTreeMap<String, usize>,
    /// The numbers to predict, where the labels are numbers.
    pub numbers: Option<Numbers>,
    /// Examples without any of several labels; `None` where each has one label.
    pub unlabelled: Option<usize>,
    /// Accuracy of always saying the most frequent label.
    pub majority_accuracy: Option<f64>,
    /// Accuracy of drawing a label by its frequency.
    pub random_accuracy: Option<f64>,
    /// Examples without a text.
    pub empty: usize,
    /// Examples that repeat an earlier one.
    pub repeated: usize,
    /// Texts that occur with different labels.
    pub conflicting: usize,
    /// Questions whose first answer does not stand where the file says.
    pub misplaced_answers: usize,
    /// Tokens of the rows, before they are cut, with special tokens.
    pub tokens: Lengths,
    /// Share of the rows that are longer than the setting.
    pub cut_share: f64,
    /// Share of the tokens that are `[UNK]`.
    pub unknown_share: f64,
}

/// How the numbers to predict are spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    /// The least.
    pub least: f64,
    /// The mean.
    pub mean: f64,
    /// The largest.
    pub most: f64,
    /// The standard deviation, which is the root of the mean squared error of always saying the mean.
    pub standard_deviation: f64,
}

/// How lengths are spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lengths {
    /// The shortest.
    pub least: usize,
    /// Half are at most this.
    pub median: usize,
    /// 95 of 100 are at most this.
    pub percentile_95: usize,
    /// 99 of 100 are at most this.
    pub percentile_99: usize,
    /// The longest.
    pub most: usize,
    /// Upper bounds, and how many lengths lie up to each and above the one before.
    pub histogram: Vec<(usize, usize)>,
}
