//! The nine tasks: names, files and labels.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::error::quote;

/// A task of GLUE (Wang et al. 2018), without the diagnostic set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GlueTask {
    /// Whether a sentence is acceptable English.
    Cola,
    /// Whether a film review is positive.
    Sst2,
    /// Whether two sentences of the news say the same.
    Mrpc,
    /// How similar two sentences are, 0 to 5.
    StsB,
    /// Whether two questions of Quora ask the same.
    Qqp,
    /// Whether a text contradicts a sentence, entails it or neither; two development and two test sets.
    Mnli,
    /// Whether a sentence answers a question.
    Qnli,
    /// Whether a text entails a sentence.
    Rte,
    /// Whether a sentence with a pronoun resolved follows from the original.
    Wnli,
}

/// A test set of the leaderboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GlueTestFile {
    /// The file's name in the task's folder.
    pub file: &'static str,
    /// The name that the leaderboard wants for its predictions.
    pub submission: &'static str,
}

impl GlueTask {
    /// Every task, in the order of the leaderboard.
    pub const ALL: [Self; 9] = [
        Self::Cola,
        Self::Sst2,
        Self::Mrpc,
        Self::StsB,
        Self::Qqp,
        Self::Mnli,
        Self::Qnli,
        Self::Rte,
        Self::Wnli,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cola => "cola",
            Self::Sst2 => "sst-2",
            Self::Mrpc => "mrpc",
            Self::StsB => "sts-b",
            Self::Qqp => "qqp",
            Self::Mnli => "mnli",
            Self::Qnli => "qnli",
            Self::Rte => "rte",
            Self::Wnli => "wnli",
        }
    }

    /// The folder of the GLUE download.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Cola => "CoLA",
            Self::Sst2 => "SST-2",
            Self::Mrpc => "MRPC",
            Self::StsB => "STS-B",
            Self::Qqp => "QQP",
            Self::Mnli => "MNLI",
            Self::Qnli => "QNLI",
            Self::Rte => "RTE",
            Self::Wnli => "WNLI",
        }
    }

    /// The labels as the files write them, in the order of the 2018 `run_classifier.py` and of its Hugging Face
    /// port, which has the tasks that the script lacks; none where the label is a score.
    pub fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Cola | Self::Sst2 | Self::Mrpc | Self::Qqp | Self::Wnli => &["0", "1"],
            Self::Qnli | Self::Rte => &["entailment", "not_entailment"],
            Self::Mnli => &["contradiction", "entailment", "neutral"],
            Self::StsB => &[],
        }
    }

    /// Whether the label is a score, not a class.
    pub fn is_regression(self) -> bool {
        self == Self::StsB
    }

    /// Whether an example has two texts.
    pub fn is_pair(self) -> bool {
        !matches!(self, Self::Cola | Self::Sst2)
    }

    /// The training set's file name.
    pub fn train_file(self) -> &'static str {
        "train.tsv"
    }

    /// The development sets' file names.
    pub fn dev_files(self) -> &'static [&'static str] {
        match self {
            Self::Mnli => &["dev_matched.tsv", "dev_mismatched.tsv"],
            _ => &["dev.tsv"],
        }
    }

    /// The leaderboard's test sets.
    pub fn test_files(self) -> &'static [GlueTestFile] {
        const fn test(submission: &'static str) -> GlueTestFile {
            GlueTestFile {
                file: "test.tsv",
                submission,
            }
        }
        match self {
            Self::Cola => const { &[test("CoLA.tsv")] },
            Self::Sst2 => const { &[test("SST-2.tsv")] },
            Self::Mrpc => const { &[test("MRPC.tsv")] },
            Self::StsB => const { &[test("STS-B.tsv")] },
            Self::Qqp => const { &[test("QQP.tsv")] },
            Self::Mnli => &[
                GlueTestFile {
                    file: "test_matched.tsv",
                    submission: "MNLI-m.tsv",
                },
                GlueTestFile {
                    file: "test_mismatched.tsv",
                    submission: "MNLI-mm.tsv",
                },
            ],
            Self::Qnli => const { &[test("QNLI.tsv")] },
            Self::Rte => const { &[test("RTE.tsv")] },
            Self::Wnli => const { &[test("WNLI.tsv")] },
        }
    }
}

impl fmt::Display for GlueTask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A name that is no task's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("found {}, expected one of {}", quote(found), GlueTask::ALL.map(GlueTask::name).join(", "))]
pub struct UnknownGlueTask {
    /// The name.
    pub found: String,
}

impl FromStr for GlueTask {
    type Err = UnknownGlueTask;

    /// Takes a task's name in any case, with or without its hyphen.
    fn from_str(found: &str) -> Result<Self, UnknownGlueTask> {
        Self::ALL
            .into_iter()
            .find(|task| {
                let name = task.name();
                found.eq_ignore_ascii_case(name)
                    || found.eq_ignore_ascii_case(&name.replace('-', ""))
            })
            .ok_or_else(|| UnknownGlueTask {
                found: found.to_owned(),
            })
    }
}
