use proptest::prelude::*;

use super::*;

fn parsed(name: &str, text: &str) -> SwagDataset {
    parse_table(Path::new(name), text.as_bytes(), &ChoiceColumns::default()).unwrap()
}

/// What is wrong with a bad file named `x.csv`.
fn message(text: impl AsRef<[u8]>) -> String {
    parse_table(Path::new("x.csv"), text.as_ref(), &ChoiceColumns::default())
        .unwrap_err()
        .to_string()
}

/// A header and a row with that number of endings, the last of which is right.
fn with_endings(count: usize) -> String {
    let columns: Vec<String> = (0..count).map(|n| format!("ending{n}")).collect();
    let row: Vec<String> = (0..count).map(|n| format!("e{n}")).collect();
    let label = count.saturating_sub(1);
    format!(
        "context,{},label\nc,{},{label}\n",
        columns.join(","),
        row.join(",")
    )
}

fn example(id: &str, start: &str, endings: &[&str], label: Option<u8>) -> SwagExample {
    SwagExample {
        id: id.to_owned(),
        sent1: "c, d".to_owned(),
        sent2: start.to_owned(),
        endings: endings.iter().map(|&it| it.to_owned()).collect(),
        label,
    }
}

#[test]
fn columns_and_separators() {
    let cases = [
        (
            "d/x.csv",
            "context,ending0,ending1,label\n\"c, d\",a,b,1\n\n\n",
            example("x-0", "", &["a", "b"], Some(1)),
        ),
        (
            "x.tsv",
            "ENDING1\tid\tEnding2\tstart\tcontext\tother\tending0\nb\t7\te f\tThe\tc, d\t\ta",
            example("7", "The", &["a", "b", "e f"], None),
        ),
        (
            "x.csv",
            "\u{feff},video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label\r\n\
             1,v,5,c She,\"c, d\",She,gold,a,b,e,f,2\r\n",
            example("5", "She", &["a", "b", "e", "f"], Some(2)),
        ),
    ];
    for (name, text, expected) in cases {
        let dataset = parsed(name, text);
        assert_eq!(dataset.labelled, expected.label.is_some(), "{text:?}");
        assert_eq!(dataset.examples, [expected], "{text:?}");
    }
}

#[test]
fn examples_have_2_to_26_endings() {
    for count in ENDINGS {
        let dataset = parsed("x.csv", &with_endings(count));
        let [example] = dataset.examples.as_slice() else {
            panic!("{count} endings: {dataset:?}");
        };
        assert_eq!(example.endings.len(), count);
        assert_eq!(example.endings[count - 1], format!("e{}", count - 1));
        assert_eq!(example.label.map(usize::from), Some(count - 1));
    }
    assert_eq!(ENDING_COLUMNS.len(), *ENDINGS.end());
}

#[test]
fn files_that_are_wrong() {
    let header = "expected the header of a table of choices (`context_column` and `ending_columns` name others)";
    let cases = [
        (
            String::new(),
            ": the file is empty, expected a header and rows".to_owned(),
        ),
        (
            "text,ending0,ending1\n".to_owned(),
            format!(
                ":1: no column \"context\": found \"text\", \"ending0\", \"ending1\", {header}"
            ),
        ),
        (
            "context,text\n".to_owned(),
            format!(
                ":1: no column \"ending0\", \"ending1\": found \"context\", \"text\", {header}"
            ),
        ),
        (
            "context,ending0\n".to_owned(),
            format!(":1: no column \"ending1\": found \"context\", \"ending0\", {header}"),
        ),
        (
            "context,ending0,ending1,ending4\n".to_owned(),
            format!(
                ":1: no column \"ending2\", \"ending3\": found \"context\", \"ending0\", \"ending1\", \"ending4\", \
                 {header}"
            ),
        ),
        (
            with_endings(27),
            ":1: found the column ending26, expected at most ending25".to_owned(),
        ),
        (
            "context,sent1,ending0,ending1\n".to_owned(),
            ":1: found the columns \"context\" and \"sent1\", expected one of them".to_owned(),
        ),
        (
            "context,ending0,ending1,Ending1\n".to_owned(),
            ":1: found the columns \"ending1\" and \"Ending1\", expected one of them".to_owned(),
        ),
        (
            "context,ending0,ending1\n".to_owned(),
            ": found no usable row, expected at least one row".to_owned(),
        ),
        (
            "context,ending0,ending1,ending2\nc,a,b,e\nc,a,b, \n".to_owned(),
            ":3: ending2: found \" \", expected a text, as all rows have 3 endings".to_owned(),
        ),
        (
            "context,ending0,ending1,ending2\nc,a,b,e\nc,a,b\n".to_owned(),
            ":3: found 3 columns, expected 4".to_owned(),
        ),
        (
            "context,ending0,ending1,label\nc,a,b,2\n".to_owned(),
            ":2: label: found \"2\", expected one of \"0\", \"1\"".to_owned(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(&text), format!("x.csv{expected}"), "{text:.200}");
    }
    assert_eq!(
        read_table(Path::new("missing.csv"), &ChoiceColumns::default())
            .unwrap_err()
            .to_string(),
        "missing.csv: no such file"
    );
}

proptest! {
    #[test]
    fn any_text_in_a_file_gives_one_line(
        columns in "(,?[eE]nding[0-9]{1,20}){0,4}",
        rows in "\\PC*|([0-3a\", \r\n]|,,,,)*",
    ) {
        let text = format!("context{columns},label\n{rows}");
        if let Err(error) = parse_table(Path::new("x.csv"), text.as_bytes(), &ChoiceColumns::default()) {
            prop_assert!(!error.to_string().contains('\n'), "{}", error);
        }
    }
}
