//! Windows as `features-squad` prints them.

use bert_datasets::squad::SquadDataset;
use serde::Serialize;

use super::SquadFeatures;

/// One window, one line of JSON; keys in this order, sequences without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SquadRecord<'a> {
    /// The question's id.
    pub example_id: &'a str,
    /// The n-th window of the question, from 0.
    pub window: u32,
    /// `[CLS] query [SEP] context [SEP]`.
    pub input_ids: Vec<u32>,
    /// 0 up to the first `[SEP]`, 1 after it.
    pub token_type_ids: Vec<u8>,
    /// The answer's first position in `input_ids`; none in evaluation.
    pub start_position: Option<u32>,
    /// The answer's last position in `input_ids`, inclusive; none in evaluation.
    pub end_position: Option<u32>,
}

impl SquadFeatures {
    /// A window as a record; `dataset` is the one that the features were made from.
    #[must_use]
    pub fn jsonl_record<'a>(&self, dataset: &'a SquadDataset, window: usize) -> SquadRecord<'a> {
        let mut input_ids = Vec::with_capacity(self.len_of(window));
        self.write_input_ids(window, &mut input_ids);
        let mut token_type_ids = vec![0; self.segment_b_start(window)];
        token_type_ids.resize(input_ids.len(), 1);
        let described = &self.windows[window];
        SquadRecord {
            example_id: &dataset.questions[described.question as usize].id,
            window: described.index,
            input_ids,
            token_type_ids,
            start_position: described.answer.map(|answer| answer.start),
            end_position: described.answer.map(|answer| answer.end),
        }
    }
}
