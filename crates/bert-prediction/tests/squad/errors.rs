//! Input that gives no predictions.

use bert_prediction::{
    PredictionError,
    squad::{SquadPredictionConfig, WindowLogits, predict},
};

use crate::fixture::{Fixture, dataset};

fn message(result: Result<impl std::fmt::Debug, PredictionError>) -> String {
    let message = result.unwrap_err().to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

/// Windows a b, c d of question q0; e of question q1.
fn fixture() -> Fixture {
    Fixture::new(&["a b c d", "e"], 2, 2)
}

#[test]
fn logits_must_cover_every_window() {
    let mut fixture = fixture();
    fixture.start.pop();
    assert_eq!(
        message(fixture.predict(&SquadPredictionConfig::default())),
        "expected the logits of 3 windows, found 2"
    );
}

#[test]
fn logits_must_reach_the_end_of_their_window() {
    let mut fixture = fixture();
    fixture.end[1].pop();
    fixture.start[2].clear();
    assert_eq!(
        message(fixture.predict(&SquadPredictionConfig::default())),
        r#"question "q0", window 1: expected end logits of 6 tokens, found 5"#
    );
}

#[test]
fn logits_must_be_finite() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut fixture = fixture();
        fixture.start[1][4] = value;
        fixture.end[2][0] = value;
        assert_eq!(
            message(fixture.predict(&SquadPredictionConfig::default())),
            format!(
                r#"question "q0", window 1: expected finite logits, found {value} as start logit of token 4"#
            )
        );
    }
}

#[test]
fn features_must_be_the_datasets() {
    let fixture = fixture();
    let config = SquadPredictionConfig::default();
    let logits: Vec<WindowLogits> = fixture
        .start
        .iter()
        .map(|zeros| WindowLogits {
            start: zeros.clone(),
            end: zeros.clone(),
        })
        .collect();
    let foreign = |contexts: &[&str]| {
        let dataset = dataset(contexts);
        message(predict(
            &dataset,
            &fixture.features,
            &fixture.tokenizer,
            &logits,
            &config,
        ))
    };
    assert_eq!(
        foreign(&["a b c d"]),
        "the features do not belong to the dataset: expected 1 questions, found 2"
    );
    assert_eq!(
        foreign(&["a b c", "e"]),
        "the features do not belong to the dataset: word 3 of context 0 is outside its text"
    );
}

#[test]
fn tokens_must_be_the_tokenizers() {
    let mut fixture = fixture();
    fixture.features.contexts[1].ids[0] = 9_999;
    assert_eq!(
        message(fixture.predict(&SquadPredictionConfig::default())),
        r#"question "q1": token id 9999 is not in the tokenizer's vocabulary"#
    );
}

#[test]
fn settings_are_checked() {
    let config = SquadPredictionConfig {
        n_best_size: 0,
        ..Default::default()
    };
    assert_eq!(
        message(fixture().predict(&config)),
        "`n_best_size`: found 0, expected at least 1"
    );
}
