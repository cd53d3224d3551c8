use proptest::prelude::*;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

use super::*;

const UNCASED: BasicTokenizer = BasicTokenizer {
    lower_case: true,
    strip_accents: true,
    split_chinese: true,
};
const CASED: BasicTokenizer = BasicTokenizer {
    lower_case: false,
    strip_accents: false,
    split_chinese: true,
};

/// Each token beside the original text it was made from.
fn with_sources(basic: BasicTokenizer, text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Ok(()) = basic.try_for_each(text, |token| {
        let CharSpan { start, end } = token.span(0..token.text.len());
        found.push((
            token.text.to_owned(),
            text.chars().skip(start).take(end - start).collect(),
        ));
        Ok::<(), Infallible>(())
    });
    found
}

#[test]
fn what_is_no_character_yet_is_dropped_among_ideographs_too() {
    // U+2FA1E is in a block of ideographs, and unassigned.
    for basic in [CASED, UNCASED] {
        assert_eq!(basic.tokens("a\u{2fa1e}b 中"), ["ab", "中"]);
    }
}

#[test]
fn tokens_and_the_text_they_were_made_from() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("", &[]),
        (" \t\r\n\u{a0}\u{202f}\u{2028}", &[]),
        (
            "Hello, World!",
            &[
                ("hello", "Hello"),
                (",", ","),
                ("world", "World"),
                ("!", "!"),
            ],
        ),
        ("a\r\nb", &[("a", "a"), ("b", "b")]),
        // Every ASCII symbol is punctuation; others are not.
        ("$5+€5", &[("$", "$"), ("5", "5"), ("+", "+"), ("€5", "€5")]),
        (
            "“x”—y…",
            &[
                ("“", "“"),
                ("x", "x"),
                ("”", "”"),
                ("—", "—"),
                ("y", "y"),
                ("…", "…"),
            ],
        ),
        // Precomposed and decomposed accents: the mark belongs to its letter.
        ("Café", &[("cafe", "Café")]),
        ("Cafe\u{301}s", &[("cafes", "Cafe\u{301}s")]),
        ("e\u{301}", &[("e", "e\u{301}")]),
        // A mark with nothing to stand on.
        ("\u{301}", &[]),
        ("\u{301}a", &[("a", "a")]),
        // A vowel sign that decomposes into a mark, which is dropped, and a sign that stays.
        (":\u{cca}", &[(":", ":"), ("\u{cc2}", "\u{cca}")]),
        // Canonical ordering puts the dot below (220), which is dropped, before the tone mark (224), which stays.
        ("!\u{302e}\u{323}", &[("!", "!"), ("\u{302e}", "\u{302e}")]),
        // Lower-casing that changes the length, and one that depends on the context.
        ("İI", &[("ii", "İI")]),
        (
            "ΟΔΟΣ ΣΑΣ. Σ",
            &[("οδος", "ΟΔΟΣ"), ("σας", "ΣΑΣ"), (".", "."), ("σ", "Σ")],
        ),
        // Compatibility characters stay (NFD, not NFKD).
        ("ﬁ Å ½", &[("ﬁ", "ﬁ"), ("a", "Å"), ("½", "½")]),
        (
            "한국",
            &[("\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}", "한국")],
        ),
        ("中文x", &[("中", "中"), ("文", "文"), ("x", "x")]),
        ("ひらカタ", &[("ひらカタ", "ひらカタ")]),
        // A zero-width joiner is dropped, the emoji around it stay together.
        ("👨\u{200d}👩", &[("👨👩", "👨\u{200d}👩")]),
        // Control characters, NUL, U+FFFD and soft hyphens vanish without splitting the word.
        (
            "a\u{7}b\0c\u{fffd}d\u{ad}e",
            &[("abcde", "a\u{7}b\0c\u{fffd}d\u{ad}e")],
        ),
        ("\u{200b}ab\u{200b}", &[("ab", "ab")]),
        ("x\u{a0}y\u{202f}z", &[("x", "x"), ("y", "y"), ("z", "z")]),
        // NFD makes ASCII punctuation of the Greek question mark.
        ("τι\u{37e}", &[("τι", "τι"), (";", "\u{37e}")]),
        (
            "[SEP] [cls]",
            &[
                ("[", "["),
                ("sep", "SEP"),
                ("]", "]"),
                ("[", "["),
                ("cls", "cls"),
                ("]", "]"),
            ],
        ),
    ];
    for &(text, expected) in cases {
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|&(token, source)| (token.to_owned(), source.to_owned()))
            .collect();
        assert_eq!(with_sources(UNCASED, text), expected, "{text:?}");
    }
}

#[test]
fn cased_text_keeps_case_and_accents() {
    assert_eq!(CASED.tokens("Café, İ 中x"), ["Café", ",", "İ", "中", "x"]);
    let accents_kept = BasicTokenizer {
        strip_accents: false,
        ..UNCASED
    };
    assert_eq!(accents_kept.tokens("Café"), ["café"]);
    let case_kept = BasicTokenizer {
        strip_accents: true,
        ..CASED
    };
    assert_eq!(case_kept.tokens("Café"), ["Cafe"]);
    let together = BasicTokenizer {
        split_chinese: false,
        ..UNCASED
    };
    assert_eq!(together.tokens("中文x"), ["中文x"]);
}

/// What `tokenizers`' own components make of a text.
fn oracle(basic: BasicTokenizer, text: &str) -> Vec<String> {
    let mut normalized = NormalizedString::from(text);
    BertNormalizer::new(
        true,
        basic.split_chinese,
        Some(basic.strip_accents),
        basic.lower_case,
    )
    .normalize(&mut normalized)
    .unwrap();
    let mut split = PreTokenizedString::from(normalized);
    BertPreTokenizer.pre_tokenize(&mut split).unwrap();
    let splits = split.get_splits(OffsetReferential::Original, OffsetType::Char);
    splits
        .into_iter()
        .map(|(token, ..)| token.to_owned())
        .collect()
}

/// Text with everything that normalisation touches. Left out is what `tokenizers` knowingly does otherwise: capital
/// sigmas, U+2B820 to U+2B91F, and characters newer than its Unicode tables.
fn text() -> impl Strategy<Value = String> {
    let characters = prop_oneof![
        6 => prop::char::range(' ', '~'),
        3 => prop::sample::select(" \t\r\n\u{a0}\u{202f}\u{2028}\u{85}\u{200b}\u{7}\0\u{ad}\u{fffd}".chars().collect::<Vec<_>>()),
        3 => prop::sample::select("éÉñÅﬁİıßẞάᾀ\u{301}\u{323}\u{345}\u{302e}".chars().collect::<Vec<_>>()),
        2 => prop::sample::select("한가中文㐀豈𠀀ひカ、。“”—…€½👨👩\u{200d}\u{fe0f}".chars().collect::<Vec<_>>()),
        1 => prop::char::range('\u{a0}', '\u{24f}'),
    ];
    prop::collection::vec(characters, 0..40).prop_map(|characters| characters.into_iter().collect())
}

proptest! {
    #[test]
    fn agrees_with_the_components_of_tokenizers(text in text(), lower_case: bool, strip_accents: bool, split_chinese: bool) {
        let basic = BasicTokenizer { lower_case, strip_accents, split_chinese };
        prop_assert_eq!(basic.tokens(&text), oracle(basic, &text));
    }

    #[test]
    fn a_span_tokenises_to_its_token_again(text in text()) {
        for (token, source) in with_sources(UNCASED, &text) {
            prop_assert_eq!(UNCASED.tokens(&source), [token]);
        }
    }

    #[test]
    fn spans_are_in_order_and_apart(text in "\\PC*") {
        let mut end = 0;
        let Ok(()) = UNCASED.try_for_each(&text, |token| {
            let span = token.span(0..token.text.len());
            assert!(end <= span.start && span.start < span.end);
            end = span.end;
            Ok::<(), Infallible>(())
        });
        prop_assert!(end <= text.chars().count());
    }
}
