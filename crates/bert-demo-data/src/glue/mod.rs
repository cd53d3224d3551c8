//! Sentences and pairs of sentences in the layouts of the nine GLUE tasks.
//!
//! A content file gives *kinds* of statement, each with a few wordings, and *relations* that say which kind, wording
//! and words the second sentence shares with the first under a label. Content words are few and frequent, so that a
//! small model trained from nothing can learn what makes a label right. No pair occurs twice in the files of a task.

mod content;
mod example;
mod layout;

use example::Example;
pub(crate) use layout::text;

use crate::DemoDataError;
use crate::random::Random;
use content::Content;
use example::Used;

/// First of the random streams used here; SQuAD's are the small numbers.
const FIRST_STREAM: u64 = 1_000;
/// Streams set aside for a task.
const STREAMS: u64 = 10;

/// A task of GLUE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    Cola,
    Sst2,
    Mrpc,
    StsB,
    Qqp,
    Mnli,
    Qnli,
    Rte,
    Wnli,
}

/// A file of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    Train,
    Dev,
    Test,
    /// MNLI's second pair of held-out files, of genres that the training file has not.
    DevMismatched,
    TestMismatched,
}

impl Task {
    pub(crate) const ALL: [Self; 9] = [
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

    /// The task's files and their paths below `data/demo`.
    pub(crate) fn files(self) -> &'static [(Set, &'static str)] {
        macro_rules! folder {
            ($name:literal) => {
                &[
                    (Set::Train, concat!("glue/", $name, "/train.tsv")),
                    (Set::Dev, concat!("glue/", $name, "/dev.tsv")),
                    (Set::Test, concat!("glue/", $name, "/test.tsv")),
                ]
            };
        }
        match self {
            Self::Cola => folder!("CoLA"),
            Self::Sst2 => folder!("SST-2"),
            Self::Mrpc => folder!("MRPC"),
            Self::StsB => folder!("STS-B"),
            Self::Qqp => folder!("QQP"),
            Self::Mnli => &[
                (Set::Train, "glue/MNLI/train.tsv"),
                (Set::Dev, "glue/MNLI/dev_matched.tsv"),
                (Set::Test, "glue/MNLI/test_matched.tsv"),
                (Set::DevMismatched, "glue/MNLI/dev_mismatched.tsv"),
                (Set::TestMismatched, "glue/MNLI/test_mismatched.tsv"),
            ],
            Self::Qnli => folder!("QNLI"),
            Self::Rte => folder!("RTE"),
            Self::Wnli => folder!("WNLI"),
        }
    }
}

/// The examples of one file.
#[derive(Debug, Clone)]
pub(crate) struct Examples {
    pub(crate) task: Task,
    pub(crate) set: Set,
    pub(crate) path: &'static str,
    pub(crate) examples: Vec<Example>,
}

/// The examples of all files of all tasks.
///
/// # Errors
///
/// If the content files have a mistake.
pub(crate) fn generate(seed: u64) -> Result<Vec<Examples>, DemoDataError> {
    let mut all = Vec::new();
    for task in Task::ALL {
        let content = Content::load(task)?;
        let mut used = Used::new();
        for (set, path) in task.files() {
            let rows = match set {
                Set::Train => content.rows.train,
                Set::Dev | Set::DevMismatched => content.rows.dev,
                Set::Test | Set::TestMismatched => content.rows.test,
            };
            let stream = FIRST_STREAM + STREAMS * task as u64 + *set as u64;
            let mut random = Random::new(seed, stream);
            all.push(Examples {
                task,
                set: *set,
                path,
                examples: example::draw(&content, rows, &mut used, &mut random)?,
            });
        }
    }
    Ok(all)
}
