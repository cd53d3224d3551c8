//! Predictions as leaderboards and programs read them.

use std::path::Path;

use serde::Serialize;

use crate::{ReportError, write_atomically};

/// Writes one JSON object a line.
///
/// # Errors
///
/// Fails where the file cannot be written.
pub fn write_json_lines<T: Serialize>(
    path: &Path,
    records: impl IntoIterator<Item = T>,
) -> Result<(), ReportError> {
    let mut lines = Vec::new();
    for record in records {
        serde_json::to_writer(&mut lines, &record).map_err(|source| ReportError::Json {
            path: path.to_owned(),
            source,
        })?;
        lines.push(b'\n');
    }
    write_atomically(path, |out| out.write_all(&lines))
}

/// Writes a file for the GLUE leaderboard: the columns `index` and `prediction`, separated by tabs.
///
/// # Errors
///
/// Fails where the file cannot be written.
pub fn write_glue_submission<'a>(
    path: &Path,
    rows: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), ReportError> {
    let mut text = "index\tprediction\n".to_owned();
    for (index, prediction) in rows {
        text.push_str(&format!("{index}\t{prediction}\n"));
    }
    write_atomically(path, |out| out.write_all(text.as_bytes()))
}

/// Writes the endings chosen for a file of choices, each row an id, the endings' probabilities and the choice: the
/// columns of the SWAG authors' baseline, `ending0` to `ending3` and `pred`, after the file's `fold-ind`. Other choices
/// have as many columns as the first row has endings; without rows there are four.
///
/// # Errors
///
/// Fails where the file cannot be written.
pub fn write_swag_predictions<'a>(
    path: &Path,
    rows: impl IntoIterator<Item = (&'a str, &'a [f64], usize)>,
) -> Result<(), ReportError> {
    let rows: Vec<_> = rows.into_iter().collect();
    let endings = rows
        .first()
        .map_or(4, |(_, probabilities, _)| probabilities.len());
    write_atomically(path, |out| {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_field("fold-ind")?;
        for ending in 0..endings {
            csv.write_field(format!("ending{ending}"))?;
        }
        csv.write_field("pred")?;
        csv.write_record(None::<&[u8]>)?;
        for (id, probabilities, choice) in rows {
            csv.write_field(id)?;
            for probability in probabilities {
                csv.write_field(probability.to_string())?;
            }
            csv.write_field(choice.to_string())?;
            csv.write_record(None::<&[u8]>)?;
        }
        csv.flush()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_have_the_leaderboards_layout() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        let rows = [("0", "entailment"), ("1", "not_entailment")];
        write_glue_submission(&dir.path().join("RTE.tsv"), rows).unwrap();
        assert_eq!(
            read("RTE.tsv"),
            "index\tprediction\n0\tentailment\n1\tnot_entailment\n"
        );
        let probabilities = [0.25, 0.125, 0.5, 0.125];
        let rows = [
            ("18313", &probabilities[..], 2),
            ("a,\"b\"", &probabilities, 0),
        ];
        write_swag_predictions(&dir.path().join("predictions.csv"), rows).unwrap();
        assert_eq!(
            read("predictions.csv"),
            "fold-ind,ending0,ending1,ending2,ending3,pred\n\
             18313,0.25,0.125,0.5,0.125,2\n\
             \"a,\"\"b\"\"\",0.25,0.125,0.5,0.125,0\n"
        );
        let path = dir.path().join("two.csv");
        write_swag_predictions(&path, [("x-0", &[0.25, 0.75][..], 1)]).unwrap();
        assert_eq!(
            read("two.csv"),
            "fold-ind,ending0,ending1,pred\nx-0,0.25,0.75,1\n"
        );
        write_json_lines(&dir.path().join("lines.jsonl"), [[1, 2], [3, 4]]).unwrap();
        assert_eq!(read("lines.jsonl"), "[1,2]\n[3,4]\n");
    }
}
