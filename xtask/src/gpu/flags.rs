//! The flags of the chores of devices.

use anyhow::bail;

/// Flags by their names.
pub(super) struct Flags(Vec<(String, String)>);

impl Flags {
    /// Reads flags, each a switch or with a value; `None` where help is asked for.
    ///
    /// # Errors
    /// When a flag is unknown, or lacks its value.
    pub(super) fn parse(
        arguments: &[String],
        switches: &[&str],
        valued: &[&str],
    ) -> anyhow::Result<Option<Self>> {
        let mut found = Vec::new();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            if ["--help", "-h"].contains(&name) {
                return Ok(None);
            }
            let value = match value.or_else(|| words.as_slice().first().cloned()) {
                _ if switches.contains(&name) => String::new(),
                None if valued.contains(&name) => bail!("{name}: found no value, expected one"),
                Some(value) if valued.contains(&name) => {
                    if !word.contains('=') {
                        words.next();
                    }
                    value
                }
                _ => bail!(
                    "found {word:?}, expected {}",
                    [valued, switches].concat().join(", ")
                ),
            };
            found.push((name.to_owned(), value));
        }
        Ok(Some(Self(found)))
    }

    /// The value of a flag.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(flag, _)| flag == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a switch is given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<Option<Flags>> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Flags::parse(&words, &["--software"], &["--device"])
    }

    #[test]
    fn flags_have_values_or_none() {
        for line in ["--device cuda --software", "--software --device=cuda"] {
            let flags = parse(line).expect("they are good").expect("no help");
            assert_eq!(flags.value("--device"), Some("cuda"), "{line}");
            assert!(flags.has("--software"), "{line}");
        }
        assert!(parse("--help").expect("it is good").is_none());
        for (line, expected) in [
            ("--device", "--device: found no value, expected one"),
            ("cuda", "found \"cuda\", expected --device, --software"),
        ] {
            let Err(error) = parse(line) else {
                panic!("{line} is taken");
            };
            assert_eq!(error.to_string(), expected);
        }
    }
}
