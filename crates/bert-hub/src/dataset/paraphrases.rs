//! MRPC (Dolan and Brockett 2005) as GLUE divides it, made of the original files.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use crate::HubError;
use crate::files::{read_error, write_error, write_whole};

/// The columns of the original files: the label, two ids and two strings.
const COLUMNS: usize = 5;
/// The first line of the leaderboard's test set, which has no label.
const TEST_HEADER: &str = "index\t#1 ID\t#2 ID\t#1 String\t#2 String";

/// Writes `dev.tsv`, `test.tsv` and `train.tsv`, and gives their names.
pub(super) fn make(
    train: &Path,
    test: &Path,
    dev_ids: &Path,
    folder: &Path,
) -> Result<Vec<String>, HubError> {
    let ids_text = read(dev_ids)?;
    // Each pair, the line that it is in and whether a row has had it.
    let mut ids: HashMap<(&str, &str), (usize, bool)> = HashMap::new();
    for (line, text) in lines(&ids_text) {
        match *text.split('\t').collect::<Vec<_>>() {
            [one, other] => _ = ids.insert((one, other), (line, false)),
            ref found => return Err(columns(dev_ids, line, found.len(), "2 columns")),
        }
    }

    let train_text = read(train)?;
    let (header, rows) = rows(train, &train_text)?;
    let (mut train_rows, mut dev_rows) = (vec![header.to_owned()], vec![header.to_owned()]);
    for (_, row) in rows {
        match ids.get_mut(&(row[1], row[2])) {
            Some((_, seen)) => {
                *seen = true;
                dev_rows.push(row.join("\t"));
            }
            None => train_rows.push(row.join("\t")),
        }
    }
    let missing = ids.values().filter(|(_, seen)| !seen);
    if let Some((line, _)) = missing.min() {
        return Err(HubError::Row {
            path: dev_ids.to_owned(),
            line: *line,
            found: "a pair of ids that no row has".to_owned(),
            expected: "ids of the training set",
        });
    }

    let test_text = read(test)?;
    let (_, rows) = self::rows(test, &test_text)?;
    let mut test_rows = vec![TEST_HEADER.to_owned()];
    for (index, (_, row)) in rows.iter().enumerate() {
        test_rows.push(format!("{index}\t{}", row[1..].join("\t")));
    }

    let files = [
        ("dev.tsv", dev_rows),
        ("test.tsv", test_rows),
        ("train.tsv", train_rows),
    ];
    for (name, rows) in &files {
        let path = folder.join(name);
        write_whole(&path, |file| {
            file.write_all((rows.join("\n") + "\n").as_bytes())
                .map_err(|source| write_error(&path, source))
        })?;
    }
    Ok(files.map(|(name, _)| name.to_owned()).to_vec())
}

fn read(path: &Path) -> Result<String, HubError> {
    let bytes = fs::read(path).map_err(|source| read_error(path, source))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        HubError::Row {
            path: path.to_owned(),
            line: 1 + valid.iter().filter(|byte| **byte == b'\n').count(),
            found: "bytes that are not UTF-8".to_owned(),
            expected: "UTF-8",
        }
    })
}

/// The lines that are not blank, without the space around them, counted from 1. A line ends at a line feed.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let trimmed = text.split('\n').map(str::trim);
    (1..).zip(trimmed).filter(|(_, line)| !line.is_empty())
}

type Rows<'a> = Vec<(usize, Vec<&'a str>)>;

/// The header and the rows of an original file.
fn rows<'a>(path: &Path, text: &'a str) -> Result<(&'a str, Rows<'a>), HubError> {
    let mut lines = lines(text);
    let (_, header) = lines
        .next()
        .ok_or_else(|| columns(path, 1, 0, "5 columns"))?;
    let rows = lines
        .map(|(line, text)| {
            let row: Vec<&str> = text.split('\t').collect();
            if row.len() == COLUMNS {
                Ok((line, row))
            } else {
                Err(columns(path, line, row.len(), "5 columns"))
            }
        })
        .collect::<Result<_, _>>()?;
    Ok((header, rows))
}

fn columns(path: &Path, line: usize, found: usize, expected: &'static str) -> HubError {
    HubError::Row {
        path: path.to_owned(),
        line,
        found: format!("{found} columns"),
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String";

    fn make_of(train: &str, test: &str, ids: &str) -> Result<[String; 3], HubError> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("it is written");
            path
        };
        let (train, test, ids) = (path("a", train), path("b", test), path("c", ids));
        make(&train, &test, &ids, folder.path())?;
        Ok(["train.tsv", "dev.tsv", "test.tsv"]
            .map(|name| fs::read_to_string(folder.path().join(name)).expect("it is there")))
    }

    #[test]
    fn the_pairs_of_the_list_are_the_development_set() {
        let train =
            format!("{HEADER}\r\n1\t10\t11\ta \"b\t c\r\n0\t12\t13\td\te \r\n1\t11\t10\tf\tg");
        let test = format!("{HEADER}\r\n1\t20\t21\th\ti\r\n0\t22\t23\tj\tk\r\n");
        let [train, dev, test] = make_of(&train, &test, "12\t13\n").expect("they are made");
        assert_eq!(
            train,
            format!("{HEADER}\n1\t10\t11\ta \"b\t c\n1\t11\t10\tf\tg\n")
        );
        assert_eq!(dev, format!("{HEADER}\n0\t12\t13\td\te\n"));
        let header = "index\t#1 ID\t#2 ID\t#1 String\t#2 String";
        assert_eq!(
            test,
            format!("{header}\n0\t20\t21\th\ti\n1\t22\t23\tj\tk\n")
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let good = format!("{HEADER}\n1\t10\t11\ta\tb\n");
        for (train, test, ids, message) in [
            (
                &*good,
                &*good,
                "10\t12\n",
                "c:1: found a pair of ids that no row has",
            ),
            (
                &good,
                &good,
                "10\n",
                "c:1: found 1 columns, expected 2 columns",
            ),
            (
                "x\n1\t2\n",
                &good,
                "",
                "a:2: found 2 columns, expected 5 columns",
            ),
            (&good, "", "10\t11", "b:1: found 0 columns"),
        ] {
            let error = make_of(train, test, ids).expect_err(message);
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
