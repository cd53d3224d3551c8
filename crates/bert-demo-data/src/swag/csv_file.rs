//! The layout of a SWAG file: comma-separated, quoted where necessary.

use super::Row;
use crate::DemoDataError;

const COLUMNS: [&str; 12] = [
    "",
    "video-id",
    "fold-ind",
    "startphrase",
    "sent1",
    "sent2",
    "gold-source",
    "ending0",
    "ending1",
    "ending2",
    "ending3",
    "label",
];
/// `fold-ind` of the first row; the official numbers do not begin at 0 either.
const FIRST_FOLD_IND: usize = 1_000;

/// The file's text; without the column `label` if not `labelled`, as the official test file is.
///
/// # Errors
///
/// If the CSV writer fails.
pub(crate) fn to_csv(rows: &[Row], labelled: bool) -> Result<String, DemoDataError> {
    let columns = COLUMNS.len() - usize::from(!labelled);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&COLUMNS[..columns])?;
    for (index, row) in rows.iter().enumerate() {
        let mut record = vec![
            index.to_string(),
            format!("demo-{}", row.number),
            (FIRST_FOLD_IND + row.number).to_string(),
            format!("{} {}", row.sent1, row.sent2),
            row.sent1.clone(),
            row.sent2.clone(),
            "gold".to_owned(),
        ];
        record.extend(row.endings.iter().cloned());
        record.push(row.label.to_string());
        writer.write_record(&record[..columns])?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8(bytes).expect("the fields were valid UTF-8"))
}
