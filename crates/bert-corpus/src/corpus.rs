//! Documents, their passages, and which of these have most to do with a question.

use std::{collections::BTreeSet, fmt, ops::Range};

use tantivy::{
    Index, Searcher, TantivyDocument, Term,
    collector::TopDocs,
    query::{BooleanQuery, Query, TermQuery},
    schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{PreTokenizedString, Token},
};

use crate::{CorpusError, PASSAGE_BYTES, passages::passages, words::words};

/// Bytes that the index may use while it is made, beyond which it still grows: tantivy's own choice for a thread.
const BUDGET: usize = 50_000_000;

/// A text with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What answers call it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A part of a document, of [`PASSAGE_BYTES`] bytes at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Which document, from 0.
    pub document: usize,
    /// Where it stands in the document's text, in bytes.
    pub bytes: Range<usize>,
    /// Where it starts there, in Unicode scalars.
    pub first_char: usize,
}

/// Documents cut into passages, with an index of their words in memory.
pub struct Corpus {
    documents: Vec<Document>,
    passages: Vec<Passage>,
    searcher: Searcher,
    field: Field,
}

impl fmt::Debug for Corpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Corpus")
            .field("documents", &self.documents.len())
            .field("passages", &self.passages.len())
            .finish_non_exhaustive()
    }
}

impl Corpus {
    /// Cuts documents into passages and makes the index.
    ///
    /// # Errors
    ///
    /// Fails where the index cannot be made.
    pub fn new(documents: Vec<Document>) -> Result<Self, CorpusError> {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default().set_index_option(IndexRecordOption::WithFreqs);
        let options = TextOptions::default().set_indexing_options(indexing);
        let field = schema.add_text_field("words", options);
        // In one segment a passage's number is the index's own.
        let index = Index::builder().schema(schema.build());
        let mut writer = index
            .single_segment_index_writer(tantivy::directory::RamDirectory::create(), BUDGET)?;
        let mut found = Vec::new();
        for (number, document) in documents.iter().enumerate() {
            let (mut at, mut first_char) = (0, 0);
            for bytes in passages(&document.text, PASSAGE_BYTES) {
                let mut indexed = TantivyDocument::new();
                indexed.add_pre_tokenized_text(field, tokens(&document.text[bytes.clone()]));
                writer.add_document(indexed)?;
                first_char += document.text[at..bytes.start].chars().count();
                at = bytes.start;
                found.push(Passage {
                    document: number,
                    bytes,
                    first_char,
                });
            }
        }
        Ok(Self {
            documents,
            passages: found,
            searcher: writer.finalize()?.reader()?.searcher(),
            field,
        })
    }

    /// The documents, in the order in which they were given.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// The passages, in the order of the documents and of their places there.
    #[must_use]
    pub fn passages(&self) -> &[Passage] {
        &self.passages
    }

    /// The document that a passage is part of.
    #[must_use]
    pub fn document(&self, passage: &Passage) -> &Document {
        &self.documents[passage.document]
    }

    /// A passage's text.
    #[must_use]
    pub fn text(&self, passage: &Passage) -> &str {
        &self.document(passage).text[passage.bytes.clone()]
    }

    /// The passages that have most to do with a question, at most `most` of them, the best first: by BM25, and those
    /// that share no word with it are none. Where there are not more than `most` passages it is all of them, in their order.
    ///
    /// # Errors
    ///
    /// Fails where the index does.
    pub fn best(&self, question: &str, most: usize) -> Result<Vec<&Passage>, CorpusError> {
        if self.passages.len() <= most {
            return Ok(self.passages.iter().collect());
        }
        let terms: BTreeSet<String> = words(question).collect();
        let terms = terms.iter().map(|word| -> Box<dyn Query> {
            let term = Term::from_field_text(self.field, word);
            Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
        });
        let query = BooleanQuery::union(terms.collect());
        let best = TopDocs::with_limit(most.max(1)).order_by_score();
        let found = self.searcher.search(&query, &best)?;
        let found = found.into_iter().take(most);
        Ok(found
            .map(|(_, at)| &self.passages[at.doc_id as usize])
            .collect())
    }
}

/// The words of a passage as the index takes them: their places in the text are not kept.
fn tokens(text: &str) -> PreTokenizedString {
    let token = |(position, text)| Token {
        position,
        text,
        ..Token::default()
    };
    PreTokenizedString {
        text: String::new(),
        tokens: words(text).enumerate().map(token).collect(),
    }
}
