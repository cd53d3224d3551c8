//! The settings in a run's `run.json` as the flags that give them.

use bert_files::JsonFault;
use bert_finetune::Settings;
use bert_records::RunRecord;
use serde_json::Value;

use super::{Config, Entry, Setting};
use crate::exit::bad_usage;

/// The settings of a run, so that `--config run.json` repeats it. The device is chosen anew.
///
/// # Errors
/// When the text is no record of a run of this version.
pub(super) fn parse(name: &str, text: &str) -> anyhow::Result<Config> {
    let record: RunRecord = match serde_json::from_str(text) {
        Ok(record) => record,
        Err(error) => bad_usage!(
            "{name}: cannot be read as a run's record: {}",
            JsonFault::from(error)
        ),
    };
    let settings = Settings::of_record(&record, name.into())?;
    let entries = settings
        .repeatable()?
        .into_iter()
        .filter_map(|(key, value)| {
            let value = match value {
                Value::Bool(on) => Setting::Switch(on),
                Value::Array(values) if values.is_empty() => return None,
                Value::Array(values) => Setting::List(values.iter().map(text_of).collect()),
                other => Setting::Text(text_of(&other)),
            };
            Some(Entry { key, value })
        });
    Ok(Config {
        name: name.to_owned(),
        command: Some(settings.command().to_owned()),
        entries: entries.collect(),
    })
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
