//! Questions about passages.

use std::ops::ControlFlow;
use std::path::Path;

use bert_datasets::squad::{SquadContext, SquadDataset, SquadQuestion, SquadVersion};
use bert_features::squad::{SquadFeatureConfig, SquadFeatures, SquadMode};
use bert_model::BertConfig;
use bert_model::heads::BertForQuestionAnswering;
use bert_prediction::squad::{NBestEntry, SquadAnswerPrediction, SquadPredictionConfig, predict};
use bert_tokenization::{BertTokenizer, CharSpan};
use burn::module::Module as _;
use burn::tensor::Device;

use crate::checkpoint::Checkpoint;
use crate::{Alone, InferenceConfig, InferenceError, score_windows};

/// A question about a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// What is asked.
    pub question: &'a str,
    /// Where the answer is looked for.
    pub passage: &'a str,
}

/// A possible answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The part of the passage, as it stands there.
    pub text: String,
    /// Where it stands.
    pub span: CharSpan,
    /// Softmax of the summed logits over the question's n-best list, the null answer included where there is one
    /// (`nbest_predictions.json` of the 2018 script).
    pub probability: f64,
    /// The sum of the raw logits of its first and its last token, by which answers of windows and of passages are compared.
    pub score: f64,
}

/// What a model says to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The n-best list, best first, without the null answer; empty where the passage has no word.
    pub answers: Vec<Answer>,
    /// How probable it is, among the same list, that the passage has no answer; `None` for a model that was not
    /// trained on such questions.
    pub no_answer_probability: Option<f64>,
    /// The score that this has, as [`Answer::score`].
    pub no_answer_score: Option<f64>,
    /// Whether that is the model's answer: its score is above the best answer's by more than the threshold.
    pub no_answer: bool,
    /// Windows that the passage was read in.
    pub windows: usize,
}

/// How questions are answered.
#[derive(Debug, Clone, Copy)]
pub struct QuestionConfig {
    /// How passages become windows.
    pub features: SquadFeatureConfig,
    /// How logits become answers.
    pub prediction: SquadPredictionConfig,
    /// Windows of a passage above which a question is refused; `None`: any number.
    pub max_windows: Option<usize>,
}

impl Default for QuestionConfig {
    /// `run_squad.py` 0.4.
    fn default() -> Self {
        Self {
            features: SquadFeatureConfig::default(),
            prediction: SquadPredictionConfig::default(),
            max_windows: None,
        }
    }
}

/// A question-answering model in memory.
pub struct QuestionAnswerer {
    checkpoint: Checkpoint<BertForQuestionAnswering>,
    device: Device,
    inference: InferenceConfig,
    config: QuestionConfig,
}

impl QuestionAnswerer {
    /// Loads a fine-tuned checkpoint. A model with fewer positions than `config.features.max_seq_length` gets shorter
    /// windows.
    ///
    /// # Errors
    /// When the checkpoint is bad, its head is untrained or another task's, or a setting is out of range.
    pub fn load(
        dir: &Path,
        device: &Device,
        inference: InferenceConfig,
        mut config: QuestionConfig,
    ) -> Result<Self, InferenceError> {
        config.prediction.validate()?;
        let checkpoint = Checkpoint::load(dir, device, inference.largest_buffer)?;
        let longest = &mut config.features.max_seq_length;
        *longest = checkpoint.shortened(*longest);
        config.features.validate()?;
        Ok(Self {
            checkpoint,
            device: device.clone(),
            inference,
            config,
        })
    }

    /// The model's configuration.
    pub fn model_config(&self) -> &BertConfig {
        &self.checkpoint.config
    }

    /// Trained numbers of the model.
    pub fn parameters(&self) -> usize {
        self.checkpoint.model.num_params()
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &BertTokenizer {
        &self.checkpoint.tokenizer
    }

    /// How questions are answered.
    pub fn config(&self) -> &QuestionConfig {
        &self.config
    }

    /// Answers questions, their windows in batches together; equal passages in a row are read once. A question that is refused
    /// does not keep the others from their answers.
    ///
    /// `progress` is told the number of windows done, and may end the work.
    ///
    /// # Errors
    /// For all questions when the device fails or the work is stopped; for one when its passage is too long.
    pub fn answer(
        &self,
        questions: &[Question<'_>],
        progress: impl FnMut(usize) -> ControlFlow<()> + Send,
    ) -> Result<Vec<Result<Answered, InferenceError>>, InferenceError> {
        self.answer_with(&self.config, questions, progress)
    }

    /// The same with another configuration, whose windows may not be longer than those of
    /// [`config`](QuestionAnswerer::config).
    ///
    /// # Errors
    /// Those of [`answer`](QuestionAnswerer::answer), and when a setting is out of range.
    pub fn answer_with(
        &self,
        config: &QuestionConfig,
        questions: &[Question<'_>],
        progress: impl FnMut(usize) -> ControlFlow<()> + Send,
    ) -> Result<Vec<Result<Answered, InferenceError>>, InferenceError> {
        let dataset = dataset(questions);
        let features = self.features(&dataset, &config.features)?;
        let limit = config.max_windows.unwrap_or(usize::MAX);
        let windows: Vec<usize> = (0..questions.len())
            .map(|number| features.windows_of(number).len())
            .collect();
        if windows.iter().all(|found| *found <= limit) {
            let answered = self.run(&dataset, &features, &config.prediction, progress)?;
            return Ok(answered.into_iter().map(Ok).collect());
        }
        let short = questions.iter().zip(&windows);
        let short = short.filter(|(_, found)| **found <= limit);
        let short: Vec<Question<'_>> = short.map(|(question, _)| *question).collect();
        let dataset = self::dataset(&short);
        let features = self.features(&dataset, &config.features)?;
        let answered = self.run(&dataset, &features, &config.prediction, progress)?;
        let mut answered = answered.into_iter();
        let results = windows.into_iter().map(|found| {
            if found > limit {
                return Err(InferenceError::TooLong { found, limit });
            }
            Ok(answered
                .next()
                .expect("every question that is short enough is answered"))
        });
        Ok(results.collect())
    }

    fn features(
        &self,
        dataset: &SquadDataset,
        config: &SquadFeatureConfig,
    ) -> Result<SquadFeatures, InferenceError> {
        let tokenizer = &self.checkpoint.tokenizer;
        Ok(SquadFeatures::convert(
            dataset,
            tokenizer,
            config,
            SquadMode::Evaluation,
        )?)
    }

    fn run(
        &self,
        dataset: &SquadDataset,
        features: &SquadFeatures,
        prediction: &SquadPredictionConfig,
        progress: impl FnMut(usize) -> ControlFlow<()> + Send,
    ) -> Result<Vec<Answered>, InferenceError> {
        let Checkpoint {
            model, tokenizer, ..
        } = &self.checkpoint;
        let (config, device) = (&self.inference, &self.device);
        // From within the pool: a product that is asked for from outside costs two wake-ups more, which for one short
        // passage is a tenth of the time.
        let logits =
            rayon::scope(|_| score_windows(model, features, config, device, &Alone, progress))?;
        let predictions = predict(dataset, features, tokenizer, &logits, prediction)?;
        let answered = predictions.into_iter().zip(&dataset.questions).enumerate();
        let answered = answered.map(|(number, (prediction, question))| {
            let passage = &dataset.contexts[question.context].text;
            answered_from(prediction, passage, features.windows_of(number).len())
        });
        Ok(answered.collect())
    }
}

/// The questions as a SQuAD file would hold them; a passage that follows itself is one context.
fn dataset(questions: &[Question<'_>]) -> SquadDataset {
    let mut contexts: Vec<SquadContext> = Vec::new();
    let questions = questions.iter().enumerate().map(|(number, question)| {
        if contexts
            .last()
            .is_none_or(|last| last.text != question.passage)
        {
            contexts.push(SquadContext {
                title: "".into(),
                text: question.passage.to_owned(),
            });
        }
        SquadQuestion {
            id: number.to_string(),
            text: question.question.to_owned(),
            context: contexts.len() - 1,
            is_labelled: false,
            is_impossible: false,
            answers: Vec::new(),
        }
    });
    let questions = questions.collect();
    SquadDataset {
        version: SquadVersion::V1_1,
        contexts,
        questions,
    }
}

fn answered_from(prediction: SquadAnswerPrediction, passage: &str, windows: usize) -> Answered {
    let offsets: Vec<usize> = passage
        .char_indices()
        .map(|(at, _)| at)
        .chain([passage.len()])
        .collect();
    let mut answers = Vec::with_capacity(prediction.n_best.len());
    let mut no_answer = None;
    for entry in &prediction.n_best {
        match entry.span {
            Some(span) => answers.push(Answer {
                text: passage[offsets[span.start]..offsets[span.end]].to_owned(),
                span,
                probability: entry.probability,
                score: entry.score(),
            }),
            // The other entry without a place says that there is no span at all.
            None if entry.text.is_empty() => no_answer = Some(entry),
            None => {}
        }
    }
    Answered {
        no_answer: no_answer.is_some() && prediction.span.is_none(),
        answers,
        no_answer_probability: no_answer.map(|it| it.probability),
        no_answer_score: no_answer.map(NBestEntry::score),
        windows,
    }
}
