//! Files as UTF-8 text.

use std::fs;
use std::path::Path;

use crate::DatasetError;

/// Reads a file whole.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, DatasetError> {
    fs::read(path).map_err(|source| DatasetError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Checks that bytes are UTF-8 and drops a byte order mark.
pub(crate) fn decode<'a>(name: &Path, bytes: &'a [u8]) -> Result<&'a str, DatasetError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        DatasetError::NotUtf8 {
            path: name.to_owned(),
            offset,
            line: 1 + bytes[..offset]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count(),
            // `from_utf8` fails at a byte, the last one at the latest.
            found: bytes[offset],
        }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
