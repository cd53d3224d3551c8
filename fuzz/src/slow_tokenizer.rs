//! BERT's tokenizer from its description (Devlin et al. 2019, and the notes on tokenization that were published with its
//! checkpoints), written for comparison: whole passes over the text, no positions, the longest piece by trying every length.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// The most characters of a word that is looked up.
const LONGEST_WORD: usize = 100;

/// The pieces of a text.
pub(crate) fn pieces(text: &str, vocabulary: &[String], lower_case: bool) -> Vec<String> {
    words(text, lower_case)
        .iter()
        .flat_map(|word| pieces_of(word, vocabulary))
        .collect()
}

/// The words and signs of a text, normalised.
pub(crate) fn words(text: &str, lower_case: bool) -> Vec<String> {
    let spaced: String = text
        .chars()
        .filter(|c| is_space(*c) || !is_dropped(*c))
        .map(|c| match c {
            c if is_space(c) => " ".to_owned(),
            c if is_ideograph(c) => format!(" {c} "),
            c => c.to_string(),
        })
        .collect();
    let words = spaced.split(' ').filter(|word| !word.is_empty());
    words
        .flat_map(|word| split_at_signs(&normalized(word, lower_case)))
        .collect()
}

fn normalized(word: &str, lower_case: bool) -> String {
    if !lower_case {
        return word.to_owned();
    }
    let lower = word.to_lowercase();
    let unmarked = |c: &char| c.general_category() != GeneralCategory::NonspacingMark;
    lower.nfd().filter(unmarked).collect()
}

fn split_at_signs(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for c in word.chars() {
        if is_sign(c) {
            parts.extend([c.to_string(), String::new()]);
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The longest beginning that is in the vocabulary, then that of the rest; a word with a rest that has none is unknown.
fn pieces_of(word: &str, vocabulary: &[String]) -> Vec<String> {
    let unknown = vec!["[UNK]".to_owned()];
    let letters: Vec<char> = word.chars().collect();
    if letters.len() > LONGEST_WORD {
        return unknown;
    }
    let (mut pieces, mut start) = (Vec::new(), 0);
    while start < letters.len() {
        let prefix = if start > 0 { "##" } else { "" };
        let piece =
            |end: usize| format!("{prefix}{}", letters[start..end].iter().collect::<String>());
        let Some(end) = (start + 1..=letters.len())
            .rev()
            .find(|end| vocabulary.contains(&piece(*end)))
        else {
            return unknown;
        };
        pieces.push(piece(end));
        start = end;
    }
    pieces
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
        || c.general_category() == GeneralCategory::SpaceSeparator
        || {
            // The Python scripts split at what Python takes for white space, and these two have categories of their own.
            matches!(c, '\u{2028}' | '\u{2029}')
        }
}

/// NUL, the replacement character, and what is no character of a text.
fn is_dropped(c: char) -> bool {
    matches!(c, '\0' | '\u{fffd}') || c.general_category_group() == GeneralCategoryGroup::Other
}

fn is_ideograph(c: char) -> bool {
    const BLOCKS: [(u32, u32); 8] = [
        (0x4E00, 0x9FFF),
        (0x3400, 0x4DBF),
        (0x20000, 0x2A6DF),
        (0x2A700, 0x2B73F),
        (0x2B740, 0x2B81F),
        (0x2B820, 0x2CEAF),
        (0xF900, 0xFAFF),
        (0x2F800, 0x2FA1F),
    ];
    BLOCKS
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&u32::from(c)))
}

fn is_sign(c: char) -> bool {
    matches!(u32::from(c), 33..=47 | 58..=64 | 91..=96 | 123..=126)
        || c.general_category_group() == GeneralCategoryGroup::Punctuation
}
