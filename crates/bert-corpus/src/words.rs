//! The words by which passages and questions are compared.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

/// Bytes of a word at most: what is longer is no word that a question holds, and the index takes none above 64 KiB.
const LONGEST: usize = 256;

/// The words of a text by Unicode Standard Annex 29, which takes ideographs one by one, in lower case and without accents.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.unicode_words()
        .filter(|word| word.len() <= LONGEST)
        .map(|word| {
            let bare = word.nfd().filter(|c| !is_combining_mark(*c));
            bare.flat_map(char::to_lowercase).collect()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_with_capitals_and_accents_is_one_word() {
        let found: Vec<_> = words("Beyoncé's TOWER, 東京 (1889)…").collect();
        assert_eq!(found, ["beyonce's", "tower", "東", "京", "1889"]);
        assert_eq!(words(&"a".repeat(LONGEST + 1)).count(), 0);
    }
}
