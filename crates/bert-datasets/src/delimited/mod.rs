//! Delimited text with quotes (RFC 4180), row by row.
//!
//! The `csv` crate accepts any text: a quote that never closes swallows the rest of the file, and one that closes too
//! late joins two rows. Here each row is compared with the text that it was read from, so neither passes.

#[cfg(test)]
mod tests;

use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use crate::DatasetError;
use crate::header::Header;

/// A row and its place.
pub(crate) struct Row {
    /// The line where the row starts, counted from 1.
    pub(crate) line: usize,
    /// The columns, as many as the header has.
    pub(crate) fields: StringRecord,
}

/// The rows after a header.
pub(crate) struct Rows<'a> {
    name: &'a Path,
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    /// The header's columns; unknown before the header.
    columns: Option<usize>,
    /// Byte after the last row read.
    at: usize,
    /// Its line, counted from 1.
    line: usize,
}

/// What separates the columns of a user's own file: a tab in a `.tsv` file, a comma in any other.
pub(crate) fn delimiter(name: &Path) -> u8 {
    if crate::text::ending(name) == "tsv" {
        b'\t'
    } else {
        b','
    }
}

/// Reads the header. Rows end at `\n`, `\r\n` or a lone `\r`; line numbers count `\n`, as editors do.
pub(crate) fn open<'a>(
    name: &'a Path,
    text: &'a str,
    delimiter: u8,
    kind: &'static str,
) -> Result<(Header<'a>, Rows<'a>), DatasetError> {
    // The reader drops a byte order mark of its own, so none may be left for it.
    let text = text.trim_start_matches('\u{feff}');
    let empty = || DatasetError::Empty {
        path: name.to_owned(),
        expected: "a header and rows",
    };
    if text.trim().is_empty() {
        return Err(empty());
    }
    let reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Rows {
        name,
        text,
        reader,
        columns: None,
        at: 0,
        line: 1,
    };
    let Row { line, fields } = rows.read()?.ok_or_else(empty)?;
    rows.columns = Some(fields.len());
    let header = Header {
        path: name,
        line,
        names: fields.iter().map(str::to_owned).collect(),
        kind,
    };
    Ok((header, rows))
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

impl Rows<'_> {
    fn read(&mut self) -> Result<Option<Row>, DatasetError> {
        let mut fields = StringRecord::new();
        let more = self
            .reader
            .read_record(&mut fields)
            .expect("text in memory is readable, and any text is flexible CSV");
        if !more {
            return Ok(None);
        }
        self.skip_line_ends()?;
        let line = self.line;
        for (column, field) in fields.iter().enumerate() {
            // The delimiter is one byte.
            self.at += usize::from(column > 0);
            self.check(field)?;
        }
        match self.columns {
            Some(expected) if expected != fields.len() => {
                Err(self.column_count(line, fields.len(), expected))
            }
            _ => Ok(Some(Row { line, fields })),
        }
    }

    /// Steps over the end of the last row; a blank line after it is no row that the header describes.
    fn skip_line_ends(&mut self) -> Result<(), DatasetError> {
        let rest = &self.text[self.at..];
        let ends = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        let one = if rest.starts_with("\r\n") { 2 } else { 1 };
        if let Some(expected) = self.columns
            && ends > one
        {
            let line = self.line + count_lines(&rest[..one]);
            return Err(self.column_count(line, 0, expected));
        }
        self.line += count_lines(&rest[..ends]);
        self.at += ends;
        Ok(())
    }

    /// Compares a field with the text and steps over it.
    fn check(&mut self, field: &str) -> Result<(), DatasetError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let escaped;
        let written = if rest.starts_with('"') {
            escaped = format!("\"{}\"", field.replace('"', "\"\""));
            escaped.as_str()
        } else {
            field
        };
        if !rest.starts_with(written) {
            let (path, line) = (self.name.to_owned(), self.line);
            // Still open: the field is all of the rest, and only its closing quote is missing.
            return Err(if written.strip_suffix('"') == Some(rest) {
                DatasetError::UnclosedQuote { path, line }
            } else {
                DatasetError::TextAfterQuote { path, line }
            });
        }
        self.line += count_lines(written);
        self.at += written.len();
        Ok(())
    }

    fn column_count(&self, line: usize, found: usize, expected: usize) -> DatasetError {
        DatasetError::ColumnCount {
            path: self.name.to_owned(),
            line,
            found,
            expected,
        }
    }
}

fn count_lines(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}
