//! Fine-tunes the demo's model on the SQuAD demo, and asks the result a question. Run it in the repository:
//! `cargo run --release -p bert-finetune --example squad_demo [-- OUTPUT_DIR]`.

use std::error::Error;
use std::path::PathBuf;

use bert_backend::Backend;
use bert_features::squad::SquadFeatureConfig;
use bert_finetune::{Compute, Recipe, RunSettings, Settings, TaskSettings, train};
use bert_inference::{InferenceConfig, Question, QuestionAnswerer, QuestionConfig};
use bert_tasks::Unwatched;
use bert_tasks::squad::{SquadPrediction, SquadSettings};

fn main() -> Result<(), Box<dyn Error>> {
    let output = std::env::args()
        .nth(1)
        .unwrap_or("out/squad-example".into());
    let compute = Compute::new("cpu".parse()?, None)?;
    let features = SquadFeatureConfig {
        max_seq_length: 128,
        doc_stride: 64,
        max_query_length: 32,
        ..SquadFeatureConfig::default()
    };
    let task = SquadSettings {
        columns: Default::default(),
        train_file: Some("data/demo/squad/train-v1.1.json".into()),
        predict_file: Some("data/demo/squad/dev-v1.1.json".into()),
        features,
        prediction: SquadPrediction::default(),
    };
    let mut run = RunSettings::new("data/demo/bert-reader", &output, compute);
    run.max_train_examples = std::env::args().nth(2).map(|n| n.parse()).transpose()?;
    run.recipe = Recipe {
        train_batch_size: 32,
        learning_rate: 1e-3,
        num_train_epochs: 6.0,
        ..Recipe::default()
    };
    let outcomes = train(
        &Settings {
            run,
            task: TaskSettings::TrainSquad(task),
        },
        &Unwatched,
    )?;
    println!("F1 {}", outcomes[0].results["f1"]);

    let backend = Backend::open("cpu".parse()?)?;
    let config = QuestionConfig {
        features,
        ..QuestionConfig::default()
    };
    let model = QuestionAnswerer::load(
        &PathBuf::from(output),
        &backend.device,
        InferenceConfig::default(),
        config,
    )?;
    let question = Question {
        question: "When was the tower built?",
        passage: "The tower was built in 1889.",
    };
    for answered in model.answer(&[question], |_| std::ops::ControlFlow::Continue(()))? {
        println!("{}", answered?.answers[0].text);
    }
    Ok(())
}
