//! What the SWAG files promise: the official columns, and endings that say nothing by themselves.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bert_demo_data::demo_files;

static FILES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let files = demo_files().unwrap().into_iter();
    files
        .map(|file| (file.path, String::from_utf8(file.bytes).unwrap()))
        .collect()
});

const TRAIN: &str = "swag/train.csv";
const VAL: &str = "swag/val.csv";
const TEST: &str = "swag/test.csv";

struct Row {
    fold_ind: String,
    video_id: String,
    startphrase: String,
    sent1: String,
    sent2: String,
    gold_source: String,
    endings: [String; 4],
    label: Option<usize>,
}

impl Row {
    fn right(&self) -> &str {
        &self.endings[self.label.unwrap()]
    }
}

fn rows(path: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(FILES[path].as_bytes());
    let records = reader.records().map(Result::unwrap);
    records
        .enumerate()
        .map(|(index, record)| {
            assert_eq!(record[0], index.to_string());
            let field = |column: usize| record[column].to_owned();
            Row {
                fold_ind: field(2),
                video_id: field(1),
                startphrase: field(3),
                sent1: field(4),
                sent2: field(5),
                gold_source: field(6),
                endings: std::array::from_fn(|ending| field(7 + ending)),
                label: record.get(11).map(|label| label.parse().unwrap()),
            }
        })
        .collect()
}

#[test]
fn headers_are_the_official_ones() {
    let header =
        ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3";
    for (path, label) in [(TRAIN, ",label"), (VAL, ",label"), (TEST, "")] {
        assert_eq!(
            FILES[path].lines().next().unwrap(),
            format!("{header}{label}")
        );
    }
}

#[test]
fn rows_are_sound() {
    let mut ids = BTreeSet::new();
    for (path, expected) in [(TRAIN, 1150..=1300), (VAL, 300..=300), (TEST, 60..=60)] {
        let rows = rows(path);
        assert!(expected.contains(&rows.len()), "{path}: {}", rows.len());
        for row in &rows {
            assert!(
                ids.insert(row.fold_ind.clone()),
                "fold-ind {} twice",
                row.fold_ind
            );
            assert!(row.video_id.starts_with("demo-"));
            assert_eq!(row.startphrase, format!("{} {}", row.sent1, row.sent2));
            assert_eq!(row.gold_source, "gold");
            assert_eq!(
                row.endings.iter().collect::<BTreeSet<_>>().len(),
                4,
                "{}",
                row.startphrase
            );
            for sentence in row.endings.iter().chain([&row.sent1]) {
                assert!(
                    sentence.ends_with('.') && !sentence.contains("  "),
                    "{sentence:?}"
                );
            }
            assert!(row.sent1.starts_with(char::is_uppercase) && !row.sent1.contains('{'));
            assert_eq!(row.label.is_some(), path != TEST);
        }
    }
}

#[test]
fn labels_are_spread_evenly() {
    for path in [TRAIN, VAL] {
        let rows = rows(path);
        for label in 0..4 {
            let count = rows.iter().filter(|row| row.label == Some(label)).count();
            assert!(
                count.abs_diff(rows.len() / 4) <= 1,
                "{path}: {count} of {}",
                rows.len()
            );
        }
    }
}

#[test]
fn the_ending_alone_says_nothing() {
    for path in [TRAIN, VAL] {
        let rows = rows(path);
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for row in &rows {
            for ending in &row.endings {
                let count = counts.entry(ending).or_default();
                if ending == row.right() {
                    count.0 += 1;
                } else {
                    count.1 += 1;
                }
            }
        }
        for (ending, (right, wrong)) in counts {
            assert_eq!(
                wrong,
                3 * right,
                "{path}: {ending:?} is right {right} times"
            );
        }
        // Nor does its length.
        type Length = fn(&String) -> i64;
        let lengths: [(&str, Length); 2] = [
            ("longest", |ending| ending.len() as i64),
            ("shortest", |ending| -(ending.len() as i64)),
        ];
        for (guess, length) in lengths {
            let hits = rows
                .iter()
                .filter(|row| {
                    row.endings
                        .iter()
                        .max_by_key(|ending| length(ending))
                        .unwrap()
                        == row.right()
                })
                .count();
            let percent = 100 * hits / rows.len();
            assert!(
                percent <= 30,
                "{path}: the {guess} ending is right in {percent} %"
            );
        }
    }
}

#[test]
fn held_out_rows_are_new_combinations_of_known_words() {
    let train = rows(TRAIN);
    let starts: BTreeSet<&str> = train.iter().map(|row| row.startphrase.as_str()).collect();
    let words = |text: &str| -> BTreeSet<String> {
        text.to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .map(str::to_owned)
            .collect()
    };
    let known: BTreeSet<String> = train
        .iter()
        .flat_map(|row| {
            row.endings
                .iter()
                .chain([&row.startphrase])
                .flat_map(|text| words(text))
                .collect::<Vec<_>>()
        })
        .collect();
    for path in [VAL, TEST] {
        for row in rows(path) {
            assert!(
                !starts.contains(row.startphrase.as_str()),
                "{}",
                row.startphrase
            );
            for text in row.endings.iter().chain([&row.startphrase]) {
                assert!(words(text).is_subset(&known), "{text}");
            }
        }
    }
}
