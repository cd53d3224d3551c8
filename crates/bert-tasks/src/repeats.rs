//! Rows without a text, rows that occur again, and rows of the training file in another: counted, not left out.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use tracing::info;

/// The texts of a file, as digests.
#[derive(Debug, Default)]
pub struct Seen {
    digests: HashSet<u64>,
    rows: usize,
    empty: usize,
}

impl Seen {
    /// Those of rows, each a list of texts.
    pub(crate) fn of<'a, R: IntoIterator<Item = &'a str>>(
        rows: impl IntoIterator<Item = R>,
    ) -> Self {
        let mut seen = Self::default();
        for row in rows {
            let mut hasher = DefaultHasher::new();
            let mut is_empty = true;
            for text in row {
                is_empty &= text.trim().is_empty();
                text.hash(&mut hasher);
            }
            seen.rows += 1;
            seen.empty += usize::from(is_empty);
            seen.digests.insert(hasher.finish());
        }
        seen
    }

    /// What is odd about the rows, a line each; logged too.
    pub(crate) fn lines(&self, file: &str) -> Vec<String> {
        let repeated = self.rows - self.digests.len();
        let counts = [
            (self.empty, "have no text"),
            (repeated, "repeat an earlier one"),
        ];
        self.logged(file, counts)
    }

    /// How many of the rows are in the training file too.
    pub(crate) fn overlap(&self, training: &Self, file: &str) -> Vec<String> {
        let both = self.digests.intersection(&training.digests).count();
        self.logged(file, [(both, "are in the training file too")])
    }

    fn logged(
        &self,
        file: &str,
        counts: impl IntoIterator<Item = (usize, &'static str)>,
    ) -> Vec<String> {
        let odd = counts.into_iter().filter(|(count, _)| *count > 0);
        let lines = odd.map(|(count, what)| {
            let line = format!("{file}: {count} of {} rows {what}", self.rows);
            info!("{line}");
            line
        });
        lines.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_rows_are_counted() {
        let training = Seen::of([["a", "b"], ["a", "b"], ["ab", ""], [" ", ""], ["c", "d"]]);
        assert_eq!(
            training.lines("t"),
            [
                "t: 1 of 5 rows have no text",
                "t: 1 of 5 rows repeat an earlier one"
            ]
        );
        let other = Seen::of([["c", "d"], ["a", "b"], ["d", "c"]]);
        assert!(other.lines("o").is_empty());
        assert_eq!(
            other.overlap(&training, "o"),
            ["o: 2 of 3 rows are in the training file too"]
        );
    }
}
