//! Files of settings: TOML, or the `run.json` of a run.

use std::path::Path;

use toml::Value;

use super::{Config, Entry, Setting, read_text, run_record};
use crate::exit::bad_usage;

/// The key that says which verb a file is for.
const COMMAND: &str = "command";

/// Reads `--config FILE`.
///
/// # Errors
/// When the file is not there, or is neither TOML nor the record of a run.
pub(super) fn read(path: &Path) -> anyhow::Result<Config> {
    let text = read_text(path)?;
    let name = path.display().to_string();
    // TOML never begins with a brace.
    if text.trim_start().starts_with('{') {
        run_record::parse(&name, &text)
    } else {
        parse(&name, &text)
    }
}

/// Settings in TOML.
///
/// # Errors
/// When the text is no TOML of flags and values.
pub(super) fn parse(name: &str, text: &str) -> anyhow::Result<Config> {
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            let line = error.span().map_or(1, |span| {
                1 + text[..span.start.min(text.len())].matches('\n').count()
            });
            bad_usage!(
                "{name}:{line}: {}",
                error.message().replace(['\n', '\r'], " ")
            )
        }
    };
    let mut config = Config {
        name: name.to_owned(),
        command: None,
        entries: Vec::new(),
    };
    for (key, value) in table {
        if key == COMMAND {
            let Value::String(command) = value else {
                bad_usage!("{name}: {COMMAND}: found {value}, expected the name of a command");
            };
            config.command = Some(command);
            continue;
        }
        if ["config", "recipe"].contains(&key.as_str()) {
            bad_usage!("{name}: found the setting {key}, expected it on the command line only");
        }
        let value = setting(name, &key, &value)?;
        config.entries.push(Entry { key, value });
    }
    Ok(config)
}

fn setting(name: &str, key: &str, value: &Value) -> anyhow::Result<Setting> {
    Ok(match value {
        Value::Boolean(on) => Setting::Switch(*on),
        Value::String(text) => Setting::Text(text.clone()),
        Value::Integer(number) => Setting::Text(number.to_string()),
        Value::Float(number) => Setting::Text(number.to_string()),
        Value::Array(values) => {
            let texts = values.iter().map(|value| match setting(name, key, value)? {
                Setting::Text(text) => Ok(text),
                _ => bad_usage!("{name}: {key}: found {value}, expected numbers or texts"),
            });
            Setting::List(texts.collect::<anyhow::Result<_>>()?)
        }
        Value::Table(_) | Value::Datetime(_) => {
            bad_usage!("{name}: {key}: found {value}, expected a number, a text, true or false")
        }
    })
}
