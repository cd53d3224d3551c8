//! The words after `cargo xtask`: flags of every verb, the verb, its own flags.

/// A verb and its flags.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// Flags before the verb, such as `--json`.
    leading: Vec<String>,
    /// The verb; `bench train` is `bench-train`, and `bench predict` is `bench-predict`.
    pub(crate) verb: String,
    /// What follows the verb.
    pub(crate) flags: Vec<String>,
}

/// The flags before a verb that take a value.
const WITH_VALUE: [&str; 2] = ["--backend", "--processes"];

impl Invocation {
    /// Splits the words; `None` where there is no verb.
    pub(crate) fn parse(mut words: Vec<String>) -> Option<Self> {
        let mut verb = 0;
        while words.get(verb)?.starts_with('-') {
            verb += if WITH_VALUE.contains(&words[verb].as_str()) {
                2
            } else {
                1
            };
        }
        let mut flags = words.split_off(verb + 1);
        let mut verb = words.pop()?;
        let first = flags.first().map(String::as_str);
        if let ("bench", Some(of @ ("train" | "predict"))) = (verb.as_str(), first) {
            verb = format!("bench-{of}");
            flags.remove(0);
        }
        Some(Self {
            leading: words,
            verb,
            flags,
        })
    }

    /// The flags before the verb.
    pub(crate) fn leading(&self) -> &[String] {
        &self.leading
    }

    /// Takes a flag out with its value, wherever it is: `Some(None)` where the value is missing.
    pub(crate) fn take_value(&mut self, flag: &str) -> Option<Option<String>> {
        let with_equals = format!("{flag}=");
        for words in [&mut self.leading, &mut self.flags] {
            let found = words
                .iter()
                .position(|word| word == flag || word.starts_with(&with_equals));
            let Some(at) = found else { continue };
            let word = words.remove(at);
            if let Some(value) = word.strip_prefix(&with_equals) {
                return Some(Some(value.to_owned()));
            }
            return Some((at < words.len()).then(|| words.remove(at)));
        }
        None
    }

    /// The words for `bert`.
    pub(crate) fn into_arguments(self) -> Vec<String> {
        let Self {
            mut leading,
            verb,
            flags,
        } = self;
        leading.push(verb);
        leading.extend(flags);
        leading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<(String, String, String)> {
        let words = line.split_whitespace().map(str::to_owned).collect();
        let Invocation {
            leading,
            verb,
            flags,
        } = Invocation::parse(words)?;
        Some((leading.join(" "), verb, flags.join(" ")))
    }

    #[test]
    fn the_verb_is_the_first_word_that_is_no_flag_and_no_value() {
        for (line, leading, verb, flags) in [
            ("ci", "", "ci", ""),
            ("-q --json ask Who?", "-q --json", "ask", "Who?"),
            (
                "--backend cuda train-squad --seed 1",
                "--backend cuda",
                "train-squad",
                "--seed 1",
            ),
            ("--backend=cuda ask", "--backend=cuda", "ask", ""),
            ("bench kernels", "", "bench", "kernels"),
            ("bench predict --batch 8", "", "bench-predict", "--batch 8"),
            (
                "--quiet bench train --json",
                "--quiet",
                "bench-train",
                "--json",
            ),
        ] {
            let expected = (leading.to_owned(), verb.to_owned(), flags.to_owned());
            assert_eq!(parsed(line), Some(expected), "{line}");
        }
        for line in ["", "--json", "--backend cuda", "--backend"] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }
}
