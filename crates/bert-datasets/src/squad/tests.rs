use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use bert_files::FileError;
use proptest::prelude::*;

use super::*;

fn parse(name: &Path, bytes: &[u8]) -> Result<SquadDataset, DatasetError> {
    super::parse(name, bytes, &QuestionColumns::default())
}

fn read(path: &Path) -> Result<SquadDataset, DatasetError> {
    super::read(path, &QuestionColumns::default())
}

/// What is wrong with a bad file named `x.json`.
fn message(text: impl AsRef<[u8]>) -> String {
    parse(Path::new("x.json"), text.as_ref())
        .unwrap_err()
        .to_string()
}

/// A v1.1 file with the context `abc` and these questions; the first question starts at column 88 of line 1.
fn with_questions(qas: &str) -> String {
    format!(
        r#"{{"version": "1.1", "data": [{{"title": "t", "paragraphs": [{{"context": "abc", "qas": [{qas}]}}]}}]}}"#
    )
}

/// As [`with_questions`], one question with these answers.
fn with_answers(answers: &str) -> String {
    with_questions(&format!(
        r#"{{"id": "a", "question": "q", "answers": [{answers}]}}"#
    ))
}

#[test]
fn the_paragraphs_of_an_article_share_its_title() {
    let paragraph = r#"{"context": "x", "qas": []}"#;
    let last = r#"{"context": "x", "qas": [{"id": "a", "question": "q"}]}"#;
    let text = format!(
        r#"{{"version": "1.1", "data": [{{"title": "{}", "paragraphs": [{}{last}]}}]}}"#,
        "t".repeat(1 << 20),
        format!("{paragraph}, ").repeat(1 << 14),
    );
    let columns = QuestionColumns::default();
    let dataset = super::parse(Path::new("x.json"), text.as_bytes(), &columns).unwrap();
    let [first, .., last] = dataset.contexts.as_slice() else {
        panic!("there are many contexts");
    };
    // A copy for each would be 16 GiB.
    assert!(Arc::ptr_eq(&first.title, &last.title));
}

#[test]
fn a_file_keeps_its_order() {
    let text = r#"{"data": [
        {"title": "One", "paragraphs": [
            {"context": "é b", "qas": [
                {"id": "1", "question": "Q1", "answers": [{"answer_start": 2, "text": "b", "extra": null}]},
                {"id": "2", "question": "", "answers": []}]},
            {"context": "unused", "qas": []}]},
        {"paragraphs": [{"context": "c", "document_id": [{}], "qas": [
                {"id": "3", "question": "Q3", "answers": [{"answer_start": 0, "text": "elsewhere"}]}]}]}],
        "version": "v1.1"}"#;
    let answer = |text: &str, start| SquadAnswer {
        text: text.to_owned(),
        start,
    };
    let question = |id: &str, text: &str, context, answers: Vec<SquadAnswer>| SquadQuestion {
        id: id.to_owned(),
        text: text.to_owned(),
        context,
        is_labelled: !answers.is_empty(),
        is_impossible: false,
        answers,
    };
    let context = |title: &str, text: &str| SquadContext {
        title: title.into(),
        text: text.to_owned(),
    };
    let expected = SquadDataset {
        version: SquadVersion::V1_1,
        contexts: vec![
            context("One", "é b"),
            context("One", "unused"),
            context("", "c"),
        ],
        questions: vec![
            question("1", "Q1", 0, vec![answer("b", 2)]),
            question("2", "", 0, vec![]),
            question("3", "Q3", 2, vec![answer("elsewhere", 0)]),
        ],
    };
    assert_eq!(
        parse(Path::new("x.json"), text.as_bytes()).unwrap(),
        expected
    );
    let with_bom = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(
        parse(Path::new("x.json"), with_bom.as_bytes()).unwrap(),
        expected
    );
}

#[test]
fn version_2_has_impossible_questions() {
    let text = r#"{"version": "v2.0", "data": [{"title": "t", "paragraphs": [{"context": "abc", "qas": [
        {"id": "1", "question": "q", "is_impossible": true, "answers": [], "plausible_answers": [{"text": "x"}]},
        {"id": "2", "question": "q", "is_impossible": false, "answers": [{"text": "b", "answer_start": 1}]}]}]}]}"#;
    let dataset = parse(Path::new("x.json"), text.as_bytes()).unwrap();
    assert_eq!(dataset.version, SquadVersion::V2_0);
    assert_eq!(
        dataset
            .questions
            .iter()
            .map(|it| it.is_impossible)
            .collect::<Vec<_>>(),
        [true, false]
    );
    let short = parse(Path::new("x.json"), text.replace("v2.0", "2.0").as_bytes()).unwrap();
    assert_eq!(short, dataset);
}

#[test]
fn questions_without_answers_are_unlabelled() {
    let impossible = r#", "is_impossible": true"#;
    let answerable = r#", "is_impossible": false"#;
    let empty = r#", "answers": []"#;
    let answered = r#", "answers": [{"text": "b", "answer_start": 1}]"#;
    // The version, the question's other keys, whether it is labelled.
    let cases = [
        ("1.1", String::new(), false),
        ("1.1", empty.to_owned(), false),
        ("1.1", answered.to_owned(), true),
        ("1.1", answerable.to_owned(), false),
        ("2.0", String::new(), false),
        ("2.0", answerable.to_owned(), false),
        ("2.0", impossible.to_owned(), true),
        ("2.0", format!("{impossible}{empty}"), true),
        // The official script takes an empty list for "no answer".
        ("2.0", format!("{answerable}{empty}"), true),
        ("2.0", format!("{answerable}{answered}"), true),
    ];
    for (version, keys, is_labelled) in cases {
        let text = with_questions(&format!(r#"{{"id": "a", "question": "q"{keys}}}"#));
        let text = text.replace("1.1", version);
        let dataset = parse(Path::new("x.json"), text.as_bytes()).unwrap();
        assert_eq!(dataset.questions[0].is_labelled, is_labelled, "{text}");
        assert_eq!(dataset.unlabelled(), usize::from(!is_labelled), "{text}");
        let is_impossible = keys.contains(impossible);
        assert_eq!(dataset.questions[0].is_impossible, is_impossible, "{text}");
    }
}

#[test]
fn files_that_are_not_json() {
    let nested = "[".repeat(200_000);
    let cases = [
        (
            "",
            "x.json: the file is empty, expected a SQuAD JSON object",
        ),
        (
            " \r\n",
            "x.json: the file is empty, expected a SQuAD JSON object",
        ),
        (
            "{",
            "x.json:1:1: not JSON: the file ends too early: EOF while parsing an object",
        ),
        (
            "{\"version\": \"1.1\",\n \"da",
            "x.json:2:4: not JSON: the file ends too early: EOF while parsing a string",
        ),
        (
            "{\"version\": NaN}",
            "x.json:1:13: not JSON: expected value, found 'N'",
        ),
        (
            "{\"version\": \"1.1\",\n \"data\": [}",
            "x.json:2:11: not JSON: expected value, found '}'",
        ),
        (
            "{'version': 1}",
            r"x.json:1:2: not JSON: key must be a string, found '\''",
        ),
        (
            r#"{"version": "1.1", "data": []} x"#,
            "x.json:1:32: not JSON: trailing characters, found 'x'",
        ),
        (
            r#"{"version": "\ud800"}"#,
            "x.json:1:20: not JSON: unexpected end of hex escape",
        ),
        (
            &nested,
            "x.json:1:1: top level: invalid type: sequence, expected an object",
        ),
        (
            &format!("{{\"data\": {nested}"),
            "x.json:1:10: data[0]: invalid type: sequence, expected an object",
        ),
        (
            &format!("{{\"ignored\": {nested}"),
            "x.json:1:200012: not JSON: the file ends too early: EOF while parsing a list",
        ),
        (
            &"{\"data\": [".repeat(200_000),
            "x.json:1:2000000: not JSON: the file ends too early: EOF while parsing a list",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), expected, "{text:.60}");
    }
}

#[test]
fn bytes_that_are_not_utf_8() {
    assert_eq!(
        message(b"{\n\"a\": \"\xff\"}"),
        "x.json: byte 8 (line 2): found 0xff, expected UTF-8 text"
    );
    assert_eq!(
        message(b"\xc3"),
        "x.json: byte 0 (line 1): found 0xc3, expected UTF-8 text"
    );
    assert_eq!(
        message(b"\xff\xfe{\0}\0"),
        "x.json: byte 0 (line 1): found 0xff, expected UTF-8 text"
    );
}

#[test]
fn json_of_another_shape() {
    let long = format!("\"{}\"", "long ".repeat(300));
    let cases = [
        (
            "[]".to_owned(),
            "1:1: top level: invalid type: sequence, expected an object",
        ),
        (
            "null".to_owned(),
            "1:4: top level: invalid type: null, expected an object",
        ),
        ("{}".to_owned(), "1:2: top level: missing field `version`"),
        (
            r#"{"version": "1.1"}"#.to_owned(),
            "1:18: top level: missing field `data`",
        ),
        (
            r#"{"version": null}"#.to_owned(),
            "1:16: version: invalid type: null, expected a string",
        ),
        (
            r#"{"version": 1.1}"#.to_owned(),
            "1:15: version: invalid type: floating point `1.1`, expected a string",
        ),
        (
            r#"{"version": "1.1", "data": {}}"#.to_owned(),
            "1:27: data: invalid type: map, expected a sequence",
        ),
        (
            r#"{"data": [null]}"#.to_owned(),
            "1:14: data[0]: invalid type: null, expected an object",
        ),
        (
            r#"{"data": [], "data": []}"#.to_owned(),
            "1:19: top level: duplicate field `data`",
        ),
        (
            with_questions(r#"{"question": "q", "answers": []}"#),
            "1:117: data[0].paragraphs[0].qas[0]: missing field `id`",
        ),
        (
            with_questions(r#"{"id": "a"}"#),
            "1:96: data[0].paragraphs[0].qas[0]: missing field `question`",
        ),
        (
            with_questions(r#"{"id": 7}"#),
            "1:93: data[0].paragraphs[0].qas[0].id: invalid type: integer `7`, expected a string",
        ),
        (
            with_questions(r#"{"id": "a", "question": null}"#),
            "1:113: data[0].paragraphs[0].qas[0].question: invalid type: null, expected a string",
        ),
        (
            with_questions(r#"{"id": "a", "question": "q", "answers": null}"#),
            "1:129: data[0].paragraphs[0].qas[0].answers: invalid type: null, expected a sequence",
        ),
        (
            with_questions(r#"{"id": "a", "is_impossible": null}"#),
            "1:118: data[0].paragraphs[0].qas[0].is_impossible: invalid type: null, expected a boolean",
        ),
        (
            with_questions(&long),
            &format!(
                "1:1587: data[0].paragraphs[0].qas[0]: invalid type: string \"{}lon…, expected an object",
                "long ".repeat(35)
            ),
        ),
        (
            with_answers(r#"["abc", 1]"#),
            "1:126: data[0].paragraphs[0].qas[0].answers[0]: invalid type: sequence, expected an object",
        ),
        (
            with_answers(r#"{"text": null}"#),
            "1:139: data[0].paragraphs[0].qas[0].answers[0].text: invalid type: null, expected a string",
        ),
        (
            with_answers(r#"{"text": "abc"}"#),
            "1:141: data[0].paragraphs[0].qas[0].answers[0]: missing field `answer_start`",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(&text), format!("x.json:{expected}"), "{text:.120}");
    }
}

#[test]
fn answer_starts() {
    let at = "data[0].paragraphs[0].qas[0].answers[0].answer_start";
    let cases = [
        (
            "3",
            format!("x.json: {at}: found 3, expected less than the context's 3 characters"),
        ),
        (
            "-1",
            format!(
                "x.json:1:145: {at}: invalid type: integer `-1`, expected a whole number of characters"
            ),
        ),
        (
            "1.5",
            format!(
                "x.json:1:146: {at}: invalid type: floating point `1.5`, expected a whole number of characters"
            ),
        ),
        (
            "\"1\"",
            format!(
                "x.json:1:146: {at}: invalid type: string \"1\", expected a whole number of characters"
            ),
        ),
        (
            "null",
            format!(
                "x.json:1:147: {at}: invalid type: null, expected a whole number of characters"
            ),
        ),
        (
            "1e20",
            format!(
                "x.json:1:147: {at}: invalid type: floating point `1e+20`, expected a whole number of characters"
            ),
        ),
        (
            "NaN",
            "x.json:1:144: not JSON: expected value, found 'N'".to_owned(),
        ),
    ];
    for (start, expected) in cases {
        assert_eq!(
            message(with_answers(&format!(
                r#"{{"answer_start": {start}, "text": "c"}}"#
            ))),
            expected
        );
    }
    let last = with_answers(r#"{"answer_start": 2, "text": "c"}"#);
    assert!(parse(Path::new("x.json"), last.as_bytes()).is_ok());
}

#[test]
fn rules_between_values() {
    let question = r#"{"id": "a", "question": "q", "answers": []}"#;
    let cases = [
        (
            with_questions(question).replace("1.1", "3.0"),
            "x.json: version: found \"3.0\", expected \"1.1\" or \"v2.0\"",
        ),
        (
            with_questions(question).replace("1.1", "2.0"),
            "x.json: data[0].paragraphs[0].qas[0]: missing field `is_impossible`, expected in a SQuAD 2.0 file",
        ),
        (
            with_questions(r#"{"id": "a", "question": "q", "answers": [], "is_impossible": true}"#),
            "x.json: data[0].paragraphs[0].qas[0].is_impossible: found true, expected only answerable questions in \
             version 1.1",
        ),
        (
            with_questions(&format!(
                "{question}, {}, {question}",
                question.replace("\"a\"", "\"b\"")
            )),
            "x.json: data[0].paragraphs[0].qas[2].id: found \"a\" again, expected unique ids \
             (first at data[0].paragraphs[0].qas[0].id)",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(&text), expected, "{text}");
    }
    for text in [r#"{"version": "1.1", "data": []}"#, &with_questions("")] {
        let expected = "x.json: found no questions, expected at least one";
        assert_eq!(message(text), expected);
    }
}

#[test]
fn what_the_file_system_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.json");
    assert_eq!(
        read(&missing).unwrap_err().to_string(),
        format!("{}: no such file", missing.display())
    );
    let found = read(dir.path()).unwrap_err().to_string();
    assert_eq!(
        found,
        format!(
            "{}: found a directory, expected a file",
            dir.path().display()
        )
    );
    // Tests may run as a user whom no permission stops.
    let denied = DatasetError::File(FileError::Read {
        path: "x.json".into(),
        source: ErrorKind::PermissionDenied.into(),
    });
    assert_eq!(denied.to_string(), "x.json: permission denied");
}

proptest! {
    #[test]
    fn a_cut_file_is_refused_on_one_line(cut in 0_usize..1000) {
        let text = with_answers(r#"{"text": "é\u00e9", "answer_start": 1}"#);
        let bytes = text.as_bytes();
        let error = parse(Path::new("x.json"), &bytes[..cut % bytes.len()]).unwrap_err().to_string();
        prop_assert!(error.starts_with("x.json:") && !error.contains('\n'), "{}", error);
    }

    #[test]
    fn any_bytes_give_one_line(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = parse(Path::new("x.json"), &bytes) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn any_text_in_a_file_gives_one_line(text in "\\PC*|[\\[\\]{}\":,0-9a-z \n]*") {
        if let Err(error) = parse(Path::new("x.json"), with_questions(&text).as_bytes()) {
            prop_assert!(!error.to_string().contains('\n'), "{}", error);
        }
    }
}
