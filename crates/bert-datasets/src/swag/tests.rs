use bert_test_support::shared_file;
use proptest::prelude::*;

use super::*;

const HEADER: &str =
    ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label";

fn parsed(text: &str) -> SwagDataset {
    parse(Path::new("x.csv"), text.as_bytes()).unwrap()
}

/// What is wrong with a bad file named `x.csv`.
fn message(text: impl AsRef<[u8]>) -> String {
    parse(Path::new("x.csv"), text.as_ref())
        .unwrap_err()
        .to_string()
}

fn with_rows(rows: &str) -> String {
    format!("{HEADER}\n{rows}")
}

fn example(id: &str, label: Option<u8>) -> SwagExample {
    SwagExample {
        id: id.to_owned(),
        sent1: " A \"b\", c.".to_owned(),
        sent2: "She".to_owned(),
        endings: ["e0.", "", "e2\nx", "e3"].map(str::to_owned).to_vec(),
        label,
    }
}

#[test]
fn a_file_keeps_its_order_and_text() {
    let row =
        |id, label| format!("7,v,{id},s,\" A \"\"b\"\", c.\",She,gold,e0.,,\"e2\nx\",e3,{label}\n");
    let text = with_rows(&(row(5, 3) + &row(4, 0)));
    let expected = SwagDataset {
        examples: vec![example("5", Some(3)), example("4", Some(0))],
        labelled: true,
    };
    assert_eq!(parsed(&text), expected);
    assert_eq!(parsed(&format!("\u{feff}{text}")), expected);
    assert_eq!(parsed(text.trim_end()), expected);
    // A line feed between quotes is text, those between rows may be CRLF.
    let crlf = text.replace('\n', "\r\n").replace("e2\r\n", "e2\n");
    assert_eq!(parsed(&crlf), expected);
}

#[test]
fn columns_are_found_by_name() {
    let text = "ending3,ending2,extra,ending1,ending0,sent2,sent1,fold-ind\n\
                e3,\"e2\nx\",,,e0.,She,\" A \"\"b\"\", c.\",5\n";
    let expected = SwagDataset {
        examples: vec![example("5", None)],
        labelled: false,
    };
    assert_eq!(parsed(text), expected);
}

#[test]
fn files_that_are_wrong() {
    let row = "0,v,1,s,a,b,gold,e0,e1,e2,e3,";
    let label = "label: found";
    let one_of = "expected one of \"0\", \"1\", \"2\", \"3\"";
    let long = "x".repeat(500);
    let cases = [
        (String::new(), ": the file is empty, expected a header and rows".to_owned()),
        ("\n".to_owned(), ": the file is empty, expected a header and rows".to_owned()),
        (HEADER.to_owned(), ": found no usable row, expected at least one row".to_owned()),
        (with_rows("\r\n"), ": found no usable row, expected at least one row".to_owned()),
        (
            "fold-ind,sent1,ending0,ending1,ending2,label\n".to_owned(),
            ":1: no column \"sent2\", \"ending3\": found \"fold-ind\", \"sent1\", \"ending0\", \"ending1\", \
             \"ending2\", \"label\", expected the header of SWAG"
                .to_owned(),
        ),
        (
            format!("{long}\n"),
            format!(
                ":1: no column \"fold-ind\", \"sent1\", \"sent2\", \"ending0\", \"ending1\", \"ending2\", \
                 \"ending3\": found \"{}\"…, expected the header of SWAG",
                &long[..60]
            ),
        ),
        (
            HEADER.replace("startphrase", "sent1"),
            ":1: found the columns \"sent1\" and \"sent1\", expected one of them".to_owned(),
        ),
        (
            HEADER.replace("startphrase", "ending4"),
            ":1: found the column ending4, expected at most ending3".to_owned(),
        ),
        (
            HEADER.replace("startphrase", "Label"),
            ":1: found the columns \"Label\" and \"label\", expected one of them".to_owned(),
        ),
        (with_rows("0,v,1,s,a,b,gold,e0,e1,e2,e3\n"), ":2: found 11 columns, expected 12".to_owned()),
        (with_rows(&format!("{row}1\n{row}1,\n")), ":3: found 13 columns, expected 12".to_owned()),
        (with_rows(&format!("{row}1\n\n{row}1\n")), ":3: found 0 columns, expected 12".to_owned()),
        (with_rows(&format!("{row}4")), format!(":2: {label} \"4\", {one_of}")),
        (with_rows(&format!("{row}-1")), format!(":2: {label} \"-1\", {one_of}")),
        (with_rows(&format!("{row} 1")), format!(":2: {label} \" 1\", {one_of}")),
        (with_rows(&format!("{row}\"a\n\"\r\n")), format!(":2: {label} \"a\\n\", {one_of}")),
        (
            with_rows(&format!("{}0\r\n{row}", row.replace("e2", "\"e\n2\""))),
            format!(":4: {label} \"\", {one_of}"),
        ),
        (
            with_rows(&format!("{row}{long}")),
            format!(":2: {label} \"{}\"…, {one_of}", &long[..60]),
        ),
        (
            with_rows(&format!("{row}0\n{row}\"1")),
            ":3: found a quote that never closes, expected a closing quote before the end of the file".to_owned(),
        ),
        (
            with_rows(&format!("{}0\n{row}1\n", row.replace("e1", "\"e1"))),
            ":2: found a quote that never closes, expected a closing quote before the end of the file".to_owned(),
        ),
        (
            with_rows(&format!("{}0\n", row.replace("e1", "\"e\"1"))),
            ":2: found text after the closing quote of a field, expected the field to end there".to_owned(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(&text), format!("x.csv{expected}"), "{text:.200}");
    }
    assert_eq!(
        message(b"a,b\n\xff"),
        "x.csv: byte 4 (line 2): found 0xff, expected UTF-8 text"
    );
    assert_eq!(
        read(Path::new("missing.csv")).unwrap_err().to_string(),
        "missing.csv: no such file"
    );
}

#[test]
fn a_header_tells_swag_from_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.csv");
    let swag = with_rows("7,v,5,s,a,She,gold,e0.,,e2,e3,3\n");
    // A blank ending is SWAG's text and no ending of a table.
    let cases = [
        (swag.clone(), Ok(4)),
        (
            swag.replace("fold-ind", "id"),
            Err(":2: ending1: found \"\", expected a text, as all rows have 4 endings"),
        ),
        (
            swag.replace("startphrase", "ending4"),
            Err(":1: found the column ending4, expected at most ending3"),
        ),
        (
            "context,ending0,ending1,ending2,ending3,ending4\nc,a,b,c,d,e\n".to_owned(),
            Ok(5),
        ),
    ];
    for (text, expected) in cases {
        std::fs::write(&path, &text).unwrap();
        let found = read_choices(&path, &ChoiceColumns::default())
            .map(|dataset| dataset.examples[0].endings.len())
            .map_err(|error| error.to_string());
        let expected = expected.map_err(|message| format!("{}{message}", path.display()));
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn the_real_files() {
    let cases = [
        ("swag-sample.csv", [3, 1, 7, 0]),
        ("train.csv", [426, 402, 404, 433]),
        ("val.csv", [149, 140, 124, 143]),
    ];
    for (file, expected) in cases {
        let Some(path) = shared_file(&format!("data/swag/{file}")) else {
            continue;
        };
        let dataset = read(&path).unwrap();
        let mut labels = [0; 4];
        for example in &dataset.examples {
            labels[usize::from(example.label.unwrap())] += 1;
        }
        assert!(dataset.labelled);
        assert_eq!(labels, expected, "{file}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_one_line(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(error) = parse(Path::new("x.csv"), &bytes) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }

    #[test]
    fn any_text_in_a_file_gives_one_line(text in "\\PC*|([0-3a\", \r\n]|,,,,)*") {
        if let Err(error) = parse(Path::new("x.csv"), with_rows(&text).as_bytes()) {
            prop_assert!(!error.to_string().contains('\n'), "{}", error);
        }
    }
}
