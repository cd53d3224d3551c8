//! Classes and scores of texts.

use crate::support::{assert_close, checkpoint, config, go_on, ways_to_run};
use bert_inference::{InferenceConfig, Passage, TextClassifier};
use bert_model::heads::BertForSequenceClassification;
use bert_model::{BertConfig, LabelList};
use bert_prediction::choice::{ChoicePrediction, ExamplePrediction, LabelsPrediction};
use bert_test_device::test_device;
use tempfile::TempDir;

const TEXTS: [Passage<'_>; 4] = [
    Passage {
        text: "The old bird sings.",
        pair: None,
    },
    Passage {
        text: "A red boat sails fast.",
        pair: Some("The blue house sleeps."),
    },
    Passage {
        text: "The sea.",
        pair: None,
    },
    Passage {
        text: "The sea falls. The sea falls. The sea falls. The sea falls. The sea falls.",
        pair: None,
    },
];

fn labelled(labels: &LabelList) -> BertConfig {
    let mut config = config();
    config.set_label_list(labels);
    config
}

fn classifier(dir: &TempDir, inference: InferenceConfig, length: Option<usize>) -> TextClassifier {
    TextClassifier::load(dir.path(), &test_device(), inference, length).unwrap()
}

/// The probabilities of classes or labels, or the score.
fn numbers(prediction: &ExamplePrediction) -> Vec<f64> {
    match prediction {
        ExamplePrediction::Class(ChoicePrediction { probabilities, .. })
        | ExamplePrediction::Labels(LabelsPrediction { probabilities }) => probabilities.clone(),
        ExamplePrediction::Score(score) => vec![*score],
    }
}

#[test]
fn classes_and_scores_do_not_depend_on_how_texts_are_batched() {
    let names = ["no", "yes", "maybe"].map(str::to_owned).to_vec();
    for labels in [
        LabelList::Classes(names.clone()),
        LabelList::Labels(names),
        LabelList::Score,
    ] {
        let dir = checkpoint::<BertForSequenceClassification>(&labelled(&labels));
        let alone = classifier(&dir, ways_to_run()[0], None);
        assert_eq!(alone.labels(), labels);
        let expected: Vec<ExamplePrediction> = TEXTS
            .iter()
            .flat_map(|text| alone.classify(&[*text], go_on).unwrap().0)
            .collect();
        for way in ways_to_run() {
            let (found, cut) = classifier(&dir, way, None).classify(&TEXTS, go_on).unwrap();
            assert_eq!(cut, 0);
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found.class(), expected.class());
                let one_class = matches!(labels, LabelList::Classes(_));
                assert_eq!(found.class().is_some(), one_class);
                assert_eq!(found.score().is_some(), labels == LabelList::Score);
                assert_close(&numbers(found), &numbers(expected));
            }
        }
    }
}

#[test]
fn texts_that_are_cut_are_counted() {
    let labels = LabelList::Classes(["no", "yes"].map(str::to_owned).to_vec());
    let dir = checkpoint::<BertForSequenceClassification>(&labelled(&labels));
    let classifier = classifier(&dir, InferenceConfig::default(), Some(12));
    let (classified, cut) = classifier.classify(&TEXTS, go_on).unwrap();
    assert_eq!((classified.len(), cut), (4, 2));
}
