use proptest::prelude::*;

use super::*;

/// The header's names and each row's line and fields, of a file named `x.csv`.
type Read = (Vec<String>, Vec<(usize, Vec<String>)>);

fn read(text: &str) -> Result<Read, DatasetError> {
    let (header, rows) = open(Path::new("x.csv"), text, b',', "a test")?;
    let rows = rows
        .map(|row| row.map(|row| (row.line, row.fields.iter().map(str::to_owned).collect())))
        .collect::<Result<_, _>>()?;
    Ok((header.names, rows))
}

fn message(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn rows_know_their_lines() {
    type Rows<'a> = &'a [(usize, &'a [&'a str])];
    let cases: [(&str, Rows<'_>); 12] = [
        ("a,b\n1,2\n3,4\n", &[(2, &["1", "2"]), (3, &["3", "4"])]),
        ("a,b\r\n1,2\r\n3,4", &[(2, &["1", "2"]), (3, &["3", "4"])]),
        ("\u{feff}a,b\n1,2\n\r\n\n", &[(2, &["1", "2"])]),
        ("\u{feff}\u{feff}a,b\n1,2", &[(2, &["1", "2"])]),
        ("\n\r\na,b\n1,2", &[(4, &["1", "2"])]),
        (
            "a,b\n\"x\ny\",\"1\r\n2\"\n3,4",
            &[(2, &["x\ny", "1\r\n2"]), (5, &["3", "4"])],
        ),
        (
            "a,b\n\"say \"\"x\"\"\",\"\"\"\"\n",
            &[(2, &["say \"x\"", "\""])],
        ),
        ("a,b\n\"\",\"\"", &[(2, &["", ""])]),
        ("a,b\n,", &[(2, &["", ""])]),
        // A quote inside a field that has none at its start is text.
        ("a,b\n5\" disk, \"x\" \n", &[(2, &["5\" disk", " \"x\" "])]),
        (
            "a,b\n \u{2028}\u{85},\u{b}\u{c}\u{feff}\n",
            &[(2, &[" \u{2028}\u{85}", "\u{b}\u{c}\u{feff}"])],
        ),
        ("a,b\r1,2\r3,4", &[(1, &["1", "2"]), (1, &["3", "4"])]),
    ];
    for (text, expected) in cases {
        let (header, rows) = read(text).unwrap();
        assert_eq!(header, ["a", "b"], "{text:?}");
        let rows: Vec<(usize, Vec<&str>)> = rows
            .iter()
            .map(|(line, row)| (*line, row.iter().map(String::as_str).collect()))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(line, row)| (*line, row.to_vec()))
            .collect();
        assert_eq!(rows, expected, "{text:?}");
    }
}

#[test]
fn rows_that_cannot_be() {
    let unclosed =
        "found a quote that never closes, expected a closing quote before the end of the file";
    let after = "found text after the closing quote of a field, expected the field to end there";
    let cases = [
        (
            "",
            ": the file is empty, expected a header and rows".to_owned(),
        ),
        (
            "\u{feff}\r\n \n",
            ": the file is empty, expected a header and rows".to_owned(),
        ),
        ("a,b\n1", ":2: found 1 columns, expected 2".to_owned()),
        (
            "a,b\r\n1,2\r\n1,2,3\r\n",
            ":3: found 3 columns, expected 2".to_owned(),
        ),
        (
            "a,b\n\"1\n2\",3\n4\n",
            ":4: found 1 columns, expected 2".to_owned(),
        ),
        (
            "a,b\n1,2\n\n3,4\n",
            ":3: found 0 columns, expected 2".to_owned(),
        ),
        (
            "a,b\r\n\r\n1,2\r\n",
            ":2: found 0 columns, expected 2".to_owned(),
        ),
        (
            "a\n1\n\n\n2\n",
            ":3: found 0 columns, expected 1".to_owned(),
        ),
        ("a,\"b", format!(":1: {unclosed}")),
        ("\"", format!(":1: {unclosed}")),
        ("a,b\n1,\"2", format!(":2: {unclosed}")),
        ("a,b\n1,\"", format!(":2: {unclosed}")),
        ("a,b\n1,\"2\n", format!(":2: {unclosed}")),
        ("a,b\n1,\"2\"\"\n", format!(":2: {unclosed}")),
        ("a,b\n\"1,2\n3,4\n5,6\n", format!(":2: {unclosed}")),
        ("a,b\r\n\"1\r\n\",\"2\r\n3,4\r\n", format!(":3: {unclosed}")),
        // Without the check the second row would become a part of the first, with the right number of columns.
        ("a,b\n1,\"x\n2,\"y\n3,z\n", format!(":2: {after}")),
        ("a,b\n\"x\" ,y\n", format!(":2: {after}")),
        ("a,b\n\"x\"y\",z\n", format!(":2: {after}")),
        ("a,b\n1,\"x\ny\"\"z\"w\n", format!(":2: {after}")),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), format!("x.csv{expected}"), "{text:?}");
    }
}

fn written(rows: &[[String; 2]]) -> String {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(Vec::new());
    writer.write_record(["a", "b"]).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

proptest! {
    #[test]
    fn what_is_written_is_read(rows in prop::collection::vec(["\\PC*|[\",\r\n]*", "[a\",\n]*"], 0..5)) {
        let (_, read) = read(&written(&rows)).unwrap();
        prop_assert_eq!(read.into_iter().map(|it| it.1).collect::<Vec<_>>(), rows);
    }

    #[test]
    fn a_file_cut_in_a_field_is_refused(text in "[a\",\n]*", cut in 0_usize..50) {
        let text = written(&[[text, "b".to_owned()]]);
        // From the first field's opening quote, after the header's eight bytes, to its closing one, before `,"b"\n`.
        let cut = 9 + cut % (text.len() - 5 - 9 + 1);
        prop_assert!(read(&text[..cut]).is_err());
    }

    /// A file that is accepted has no open quote: one more row is one more row.
    #[test]
    fn no_row_swallows_the_next(text in "[\",\r\na]{0,30}") {
        let text = format!("a,b\n{text}");
        if let Ok((_, rows)) = read(&text) {
            let mut more = rows.clone();
            let text = format!("{}\nx,y", text.trim_end_matches(['\r', '\n']));
            more.push((1 + text.matches('\n').count(), vec!["x".to_owned(), "y".to_owned()]));
            prop_assert_eq!(read(&text).unwrap().1, more);
        }
    }

    #[test]
    fn any_text_gives_one_line(text in "(a,b\n)?(\\PC|[\",\r\na\u{feff}\u{2028}])*") {
        if let Err(error) = read(&text) {
            prop_assert!(!error.to_string().contains(['\n', '\r']));
        }
    }
}
