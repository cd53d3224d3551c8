//! Folders of documents, and the passages for a question.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::{fs, path::Path};

use bert_corpus::{Corpus, CorpusError, Document, PASSAGE_BYTES, read_folder};

fn write(folder: &Path, files: &[(&str, &[u8])]) {
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

#[test]
fn documents_come_in_the_order_of_their_paths_and_the_rest_is_told() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[
            ("b.txt", b"Second"),
            ("a/z.MD", b"First"),
            ("b/c.md", b"Third"),
            (".hidden/x.txt", b"No"),
            (".x.txt", b"No"),
            ("picture.png", b"No"),
            ("README", b"No"),
            ("bytes.txt", b"A \xff"),
            ("empty.txt", b" \n"),
        ],
    );
    let found = read_folder(folder.path()).unwrap();
    let texts: Vec<_> = found.documents.iter().map(|it| it.1.as_str()).collect();
    assert_eq!(texts, ["First", "Third", "Second"]);
    assert_eq!((found.hidden, found.others), (2, 2));
    let lines: Vec<_> = found.unreadable.iter().map(ToString::to_string).collect();
    let at = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(
        lines,
        [
            format!(
                "{}: byte 2 (line 1): found 0xff, expected UTF-8 text",
                at("bytes.txt")
            ),
            format!("{}: found no words, expected a text", at("empty.txt")),
        ]
    );
}

#[test]
fn a_folder_without_documents_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("a.png", b""), ("b.txt", b"")]);
    let error = read_folder(folder.path()).unwrap_err();
    let at = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: found no document, expected .txt or .md files with text ({}: found no words, expected a text)",
            folder.path().display(),
            at("b.txt")
        )
    );
    assert!(error.is_bad_input());
    for (name, reason) in [("nowhere", "no such file"), ("b.txt", "Not a directory")] {
        let error = read_folder(&folder.path().join(name)).unwrap_err();
        assert!(matches!(error, CorpusError::File(_)), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn loops_of_links_end_and_a_dead_link_is_told() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("a/b/c.txt", b"Text")]);
    symlink(folder.path(), folder.path().join("a/b/up")).unwrap();
    symlink("self.txt", folder.path().join("self.txt")).unwrap();
    symlink(folder.path().join("a"), folder.path().join("z")).unwrap();
    let found = read_folder(folder.path()).unwrap();
    assert_eq!(found.documents.len(), 1);
    assert_eq!(found.unreadable.len(), 1, "{:?}", found.unreadable);
}

fn corpus(texts: &[&str]) -> Corpus {
    let documents = texts.iter().enumerate().map(|(number, text)| Document {
        name: number.to_string(),
        text: (*text).to_owned(),
    });
    Corpus::new(documents.collect()).unwrap()
}

/// The texts of the best passages.
fn best<'a>(corpus: &'a Corpus, question: &str, most: usize) -> Vec<&'a str> {
    let found = corpus.best(question, most).unwrap();
    found.into_iter().map(|it| corpus.text(it)).collect()
}

#[test]
fn the_passage_that_shares_most_words_with_the_question_is_the_first() {
    let corpus = corpus(&[
        "The bridge over the river was finished in 1931.",
        "The tower was finished in 1889. It is high.",
        "A mill stands beside the dam.",
        "東京の塔は高い。",
    ]);
    assert_eq!(
        best(&corpus, "When was the TOWER finished?", 2),
        [
            "The tower was finished in 1889. It is high.",
            "The bridge over the river was finished in 1931."
        ]
    );
    assert_eq!(best(&corpus, "塔?", 1), ["東京の塔は高い。"]);
    assert_eq!(best(&corpus, "Qui?", 3), [""; 0]);
    assert_eq!(best(&corpus, "?!", 3), [""; 0]);
    // With room for all of them there is nothing to choose.
    assert_eq!(best(&corpus, "Qui?", 4).len(), 4);
}

#[test]
fn a_passage_knows_its_place_in_its_document() {
    let long = "Élan vital. ".repeat(PASSAGE_BYTES / 4);
    let corpus = corpus(&["😀 Short.", &long]);
    assert!(corpus.passages().len() > 3);
    for passage in corpus.passages() {
        let document = corpus.document(passage);
        let before = document.text.chars().take(passage.first_char);
        let before: String = before.collect();
        assert_eq!(before.len(), passage.bytes.start);
        assert!(corpus.text(passage).len() <= PASSAGE_BYTES);
    }
}
