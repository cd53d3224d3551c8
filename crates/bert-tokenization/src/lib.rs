//! BERT's WordPiece tokenization with character spans into the original text.
//!
//! Text goes through three stages: `basic` cleans it and cuts it into words and punctuation (Devlin et al.'s
//! `BasicTokenizer`, with every character's origin kept), [`tokenizers`]' `WordPiece` cuts those into pieces of the
//! vocabulary, and [`BertTokenizer::tokenize`] gives each piece its span. Casing is a property of the checkpoint and is
//! read from it.
//!
//! Special tokens are never made from text: `[SEP]` written in a passage is a bracket, a word and a bracket.

mod basic;
mod checkpoint;
mod error;
mod save;
mod tokenizer;
mod tokenizer_json;
mod vocab;

pub use error::TokenizationError;
pub use save::{save_tokenizer, tokenizer_files};
pub use tokenizer::{BertTokenizer, CharSpan, Token};
