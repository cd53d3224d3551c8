//! The protocols that the server speaks. Each turns bodies into questions, texts or choices, and answers into bodies; what
//! lies between is the same for all.

pub(crate) mod embeddings;
pub(crate) mod huggingface;
pub(crate) mod kserve;
pub(crate) mod own;

use serde_json::{Value, json};

use crate::{Classified, refusals::ApiError};

/// Whose form a refusal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// The server's own API, and all that is no protocol.
    Own,
    /// Hugging Face's inference API, SageMaker's, and KServe's version 2: the message alone.
    Message,
    /// text-embeddings-inference.
    Embeddings,
}

impl Protocol {
    /// The body of a refusal.
    pub(crate) fn refusal(self, error: &ApiError) -> Value {
        match self {
            Self::Own => json!({"error": error}),
            Self::Message => json!({"error": error.message}),
            Self::Embeddings => {
                let kind = match error.status.as_u16() {
                    503 => "Overloaded",
                    500.. => "Backend",
                    _ => "Validation",
                };
                json!({"error": error.message, "error_type": kind})
            }
        }
    }
}

/// What `transformers` calls the only output of a regression.
const ONLY_LABEL: &str = "LABEL_0";

/// What turns logits into scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Function {
    /// They sum to 1.
    Softmax,
    /// Each for itself.
    Sigmoid,
    /// The logits as they are.
    None,
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// The labels with their scores, the highest first; a regression's is its number unless a function is asked for.
fn scored(answer: Classified, function: Option<Function>) -> Vec<(String, f64)> {
    match answer {
        Classified::Score { score } => {
            let score = match function {
                None | Some(Function::None) => score,
                Some(Function::Sigmoid) => sigmoid(score),
                Some(Function::Softmax) => 1.0,
            };
            vec![(ONLY_LABEL.to_owned(), score)]
        }
        Classified::Classes { classes } => {
            let scored = classes.into_iter().map(|class| {
                let score = match function {
                    None | Some(Function::Softmax) => class.probability,
                    Some(Function::Sigmoid) => sigmoid(class.logit),
                    Some(Function::None) => class.logit,
                };
                (class.label, score)
            });
            scored.collect()
        }
    }
}
