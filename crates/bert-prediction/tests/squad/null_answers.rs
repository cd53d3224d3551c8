//! SQuAD 2.0: questions that the context does not answer.

use bert_prediction::squad::{NullThreshold, SquadAnswerPrediction, SquadPredictionConfig};

use crate::fixture::{Fixture, texts};

fn answer(fixture: &Fixture, n_best_size: usize, threshold: f32) -> SquadAnswerPrediction {
    let config = SquadPredictionConfig {
        n_best_size,
        version_2_with_negative: true,
        null_score_diff_threshold: Some(NullThreshold::At(threshold)),
        ..Default::default()
    };
    fixture.predict(&config).unwrap().remove(0)
}

/// Windows a b c and d e f; the null answer scores 6 in the first and 5 in the second, the best span, e, scores 4.
fn fixture() -> Fixture {
    let mut fixture = Fixture::new(&["a b c d e f"], 3, 3);
    fixture.set(1, (1, 3.0), (1, 1.0));
    (fixture.start[0][0], fixture.end[0][0]) = (4.0, 2.0);
    (fixture.start[1][0], fixture.end[1][0]) = (3.5, 1.5);
    fixture
}

#[test]
fn the_smallest_null_score_of_the_windows_counts() {
    let prediction = answer(&fixture(), 20, 0.0);
    assert_eq!(prediction.score_diff, Some(1.0));
    assert_eq!(prediction.text, "");
    assert_eq!(&texts(&prediction)[..2], ["", "e"]);
    let null = &prediction.n_best[0];
    assert_eq!((null.start_logit, null.end_logit), (3.5, 1.5));
}

#[test]
fn the_threshold_must_be_exceeded() {
    for (threshold, expected) in [(0.5, ""), (1.0, "e"), (1.5, "e"), (f32::NEG_INFINITY, "")] {
        assert_eq!(
            answer(&fixture(), 20, threshold).text,
            expected,
            "{threshold}"
        );
    }
}

#[test]
fn an_answer_can_be_decided_anew() {
    let mut prediction = answer(&fixture(), 20, 0.0);
    for (threshold, expected) in [(1.5, "e"), (0.5, ""), (1.0, "e")] {
        prediction.decide(threshold);
        assert_eq!(prediction.text, expected, "{threshold}");
        assert_eq!(prediction.span.is_some(), !expected.is_empty());
    }
    assert_eq!(prediction.best_span().text, "e");
}

#[test]
fn the_null_answer_stays_in_a_short_list() {
    let mut fixture = fixture();
    (fixture.start[1][0], fixture.end[1][0]) = (-9.0, -9.0);
    // `[CLS]` and the question take places among the best positions.
    let prediction = answer(&fixture, 3, 0.0);
    assert_eq!(texts(&prediction).last(), Some(&""));
    assert_eq!(prediction.text, "e");
    let probabilities = prediction.n_best.iter().map(|entry| entry.probability);
    assert!((probabilities.sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn a_question_without_spans_still_has_an_alternative() {
    // `[CLS]` takes the only place among the best starts.
    let prediction = answer(&fixture(), 1, 0.0);
    assert_eq!(texts(&prediction), ["empty", ""]);
    assert_eq!(prediction.score_diff, Some(5.0));
    assert_eq!(prediction.text, "");
}

#[test]
fn without_the_flag_there_is_no_null_answer() {
    let prediction = fixture().answer();
    assert_eq!(prediction.text, "e");
    assert!(!texts(&prediction).contains(&""));
}
