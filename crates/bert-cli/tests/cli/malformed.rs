//! More than 300 files that are wrong, each of which ends a command with one line and exit code 2.

use std::fs;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{done, refused};

/// A file that is right.
struct Base {
    name: &'static str,
    flags: &'static [&'static str],
    text: &'static str,
}

const QUESTION: &str = r#"{"id": "a", "title": "t", "context": "x y", "question": "q", "answers": {"text": ["y"], "answer_start": [2]}}
{"id": "b", "title": "t", "context": "x y", "question": "r", "answers": {"text": ["x"], "answer_start": [0]}}
"#;

const TABLES: [Base; 7] = [
    Base {
        name: "texts.csv",
        flags: &["--task", "csv"],
        text: "text,label\na bakery,a\na museum,b\nthe river,a\n",
    },
    Base {
        name: "pairs.tsv",
        flags: &["--task", "csv"],
        text: "text\ttext_b\tlabel\na bakery\ta shop\ta\na museum\ta house\tb\nthe river\tthe sea\ta\n",
    },
    Base {
        name: "several.csv",
        flags: &["--task", "csv", "--multi-label"],
        text: "text,label\na bakery,a;b\na museum,b\nthe river,a\n",
    },
    Base {
        name: "marks.csv",
        flags: &["--task", "csv", "--label-columns", "rude,threat"],
        text: "text,rude,threat\na bakery,1,0\na museum,0,0\nthe river,1,1\n",
    },
    Base {
        name: "numbers.csv",
        flags: &["--task", "csv", "--regression"],
        text: "text,label\na bakery,1.5\na museum,0\nthe river,-2\n",
    },
    Base {
        name: "choices.csv",
        flags: &["--task", "swag"],
        text: "context,ending0,ending1,label\na bakery,opens,sings,0\na museum,flies,closes,1\nthe river,runs,reads,0\n",
    },
    Base {
        name: "questions.csv",
        flags: &["--task", "squad"],
        text: "context,question,answers.text,answers.answer_start\nx y,q,y,2\nx y,r,x,0\nx z,s,z,2\n",
    },
];

const OBJECTS: [Base; 4] = [
    Base {
        name: "texts.jsonl",
        flags: &["--task", "csv"],
        text: "{\"text\": \"a bakery\", \"label\": \"a\"}\n{\"text\": \"a museum\", \"label\": \"b\"}\n",
    },
    Base {
        name: "choices.jsonl",
        flags: &["--task", "swag"],
        text: "{\"context\": \"a bakery\", \"endings\": [\"opens\", \"sings\"], \"label\": 0}\n\
               {\"context\": \"a museum\", \"endings\": [\"flies\", \"closes\"], \"label\": 1}\n",
    },
    Base {
        name: "questions.jsonl",
        flags: &["--task", "squad"],
        text: QUESTION,
    },
    Base {
        name: "squad.json",
        flags: &["--task", "squad"],
        text: r#"{"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "x y", "qas": [{"id": "a", "question": "q", "answers": [{"text": "y", "answer_start": 2}]}]}]}]}"#,
    },
];

/// A wrong file: its name, the flags, and what it holds.
type Case = (String, Vec<&'static str>, Vec<u8>);

/// What makes any file wrong.
fn of_any_file(base: &Base) -> Vec<Vec<u8>> {
    let text = base.text.as_bytes();
    let mut cases: Vec<Vec<u8>> = ["", " ", "\n\n", "\u{feff}"].map(Into::into).into();
    // Bytes that are no UTF-8, at several places, and a file in UTF-16.
    for place in [0, text.len() / 3, text.len() / 2, text.len() - 1] {
        for bytes in [&b"\xff"[..], b"\xc3\x28", b"\xed\xa0\x80"] {
            cases.push([&text[..place], bytes, &text[place..]].concat());
        }
    }
    let utf_16 = base.text.encode_utf16().flat_map(u16::to_le_bytes);
    cases.push([0xff, 0xfe].into_iter().chain(utf_16).collect());
    cases.push(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec());
    cases
}

/// What makes a table wrong.
fn of_table(base: &Base) -> Vec<String> {
    let separator = if base.name.ends_with("tsv") {
        '\t'
    } else {
        ','
    };
    let lines: Vec<&str> = base.text.lines().collect();
    let with = |place: usize, line: String| {
        let mut lines: Vec<String> = lines.iter().map(|it| (*it).to_owned()).collect();
        lines[place] = line;
        lines.join("\n") + "\n"
    };
    // Without a header, and without rows.
    let mut cases = vec![lines[1..].join("\n"), lines[0].to_owned()];
    for (place, line) in lines.iter().enumerate().skip(1) {
        let fields: Vec<&str> = line.split(separator).collect();
        cases.push(with(place, format!("{line}{separator}more")));
        cases.push(with(place, fields[1..].join(&separator.to_string())));
        cases.push(with(place, format!("\"{line}")));
        cases.push(with(
            place,
            format!(
                "\"a\"b{separator}{}",
                fields[1..].join(&separator.to_string())
            ),
        ));
        cases.push(with(place, String::new()) + "x");
    }
    // A header that lacks a column that is needed, or has one twice.
    let names: Vec<&str> = lines[0].split(separator).collect();
    let rename = |place: usize, name: &str| {
        let mut names = names.clone();
        names[place] = name;
        with(0, names.join(&separator.to_string()))
    };
    cases.push(rename(0, "unknown"));
    if base.name != "questions.csv" {
        cases.push(rename(names.len() - 1, names[0]));
    }
    cases
}

/// What makes JSON objects wrong.
fn of_objects(base: &Base) -> Vec<String> {
    let text = base.text;
    let first = text.lines().next().unwrap_or_default();
    let mut cases: Vec<String> = (1..16)
        .map(|part| text[..first.len() * part / 16].to_owned())
        .collect();
    cases.extend(
        [
            "[]",
            "[1]",
            "7",
            "null",
            "\"text\"",
            "[[]]",
            "{\"a\": 1",
            "{}",
        ]
        .map(str::to_owned),
    );
    cases.push(format!("{first}\n]"));
    cases.push(format!("{first}\n7"));
    cases.push(format!("{first}\n{{\"new\": 1}}"));
    cases.push(first.replace(": ", " "));
    cases.push(first.replace("\", \"", "\" \""));
    cases.push(first.replace('{', "["));
    cases.push(first.replacen('"', "", 1));
    cases.push(format!("{}{first}", "[".repeat(5000)));
    cases
}

/// Wrong values, by the file that they stand in: what to replace and by what.
const VALUES: &[(&str, &str, &str)] = &[
    ("texts.csv", ",a\n", ",\n"),
    ("texts.csv", ",b\n", ",a\n"),
    ("several.csv", "a;b", "a;;b"),
    ("several.csv", "a;b", ";a"),
    ("marks.csv", "1,1", "1,2"),
    ("marks.csv", "1,1", "1,-1"),
    ("marks.csv", "1,1", "1,"),
    ("marks.csv", "1,1", "yes,1"),
    ("numbers.csv", "1.5", "one"),
    ("numbers.csv", "1.5", ""),
    ("numbers.csv", "1.5", "nan"),
    ("numbers.csv", "1.5", "1e400"),
    ("numbers.csv", "1.5", "inf"),
    ("choices.csv", "opens,sings,0", "opens,sings,2"),
    ("choices.csv", "opens,sings,0", "opens,sings,-1"),
    ("choices.csv", "opens,sings,0", "opens,sings,"),
    ("choices.csv", "opens,sings,0", "opens,,0"),
    ("choices.csv", "ending1", "ending2"),
    ("choices.csv", "ending1", "ending26"),
    ("questions.csv", "y,2", "y,9"),
    ("questions.csv", "y,2", "y,-1"),
    ("questions.csv", "y,2", "y,one"),
    ("questions.csv", "y,2", "y,"),
    ("questions.csv", "y,2", "[1],2"),
    ("texts.jsonl", "\"a\"", "\"\""),
    ("texts.jsonl", "\"a\"", "null"),
    ("texts.jsonl", "\"b\"", "\"a\""),
    ("choices.jsonl", "\"label\": 0", "\"label\": 2"),
    ("choices.jsonl", "\"label\": 0", "\"label\": \"a\""),
    ("choices.jsonl", "[\"opens\", \"sings\"]", "[\"opens\"]"),
    ("choices.jsonl", "[\"opens\", \"sings\"]", "\"opens\""),
    (
        "choices.jsonl",
        "[\"opens\", \"sings\"]",
        "[\"opens\", \"\"]",
    ),
    ("questions.jsonl", "[2]", "[9]"),
    ("questions.jsonl", "[2]", "[-2]"),
    ("questions.jsonl", "[2]", "[2.5]"),
    ("questions.jsonl", "[2]", "2"),
    ("questions.jsonl", "[2]", "[]"),
    ("questions.jsonl", "[2]", "null"),
    ("questions.jsonl", "\"y\"", "7"),
    ("questions.jsonl", "\"id\": \"b\"", "\"id\": \"a\""),
    ("questions.jsonl", "\"id\": \"b\"", "\"id\": []"),
    ("questions.jsonl", "\"x y\"", "7"),
    ("questions.jsonl", "\"q\"", "null"),
    ("squad.json", "1.1", "3.0"),
    ("squad.json", "\"version\"", "\"other\""),
    ("squad.json", "\"data\"", "\"other\""),
    ("squad.json", "\"paragraphs\"", "\"other\""),
    ("squad.json", "\"qas\"", "\"other\""),
    ("squad.json", "\"context\"", "\"other\""),
    ("squad.json", "\"question\"", "\"other\""),
    ("squad.json", "\"id\"", "\"other\""),
    ("squad.json", "\"answer_start\": 2", "\"answer_start\": 3"),
    ("squad.json", "\"answer_start\": 2", "\"answer_start\": -1"),
    (
        "squad.json",
        "\"answer_start\": 2",
        "\"answer_start\": \"2\"",
    ),
    ("squad.json", "\"text\": \"y\"", "\"text\": 7"),
    ("squad.json", "\"x y\"", "\"\""),
];

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut add = |base: &Base, name: String, bytes: Vec<u8>| {
        cases.push((name, base.flags.to_vec(), bytes));
    };
    for base in TABLES.iter().chain(&OBJECTS) {
        for bytes in of_any_file(base) {
            add(base, base.name.to_owned(), bytes);
        }
        let texts = match TABLES.iter().any(|table| table.name == base.name) {
            true => of_table(base),
            false => of_objects(base),
        };
        for text in texts {
            add(base, base.name.to_owned(), text.into_bytes());
        }
        for (_, from, to) in VALUES.iter().filter(|(name, ..)| *name == base.name) {
            let text = base.text.replacen(from, to, 1);
            assert_ne!(text, base.text, "{}: {from}", base.name);
            add(base, base.name.to_owned(), text.into_bytes());
        }
        // What gzip has packed, cut; and text that is no Parquet.
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(base.text.as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        for left in [10, packed.len() / 2, packed.len() - 4] {
            add(base, format!("{}.gz", base.name), packed[..left].to_vec());
        }
        add(base, "x.parquet".to_owned(), base.text.into());
    }
    cases
}

/// A look at a file.
fn command<'a>(file: &'a str, flags: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["check", "--bert-model", "data/demo/bert-small"];
    [&fixed[..], &["--train-file", file], flags].concat()
}

#[test]
fn every_wrong_file_is_one_line() {
    let cases = cases();
    assert!(cases.len() >= 300, "{}", cases.len());
    let dir = tempfile::tempdir().unwrap();
    // The right files are read, so that what is wrong with the others is what was changed.
    for base in TABLES.iter().chain(&OBJECTS) {
        let path = dir.path().join(base.name);
        fs::write(&path, base.text).unwrap();
        let file = path.to_str().unwrap();
        done(&command(file, base.flags));
    }
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((name, flags, bytes)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let own = tempfile::tempdir().unwrap();
            let path = own.path().join(name);
            fs::write(&path, bytes).unwrap();
            let file = path.to_str().unwrap();
            let shown = String::from_utf8_lossy(bytes);
            let shown = shown.chars().take(400).collect::<String>();
            let line = std::panic::catch_unwind(|| refused(&command(file, flags)))
                .unwrap_or_else(|_| panic!("{name} {flags:?}: {shown}"));
            assert!(line.contains(file), "{line}: {shown}");
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
}
