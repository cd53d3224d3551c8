//! Which spans are predicted, and with which text.

use bert_prediction::squad::SquadPredictionConfig;

use crate::fixture::{Fixture, texts};

#[test]
fn the_answer_is_written_as_in_the_context() {
    // Context tokens: steve smith ' s ( cafe ) , 1 , 500 - wall ##flower ##s [UNK] .
    let context = "Steve  Smith's\t(Café), 1,500-Wallflowers ☃☃.";
    let cases = [
        ((0, 1), "Steve Smith"),
        ((1, 3), "Smith's"),
        ((5, 5), "Café"),
        ((4, 7), "(Café),"),
        ((8, 10), "1,500"),
        ((12, 12), "Wall"),
        ((12, 14), "Wallflowers"),
        // The piece `##s` alone: its word's first s.
        ((14, 14), "s"),
        // An unknown token cannot be aligned: the words stand as they are, punctuation and all.
        ((15, 15), "☃☃."),
        ((14, 15), "1,500-Wallflowers ☃☃."),
    ];
    for ((first, last), expected) in cases {
        let mut fixture = Fixture::new(&[context], 64, 32);
        fixture.set(0, (first, 9.0), (last, 9.0));
        let prediction = fixture.answer();
        assert_eq!(prediction.text, expected, "{first}..={last}");
        assert_eq!(prediction.n_best[0].text, expected);
        assert_eq!(prediction.score_diff, None);
    }
}

#[test]
fn windows_are_compared_by_raw_logits() {
    // Windows: a b c d, e f g h; no overlap.
    let mut fixture = Fixture::new(&["a b c d e f g h"], 4, 4);
    assert_eq!(fixture.features.windows.len(), 2);
    fixture.set(0, (1, 4.0), (2, 4.0));
    fixture.set(1, (0, 5.0), (1, 4.0));
    let prediction = fixture.answer();
    assert_eq!(&texts(&prediction)[..2], ["e f", "b c"]);
    assert_eq!(
        (
            prediction.n_best[0].start_logit,
            prediction.n_best[0].end_logit
        ),
        (5.0, 4.0)
    );
}

#[test]
fn a_span_starts_only_where_its_window_has_the_largest_context() {
    // Windows: a b c d, c d e f. Token d has 3 tokens to its left and none to its right in the first window.
    let mut fixture = Fixture::new(&["a b c d e f"], 4, 2);
    assert_eq!(fixture.features.windows.len(), 2);
    fixture.set(0, (3, 9.0), (3, 9.0));
    fixture.set(1, (1, 5.0), (2, 5.0));
    let prediction = fixture.answer();
    assert_eq!(prediction.text, "d e");
    // Its end may be anywhere in the window.
    fixture.set(0, (1, 8.0), (3, 9.0));
    assert_eq!(fixture.answer().text, "b c d");
}

#[test]
fn longer_answers_are_left_out() {
    let mut fixture = Fixture::new(&["a b c d e f"], 8, 8);
    fixture.set(0, (0, 9.0), (3, 9.0));
    for (max_answer_length, expected) in [(4, "a b c d"), (3, "a")] {
        let config = SquadPredictionConfig {
            max_answer_length,
            ..Default::default()
        };
        assert_eq!(fixture.predict(&config).unwrap()[0].text, expected);
    }
}

#[test]
fn the_question_and_the_special_tokens_take_places_but_start_no_span() {
    let mut fixture = Fixture::new(&["a b c"], 8, 8);
    // [CLS] who [SEP] a b c [SEP]
    fixture.start[0] = vec![9.0, 8.0, 7.0, 1.0, 2.0, 3.0, 6.0];
    fixture.end[0] = vec![9.0, 8.0, 7.0, 1.0, 2.0, 3.0, 6.0];
    let config = |n_best_size| SquadPredictionConfig {
        n_best_size,
        ..Default::default()
    };
    let best = |n| fixture.predict(&config(n)).unwrap().remove(0);
    assert_eq!(texts(&best(4)), ["empty"]);
    assert_eq!(texts(&best(5)), ["c"]);
    assert_eq!(texts(&best(6)), ["c", "b c", "b"]);
}

#[test]
fn padding_does_not_matter() {
    let mut fixture = Fixture::new(&["a b c d", "e f"], 8, 8);
    fixture.set(0, (1, 2.0), (2, 2.0));
    fixture.set(1, (0, 2.0), (0, 2.0));
    let config = SquadPredictionConfig::default();
    let expected = fixture.predict(&config).unwrap();
    for logits in fixture.start.iter_mut().chain(&mut fixture.end) {
        logits.extend([100.0, f32::NAN]);
    }
    assert_eq!(fixture.predict(&config).unwrap(), expected);
}

#[test]
fn a_context_without_tokens_has_no_answer() {
    let fixture = Fixture::new(&["\u{200b}", "a"], 8, 8);
    let predictions = fixture.predict(&SquadPredictionConfig::default()).unwrap();
    assert_eq!(predictions[0].text, "empty");
    assert_eq!(predictions[1].text, "a");
    let config = SquadPredictionConfig {
        version_2_with_negative: true,
        ..Default::default()
    };
    let predictions = fixture.predict(&config).unwrap();
    assert_eq!(texts(&predictions[0]), ["empty", ""]);
}

#[test]
fn entries_serialise_with_the_scripts_keys() {
    let mut fixture = Fixture::new(&["a"], 8, 8);
    fixture.set(0, (0, 0.1), (0, 2.0));
    let json = serde_json::to_string(&fixture.answer().n_best).unwrap();
    assert_eq!(
        json,
        r#"[{"text":"a","probability":1.0,"start_logit":0.10000000149011612,"end_logit":2.0}]"#
    );
}
