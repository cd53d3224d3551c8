//! How questions become windows.

use serde::{Deserialize, Serialize};

use super::SPECIAL_TOKENS;
use crate::FeatureError;

/// How questions become windows. Lengths are in tokens (WordPieces and special tokens). The defaults are those of
/// `run_squad.py` 0.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "clap",
    derive(clap::Args),
    command(next_help_heading = "Features")
)]
pub struct SquadFeatureConfig {
    /// Longest input sequence, in tokens; longer contexts are cut into windows
    #[cfg_attr(feature = "clap", arg(long, value_name = "TOKENS", default_value_t = Self::default().max_seq_length))]
    pub max_seq_length: usize,
    /// Context tokens between the starts of consecutive windows, not their overlap; --doc-stride-is overlap changes that
    #[cfg_attr(feature = "clap", arg(long, value_name = "TOKENS", default_value_t = Self::default().doc_stride))]
    pub doc_stride: usize,
    /// What --doc-stride counts
    // A record of a version that had no such setting counted the distance.
    #[serde(default)]
    #[cfg_attr(feature = "clap", arg(long, value_enum, default_value_t))]
    pub doc_stride_is: DocStride,
    /// Tokens of a question that are kept
    #[cfg_attr(feature = "clap", arg(long, value_name = "TOKENS", default_value_t = Self::default().max_query_length))]
    pub max_query_length: usize,
}

/// What `doc_stride` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum DocStride {
    /// Tokens between the starts of consecutive windows, as in `run_squad.py`
    #[default]
    Distance,
    /// Tokens that consecutive windows share, as in `run_qa.py` of `transformers`: a question with more tokens has shorter
    /// steps
    Overlap,
}

impl Default for SquadFeatureConfig {
    fn default() -> Self {
        Self {
            max_seq_length: 384,
            doc_stride: 128,
            doc_stride_is: DocStride::Distance,
            max_query_length: 64,
        }
    }
}

impl SquadFeatureConfig {
    /// Checks what can be checked without data. Whether the longest question leaves room for its context is checked by
    /// the conversion.
    ///
    /// # Errors
    ///
    /// Fails where windows would not advance, questions would vanish or a sequence could not hold one token each of a
    /// question and a context; where windows overlap, also where the longest question would leave no room to advance.
    pub fn validate(&self) -> Result<(), FeatureError> {
        let least = SPECIAL_TOKENS + 2;
        if self.doc_stride == 0 && self.doc_stride_is == DocStride::Distance {
            return Err(FeatureError::DocStride);
        }
        if self.max_query_length == 0 {
            return Err(FeatureError::MaxQueryLength);
        }
        if self.max_seq_length < least {
            return Err(FeatureError::MaxSeqLength {
                found: self.max_seq_length,
                least,
            });
        }
        let room = self
            .max_seq_length
            .saturating_sub(self.max_query_length.saturating_add(SPECIAL_TOKENS));
        if self.doc_stride_is == DocStride::Overlap && self.doc_stride >= room {
            return Err(FeatureError::DocOverlap {
                found: self.doc_stride,
                room,
                max_query_length: self.max_query_length,
            });
        }
        Ok(())
    }

    /// Tokens between the starts of consecutive windows of `capacity` tokens.
    pub(super) fn step(&self, capacity: usize) -> usize {
        match self.doc_stride_is {
            DocStride::Distance => self.doc_stride,
            DocStride::Overlap => capacity - self.doc_stride,
        }
    }

    /// As [`validate`](Self::validate), for questions that are not known yet: a question of `max_query_length` tokens must
    /// leave room for a token of its context.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate), and where such a question leaves no room.
    pub fn validate_for_any_question(&self) -> Result<(), FeatureError> {
        self.validate()?;
        let least = self.max_query_length.saturating_add(SPECIAL_TOKENS + 1);
        if self.max_seq_length < least {
            return Err(FeatureError::NoRoomForQuestions {
                found: self.max_seq_length,
                least,
                max_query_length: self.max_query_length,
            });
        }
        Ok(())
    }
}

/// What the features are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SquadMode {
    /// Windows with answer positions. Windows that do not hold the whole answer of an answerable question are dropped
    /// and counted; questions without an answer keep all of their windows.
    Training,
    /// Every window, without answers.
    Evaluation,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_is_kept_whatever_the_question_takes() {
        // The step that `tokenizers` makes of `stride`: what is left of the window beside the overlap.
        let config = SquadFeatureConfig {
            doc_stride_is: DocStride::Overlap,
            ..SquadFeatureConfig::default()
        };
        assert!(config.validate().is_ok());
        assert_eq!((config.step(317), config.step(371)), (189, 243));
        assert_eq!(SquadFeatureConfig::default().step(317), 128);
        let refused = |doc_stride| {
            let config = SquadFeatureConfig {
                doc_stride,
                ..config
            };
            config.validate().map_err(|error| error.to_string())
        };
        assert_eq!(refused(0), Ok(()));
        assert_eq!(refused(316), Ok(()));
        assert_eq!(
            refused(317),
            Err(
                "`doc_stride`: found an overlap of 317, expected less than the 317 tokens of the context in a window \
                 (`max_seq_length` less 64 of a question and 3 special ones)"
                    .to_owned()
            )
        );
    }

    #[test]
    fn any_question_leaves_room_for_its_context() {
        for (max_seq_length, max_query_length, is_enough) in [
            (384, 64, true),
            (68, 64, true),
            (67, 64, false),
            (5, 64, false),
            (5, 1, true),
            (384, usize::MAX, false),
        ] {
            let config = SquadFeatureConfig {
                max_seq_length,
                max_query_length,
                ..SquadFeatureConfig::default()
            };
            assert!(config.validate().is_ok());
            let checked = config.validate_for_any_question();
            assert_eq!(
                checked.is_ok(),
                is_enough,
                "{max_seq_length} {max_query_length}: {checked:?}"
            );
        }
    }
}
