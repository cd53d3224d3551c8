//! Trains a classifier of texts that are in memory, and asks it. Run it in the repository:
//! `cargo run --release -p bert-finetune --example texts_in_memory [-- OUTPUT_DIR]`.

use std::error::Error;
use std::path::PathBuf;

use bert_backend::Backend;
use bert_finetune::{Compute, Recipe, RunSettings, Settings, TaskSettings, train_family};
use bert_inference::{InferenceConfig, Passage, TextClassifier};
use bert_tasks::Unwatched;
use bert_tasks::glue::{GlueSettings, LabelledText, TextClasses};

fn main() -> Result<(), Box<dyn Error>> {
    let output = std::env::args()
        .nth(1)
        .unwrap_or("out/texts-example".into());
    let labelled = |label, text| LabelledText {
        text,
        pair: None,
        label,
    };
    let texts = [
        labelled("calm", "the lake was quiet in the evening"),
        labelled("calm", "a quiet garden and an old house"),
        labelled("loud", "the engine made a terrible noise"),
        labelled("loud", "noise from the street all night"),
    ];
    let mut run = RunSettings::new(
        "data/demo/bert-small",
        &output,
        Compute::new("cpu".parse()?, None)?,
    );
    run.from_scratch = true;
    run.recipe = Recipe {
        train_batch_size: 4,
        learning_rate: 1e-3,
        num_train_epochs: 30.0,
        ..Recipe::default()
    };
    let family = TextClasses::from_texts(&run.source(), &texts, &texts, 32, 4)?;
    let task = TaskSettings::TrainGlue(GlueSettings::in_memory(32, 4));
    let outcomes = train_family(&family, &Settings { run, task }, &Unwatched)?;
    println!("accuracy {}", outcomes[0].results["eval_accuracy"]);

    let backend = Backend::open("cpu".parse()?)?;
    let model = TextClassifier::load(
        &PathBuf::from(output),
        &backend.device,
        InferenceConfig::default(),
        None,
    )?;
    let asked = texts.map(|text| Passage {
        text: text.text,
        pair: None,
    });
    let (classes, _) = model.classify(&asked, |_| std::ops::ControlFlow::Continue(()))?;
    for (text, class) in texts.iter().zip(classes) {
        println!("{}: {class:?}", text.text);
    }
    Ok(())
}
