//! Questions about passages.

use bert_test_device::test_device;
use std::ops::ControlFlow;

use crate::support::{assert_close, checkpoint, config, go_on, ways_to_run};
use bert_features::squad::SquadFeatureConfig;
use bert_inference::{
    Answered, InferenceConfig, InferenceError, Question, QuestionAnswerer, QuestionConfig,
};
use bert_model::heads::BertForQuestionAnswering;
use bert_prediction::squad::{NullThreshold, SquadPredictionConfig};
use tempfile::TempDir;

const QUESTIONS: [Question<'_>; 4] = [
    Question {
        question: "Who sings?",
        passage: "The old bird sings.",
    },
    Question {
        question: "What sails fast?",
        passage: "A red boat sails fast. The blue house sleeps. The old bird sings, the sea falls. The boat sleeps.",
    },
    Question {
        question: "Where?",
        passage: "The sea.",
    },
    Question {
        question: "What sleeps?",
        passage: "The sea.",
    },
];

fn settings() -> QuestionConfig {
    QuestionConfig {
        features: SquadFeatureConfig {
            max_seq_length: 20,
            doc_stride: 6,
            max_query_length: 8,
            ..SquadFeatureConfig::default()
        },
        ..QuestionConfig::default()
    }
}

fn answerer(dir: &TempDir, inference: InferenceConfig, config: QuestionConfig) -> QuestionAnswerer {
    QuestionAnswerer::load(dir.path(), &test_device(), inference, config).unwrap()
}

fn all(answerer: &QuestionAnswerer, questions: &[Question<'_>]) -> Vec<Answered> {
    let answered = answerer.answer(questions, go_on).unwrap();
    answered.into_iter().map(Result::unwrap).collect()
}

#[test]
fn answers_do_not_depend_on_how_questions_are_batched() {
    let dir = checkpoint::<BertForQuestionAnswering>(&config());
    let alone = answerer(&dir, ways_to_run()[0], settings());
    let expected: Vec<Answered> = QUESTIONS
        .iter()
        .flat_map(|question| all(&alone, &[*question]))
        .collect();
    assert!(
        expected[1].windows > 1,
        "the long passage has several windows"
    );
    for way in ways_to_run() {
        let found = all(&answerer(&dir, way, settings()), &QUESTIONS);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.windows, expected.windows);
            assert_eq!(found.answers[0].text, expected.answers[0].text);
            assert_eq!(found.answers[0].span, expected.answers[0].span);
            let probabilities = |answered: &Answered| -> Vec<f64> {
                answered.answers.iter().map(|a| a.probability).collect()
            };
            assert_close(&probabilities(found), &probabilities(expected));
        }
    }
}

#[test]
fn an_answer_is_a_part_of_its_passage() {
    let dir = checkpoint::<BertForQuestionAnswering>(&config());
    let answerer = answerer(&dir, InferenceConfig::default(), settings());
    for (question, answered) in QUESTIONS.iter().zip(all(&answerer, &QUESTIONS)) {
        assert!(answered.no_answer_probability.is_none() && !answered.no_answer);
        for answer in answered.answers {
            let span = answer.span.start..answer.span.end;
            let text: String = question.passage.chars().collect::<Vec<_>>()[span]
                .iter()
                .collect();
            assert_eq!(text, answer.text);
        }
    }
}

#[test]
fn a_passage_may_have_no_answer_where_the_model_may_say_so() {
    let dir = checkpoint::<BertForQuestionAnswering>(&config());
    for (threshold, no_answer) in [(-1e9, true), (1e9, false)] {
        let config = QuestionConfig {
            prediction: SquadPredictionConfig {
                version_2_with_negative: true,
                null_score_diff_threshold: Some(NullThreshold::At(threshold)),
                ..SquadPredictionConfig::default()
            },
            ..settings()
        };
        let answerer = answerer(&dir, InferenceConfig::default(), config);
        let answered = all(&answerer, &QUESTIONS[..1]).remove(0);
        assert_eq!(answered.no_answer, no_answer);
        let answers: f64 = answered.answers.iter().map(|a| a.probability).sum();
        let all = answers + answered.no_answer_probability.unwrap();
        assert!((all - 1.0).abs() < 1e-6, "{all}");
    }
}

#[test]
fn a_passage_that_is_too_long_is_refused_alone() {
    let dir = checkpoint::<BertForQuestionAnswering>(&config());
    let config = QuestionConfig {
        max_windows: Some(1),
        ..settings()
    };
    let answerer = answerer(&dir, InferenceConfig::default(), config);
    let answered = answerer.answer(&QUESTIONS, go_on).unwrap();
    let refused: Vec<bool> = answered.iter().map(Result::is_err).collect();
    assert_eq!(refused, [false, true, false, false]);
    let Err(InferenceError::TooLong { found, limit: 1 }) = &answered[1] else {
        panic!("{:?}", answered[1]);
    };
    assert!(*found > 1);
}

#[test]
fn the_caller_can_stop_the_work() {
    let dir = checkpoint::<BertForQuestionAnswering>(&config());
    for way in ways_to_run() {
        let answerer = answerer(&dir, way, settings());
        let stopped = answerer.answer(&QUESTIONS, |_| ControlFlow::Break(()));
        let Err(InferenceError::Stopped { done, of }) = stopped else {
            panic!("the work went on");
        };
        assert!(done > 0 && done < of, "{done} of {of}");
    }
}

/// Windows are shortened to what the model reads.
#[test]
fn the_model_decides_how_long_a_window_can_be() {
    let dir = checkpoint::<BertForQuestionAnswering>(&config());
    let answerer = answerer(&dir, InferenceConfig::default(), QuestionConfig::default());
    assert_eq!(answerer.config().features.max_seq_length, 48);
}
