//! One training step, forward, backward and update, at fixed shapes on the default device.
//!
//! Weights are random and the models' shapes those of the names; speed does not depend on the values.

use bert_features::pair::{SequenceFeatures, TokenRows};
use bert_features::squad::{
    AnswerPositions, ContextTokens, SquadFeatureConfig, SquadFeatures, SquadSkips, SquadWindow,
    TokenSpan,
};
use bert_model::checkpoint::initialize;
use bert_model::heads::BertForMultipleChoice;
use bert_model::{BertConfig, MaskSource};
use bert_training::batches::{BatchConfig, Padding, StepExamples};
use bert_training::classification::{ClassificationTask, Targets};
use bert_training::optimizer::{BertAdamConfig, Residency};
use bert_training::squad::SquadTask;
use bert_training::{Schedule, Task, TrainConfig, Trainer};
use burn::tensor::Device;
use divan::Bencher;
use divan::counter::ItemsCount;

/// As in the `bert` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// Hidden width, layers, heads and feed-forward width of a model, and a batch's rows and tokens.
struct Shape {
    model: [usize; 4],
    batch: usize,
    length: usize,
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn tiny_12x192(bencher: Bencher<'_, '_>) {
    step(
        bencher,
        Shape {
            model: [128, 2, 2, 512],
            batch: 12,
            length: 192,
        },
    );
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn minilm_12x192(bencher: Bencher<'_, '_>) {
    step(
        bencher,
        Shape {
            model: [384, 6, 12, 1536],
            batch: 12,
            length: 192,
        },
    );
}

#[divan::bench(sample_count = 6, sample_size = 1)]
fn base_4x128(bencher: Bencher<'_, '_>) {
    step(
        bencher,
        Shape {
            model: [768, 12, 12, 3072],
            batch: 4,
            length: 128,
        },
    );
}

/// The published SWAG recipe's step: 16 examples in 4 micro-batches, four rows of 80 tokens each.
#[divan::bench(sample_count = 6, sample_size = 1)]
fn minilm_swag_16x4x80(bencher: Bencher<'_, '_>) {
    let mut rows = TokenRows::default();
    for row in 0..64 {
        let ids: Vec<u32> = (0..80)
            .map(|n| 1000 + (n * 37 + row * 101) % 29_000)
            .collect();
        rows.push(&ids, 40);
    }
    let features = SequenceFeatures {
        rows,
        rows_per_example: 4,
        max_seq_length: 80,
        truncated: 0,
    };
    let targets = Targets::Classes((0..16).map(|n| n % 4).collect());
    let task = ClassificationTask::<BertForMultipleChoice>::new(&features, &targets, 0);
    run(bencher, &task, [384, 6, 12, 1536], 80, 4);
}

/// Items are tokens.
fn step(bencher: Bencher<'_, '_>, shape: Shape) {
    let features = windows(shape.batch, shape.length);
    let task = SquadTask {
        features: &features,
        pad_token_id: 0,
    };
    run(bencher, &task, shape.model, shape.length, 1);
}

/// Times a step over all of a task's examples in so many micro-batches; items are tokens.
fn run<T: Task>(
    bencher: Bencher<'_, '_>,
    task: &T,
    model: [usize; 4],
    length: usize,
    accumulation: usize,
) {
    let [hidden, layers, heads, inner] = model;
    let config: BertConfig = serde_json::from_value(serde_json::json!({
        "vocab_size": 30522, "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads, "intermediate_size": inner,
    }))
    .expect("the configuration is complete");
    let device = Device::default().autodiff();
    let batch_size = task.len();
    let recipe = TrainConfig {
        num_train_epochs: 100.0,
        batches: BatchConfig {
            batch_size,
            accumulation,
            padding: Padding::Fixed(length),
        },
        learning_rate: 3e-5,
        warmup_proportion: 0.1,
        schedule: Schedule::WarmupLinear,
        optimizer: BertAdamConfig::default(),
        residency: Residency::Shared,
        seed: 1,
        masks: MaskSource::Host,
        read_every: 1,
    };
    let model = initialize(&config, 1, &device);
    let mut trainer = Trainer::new(task, model, &recipe, &device).expect("the recipe is valid");
    let all: Vec<usize> = (0..batch_size).collect();
    let examples = StepExamples {
        micro_batches: all
            .chunks(batch_size / accumulation)
            .map(<[usize]>::to_vec)
            .collect(),
    };
    let mut step = || {
        let step = trainer.step(&examples).expect("random weights train");
        step.read().expect("the loss can be read")
    };
    // The first step makes the optimiser's state.
    step();
    bencher
        .counter(ItemsCount::new(
            batch_size * task.rows_per_example() * length,
        ))
        .bench_local(step);
}

/// `count` windows of `length` tokens.
fn windows(count: usize, length: usize) -> SquadFeatures {
    let query: Vec<u32> = (0..20).map(|n| 2000 + n).collect();
    let context = length - query.len() - 3;
    SquadFeatures {
        config: SquadFeatureConfig {
            max_seq_length: length,
            ..SquadFeatureConfig::default()
        },
        contexts: vec![ContextTokens {
            words: Vec::new(),
            ids: (0..context as u32).map(|n| 1000 + n * 37 % 29000).collect(),
            token_to_word: Vec::new(),
        }],
        queries: vec![query],
        question_contexts: vec![0],
        windows: vec![
            SquadWindow {
                question: 0,
                index: 0,
                span: TokenSpan {
                    start: 0,
                    end: context
                },
                answer: Some(AnswerPositions { start: 30, end: 32 }),
            };
            count
        ],
        cls_id: 101,
        sep_id: 102,
        skipped: SquadSkips::default(),
    }
}
