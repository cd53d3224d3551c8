//! Answers as the scores compare them: normalised text, exact match and F1 of two answers.
//!
//! The official scripts are Python, so "white space", "word boundary" and "lower case" mean what Python's `str` and
//! `re` mean by them.

use std::collections::HashMap;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Lower-cases `text`, drops ASCII punctuation and the words a, an and the, and collapses white space.
///
/// ```
/// use bert_metrics::squad::normalize_answer;
///
/// assert_eq!(normalize_answer(" The  Amazon (rain-forest)"), "amazon rainforest");
/// ```
pub fn normalize_answer(text: &str) -> String {
    NormalizedAnswer::new(text).text
}

/// Whether two answers are the same once normalised.
pub fn exact_match(prediction: &str, gold: &str) -> bool {
    normalize_answer(prediction) == normalize_answer(gold)
}

/// The harmonic mean of token precision and recall as v1.1 defines it: 0 where no token is common, hence also for
/// two empty answers.
pub fn f1(prediction: &str, gold: &str) -> f64 {
    NormalizedAnswer::new(prediction).f1(&NormalizedAnswer::new(gold))
}

/// A normalised answer; its tokens are separated by single spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NormalizedAnswer {
    text: String,
}

impl NormalizedAnswer {
    pub(super) fn new(text: &str) -> Self {
        let lower = text.to_lowercase();
        let letters: String = lower
            .chars()
            .filter(|c| !c.is_ascii_punctuation())
            .collect();
        let without_articles = blank_articles(&letters);
        let mut text = String::with_capacity(without_articles.len());
        for token in without_articles
            .split(is_python_space)
            .filter(|t| !t.is_empty())
        {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(token);
        }
        Self { text }
    }

    /// True when nothing but articles, punctuation and white space was there.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// See [`f1`].
    pub(super) fn f1(&self, gold: &Self) -> f64 {
        let mut unmatched: HashMap<&str, usize> = HashMap::new();
        for token in gold.tokens() {
            *unmatched.entry(token).or_default() += 1;
        }
        let mut common = 0_usize;
        for token in self.tokens() {
            if let Some(count) = unmatched.get_mut(token).filter(|count| **count > 0) {
                *count -= 1;
                common += 1;
            }
        }
        if common == 0 {
            return 0.0;
        }
        let precision = common as f64 / self.tokens().count() as f64;
        let recall = common as f64 / gold.tokens().count() as f64;
        (2.0 * precision * recall) / (precision + recall)
    }

    fn tokens(&self) -> impl Iterator<Item = &str> {
        self.text.split(' ').filter(|token| !token.is_empty())
    }
}

/// Replaces each maximal run of word characters that is an article by a space: what Python's
/// `re.sub(r"\b(a|an|the)\b", " ", text)` does.
fn blank_articles(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find(|c| !is_python_word(c)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(word_end);
        blanked.push_str(match word {
            "a" | "an" | "the" => " ",
            other => other,
        });
        let gap_end = tail.find(is_python_word).unwrap_or(tail.len());
        let (gap, next) = tail.split_at(gap_end);
        blanked.push_str(gap);
        rest = next;
    }
    blanked
}

/// `\w` of Python's `re`: letters, numbers and the underscore. Rust's `is_alphanumeric` also takes in alphabetic
/// combining marks (most vowel signs of Indic scripts), which for Python end a word.
fn is_python_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
    )
}

/// White space of Python's `str.split()`: Unicode's, and the four ASCII information separators.
fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn normalises_as_python_does() {
        // Expected values: CPython 3.11.
        let cases = [
            ("", ""),
            ("the", ""),
            ("The A an", ""),
            ("U.S.A.", "usa"),
            ("a.b", "ab"),
            ("the-end", "theend"),
            ("a–b", "–b"),
            ("«the» end", "« » end"),
            ("an\u{1c}x\u{1f}y\u{85}z\u{a0}w", "x y z w"),
            ("x\u{200b}the", "x\u{200b}"),
            ("ΟΔΟΣ ΣΑΣ Σ", "οδος σας σ"),
            ("İstanbul", "i\u{307}stanbul"),
            // A combining mark is no word character, so the article stands alone beside it.
            ("a\u{301}", "\u{301}"),
            ("क\u{93e}a", "क\u{93e}"),
            ("ªa", "ªa"),
            ("a²", "a²"),
            ("a€ 5", "€ 5"),
            ("the_end", "theend"),
        ];
        for (text, expected) in cases {
            assert_eq!(normalize_answer(text), expected, "{text:?}");
        }
    }

    #[test]
    fn f1_counts_common_tokens_with_multiplicity() {
        let cases = [
            ("", "", 0.0),
            ("the", "an", 0.0),
            ("x", "y", 0.0),
            ("x y", "Y, x!", 1.0),
            ("x x y", "x y y", 2.0 / 3.0),
            ("x", "x y z", 0.5),
        ];
        for (prediction, gold, expected) in cases {
            assert_eq!(f1(prediction, gold), expected, "{prediction:?} {gold:?}");
        }
    }

    proptest! {
        #[test]
        fn f1_is_symmetric_and_bounded(a in "[ab the]{0,12}", b in "[ab the]{0,12}") {
            let score = f1(&a, &b);
            prop_assert!((0.0..=1.0).contains(&score));
            prop_assert_eq!(score, f1(&b, &a));
            if exact_match(&a, &b) && !normalize_answer(&a).is_empty() {
                prop_assert_eq!(score, 1.0);
            }
        }

        #[test]
        fn normalised_text_has_no_articles_left(text in "[aehnt ,.A\u{1c}\u{3a3}\u{301}é]{0,16}") {
            let once = normalize_answer(&text);
            prop_assert!(once.split(' ').all(|t| !["a", "an", "the"].contains(&t)));
            prop_assert_eq!(normalize_answer(&once), once);
        }
    }
}
