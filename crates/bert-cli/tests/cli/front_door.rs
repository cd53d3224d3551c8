//! What a user meets before and after training: names, reports, questions, a page.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::OnceLock;

use bert_test_support::Workspace;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{bert, bert_with, refused, stderr};
use crate::training_support::Processes;

/// A question-answering model that has seen a few steps, and the folder it is in.
pub(crate) fn model() -> &'static Path {
    static MODEL: OnceLock<TempDir> = OnceLock::new();
    let dir = MODEL.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("squad");
        let output = bert(&[
            "train-squad",
            "--max-train-examples",
            "24",
            "--num-train-epochs",
            "1",
            "--device",
            "cpu",
            "--output-dir",
            out.to_str().unwrap(),
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        dir
    });
    Box::leak(dir.path().join("squad").into_boxed_path())
}

fn json_lines(output: &std::process::Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", stderr(output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn an_answer_is_the_one_that_predict_squad_gives() {
    let passage = "The mill 🌊 at Oskarby was built in 1889.\nIts wheel  turned for sixty years; Ada Lind ran it.";
    let questions = ["Who ran the mill?", "When was it built?"];
    let dir = tempfile::tempdir().unwrap();
    let qas: Vec<Value> = questions
        .iter()
        .map(|question| json!({"id": question, "question": question, "answers": []}))
        .collect();
    let data = json!({"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": passage, "qas": qas}]}]});
    let file = dir.path().join("data.json");
    fs::write(&file, data.to_string()).unwrap();
    let out = dir.path().join("out");
    let model = model().to_str().unwrap();
    let predicted = bert(&[
        "predict-squad",
        "--model",
        model,
        "--predict-file",
        file.to_str().unwrap(),
        "--output-dir",
        out.to_str().unwrap(),
        "--max-seq-length",
        "192",
    ]);
    assert!(predicted.status.success(), "{}", stderr(&predicted));
    let n_best = fs::read_to_string(out.join("nbest_predictions.json")).unwrap();
    let n_best: Value = serde_json::from_str(&n_best).unwrap();

    let context = dir.path().join("passage.txt");
    fs::write(&context, passage).unwrap();
    let context = context.to_str().unwrap();
    let flags = ["ask", "--json", "--n-best", "3", "--max-seq-length", "192"];
    let own = ["--model", model, "--context", context];
    let asked = bert(&[&flags[..], &own[..], &questions[..]].concat());
    let answers = json_lines(&asked);
    assert_eq!(answers.len(), 2);
    for (question, answer) in questions.iter().zip(&answers) {
        let listed = answer["n_best"].as_array().unwrap();
        for (entry, expected) in listed.iter().zip(n_best[question].as_array().unwrap()) {
            let (start, end) = (entry["start"].as_u64(), entry["end"].as_u64());
            let range = start.unwrap() as usize..end.unwrap() as usize;
            let slice: String = passage
                .chars()
                .skip(range.start)
                .take(range.len())
                .collect();
            assert_eq!(entry["text"], slice);
            let on_one_line = slice.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(expected["text"], on_one_line);
            let difference =
                entry["probability"].as_f64().unwrap() - expected["probability"].as_f64().unwrap();
            assert!(difference.abs() < 1e-4, "{entry} {expected}");
        }
        assert_eq!(answer["answer"], listed[0]["text"]);
    }
}

#[test]
fn questions_that_cannot_be_asked_are_one_line() {
    let model = model().to_str().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let latin = dir.path().join("latin.txt");
    fs::write(&latin, b"one\ntwo \xe9").unwrap();
    let latin = latin.to_str().unwrap();
    let cases: [(&[&str], &str); 5] = [
        (
            &["ask", "--model", model, "--text", " ", "Who?"],
            "--text: found no words",
        ),
        (
            &["ask", "--model", model, "--text", "a", "Who?", " "],
            "question 2: found no words",
        ),
        (
            &["ask", "--model", model, "--context", latin, "Who?"],
            "latin.txt: byte 8 (line 2): found 0xe9",
        ),
        (
            &["ask", "--model", model, "--context", "no-such.txt", "Who?"],
            "no-such.txt",
        ),
        (
            &[
                "classify", "--model", model, "a", "--pair", "b", "--pair", "c",
            ],
            "--pair: found 2 for 1",
        ),
    ];
    for (arguments, expected) in cases {
        let line = refused(arguments);
        assert!(line.contains(expected), "{line}");
    }
    // A head of another kind is refused, not guessed.
    let line = refused(&["classify", "--model", model, "a text"]);
    assert!(line.contains("squad"), "{line}");
}

#[test]
fn a_run_leaves_a_report_and_runs_are_compared() {
    let workspace = Workspace::new();
    workspace.train("a", &["--seed", "1"]);
    workspace.train("b", &["--seed", "2"]);
    let page = fs::read_to_string(workspace.path("a").join("report.html")).unwrap();
    assert!(page.contains("SWAG") && page.contains("<svg") && !page.contains("<script"));
    let (a, b) = (workspace.path("a"), workspace.path("b"));
    let both = workspace.path("both.html");
    let [a, b, both] = [&a, &b, &both].map(|path| path.to_str().unwrap());
    fs::remove_file(workspace.path("a").join("report.html")).unwrap();
    assert!(bert(&["report", a]).status.success());
    let again = fs::read_to_string(workspace.path("a").join("report.html")).unwrap();
    assert_eq!(page, again);
    let output = bert(&["report", "--json", "--compare", a, b, "--output", both]);
    assert_eq!(json_lines(&output)[0]["report"], both);
    assert!(fs::read_to_string(both).unwrap().contains("<svg"));
    // Without a name it takes the place of nothing.
    let page = workspace.path("comparison.html");
    let compare = || {
        std::process::Command::new(env!("CARGO_BIN_EXE_bert"))
            .args(["report", "--compare", a, b])
            .current_dir(page.parent().unwrap())
            .output()
            .unwrap()
    };
    assert!(compare().status.success());
    fs::write(&page, "mine").unwrap();
    let output = compare();
    assert_eq!(output.status.code(), Some(2));
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(
        line.contains("comparison.html: found a file of this name"),
        "{line}"
    );
    assert!(
        line.contains("`--output comparison.html` replaces it"),
        "{line}"
    );
    assert_eq!(fs::read_to_string(&page).unwrap(), "mine");
    // Lines of a damaged log are named.
    let log = workspace.path("a").join("metrics.jsonl");
    let lines = fs::read_to_string(&log).unwrap();
    fs::write(&log, lines.replacen('{', "", 1)).unwrap();
    let output = bert(&["report", a]);
    assert!(output.status.success());
    let notice = String::from_utf8(output.stderr).unwrap();
    assert!(
        notice.contains("metrics.jsonl: line 1 is no JSON object"),
        "{notice}"
    );
    let line = refused(&["report", workspace.path("data").to_str().unwrap()]);
    assert!(line.contains("run.json"), "{line}");
}

/// One answer to every request.
fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut lines = BufReader::new(&stream).lines();
                while lines
                    .next()
                    .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
                {}
                // A client that has seen enough may be gone.
                let _ = (&stream).write_all(answer.as_bytes());
            });
        }
    });
    format!("http://{address}")
}

#[test]
fn a_model_that_cannot_be_had_is_one_line() {
    let home = tempfile::tempdir().unwrap();
    let home_path = home.path().to_str().unwrap();
    let ask = [
        "ask",
        "-q",
        "--device",
        "cpu",
        "--model",
        "owner/name",
        "--text",
        "It is.",
        "What?",
    ];
    let cases = [
        (
            "HTTP/1.1 404 Not Found\r\nx-error-code: RepoNotFound\r\ncontent-length: 0\r\n\r\n",
            2,
        ),
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", 2),
        // A wait that is too long to be waited for.
        (
            "HTTP/1.1 503 Busy\r\nretry-after: 86400\r\ncontent-length: 0\r\n\r\n",
            1,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\nhtml",
            1,
        ),
    ];
    for (answer, code) in cases {
        let endpoint = server(answer);
        let variables = [("HF_ENDPOINT", endpoint.as_str()), ("HF_HOME", home_path)];
        let output = bert_with(&variables, &ask);
        let message = stderr(&output);
        let errors = message
            .lines()
            .filter(|line| line.starts_with("error: "))
            .count();
        assert_eq!(
            (errors, message.lines().count()),
            (1, 1),
            "{answer:?}: {message}"
        );
        assert_eq!(output.status.code(), Some(code), "{answer:?}: {message}");
        assert!(message.contains("owner/name"), "{message}");
    }
    // Nothing listens there: without a network the user is told at once, and what to do.
    let variables = [
        ("HF_ENDPOINT", "http://127.0.0.1:9"),
        ("HF_HOME", home_path),
    ];
    let loudly: Vec<&str> = ask.iter().copied().filter(|word| *word != "-q").collect();
    let output = bert_with(&variables, &loudly);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(
        message.contains("check the network") && message.contains("HF_ENDPOINT"),
        "{message}"
    );
    let output = bert_with(&[("HF_HUB_OFFLINE", "1"), ("HF_HOME", home_path)], &ask);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("HF_HUB_OFFLINE"),
        "{}",
        stderr(&output)
    );
}

/// A slip in a path is said at once, and so is a missing input: neither reaches the hub.
#[test]
fn local_files_come_before_the_hub() {
    let home = tempfile::tempdir().unwrap();
    let variables = [
        ("HF_ENDPOINT", "http://127.0.0.1:9"),
        ("HF_HOME", home.path().to_str().unwrap()),
    ];
    let nope = home.path().join("nope.json");
    let nope = nope.to_str().unwrap();
    // Commands run in the repository, which has a folder `docs`.
    let ask = |model| vec!["ask", "--model", model, "--text", "It is.", "What?"];
    for (arguments, found) in [
        (ask("docs/nope"), "docs exists here"),
        (ask("./nope"), "./nope: found no such folder"),
        (ask("nope/"), "nope/: found no such folder"),
        (
            ask("out/squad/nope"),
            "out/squad/nope: found no such folder",
        ),
        (
            vec![
                "train-squad",
                "--bert-model",
                "owner/name",
                "--train-file",
                nope,
            ],
            "nope.json: no such file",
        ),
        (
            vec![
                "train-swag",
                "--bert-model",
                "owner/name",
                "--train-file",
                nope,
            ],
            "nope.json: no such file",
        ),
        (
            vec![
                "train-glue",
                "--task",
                "cola",
                "--bert-model",
                "owner/name",
                "--train-file",
                nope,
            ],
            "nope.json: no such file",
        ),
        (
            vec![
                "predict-squad",
                "--model",
                "owner/name",
                "--predict-file",
                nope,
                "--output-dir",
                home.path().to_str().unwrap(),
            ],
            "nope.json: no such file",
        ),
    ] {
        let output = bert_with(&variables, &arguments);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(found), "{arguments:?}: {message}");
    }
}

#[test]
fn a_model_in_the_cache_is_used_by_its_name() {
    let home = tempfile::tempdir().unwrap();
    let repository = home.path().join("hub/models--owner--name");
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let snapshot = repository.join("snapshots").join(commit);
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(repository.join("refs")).unwrap();
    fs::write(repository.join("refs/main"), commit).unwrap();
    for file in [
        "config.json",
        "vocab.txt",
        "tokenizer_config.json",
        "model.safetensors",
    ] {
        fs::copy(model().join(file), snapshot.join(file)).unwrap();
    }
    let variables = [
        ("HF_HUB_OFFLINE", "1"),
        ("HF_HOME", home.path().to_str().unwrap()),
    ];
    let ask = [
        "ask",
        "--json",
        "--model",
        "owner/name",
        "--text",
        "It is red.",
        "What?",
    ];
    let by_name = json_lines(&bert_with(&variables, &ask));
    let folder = model().to_str().unwrap();
    let by_folder = json_lines(&bert(&[
        "ask",
        "--json",
        "--model",
        folder,
        "--text",
        "It is red.",
        "What?",
    ]));
    assert_eq!(by_name, by_folder);
}
