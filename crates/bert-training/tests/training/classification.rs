//! The heads that score whole examples, trained on data small enough to know the outcome.

use bert_test_device::test_device;
use std::ops::ControlFlow;

use crate::support::{Losses, config, train_config};
use bert_features::batch::Padding;
use bert_features::pair::{SequenceFeatures, TokenRows};
use bert_inference::{Alone, InferenceConfig, score_examples};
use bert_model::checkpoint::{BERT, initialize};
use bert_model::heads::{BertForMultipleChoice, BertForSequenceClassification, ExampleModel};
use bert_model::{BertConfig, LabelList, Precision, parameters};
use bert_training::classification::{ClassificationTask, Targets};
use bert_training::train;
use burn::module::Module;

/// Eight examples of rows of different lengths, single texts and pairs.
fn eight_examples(rows_per_example: usize) -> SequenceFeatures {
    let mut rows = TokenRows::default();
    for n in 0..8 * rows_per_example as u32 {
        let length = 6 + (n * 5) % 11;
        let mut ids = vec![2];
        ids.extend((0..length).map(|i| 5 + (i * 7 + n * 13) % 50));
        ids.push(3);
        let segment_b_start = match n % 3 {
            0 => ids.len(),
            _ => 4,
        };
        rows.push(&ids, segment_b_start);
    }
    SequenceFeatures {
        rows,
        rows_per_example,
        max_seq_length: 24,
        truncated: 0,
    }
}

/// Learns eight examples by heart, to a last loss below `most`, and returns the logits of each.
fn learnt<M: ExampleModel + Sync>(
    config: &BertConfig,
    rows_per_example: usize,
    targets: &Targets,
    most: f32,
) -> Vec<Vec<f32>> {
    let features = eight_examples(rows_per_example);
    let task = ClassificationTask::<M>::new(&features, targets, 0);
    let device = test_device();
    let autodiff = device.clone().autodiff();
    let model: M = initialize(config, 1, &autodiff);
    let before = pooler(&model);
    let mut losses = Losses::default();
    let model = train(&task, model, &train_config(), &autodiff, &mut losses).unwrap();
    let last = losses.0.last().unwrap();
    assert!(
        last.loss < most,
        "the loss of the last step is {}",
        last.loss
    );
    let tokens: usize = (0..8).map(|example| features.tokens(example)).sum();
    assert_eq!(last.tokens, tokens, "every row's tokens are counted");
    assert_eq!(last.padded_tokens, 8 * rows_per_example * 24);
    assert_ne!(before, pooler(&model), "the pooler is trained");

    let config = InferenceConfig {
        batch_size: 3,
        padding: Padding::Longest { multiple_of: 8 },
        precision: Precision::Fp32,
        concurrent: 1,
        largest_buffer: None,
    };
    let mut done = Vec::new();
    let scores = score_examples(&model.valid(), &features, &config, &device, &Alone, |n| {
        done.push(n);
        ControlFlow::Continue(())
    });
    assert_eq!(done, [3, 6, 8]);
    scores.unwrap()
}

fn pooler<M: Module>(model: &M) -> Vec<parameters::NamedValues> {
    let mut values = parameters::values(model, &BERT);
    values.retain(|parameter| parameter.name.starts_with("bert.pooler."));
    assert_eq!(values.len(), 2);
    values
}

fn best(logits: &[f32]) -> usize {
    (0..logits.len())
        .max_by(|a, b| logits[*a].total_cmp(&logits[*b]))
        .unwrap()
}

#[test]
fn eight_choices_are_learnt_by_heart() {
    let right = vec![0, 3, 1, 2, 2, 0, 3, 1];
    let targets = Targets::Classes(right.clone());
    let logits = learnt::<BertForMultipleChoice>(&config(), 4, &targets, 0.05);
    let chosen: Vec<usize> = logits.iter().map(|logits| best(logits)).collect();
    assert_eq!(chosen, right);
    assert!(logits.iter().all(|logits| logits.len() == 4));
}

#[test]
fn choices_between_two_and_between_seven_are_learnt_by_heart() {
    for endings in [2, 7] {
        let right: Vec<usize> = (0..8).map(|n| (3 * n) % endings).collect();
        let targets = Targets::Classes(right.clone());
        // With dropout a step's loss depends on its masks more than on what was learnt.
        let config = BertConfig {
            hidden_dropout_prob: 0.0,
            attention_probs_dropout_prob: 0.0,
            ..config()
        };
        let logits = learnt::<BertForMultipleChoice>(&config, endings, &targets, 0.1);
        let chosen: Vec<usize> = logits.iter().map(|logits| best(logits)).collect();
        assert_eq!(chosen, right);
        assert!(logits.iter().all(|logits| logits.len() == endings));
    }
}

#[test]
fn eight_texts_of_three_classes_are_learnt_by_heart() {
    let mut config = config();
    let names = ["a", "b", "c"].map(str::to_owned);
    config.set_label_list(&LabelList::Classes(names.to_vec()));
    let classes = vec![0, 1, 2, 0, 1, 2, 0, 1];
    let targets = Targets::Classes(classes.clone());
    let logits = learnt::<BertForSequenceClassification>(&config, 1, &targets, 0.05);
    let chosen: Vec<usize> = logits.iter().map(|logits| best(logits)).collect();
    assert_eq!(chosen, classes);
}

#[test]
fn eight_scores_are_learnt_by_heart() {
    // Dropout scatters a regression's output by as much as the scores differ.
    let mut config = BertConfig {
        hidden_dropout_prob: 0.0,
        attention_probs_dropout_prob: 0.0,
        ..config()
    };
    config.set_label_list(&LabelList::Score);
    let scores = vec![0.0, 5.0, 2.5, 1.0, 4.0, 3.0, 0.5, 2.0];
    let targets = Targets::Scores(scores.clone());
    // The scores' variance is 2.9.
    let logits = learnt::<BertForSequenceClassification>(&config, 1, &targets, 0.1);
    for (logits, score) in logits.iter().zip(scores) {
        assert_eq!(logits.len(), 1);
        assert!(
            (f64::from(logits[0]) - score).abs() < 0.5,
            "{logits:?} for {score}"
        );
    }
}

/// A choice's four rows stay together when a step is cut into micro-batches.
#[test]
fn accumulated_choices_equal_one_batch() {
    let features = eight_examples(4);
    let targets = Targets::Classes(vec![0, 3, 1, 2, 2, 0, 3, 1]);
    let task = ClassificationTask::<BertForMultipleChoice>::new(&features, &targets, 0);
    let config = BertConfig {
        hidden_dropout_prob: 0.0,
        attention_probs_dropout_prob: 0.0,
        ..config()
    };
    let autodiff = test_device().autodiff();
    let run = |accumulation| {
        let mut training = train_config().with_accumulation(accumulation);
        training.recipe.num_train_epochs = 4.0;
        let mut losses = Losses::default();
        let model = initialize(&config, 1, &autodiff);
        train(&task, model, &training, &autodiff, &mut losses).unwrap();
        losses.0
    };
    for (a, b) in run(1).iter().zip(run(4)) {
        assert!(
            (a.loss - b.loss).abs() < 2e-4,
            "step {}: {} and {}",
            a.step,
            a.loss,
            b.loss
        );
    }
}
