//! A server without a model, to look at the page and to measure what the server itself costs: it answers with the
//! places of the question's last word.
//!
//! ```text
//! cargo run -p bert-serve --example words -- 127.0.0.1:8080
//! ```

use std::{env, error::Error};

use bert_serve::{
    Answer, Answered, Answerer, Model, ModelInfo, Question, Refusal, ServeConfig, Server,
};

struct Words;

impl Answerer for Words {
    fn answer(&mut self, questions: &[Question]) -> Vec<Result<Answered, Refusal>> {
        questions
            .iter()
            .map(|question| Ok(places(question)))
            .collect()
    }

    fn model(&self) -> ModelInfo {
        ModelInfo {
            name: "word finder".into(),
            parameters: 0,
            max_length: 384,
            device: "CPU".into(),
            labels: Vec::new(),
            no_answer: true,
            corpus: None,
        }
    }
}

fn places(question: &Question) -> Answered {
    let word = question.question.split_whitespace().last().unwrap_or("");
    let word = word.trim_end_matches('?');
    let passage = question.passage.as_deref().unwrap_or_default();
    let found = passage.match_indices(word).take(question.n_best);
    let mut probability = 1.0;
    let answers = found
        .filter(|_| !word.is_empty())
        .map(|(at, text)| {
            let start = passage[..at].chars().count();
            probability /= 2.0;
            Answer {
                text: text.into(),
                start,
                end: start + text.chars().count(),
                probability,
                source: None,
            }
        })
        .collect();
    Answered {
        answers,
        no_answer_probability: Some(0.1),
        windows: 1,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut config = ServeConfig::default();
    if let Some(address) = env::args().nth(1) {
        config.address = address.parse()?;
    }
    let server = Server::bind(config)?;
    println!("http://{}/", server.local_addr());
    server.run(vec![Model::Questions(Box::new(Words))])?;
    Ok(())
}
