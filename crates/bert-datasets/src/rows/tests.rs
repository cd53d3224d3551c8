use super::*;

/// The header and the rows of a file, a text each.
fn read(name: &str, text: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let read = || {
        let (header, rows) = open(Path::new(name), text, "a table")?;
        let names = header.names.clone();
        let rows = rows.map(|row| {
            let row = row?;
            let fields: Vec<&str> = row.fields.iter().collect();
            Ok::<_, DatasetError>(format!("{}: {}", row.line, fields.join("|")))
        });
        Ok::<_, DatasetError>((names, rows.collect::<Result<_, _>>()?))
    };
    read().map_err(|error| error.to_string())
}

#[test]
fn every_format_gives_the_same_rows() {
    let expected = ["label", "text"];
    for (name, text, lines) in [
        ("a.csv", "label,text\n1,a b\n0,c\n", [2, 3]),
        ("a.tsv", "label\ttext\n1\ta b\n0\tc\n", [2, 3]),
        (
            "a.jsonl",
            "{\"text\": \"a b\", \"label\": 1}\n\n{\"label\": 0, \"text\": \"c\"}\n",
            [1, 3],
        ),
        (
            "a.json",
            "[{\"text\": \"a b\", \"label\": 1},\n {\"label\": 0, \"text\": \"c\"}]",
            [1, 2],
        ),
        (
            "a.NDJSON.gz",
            "{\"text\": \"a b\", \"label\": 1}\n{\"label\": 0, \"text\": \"c\"}",
            [1, 2],
        ),
    ] {
        let (header, rows) = read(name, text).unwrap();
        assert_eq!(header, expected, "{name}");
        let rows_expected = [format!("{}: 1|a b", lines[0]), format!("{}: 0|c", lines[1])];
        assert_eq!(rows, rows_expected, "{name}");
    }
}

#[test]
fn values_become_texts_and_a_list_of_endings_columns() {
    let text = r#"{"a": null, "b": true, "c": 1.5, "endings": ["x", "y"]}"#;
    let (header, rows) = read("a.jsonl", text).unwrap();
    assert_eq!(header, ["a", "b", "c", "ending0", "ending1"]);
    assert_eq!(rows, ["1: |true|1.5|x|y"]);
}

#[test]
fn wrong_files_are_one_line_with_its_number() {
    for (name, text, expected) in [
        ("a.jsonl", "", "a.jsonl: the file is empty"),
        ("a.json", "[]", "a.json: found no usable row"),
        ("a.jsonl", "{\"a\": 1}\n{\"a\": \n", "a.jsonl:2:"),
        ("a.jsonl", "{\"a\": 1}\n[1]\n", "a.jsonl:2:"),
        (
            "a.jsonl",
            "{\"a\": 1}\n{\"b\": 1}\n",
            "a.jsonl:2: the key \"a\" is missing",
        ),
        (
            "a.jsonl",
            "{\"a\": 1}\n{\"a\": 1, \"b\": 1}\n",
            "a.jsonl:2: the key \"b\" is new",
        ),
        ("a.json", "[1]", "a.json:1:"),
    ] {
        let line = read(name, text).unwrap_err();
        assert!(
            line.starts_with(expected) && !line.contains('\n'),
            "{text}: {line}"
        );
    }
}

/// Comparing each key with each other one would take minutes.
#[test]
fn rows_of_many_keys_are_read_in_one_pass_each() {
    let row: Vec<String> = (0..100_000).map(|key| format!("\"{key}\": 1")).collect();
    let row = format!("{{{}}}\n", row.join(", "));
    let (header, rows) = read("a.jsonl", &row.repeat(2)).unwrap();
    assert_eq!((header.len(), rows.len()), (100_000, 2));
}
