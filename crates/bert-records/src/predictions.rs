//! Predictions as leaderboards and programs read them.

use bert_files::Destination;
use serde::Serialize;

use crate::RecordError;

/// The most classes for which a prediction is written with the probability of every class. With more, only the
/// [`LIKELIEST`] are: files would grow with the product of examples and classes.
pub const EVERY_PROBABILITY_UP_TO: usize = 100;

/// How many probabilities a prediction is written with where there are more than [`EVERY_PROBABILITY_UP_TO`] classes.
pub const LIKELIEST: usize = 10;

/// The indices and values of the highest probabilities, the highest first and of equals the first; what is not a number
/// comes last.
///
/// ```
/// assert_eq!(bert_records::likeliest(&[0.1, 0.6, 0.3], 2), [(1, 0.6), (2, 0.3)]);
/// ```
#[must_use]
pub fn likeliest(probabilities: &[f64], most: usize) -> Vec<(usize, f64)> {
    let key = |(_, p): &(usize, f64)| if p.is_nan() { f64::NEG_INFINITY } else { *p };
    let mut indexed: Vec<(usize, f64)> = probabilities.iter().copied().enumerate().collect();
    indexed.sort_by(|left, right| key(right).total_cmp(&key(left)));
    indexed.truncate(most);
    indexed
}

/// Writes one JSON object a line, each as soon as the iterator gives it.
///
/// # Errors
///
/// Fails where the file cannot be written or a record has no JSON form.
pub fn write_json_lines<T: Serialize>(
    mut to: impl Destination,
    name: &str,
    records: impl IntoIterator<Item = T>,
) -> Result<(), RecordError> {
    let mut odd = None;
    let written = to.write_file(name, |out| {
        for record in records {
            match serde_json::to_writer(&mut *out, &record) {
                Err(error) if !error.is_io() => {
                    odd = Some(error);
                    return Err(std::io::ErrorKind::InvalidData.into());
                }
                other => other?,
            }
            out.write_all(b"\n")?;
        }
        Ok(())
    });
    if let Some(source) = odd {
        let path = to.path_of(name);
        return Err(RecordError::Json { path, source });
    }
    Ok(written?)
}

/// Writes a file for the GLUE leaderboard: the columns `index` and `prediction`, separated by tabs.
///
/// # Errors
///
/// Fails where the file cannot be written.
pub fn write_glue_submission<'a>(
    mut to: impl Destination,
    name: &str,
    rows: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), RecordError> {
    let mut text = "index\tprediction\n".to_owned();
    for (index, prediction) in rows {
        text.push_str(&format!("{index}\t{prediction}\n"));
    }
    to.write_file(name, |out| out.write_all(text.as_bytes()))?;
    Ok(())
}

/// Writes the endings chosen for a file of choices, each row an id, the endings' probabilities and the choice: the
/// columns of the SWAG authors' baseline, `ending0` to `ending3` and `pred`, after the file's `fold-ind`. Other choices
/// have as many columns as the first row has endings; without rows there are four.
///
/// # Errors
///
/// Fails where the file cannot be written.
pub fn write_swag_predictions<'a>(
    mut to: impl Destination,
    name: &str,
    rows: impl IntoIterator<Item = (&'a str, &'a [f64], usize)>,
) -> Result<(), RecordError> {
    let rows: Vec<_> = rows.into_iter().collect();
    let endings = rows.first().map_or(4, |(_, endings, _)| endings.len());
    to.write_file(name, |out| {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_field("fold-ind")?;
        for ending in 0..endings {
            csv.write_field(format!("ending{ending}"))?;
        }
        csv.write_record(["pred"])?;
        for (id, probabilities, choice) in rows {
            csv.write_field(id)?;
            for probability in probabilities {
                csv.write_field(probability.to_string())?;
            }
            csv.write_field(choice.to_string())?;
            csv.write_record(None::<&[u8]>)?;
        }
        csv.flush()
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_have_the_leaderboards_layout() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        let rows = [("0", "entailment"), ("1", "not_entailment")];
        write_glue_submission(dir.path(), "RTE.tsv", rows).unwrap();
        assert_eq!(
            read("RTE.tsv"),
            "index\tprediction\n0\tentailment\n1\tnot_entailment\n"
        );
        let probabilities = [0.25, 0.125, 0.5, 0.125];
        let rows = [
            ("18313", &probabilities[..], 2),
            ("a,\"b\"", &probabilities, 0),
        ];
        write_swag_predictions(dir.path(), "predictions.csv", rows).unwrap();
        assert_eq!(
            read("predictions.csv"),
            "fold-ind,ending0,ending1,ending2,ending3,pred\n\
             18313,0.25,0.125,0.5,0.125,2\n\
             \"a,\"\"b\"\"\",0.25,0.125,0.5,0.125,0\n"
        );
        let row = ("x-0", &[0.25, 0.75][..], 1);
        write_swag_predictions(dir.path(), "two.csv", [row]).unwrap();
        assert_eq!(
            read("two.csv"),
            "fold-ind,ending0,ending1,pred\nx-0,0.25,0.75,1\n"
        );
        write_json_lines(dir.path(), "lines.jsonl", [[1, 2], [3, 4]]).unwrap();
        assert_eq!(read("lines.jsonl"), "[1,2]\n[3,4]\n");
    }

    #[test]
    fn a_record_without_a_json_form_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines.jsonl");
        fs::write(&path, "old\n").unwrap();
        let records = [BTreeMap::from([(vec![1], 1)])];
        let error = write_json_lines(dir.path(), "lines.jsonl", records).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{}: cannot be written as JSON: key must be a string",
                path.display()
            )
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\n");
    }

    proptest! {
        #[test]
        fn the_likeliest_are_the_first_of_a_stable_sort(
            values in prop::collection::vec(prop_oneof![Just(f64::NAN), (0..5).prop_map(f64::from)], 0..40),
            most in 0_usize..12,
        ) {
            let found = likeliest(&values, most);
            prop_assert_eq!(found.len(), most.min(values.len()));
            for (index, value) in &found {
                let before = values.iter().enumerate().filter(|(other, p)| {
                    **p > *value || (value.is_nan() && !p.is_nan()) || (p.total_cmp(value).is_eq() && other < index)
                });
                let place = found.iter().position(|(other, _)| other == index);
                prop_assert_eq!(place, Some(before.count()));
            }
        }
    }
}
