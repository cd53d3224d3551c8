//! Documents cut into passages, and the passages that have most to do with a question.
//!
//! | stage | what it does |
//! | --- | --- |
//! | `folder` | finds and reads the documents below a folder |
//! | `passages` | cuts a document at paragraphs and sentences |
//! | `words` | the words by which passages and questions are compared |
//! | `corpus` | holds documents and passages, and ranks the passages for a question by BM25 |
//! | `sentences` | finds the sentence that an answer stands in |
//!
//! A reader of the passages is elsewhere: nothing here is a model.

mod corpus;
mod error;
mod folder;
mod passages;
mod sentences;
mod words;

pub use corpus::{Corpus, Document, Passage};
pub use error::CorpusError;
pub use folder::{Folder, read_folder};
pub use passages::PASSAGE_BYTES;
pub use sentences::Sentences;
