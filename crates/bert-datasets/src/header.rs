//! Columns looked up by their names.

use std::path::Path;

use crate::DatasetError;

/// A header's columns. Case and blanks around a name make no difference.
pub(crate) struct Header<'a> {
    /// The file's name in errors.
    pub(crate) path: &'a Path,
    /// The header's line, counted from 1.
    pub(crate) line: usize,
    /// The columns' names, as written.
    pub(crate) names: Vec<String>,
    /// What the file should be, for errors.
    pub(crate) kind: &'static str,
}

impl Header<'_> {
    /// Where the needed columns stand.
    pub(crate) fn needed<const N: usize>(
        &self,
        columns: [&'static str; N],
    ) -> Result<[usize; N], DatasetError> {
        let mut places = [0; N];
        let mut missing = Vec::new();
        for (place, column) in places.iter_mut().zip(columns) {
            match self.find(&[column])? {
                Some(found) => *place = found,
                None => missing.push(column),
            }
        }
        if missing.is_empty() {
            Ok(places)
        } else {
            Err(self.missing(missing))
        }
    }

    /// Where the one column with any of these names stands.
    pub(crate) fn find(&self, aliases: &[&str]) -> Result<Option<usize>, DatasetError> {
        let mut places = self.names.iter().enumerate().filter(|(_, name)| {
            aliases
                .iter()
                .any(|alias| alias.eq_ignore_ascii_case(name.trim()))
        });
        let first = places.next();
        // Either could be meant, so neither is taken.
        if let (Some((_, first)), Some((_, second))) = (first, places.next()) {
            return Err(DatasetError::DuplicateColumn {
                path: self.path.to_owned(),
                line: self.line,
                first: first.clone(),
                second: second.clone(),
            });
        }
        Ok(first.map(|(place, _)| place))
    }

    /// Where a column stands that is asked for.
    pub(crate) fn asked(&self, column: &str) -> Result<usize, DatasetError> {
        self.find(&[column])?
            .ok_or_else(|| DatasetError::NoSuchColumn {
                path: self.path.to_owned(),
                line: self.line,
                column: column.to_owned(),
                found: self.names.clone(),
            })
    }

    /// The place of the column that is asked for, or else of one with a name that it often has: of the first names, or, where
    /// none of them is there, of the next.
    pub(crate) fn column(
        &self,
        asked: Option<&str>,
        names: &[&[&str]],
    ) -> Result<Option<usize>, DatasetError> {
        if let Some(asked) = asked {
            return self.asked(asked).map(Some);
        }
        for names in names {
            let place = self.find(names)?;
            if place.is_some() {
                return Ok(place);
            }
        }
        Ok(None)
    }

    /// The error that names the columns that are not there.
    pub(crate) fn missing(&self, missing: Vec<&'static str>) -> DatasetError {
        DatasetError::MissingColumns {
            path: self.path.to_owned(),
            line: self.line,
            missing,
            found: self.names.clone(),
            kind: self.kind,
        }
    }
}
