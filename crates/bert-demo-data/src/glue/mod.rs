//! Sentences and pairs of sentences in the layouts of the GLUE tasks.
//!
//! A content file gives *kinds* of statement, each with a few wordings, and *relations* that say which kind, wording
//! and words the second sentence shares with the first under a label. Content words are few and frequent, so that a
//! small model trained from nothing can learn what makes a label right. No pair occurs twice in the files of a task.

mod content;
mod example;
mod layout;

use bert_datasets::glue::GlueTask;
use example::Example;
pub(crate) use layout::text;

use crate::DemoDataError;
use crate::random::Random;
use content::{Content, Layout};
use example::Used;

/// First of the random streams used here; SQuAD's are the small numbers.
const FIRST_STREAM: u64 = 1_000;
/// Streams set aside for a task.
const STREAMS: u64 = 10;

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

/// A task's files: what each is for, and its name.
fn files(task: &'static GlueTask) -> Vec<(Set, &'static str)> {
    let held_out = [
        (Set::Dev, Set::Test),
        (Set::DevMismatched, Set::TestMismatched),
    ];
    let sets = held_out.iter().zip(task.dev_files).zip(task.test_files);
    let held_out = sets.flat_map(|(((dev_set, test_set), dev), test)| {
        [(*dev_set, dev.file), (*test_set, test.file)]
    });
    std::iter::once((Set::Train, task.train_file))
        .chain(held_out)
        .collect()
}

/// The examples of one file.
#[derive(Debug, Clone)]
pub(crate) struct Examples {
    task: &'static GlueTask,
    /// The task's number among random streams.
    stream: u64,
    layout: Layout,
    pub(crate) set: Set,
    /// Path below `data/demo`.
    pub(crate) path: String,
    pub(crate) examples: Vec<Example>,
}

/// The examples of all files of all tasks.
///
/// # Errors
///
/// If the content files have a mistake.
pub(crate) fn generate(seed: u64) -> Result<Vec<Examples>, DemoDataError> {
    let mut all = Vec::new();
    for (number, (name, content_file, text)) in (0..).zip(content::TASKS) {
        let task = content::task(name)?;
        let content = Content::load(content_file, text)?;
        let mut used = Used::new();
        for (set, file) in files(task) {
            let rows = match set {
                Set::Train => content.rows.train,
                Set::Dev | Set::DevMismatched => content.rows.dev,
                Set::Test | Set::TestMismatched => content.rows.test,
            };
            let stream = FIRST_STREAM + STREAMS * number + set as u64;
            let mut random = Random::new(seed, stream);
            all.push(Examples {
                task,
                stream: number,
                layout: content.layout.clone(),
                set,
                path: format!("glue/{}/{file}", task.folder),
                examples: example::draw(&content, rows, &mut used, &mut random)?,
            });
        }
    }
    Ok(all)
}
