//! Trains the small WordPiece vocabulary.

use std::collections::{BTreeMap, BTreeSet};

use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer, Trainer,
};

use crate::DemoDataError;
use crate::squad::Passage;

/// Entries that are trained; the trainer stops earlier if nothing is frequent enough.
const VOCABULARY_SIZE: usize = 3000;
/// A merge has to occur this often.
const MIN_FREQUENCY: u64 = 4;
/// The tokens that BERT gives a meaning, in the order of the published vocabularies.
const SPECIAL_TOKENS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// A lower-case vocabulary trained on `passages`, with the words of the other families' training `texts`; one token a
/// line.
///
/// It holds words, but only parts of names: each name counts once, and digits are read in pairs. A name or year that
/// no training passage has then looks like one that some passage has, instead of falling apart where they do not.
/// The words of `texts` follow whole: these texts repeat few words, whose pieces would cost more entries than they do,
/// and the passages' names keep the pieces they had.
/// All single characters of `alphabet` are covered, so that no text gives `[UNK]`.
///
/// # Errors
///
/// If the trainer fails.
pub fn train_vocabulary(
    passages: &[Passage],
    texts: &[&str],
    alphabet: &str,
) -> Result<String, DemoDataError> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for passage in passages {
        for text in std::iter::once(&passage.context)
            .chain(passage.questions.iter().map(|question| &question.text))
        {
            for (index, word) in text.split_whitespace().enumerate() {
                // The first word of a sentence is lower-cased as well: "The" is no name.
                let is_name = index > 0 && word.starts_with(char::is_uppercase);
                for word in words(word)? {
                    if is_name {
                        names.insert(word);
                    } else {
                        *counts.entry(word).or_default() += 1;
                    }
                }
            }
        }
    }
    // A word such as "The" within a text is upper-case only at the start of a sentence.
    for name in names {
        counts.entry(name).or_insert(1);
    }
    counts.retain(|word, _| !has_digit(word));

    let mut characters: BTreeSet<char> = ('a'..='z').chain('0'..='9').collect();
    for word in words(alphabet)? {
        characters.extend(word.chars());
    }
    let mut tokens = train(&counts, &characters)?;
    let mut added: BTreeSet<String> = BTreeSet::new();
    for text in texts {
        added.extend(words(text)?);
    }
    let trained: BTreeSet<&String> = tokens.iter().collect();
    added.retain(|word| !trained.contains(word) && !has_digit(word));
    tokens.extend(added);
    Ok(tokens.into_iter().map(|token| token + "\n").collect())
}

/// Runs the trainer. The order in which it meets words is random, so every token whose place would depend on it, a
/// single character inside a word, is given beforehand as a special token.
fn train(
    counts: &BTreeMap<String, usize>,
    characters: &BTreeSet<char>,
) -> Result<Vec<String>, DemoDataError> {
    let digit_pairs = (0..100).flat_map(|pair| [format!("{pair:02}"), format!("##{pair:02}")]);
    let singles = characters
        .iter()
        .flat_map(|c| [c.to_string(), format!("##{c}")]);
    let given: Vec<String> = SPECIAL_TOKENS
        .map(str::to_owned)
        .into_iter()
        .chain(singles)
        .chain(digit_pairs)
        .collect();
    let mut trainer = WordPieceTrainer::builder()
        .vocab_size(VOCABULARY_SIZE)
        .min_frequency(MIN_FREQUENCY)
        .show_progress(false)
        .special_tokens(
            given
                .iter()
                .map(|token| AddedToken::from(token.clone(), true))
                .collect(),
        )
        .build();
    let corpus = counts
        .iter()
        .flat_map(|(word, count)| std::iter::repeat_n(word.as_str(), *count));
    trainer
        .feed(corpus, |word| Ok(vec![word.to_owned()]))
        .map_err(|error| failed(&*error))?;
    let mut model = WordPiece::default();
    trainer.train(&mut model).map_err(|error| failed(&*error))?;
    let mut tokens: Vec<(u32, String)> = tokenizers::Model::get_vocab(&model)
        .into_iter()
        .map(|(token, id)| (id, token))
        .collect();
    tokens.sort();
    Ok(tokens.into_iter().map(|(_, token)| token).collect())
}

fn has_digit(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit())
}

/// Splits `text` as BERT's uncased tokenizer does before it looks words up.
fn words(text: &str) -> Result<Vec<String>, DemoDataError> {
    let mut normalized = NormalizedString::from(text);
    BertNormalizer::default()
        .normalize(&mut normalized)
        .map_err(|error| failed(&*error))?;
    let mut pre_tokenized = PreTokenizedString::from(normalized);
    BertPreTokenizer
        .pre_tokenize(&mut pre_tokenized)
        .map_err(|error| failed(&*error))?;
    let splits = pre_tokenized.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    Ok(splits
        .into_iter()
        .map(|(word, _, _)| word.to_owned())
        .collect())
}

fn failed(error: &(dyn std::error::Error + Send + Sync)) -> DemoDataError {
    DemoDataError::Vocabulary {
        message: error.to_string(),
    }
}
