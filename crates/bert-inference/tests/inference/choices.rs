//! Endings of beginnings.

use bert_test_device::test_device;
use std::ops::ControlFlow;

use crate::support::{assert_close, checkpoint, config, go_on, ways_to_run};
use bert_inference::{Beginning, ChoiceMaker, InferenceConfig, InferenceError};
use bert_model::heads::BertForMultipleChoice;
use bert_prediction::choice::ChoicePrediction;
use tempfile::TempDir;

const ENDINGS: [&str; 5] = [
    "sails fast.",
    "sleeps.",
    "sings a fast red boat.",
    "falls.",
    "?",
];

/// Beginnings with different numbers of endings, in no order.
fn beginnings() -> [Beginning<'static>; 4] {
    [3, 2, 5, 3].map(|endings| Beginning {
        context: "The old bird sings.",
        start: "The sea",
        endings: &ENDINGS[..endings],
    })
}

fn chooser(dir: &TempDir, inference: InferenceConfig) -> ChoiceMaker {
    ChoiceMaker::load(dir.path(), &test_device(), inference, None).unwrap()
}

#[test]
fn beginnings_may_have_different_numbers_of_endings() {
    let dir = checkpoint::<BertForMultipleChoice>(&config());
    let alone = chooser(&dir, ways_to_run()[0]);
    let expected: Vec<ChoicePrediction> = beginnings()
        .iter()
        .flat_map(|beginning| alone.choose(&[*beginning], go_on).unwrap().0)
        .collect();
    for way in ways_to_run() {
        let mut done = Vec::new();
        let chooser = chooser(&dir, way);
        let (found, cut) = chooser
            .choose(&beginnings(), |count| {
                done.push(count);
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(cut, 0);
        assert!(done.is_sorted() && done.last() == Some(&4), "{done:?}");
        for ((found, expected), beginning) in found.iter().zip(&expected).zip(beginnings()) {
            assert_eq!(found.probabilities.len(), beginning.endings.len());
            assert_eq!(found.class, expected.class);
            assert_close(&found.probabilities, &expected.probabilities);
        }
    }
}

#[test]
fn one_ending_is_no_choice_and_more_than_the_letters_are_too_many() {
    let dir = checkpoint::<BertForMultipleChoice>(&config());
    let chooser = chooser(&dir, InferenceConfig::default());
    let endings = ["sleeps."; 27];
    let with = |count: usize| Beginning {
        endings: &endings[..count],
        ..beginnings()[0]
    };
    for count in [2, 26] {
        let (chosen, _) = chooser.choose(&[with(count)], go_on).unwrap();
        assert_close(&chosen[0].probabilities, &vec![1.0 / count as f64; count]);
    }
    for count in [0, 1, 27] {
        let refused = chooser.choose(&[with(2), with(count)], go_on).unwrap_err();
        assert!(matches!(refused, InferenceError::Endings { .. }));
        assert_eq!(
            refused.to_string(),
            format!("beginning 1: found {count} endings, expected 2 to 26")
        );
    }
}
