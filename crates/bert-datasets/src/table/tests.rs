use std::fs;

use proptest::prelude::*;

use super::*;

fn parsed(name: &str, text: &str) -> LabelledTable {
    parse_table(Path::new(name), text.as_bytes(), &TextColumns::default()).unwrap()
}

/// What is wrong with a bad file named `x.csv`.
fn message(text: impl AsRef<[u8]>) -> String {
    parse_table(Path::new("x.csv"), text.as_ref(), &TextColumns::default())
        .unwrap_err()
        .to_string()
}

fn row(line: usize, text_a: &str, text_b: Option<&str>, label: Option<&str>) -> TableRow {
    TableRow {
        line,
        text_a: text_a.to_owned(),
        text_b: text_b.map(str::to_owned),
        label: label.map(str::to_owned),
        marks: Vec::new(),
    }
}

#[test]
fn columns_and_separators() {
    let cases = [
        (
            "x.csv",
            "text,label\n\"a, b\",1\n",
            row(2, "a, b", None, Some("1")),
        ),
        (
            "x.csv",
            "\u{feff}LABEL, Sentence \r\n \"no\" , a\r\n",
            row(2, " a", None, Some(" \"no\" ")),
        ),
        (
            "x.tsv",
            "text\tlabel\n\"a\tb\nc\"\tx, y\n",
            row(2, "a\tb\nc", None, Some("x, y")),
        ),
        (
            "x.TSV",
            "id\ttext_pair\ttext\n1\tb\ta\n",
            row(2, "a", Some("b"), None),
        ),
        (
            "x.txt",
            "sentence1,sentence2,label\na,,0",
            row(2, "a", Some(""), Some("0")),
        ),
        ("csv", "text_a,text_b\n,b", row(2, "", Some("b"), None)),
        ("x.csv", "text\na", row(2, "a", None, None)),
    ];
    for (name, text, expected) in cases {
        let table = parsed(name, text);
        assert_eq!(table.labelled, expected.label.is_some(), "{text:?}");
        assert_eq!(table.rows, [expected], "{text:?}");
    }
}

#[test]
fn labels_have_an_order() {
    let cases: [(&[&str], &[&str]); 6] = [
        (&["b", "a", "b"], &["a", "b"]),
        (&["10", "9", "-1", "9"], &["-1", "9", "10"]),
        (&["10", "9", "x"], &["10", "9", "x"]),
        (&["1", "01", "0"], &["0", "01", "1"]),
        (&["1.5", "10", "9"], &["1.5", "10", "9"]),
        (&[" 1", "1"], &[" 1", "1"]),
    ];
    for (labels, expected) in cases {
        let text: String = labels.iter().map(|label| format!("t,{label}\n")).collect();
        let table = parsed("x.csv", &format!("text,label\n{text}"));
        assert_eq!(table.labels(), expected);
    }
    assert!(parsed("x.csv", "text\na").labels().is_empty());
}

#[test]
fn files_that_are_wrong() {
    let cases = [
        ("", ": the file is empty, expected a header and rows"),
        (
            "text,label\n",
            ": found no usable row, expected at least one row",
        ),
        (
            "A film\tto see\t1\n",
            ":1: no column \"text\": found \"A film\\tto see\\t1\", expected the header of a table of texts (`text_column` names another)",
        ),
        (
            "label,text_b\n1,a\n",
            ":1: no column \"text\": found \"label\", \"text_b\", expected the header of a table of texts (`text_column` names another)",
        ),
        (
            "text,label,Text\n",
            ":1: found the columns \"text\" and \"Text\", expected one of them",
        ),
        (
            "text,sentence,label\n",
            ":1: found the columns \"text\" and \"sentence\", expected one of them",
        ),
        (
            "text,sentence2,text_pair\n",
            ":1: found the columns \"sentence2\" and \"text_pair\", expected one of them",
        ),
        (
            "label,text,label\n",
            ":1: found the columns \"label\" and \"label\", expected one of them",
        ),
        ("text,label\na,b,c\n", ":2: found 3 columns, expected 2"),
        (
            "text,label\na,b\n\nc,d\n",
            ":3: found 0 columns, expected 2",
        ),
        (
            "text,label\n\"a\nb\",0\nc,\n",
            ":4: label: found \"\", expected a label",
        ),
        (
            "text,label\na,\" \"\n",
            ":2: label: found \" \", expected a label",
        ),
        (
            "text,label\na,1\n\"b,1\nc,1\n",
            ":3: found a quote that never closes, expected a closing quote before the end of the file",
        ),
        (
            "text,label\n\"a\" b,1\n",
            ":2: found text after the closing quote of a field, expected the field to end there",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), format!("x.csv{expected}"), "{text:?}");
    }
    assert_eq!(
        message(b"text\n\xff"),
        "x.csv: byte 5 (line 2): found 0xff, expected UTF-8 text"
    );
    // Not more than twenty columns are named.
    let wide = message(["c"; 30].join(","));
    assert!(wide.contains("\"c\", … (30 in all), expected"), "{wide}");
    assert_eq!(wide.matches("\"c\"").count(), 20);
}

#[test]
fn a_file_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.tsv");
    assert_eq!(
        read_table(&path, &TextColumns::default())
            .unwrap_err()
            .to_string(),
        format!("{}: no such file", path.display())
    );
    fs::write(&path, "text\tlabel\r\na\tb\r\n").unwrap();
    assert_eq!(
        read_table(&path, &TextColumns::default()).unwrap().rows,
        [row(2, "a", None, Some("b"))]
    );
}

#[test]
fn columns_are_those_that_are_asked_for_or_have_a_common_name() {
    let header = "review,body,stars,label\na,b,5,x\n";
    let asked = |text: &str, label: &str| {
        let columns = TextColumns {
            text: Some(text.to_owned()),
            label: Some(label.to_owned()),
            ..TextColumns::default()
        };
        parse_table(Path::new("x.csv"), header.as_bytes(), &columns)
    };
    let found = asked("body", "Stars").unwrap();
    assert_eq!(
        (
            found.rows[0].text_a.as_str(),
            found.rows[0].label.as_deref()
        ),
        ("b", Some("5"))
    );
    let columns = found.columns.unwrap();
    assert_eq!(
        (columns.text.as_str(), columns.label.as_deref()),
        ("body", Some("stars"))
    );
    let error = asked("bodies", "stars").unwrap_err().to_string();
    assert!(
        error.starts_with("x.csv:1: no column \"bodies\": found \"review\""),
        "{error}"
    );

    // The usual name comes before another common one, and of two of these neither is taken.
    let guessed = parsed("x.csv", header);
    assert_eq!(guessed.rows[0].text_a, "a");
    assert_eq!(guessed.rows[0].label.as_deref(), Some("x"));
    assert_eq!(
        parsed("x.csv", "premise,hypothesis,class\na,b,c\n").rows[0]
            .text_b
            .as_deref(),
        Some("b")
    );
    assert!(message("review,comment,label\na,b,c\n").contains("\"review\" and \"comment\""));
}

#[test]
fn columns_of_marks_say_which_labels_a_row_has() {
    let columns = TextColumns {
        marks: vec!["rude".to_owned(), "threat".to_owned()],
        ..TextColumns::default()
    };
    let parse = |name: &str, text: &str| parse_table(Path::new(name), text.as_bytes(), &columns);
    for (name, text) in [
        ("x.csv", "text,label,Threat,rude\na,x,0,1\nb,x,1.0,False\n"),
        (
            "x.jsonl",
            "{\"text\": \"a\", \"threat\": false, \"rude\": 1}\n{\"text\": \"b\", \"threat\": true, \"rude\": 0}",
        ),
    ] {
        let table = parse(name, text).unwrap();
        assert!(table.labelled);
        let marks: Vec<&[bool]> = table.rows.iter().map(|it| it.marks.as_slice()).collect();
        assert_eq!(marks, [[true, false], [false, true]]);
        assert_eq!(table.rows[0].label, None);
    }
    for (text, expected) in [
        (
            "text,rude\na,1\n",
            "x.csv:1: no column \"threat\": found \"text\", \"rude\"",
        ),
        (
            "text,rude,threat\na,1,0\nb,-1,0\n",
            "x.csv:3: rude: found \"-1\", expected 1",
        ),
    ] {
        let line = parse("x.csv", text).unwrap_err().to_string();
        assert!(line.starts_with(expected), "{line}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_one_line(bytes in prop::collection::vec(any::<u8>(), 0..200), tsv: bool) {
        if let Err(error) = parse_table(Path::new(if tsv { "x.tsv" } else { "x.csv" }), &bytes, &TextColumns::default()) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn any_text_in_a_file_gives_one_line(text in "\\PC*|[0-3a\", \r\n]*") {
        if let Err(error) = parse_table(Path::new("x.csv"), format!("text,label\n{text}").as_bytes(), &TextColumns::default()) {
            prop_assert!(!error.to_string().contains('\n'), "{}", error);
        }
    }
}
