//! `ask` and `serve` about folders of documents.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::front_door::model;
use crate::serving::Serving;
use crate::support::{bert, done, refused, stderr};

const MILL: &str = "The mill 🌊 at Oskarby was built in 1889.\nIts wheel  turned for sixty years; Ada Lind ran it.";
const QUESTION: &str = "Who ran the mill at Oskarby?";

/// A folder with the mill, documents about other things, and files that are none.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "a/mill.txt",
        format!("A title\n\n{}\n\n{MILL}", "Nothing else. ".repeat(70)).as_bytes(),
    );
    for number in 0..12 {
        let text = format!("The bridge of year {number} has {number} arches, and Bo built it.");
        write(&format!("b/bridge-{number:02}.md"), text.as_bytes());
    }
    write("bytes.txt", b"A \xff");
    write("empty.md", b"\n");
    write(".hidden.txt", b"Hidden");
    write("picture.png", b"PNG");
    dir
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json_of(arguments: &[&str]) -> Value {
    serde_json::from_str(&done(arguments)).unwrap()
}

#[test]
fn an_answer_from_a_folder_names_its_file_and_its_place() {
    let dir = folder();
    let model = text(model());
    let folder = text(dir.path());
    let arguments = [
        "ask",
        "--model",
        model,
        "--context",
        folder,
        "--n-best",
        "3",
    ];
    let asked = [&arguments[..], &["--json", QUESTION]].concat();
    let output = bert(&asked);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let log = stderr(&output);
    for line in [
        "bytes.txt: byte 2 (line 1): found 0xff, expected UTF-8 text",
        "empty.md: found no words",
        "left out 1 hidden and 1 that are not .txt or .md",
        "14 passages of 13 documents",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
    // BM25 reads the documents that share a word with the question, up to ten of them.
    assert_eq!(found["passages"], 10, "{found}");
    let entries = found["n_best"].as_array().unwrap();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0]["file"], found["file"]);
    for entry in entries {
        let document = fs::read_to_string(entry["file"].as_str().unwrap()).unwrap();
        let [start, end] = ["start", "end"].map(|at| entry[at].as_u64().unwrap() as usize);
        let slice: String = document.chars().skip(start).take(end - start).collect();
        assert_eq!(entry["text"], slice);
        let sentence = entry["sentence"].as_str().unwrap();
        assert!(
            document.contains(sentence) && sentence.contains(&slice),
            "{entry}"
        );
    }
    // The one passage alone is answered as a file is.
    let one = [&arguments[..], &["--json", "--max-passages", "1", QUESTION]].concat();
    let one = json_of(&one);
    let mill = dir.path().join("mill-alone.txt");
    fs::write(&mill, MILL).unwrap();
    let alone = json_of(&[
        "ask",
        "--json",
        "--model",
        model,
        "--context",
        text(&mill),
        QUESTION,
    ]);
    assert_eq!(one["passages"], 1);
    assert_eq!(one["answer"], alone["answer"]);
    assert_eq!(one["file"], text(&dir.path().join("a/mill.txt")));
    let [found, expected] = [&one, &alone].map(|it| it["probability"].as_f64().unwrap());
    assert!((found - expected).abs() < 1e-4, "{one} {alone}");
    // A file's own output has nothing of this.
    assert!(alone.get("file").is_none() && alone.get("passages").is_none());
    assert!(alone["n_best"][0].get("file").is_none());
    // For people: answer, probability and file, then the sentence.
    let printed = done(&[&arguments[..], &[QUESTION]].concat());
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 6, "{printed}");
    assert!(
        lines[0].contains(" %)  ") && lines[0].contains(folder),
        "{printed}"
    );
}

#[test]
fn files_and_folders_are_asked_together() {
    let dir = folder();
    let (a, b) = (
        dir.path().join("a/mill.txt"),
        dir.path().join("b/bridge-03.md"),
    );
    let own = ["ask", "--json", "--model", text(model())];
    let files = ["--context", text(&a), "--context", text(&b), QUESTION];
    let found = json_of(&[&own[..], &files].concat());
    // Few passages are all read.
    assert_eq!(found["passages"], 3);
    let both = dir.path().join("b");
    let files = ["--context", text(&a), "--context", text(&both), QUESTION];
    let found = json_of(&[&own[..], &files].concat());
    assert_eq!(found["passages"], 10);
    // No word of the question is in the documents: nothing is read.
    let nothing = done(&[
        "ask",
        "--model",
        text(model()),
        "--context",
        text(&both),
        "--max-passages",
        "2",
        "Qui?",
    ]);
    assert_eq!(nothing, "(no answer in the passages that were read)\n");
}

#[test]
fn documents_that_cannot_be_had_are_one_line() {
    let dir = folder();
    let empty = dir.path().join("none");
    fs::create_dir(&empty).unwrap();
    let [bytes, mill] = ["bytes.txt", "a/mill.txt"].map(|name| dir.path().join(name));
    let ask = ["ask", "--model", text(model()), "Who?", "--context"];
    let serve = [
        "serve",
        "--model",
        text(model()),
        "--address",
        "127.0.0.1:0",
        "--corpus",
    ];
    for (command, contexts, expected) in [
        (
            &ask[..],
            vec![text(&empty)],
            "found no document, expected .txt or .md files",
        ),
        (
            &ask,
            vec![text(&mill), "--context", "nowhere.txt"],
            "nowhere.txt: ",
        ),
        (
            &ask,
            vec![text(&mill), "--context", text(&bytes)],
            "bytes.txt: byte 2 (line 1)",
        ),
        (&ask, vec![text(&mill), "--text", "a"], "--text"),
        (
            &ask,
            vec![text(dir.path()), "--max-passages", "0"],
            "--max-passages",
        ),
        (
            &serve,
            vec![text(&empty)],
            "found no document, expected .txt or .md files",
        ),
        (&serve, vec!["nowhere"], "nowhere: cannot list the folder"),
        (
            &serve,
            vec![text(&mill)],
            "mill.txt: cannot list the folder",
        ),
    ] {
        let line = refused(&[command, &contexts].concat());
        assert!(line.contains(expected), "{line}");
    }
}

#[test]
fn a_corpus_is_served_and_says_what_ask_says() {
    let dir = folder();
    let server = Serving::with(&[text(model())], &["--corpus", text(dir.path())]);
    let answer = |body: Value| server.request("POST", "/api/v1/answer", &body.to_string());
    let found = answer(json!({"question": QUESTION, "n_best": 3}));
    let expected = json_of(&[
        "ask",
        "--json",
        "--model",
        text(model()),
        "--context",
        text(dir.path()),
        "--n-best",
        "3",
        QUESTION,
    ]);
    let entries = expected["n_best"].as_array().unwrap();
    assert_eq!(found["answers"].as_array().unwrap().len(), entries.len());
    for (answer, entry) in found["answers"].as_array().unwrap().iter().zip(entries) {
        for key in ["text", "start", "end", "sentence"] {
            assert_eq!(answer[key], entry[key], "{answer} {entry}");
        }
        // Strangers do not see where the folder is.
        let file = answer["file"].as_str().unwrap();
        assert_eq!(entry["file"], text(&dir.path().join(file)));
        let before = answer["start"].as_u64().unwrap() - answer["sentence_start"].as_u64().unwrap();
        let sentence = answer["sentence"].as_str().unwrap().chars();
        let answer = answer["text"].as_str().unwrap();
        let slice: String = sentence
            .skip(before as usize)
            .take(answer.chars().count())
            .collect();
        assert_eq!(slice, answer);
    }
    let several = answer(json!({"questions": [QUESTION, "Qui?"]}));
    assert_eq!(
        several["results"][0]["answers"][0]["text"],
        found["answers"][0]["text"]
    );
    let about = server.request("GET", "/api/v1/model", "");
    assert_eq!(
        about["model"]["corpus"],
        json!({"documents": 13, "passages": 14})
    );
    let passage = answer(json!({"question": "What?", "passage": "It is red."}));
    assert!(passage["answers"][0].get("file").is_none(), "{passage}");
}
