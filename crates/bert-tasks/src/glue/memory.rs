//! Texts that are in memory.

use std::path::Path;

use bert_datasets::table::{LabelledTable, TableRow};
use bert_records::InputFile;

use super::table_labels::LabelColumn;
use super::{Read, TextClasses, TextTask, data};
use crate::{Source, TaskError};

/// A text, or two, and its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelledText<'a> {
    /// The text.
    pub text: &'a str,
    /// The second text of a pair.
    pub pair: Option<&'a str>,
    /// The name of the class.
    pub label: &'a str,
}

impl TextClasses {
    /// A checkpoint's tokenizer, texts to train on, and texts to score, which may be none; rows are cut to
    /// `max_seq_length` tokens.
    ///
    /// # Errors
    /// When the checkpoint is bad, the training texts have fewer than two classes, or a text to score has another class.
    pub fn from_texts(
        source: &Source<'_>,
        training: &[LabelledText<'_>],
        evaluation: &[LabelledText<'_>],
        max_seq_length: usize,
        eval_batch_size: usize,
    ) -> Result<Self, TaskError> {
        let (mut config, tokenizer) = source.read(max_seq_length)?;
        let (name, most) = (Path::new("training texts"), source.max_train_examples);
        let (trained, outputs) = data::table_training(
            name,
            table(training),
            &tokenizer,
            (max_seq_length, most),
            LabelColumn::Class,
        )?;
        let mut evaluations = Vec::new();
        if !evaluation.is_empty() {
            let name = Path::new("evaluation texts");
            let table = table(evaluation);
            evaluations.push(data::table_eval_set(
                name,
                table,
                &tokenizer,
                max_seq_length,
                &outputs,
                LabelColumn::Class,
            )?);
        }
        let list = outputs.label_list();
        let other_labels = list.as_ref() != Some(&config.label_list());
        if let Some(list) = list {
            config.set_label_list(&list);
        }
        let read = Read {
            config,
            tokenizer,
            training: Some(trained),
            evaluations,
            outputs,
        };
        let mut family = read.into_family(TextTask::Csv, other_labels, eval_batch_size);
        family.in_memory = [
            ("training texts", training),
            ("evaluation texts", evaluation),
        ]
        .map(|(name, texts)| InputFile::of_bytes(name, format!("{texts:?}").as_bytes()))
        .to_vec();
        Ok(family)
    }
}

fn table(texts: &[LabelledText<'_>]) -> LabelledTable {
    let rows = texts.iter().enumerate().map(|(n, text)| TableRow {
        line: n + 1,
        text_a: text.text.to_owned(),
        text_b: text.pair.map(str::to_owned),
        label: Some(text.label.to_owned()),
        marks: Vec::new(),
    });
    LabelledTable {
        columns: None,
        rows: rows.collect(),
        labelled: true,
    }
}
