use proptest::prelude::*;

use super::*;

const VOCAB: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncafe\nun\n##aff\n##able\n##s\n\u{1112}\n##\u{1161}\n##\u{11ab}\n,\n[\n]\nsep\na\n##a\n中\n##fe\nca\ni\n##i\n🤗\n";

fn tokenizer(do_lower_case: bool) -> BertTokenizer {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vocab.txt");
    std::fs::write(&path, VOCAB).unwrap();
    BertTokenizer::from_vocab_file(&path, do_lower_case).unwrap()
}

/// Each piece beside the original text it was made from.
fn pieces(tokenizer: &BertTokenizer, text: &str) -> Vec<(String, String)> {
    let tokens = tokenizer.tokenize(text).unwrap();
    let source = |span: CharSpan| {
        text.chars()
            .skip(span.start)
            .take(span.end - span.start)
            .collect()
    };
    tokens
        .into_iter()
        .map(|it| (tokenizer.token(it.id).unwrap().to_owned(), source(it.span)))
        .collect()
}

#[test]
fn pieces_and_the_text_they_were_made_from() {
    let long = "a".repeat(101);
    let longest = "a".repeat(100);
    let mut longest_pieces = vec![("##a", "a"); 100];
    longest_pieces[0] = ("a", "a");
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("", &[]),
        ("  ", &[]),
        (
            "The unaffables",
            &[
                ("the", "The"),
                ("un", "un"),
                ("##aff", "aff"),
                ("##able", "able"),
                ("##s", "s"),
            ],
        ),
        ("CAFÉS,", &[("cafe", "CAFÉ"), ("##s", "S"), (",", ",")]),
        ("cafe\u{301}s", &[("cafe", "cafe\u{301}"), ("##s", "s")]),
        ("ca\u{200d}fe", &[("cafe", "ca\u{200d}fe")]),
        // One syllable, three pieces, each of which is the whole syllable.
        (
            "한",
            &[
                ("\u{1112}", "한"),
                ("##\u{1161}", "한"),
                ("##\u{11ab}", "한"),
            ],
        ),
        ("İi", &[("i", "İ"), ("##i", "i")]),
        ("中🤗", &[("中", "中"), ("🤗", "🤗")]),
        // Special tokens in the text are ordinary text.
        ("[SEP]", &[("[", "["), ("sep", "SEP"), ("]", "]")]),
        ("[UNK]", &[("[", "["), ("[UNK]", "UNK"), ("]", "]")]),
        // A word that no pieces make up is unknown as a whole.
        ("unx the", &[("[UNK]", "unx"), ("the", "the")]),
        (&long, &[("[UNK]", &long)]),
        (&longest, &longest_pieces),
    ];
    let tokenizer = tokenizer(true);
    for &(text, expected) in cases {
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|&(piece, source)| (piece.to_owned(), source.to_owned()))
            .collect();
        assert_eq!(pieces(&tokenizer, text), expected, "{text:?}");
    }
}

#[test]
fn a_hundred_characters_are_counted_after_normalisation() {
    // 100 letters with 100 marks that are dropped.
    let tokens = tokenizer(true).tokenize(&"a\u{301}".repeat(100)).unwrap();
    assert_eq!(tokens.len(), 100);
    assert_eq!(
        tokens[99].span,
        CharSpan {
            start: 198,
            end: 200
        }
    );
}

#[test]
fn cased_text_is_looked_up_as_it_stands() {
    let expected = [
        ("[UNK]".to_owned(), "The".to_owned()),
        ("the".to_owned(), "the".to_owned()),
    ];
    assert_eq!(pieces(&tokenizer(false), "The the"), expected);
}

#[test]
fn ids_and_tokens() {
    let tokenizer = tokenizer(true);
    assert_eq!(tokenizer.vocab_size(), 26);
    assert_eq!(
        [
            tokenizer.pad_id(),
            tokenizer.unk_id(),
            tokenizer.cls_id(),
            tokenizer.sep_id()
        ],
        [0, 1, 2, 3]
    );
    assert_eq!(tokenizer.token(5), Some("the"));
    assert_eq!(tokenizer.token(26), None);
    assert_eq!(tokenizer.vocab()[5], "the");
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&tokenizer);
}

proptest! {
    #[test]
    fn spans_survive_the_round_trip(text in "([a-cfnus,中🤗é\u{301}한 \t\u{a0}\u{200d}İ]|cafe|unaffable|\\PC)*") {
        let tokenizer = tokenizer(true);
        let length = text.chars().count();
        let mut start = 0;
        for token in tokenizer.tokenize(&text).unwrap() {
            let CharSpan { start: first, end } = token.span;
            prop_assert!(start <= first && first < end && end <= length);
            start = first;
            // Slicing the text by the span gives text that the token can be made from.
            let source: String = text.chars().skip(first).take(end - first).collect();
            let normalized = tokenizer.basic_tokens(&source).concat();
            let piece = tokenizer.token(token.id).unwrap();
            if token.id != tokenizer.unk_id() {
                prop_assert!(normalized.contains(piece.trim_start_matches("##")), "{:?} from {:?}", piece, source);
            }
        }
    }
}
