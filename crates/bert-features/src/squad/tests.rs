use bert_datasets::squad::{SquadAnswer, SquadContext, SquadQuestion, SquadVersion};
use proptest::prelude::*;

use super::*;

/// Letters stand for themselves, so that contexts are spelt token by token.
const VOCAB: [&str; 40] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l",
    "m", "##a", "##b", "##c", "##d", "##e", "##f", "##g", "##h", "(", ")", "-", ".", ",", "1", "2",
    "##1", "##2", "é", "q", "r", "##q", "[", "]",
];

fn tokenizer() -> BertTokenizer {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vocab.txt");
    std::fs::write(&path, VOCAB.join("\n")).unwrap();
    BertTokenizer::from_vocab_file(&path, true).unwrap()
}

/// A dataset with one question about one context.
fn one(context: &str, question: &str, answers: &[(&str, usize)]) -> SquadDataset {
    let answers = answers.iter().map(|&(text, start)| SquadAnswer {
        text: text.to_owned(),
        start,
    });
    SquadDataset {
        version: SquadVersion::V1_1,
        contexts: vec![SquadContext {
            title: "t".into(),
            text: context.to_owned(),
        }],
        questions: vec![SquadQuestion {
            id: "1".to_owned(),
            text: question.to_owned(),
            context: 0,
            is_labelled: answers.len() > 0,
            is_impossible: false,
            answers: answers.collect(),
        }],
    }
}

fn config(max_seq_length: usize, doc_stride: usize) -> SquadFeatureConfig {
    SquadFeatureConfig {
        max_seq_length,
        doc_stride,
        max_query_length: 3,
        ..SquadFeatureConfig::default()
    }
}

fn convert(dataset: &SquadDataset, config: &SquadFeatureConfig, mode: SquadMode) -> SquadFeatures {
    SquadFeatures::convert(dataset, &tokenizer(), config, mode).unwrap()
}

/// A window's index, its tokens and its answer's positions.
type Shown<T> = (u32, T, Option<(u32, u32)>);

fn shown(features: &SquadFeatures) -> Vec<Shown<String>> {
    let show = |window: usize| {
        let mut ids = Vec::new();
        features.write_input_ids(window, &mut ids);
        assert_eq!(ids.len(), features.len_of(window));
        let tokens: Vec<&str> = ids.iter().map(|&id| VOCAB[id as usize]).collect();
        let SquadWindow { index, answer, .. } = features.windows[window];
        (
            index,
            tokens.join(" "),
            answer.map(|answer| (answer.start, answer.end)),
        )
    };
    (0..features.windows.len()).map(show).collect()
}

fn expected(windows: &[Shown<&str>]) -> Vec<Shown<String>> {
    windows
        .iter()
        .map(|&(index, tokens, answer)| (index, tokens.to_owned(), answer))
        .collect()
}

#[test]
fn evaluation_keeps_every_window() {
    // 10 positions, less 3 special tokens and the question's 2, leave 5 for the context.
    let dataset = one("a b c d e f g h", "q r", &[("h", 14)]);
    let features = convert(&dataset, &config(10, 2), SquadMode::Evaluation);
    assert_eq!(
        shown(&features),
        expected(&[
            (0, "[CLS] q r [SEP] a b c d e [SEP]", None),
            (1, "[CLS] q r [SEP] c d e f g [SEP]", None),
            (2, "[CLS] q r [SEP] e f g h [SEP]", None),
        ])
    );
    assert_eq!(features.skipped, SquadSkips::default());
    assert_eq!(features.windows_of(0), 0..3);
    assert_eq!(
        (
            features.context_offset(1),
            features.segment_b_start(1),
            features.len_of(2)
        ),
        (4, 4, 9)
    );
    // Token e (4): last of the first window, in the middle of the second, first of the third.
    let counts: Vec<bool> = (0..3)
        .map(|window| features.is_max_context(window, 4))
        .collect();
    assert_eq!(counts, [false, true, false]);
}

#[test]
fn training_keeps_the_windows_that_hold_the_whole_answer() {
    let dataset = one("a b c d e f g h", "q r", &[("e f", 8), ("a", 0)]);
    let features = convert(&dataset, &config(10, 2), SquadMode::Training);
    // The first window ends with e and so holds half of the answer.
    assert_eq!(
        shown(&features),
        expected(&[
            (1, "[CLS] q r [SEP] c d e f g [SEP]", Some((6, 7))),
            (2, "[CLS] q r [SEP] e f g h [SEP]", Some((4, 5))),
        ])
    );
    let skipped = SquadSkips {
        windows_without_answer: 1,
        extra_answers_ignored: 1,
        ..SquadSkips::default()
    };
    assert_eq!(features.skipped, skipped);
    // Dropped windows still count in the choice among windows: a counts in the one that is gone.
    assert!(!features.is_max_context(0, 0));
}

#[test]
fn windows_are_chosen_by_tokens_where_words_and_tokens_differ() {
    // Two words of four pieces each: compared as words, the answer (word 1) would seem to be in the first window.
    let dataset = one("abcd efgh", "q", &[("efgh", 5)]);
    let features = convert(&dataset, &config(8, 4), SquadMode::Training);
    assert_eq!(
        shown(&features),
        expected(&[(1, "[CLS] q [SEP] e ##f ##g ##h [SEP]", Some((3, 6)))])
    );
    assert_eq!(features.skipped.windows_without_answer, 1);
}

#[test]
fn answers_as_token_spans() {
    // Context, answer, its start, and the tokens between the positions, if it is found.
    let cases = [
        ("a b c", "b", 2, Some("b")),
        // Tightened to the answer's own tokens, or the whole words where it is not made of whole tokens.
        ("a (1-2), b", "1", 3, Some("1")),
        ("a (1-2), b", "1-2", 3, Some("1 - 2")),
        ("a abc b", "b", 3, Some("a ##b ##c")),
        // The first of two equal stretches.
        ("a-b-a-b", "b", 6, Some("b")),
        // Case and accents as the tokenizer has them; U+0065 U+0301 is two characters.
        ("A e\u{301} B", "e\u{301} b", 2, None),
        ("A e\u{301} B", "e\u{301} B", 2, Some("e b")),
        // White space of any kind and length, as long as the answer has as much.
        ("a  b\r\nc", "a  b", 0, Some("a b")),
        ("a  b\r\nc", "b\r\nc", 3, Some("b c")),
        ("a  b\r\nc", "a b", 0, None),
        ("a b c", "b\u{a0}c", 2, Some("b c")),
        // A word with U+00A0 is one word, and an answer is cut there: not found, as in the 2018 script.
        ("a\u{a0}b c", "a\u{a0}b", 0, None),
        ("a\u{a0}b c", "b c", 2, Some("b c")),
        // U+202F does separate words.
        ("a\u{202f}b c", "a\u{202f}b", 0, Some("a b")),
        // Elsewhere than the file says, over the end, or nothing at all.
        ("a b c", "c", 2, None),
        ("a b c", "c d", 4, None),
        ("a b c", "", 2, None),
        // White space alone, between words and as part of a word.
        ("a b c", " ", 1, None),
        ("a b c", "\u{a0}", 2, None),
        ("a\u{a0}b c", "\u{a0}", 1, None),
        (" a", " a", 0, None),
        // Words without pieces.
        ("a \u{200b} b", "\u{200b}", 2, None),
        ("a \u{200b} b", "\u{200b} b", 2, Some("b")),
    ];
    for (context, answer, start, tokens) in cases {
        let features = convert(
            &one(context, "q", &[(answer, start)]),
            &config(30, 9),
            SquadMode::Training,
        );
        let found: Vec<String> = features
            .windows
            .iter()
            .enumerate()
            .map(|(window, SquadWindow { answer, .. })| {
                let mut ids = Vec::new();
                features.write_input_ids(window, &mut ids);
                let AnswerPositions { start, end } = answer.unwrap();
                let ids = &ids[start as usize..=end as usize];
                ids.iter()
                    .map(|&id| VOCAB[id as usize])
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(
            found,
            tokens.into_iter().collect::<Vec<_>>(),
            "{context:?} {answer:?}"
        );
        let not_found = if tokens.is_some() {
            vec![]
        } else {
            vec!["1".to_owned()]
        };
        assert_eq!(
            features.skipped.answers_not_found, not_found,
            "{context:?} {answer:?}"
        );
    }
}

#[test]
fn the_shortest_equal_span_is_the_first() {
    let dataset = one("a-b-a-b", "q", &[("b", 6)]);
    let features = convert(&dataset, &config(30, 9), SquadMode::Training);
    // One word, so the answer's own position inside it is lost, as in the 2018 script.
    assert_eq!(
        features.windows[0].answer,
        Some(AnswerPositions { start: 5, end: 5 })
    );
}

#[test]
fn an_answer_longer_than_every_window() {
    let dataset = one("a b c d e f g h", "q r", &[("b c d e f g", 2)]);
    let features = convert(&dataset, &config(10, 2), SquadMode::Training);
    assert_eq!(shown(&features), expected(&[]));
    let skipped = SquadSkips {
        answers_in_no_window: vec!["1".to_owned()],
        windows_without_answer: 3,
        ..SquadSkips::default()
    };
    assert_eq!(features.skipped, skipped);
}

#[test]
fn impossible_questions_keep_all_windows() {
    let mut dataset = one("a b c d e f g h", "q r", &[]);
    dataset.version = SquadVersion::V2_0;
    dataset.questions[0].is_impossible = true;
    let features = convert(&dataset, &config(10, 2), SquadMode::Training);
    assert_eq!(
        features
            .windows
            .iter()
            .map(|it| it.index)
            .collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert!(
        features
            .windows
            .iter()
            .all(|it| it.answer == Some(AnswerPositions { start: 0, end: 0 }))
    );
    assert_eq!(features.skipped, SquadSkips::default());
}

#[test]
fn odd_questions_and_contexts() {
    let cases = [
        // Cut to max_query_length, 3.
        ("a", "q r q r q", "[CLS] q r q [SEP] a [SEP]"),
        ("a", "", "[CLS] [SEP] a [SEP]"),
        ("a", " \r\n\u{a0}", "[CLS] [SEP] a [SEP]"),
        ("", "q", "[CLS] q [SEP] [SEP]"),
        (" \t\r\n", "q", "[CLS] q [SEP] [SEP]"),
        ("a\r\nb", "q", "[CLS] q [SEP] a b [SEP]"),
        (
            "[SEP] a",
            "[CLS]",
            "[CLS] [ [UNK] ] [SEP] [ [UNK] ] a [SEP]",
        ),
    ];
    for (context, question, tokens) in cases {
        let features = convert(
            &one(context, question, &[]),
            &config(30, 9),
            SquadMode::Evaluation,
        );
        assert_eq!(
            shown(&features),
            expected(&[(0, tokens, None)]),
            "{context:?} {question:?}"
        );
    }
}

#[test]
fn words_are_cut_at_squad_white_space_only() {
    let text = " ab c\u{a0}d\te\r\nf\u{202f}g\u{2003}h ";
    let features = convert(&one(text, "q", &[]), &config(30, 9), SquadMode::Evaluation);
    let ContextTokens {
        words,
        ids,
        token_to_word,
    } = &features.contexts[0];
    let slices: Vec<String> = words
        .iter()
        .map(|word| {
            text.chars()
                .skip(word.start)
                .take(word.end - word.start)
                .collect()
        })
        .collect();
    assert_eq!(slices, ["ab", "c\u{a0}d", "e", "f", "g\u{2003}h"]);
    assert_eq!(
        ids.iter().map(|&id| VOCAB[id as usize]).collect::<Vec<_>>(),
        ["a", "##b", "c", "d", "e", "f", "g", "h"]
    );
    assert_eq!(token_to_word, &[0, 0, 1, 1, 2, 3, 4, 4]);
}

#[test]
fn contexts_are_shared_between_questions() {
    let mut dataset = one("a b", "q", &[]);
    dataset.contexts.push(SquadContext {
        title: "t".into(),
        text: "c".to_owned(),
    });
    let ask = |id: &str, context| SquadQuestion {
        id: id.to_owned(),
        context,
        ..dataset.questions[0].clone()
    };
    dataset.questions = vec![ask("1", 1), ask("2", 0), ask("3", 1)];
    let features = convert(&dataset, &config(30, 9), SquadMode::Evaluation);
    assert_eq!(features.question_contexts, [1, 0, 1]);
    let tokens: Vec<String> = shown(&features)
        .into_iter()
        .map(|(_, tokens, _)| tokens)
        .collect();
    assert_eq!(
        tokens,
        [
            "[CLS] q [SEP] c [SEP]",
            "[CLS] q [SEP] a b [SEP]",
            "[CLS] q [SEP] c [SEP]"
        ]
    );
    assert_eq!(
        (features.windows_of(1), features.windows_of(2)),
        (1..2, 2..3)
    );
}

#[test]
fn records() {
    let dataset = one("a b", "q", &[("b", 2)]);
    let json = |mode| {
        let features = convert(&dataset, &config(30, 9), mode);
        serde_json::to_string(&features.jsonl_record(&dataset, 0)).unwrap()
    };
    let ids = r#""input_ids":[2,35,3,4,5,3],"token_type_ids":[0,0,0,1,1,1]"#;
    assert_eq!(
        json(SquadMode::Training),
        format!(r#"{{"example_id":"1","window":0,{ids},"start_position":4,"end_position":4}}"#)
    );
    assert_eq!(
        json(SquadMode::Evaluation),
        format!(
            r#"{{"example_id":"1","window":0,{ids},"start_position":null,"end_position":null}}"#
        )
    );
}

#[test]
fn refusals() {
    let dataset = one("a", "q r q", &[]);
    let refused = |max_seq_length, doc_stride, max_query_length, mode| {
        let config = SquadFeatureConfig {
            max_seq_length,
            doc_stride,
            max_query_length,
            ..SquadFeatureConfig::default()
        };
        SquadFeatures::convert(&dataset, &tokenizer(), &config, mode)
            .unwrap_err()
            .to_string()
    };
    use SquadMode::{Evaluation, Training};
    assert_eq!(
        refused(10, 0, 3, Evaluation),
        "`doc_stride`: found 0, expected at least 1 token between window starts"
    );
    assert_eq!(
        refused(10, 1, 0, Evaluation),
        "`max_query_length`: found 0, expected at least 1 token"
    );
    assert_eq!(
        refused(4, 1, 3, Evaluation),
        "`max_seq_length`: found 4, expected at least 5 tokens"
    );
    assert_eq!(
        refused(6, 1, 9, Evaluation),
        "`max_seq_length`: found 6, expected at least 7: question \"1\" has 3 tokens, beside 3 special tokens and 1 of \
         the context; raise `max_seq_length` or lower `max_query_length`"
    );
    assert_eq!(
        refused(7, 1, 9, Training),
        "question \"1\": found no answer, expected one for training"
    );
}

fn any_text() -> impl Strategy<Value = String> {
    "([a-m12(),.\\-éÉ] ?|[ \t\r\n\u{a0}\u{202f}\u{200b}e\u{301}]|\\PC){0,60}"
}

proptest! {
    #[test]
    fn windows_reassemble_the_context(
        text in any_text(), question in any_text(), max_seq_length in 7_usize..40, doc_stride in 1_usize..50,
    ) {
        let features = convert(&one(&text, &question, &[]), &config(max_seq_length, doc_stride), SquadMode::Evaluation);
        let mut context = Vec::new();
        for (number, window) in features.windows.iter().enumerate() {
            prop_assert_eq!(window.index as usize, number);
            prop_assert!(features.len_of(number) <= max_seq_length);
            prop_assert!(window.span.start <= context.len(), "a token is in no window");
            let mut ids = Vec::new();
            features.write_input_ids(number, &mut ids);
            context.truncate(window.span.start);
            context.extend_from_slice(&ids[features.context_offset(number)..ids.len() - 1]);
        }
        prop_assert_eq!(&context, &features.contexts[0].ids);
        for token in 0..context.len() {
            let counts = features.windows_of(0).filter(|&window| features.is_max_context(window, token)).count();
            prop_assert_eq!(counts, 1);
        }
    }

    #[test]
    fn a_context_is_tokenised_as_its_words_are(text in any_text()) {
        let tokenizer = tokenizer();
        let features = convert(&one(&text, "q", &[]), &config(30, 9), SquadMode::Evaluation);
        let ContextTokens { words, ids, token_to_word } = &features.contexts[0];
        let mut expected = (Vec::new(), Vec::new());
        for (number, word) in (0..).zip(words) {
            let word: String = text.chars().skip(word.start).take(word.end - word.start).collect();
            for token in tokenizer.tokenize(&word).unwrap() {
                expected.0.push(token.id);
                expected.1.push(number);
            }
        }
        prop_assert_eq!((ids, token_to_word), (&expected.0, &expected.1));
    }

    #[test]
    fn an_answer_made_of_words_is_found_where_it_is(words in prop::collection::vec("[a-m]{1,4}|[12]|\\([a-c]\\)", 1..30), pick in any::<(prop::sample::Index, prop::sample::Index)>()) {
        let (a, b) = (pick.0.index(words.len()), pick.1.index(words.len()));
        let (first, last) = (a.min(b), a.max(b));
        let (before, answer) = (words[..first].join(" "), words[first..=last].join(" "));
        let start = before.chars().count() + usize::from(first > 0);
        let dataset = one(&words.join(" "), "q", &[(&answer, start)]);
        let features = convert(&dataset, &config(400, 9), SquadMode::Training);
        let AnswerPositions { start, end } = features.windows[0].answer.unwrap();
        let mut ids = Vec::new();
        features.write_input_ids(0, &mut ids);
        let own: Vec<u32> = tokenizer().tokenize(&answer).unwrap().iter().map(|token| token.id).collect();
        prop_assert_eq!(&ids[start as usize..=end as usize], own);
        let context = &features.contexts[0];
        let word = |position: u32| context.token_to_word[position as usize - features.context_offset(0)] as usize;
        prop_assert_eq!((word(start), word(end)), (first, last));
    }
}

#[test]
fn the_default_is_the_published_recipe() {
    assert_eq!(
        SquadFeatureConfig::default(),
        SquadFeatureConfig {
            max_seq_length: 384,
            doc_stride: 128,
            doc_stride_is: DocStride::Distance,
            max_query_length: 64,
        }
    );
}
