//! Data files as UTF-8 text: plain, compressed by gzip, or rows of Parquet.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::panic::{self, UnwindSafe};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bert_files::{FileError, cut};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::DatasetError;

/// The most bytes of a data file that are read: more than a hundred times the largest of SQuAD, SWAG and GLUE.
const LIMIT: u64 = 16 << 30;

/// How many times a packed file's bytes may come out of it, beyond [`ALWAYS_UNPACKED`]. Repeated texts pack some ten times;
/// a file that is made for it unpacks a thousand times, or for ever.
const MOST_UNPACKED: u64 = 256;

/// The bytes that may come out of a packed file of any size.
const ALWAYS_UNPACKED: u64 = 64 << 20;

/// What a gzip file begins with (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The ending of the names of Parquet files.
const PARQUET: &str = "parquet";

/// What the name of a file of JSON objects ends in. Rows of Parquet are read as such objects.
const JSON: [&str; 4] = ["json", "jsonl", "ndjson", PARQUET];

/// Whether a name is that of a file of JSON objects.
pub(crate) fn is_json(name: &Path) -> bool {
    JSON.contains(&ending(name).as_str())
}

/// Whether a name is that of a file with a JSON object on each line.
pub(crate) fn is_json_lines(name: &Path) -> bool {
    let ending = ending(name);
    ending != JSON[0] && JSON.contains(&ending.as_str())
}

/// Reads a file whole. What gzip has packed is unpacked, and rows of Parquet become JSON objects, one a line, so that a line
/// in an error is the number of a row.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, DatasetError> {
    let bytes = unpacked(path)?;
    if ending(path) != PARQUET {
        return Ok(bytes);
    }
    let most = most_unpacked(bytes.len());
    // The crate panics on some files that are damaged (version 60.1, file/metadata/mod.rs).
    let message = match quietly(|| json_lines(bytes, most)) {
        Some(Ok(lines)) if lines.len() as u64 > most => {
            return Err(too_large(path, lines.len() as u64, most).into());
        }
        Some(Ok(lines)) => return Ok(lines),
        Some(Err(error)) => cut(&error.to_string()).into_owned(),
        None => "the file is damaged".to_owned(),
    };
    Err(DatasetError::Parquet {
        path: path.to_owned(),
        message,
    })
}

/// What `work` returns, or `None` where it panics, which is not printed.
fn quietly<T>(work: impl FnOnce() -> T + UnwindSafe) -> Option<T> {
    // The hook is the whole program's.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = panic::catch_unwind(work);
    panic::set_hook(hook);
    outcome.ok()
}

/// The rows of a Parquet file as JSON objects, one a line, until they have more bytes than `most`. The file says how many rows it
/// has, and rows without a column take none of its bytes.
fn json_lines(bytes: Vec<u8>, most: u64) -> Result<Vec<u8>, ParquetError> {
    let file = SerializedFileReader::new(Bytes::from(bytes))?;
    let mut lines = Vec::new();
    for row in file.get_row_iter(None)? {
        writeln!(lines, "{}", row?.to_json_value())?;
        if lines.len() as u64 > most {
            break;
        }
    }
    Ok(lines)
}

/// The most bytes that may come out of a packed file of so many.
fn most_unpacked(bytes: usize) -> u64 {
    let most = (bytes as u64).saturating_mul(MOST_UNPACKED);
    most.saturating_add(ALWAYS_UNPACKED).min(LIMIT)
}

fn too_large(path: &Path, found: u64, limit: u64) -> FileError {
    FileError::TooLarge {
        path: path.to_owned(),
        found,
        limit,
    }
}

fn unpacked(path: &Path) -> Result<Vec<u8>, FileError> {
    let bytes = bert_files::read(path, LIMIT)?;
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let packed = MultiGzDecoder::new(bytes.as_slice());
    let most = most_unpacked(bytes.len());
    let read = packed.take(most + 1).read_to_end(&mut unpacked);
    read.map_err(FileError::read(path))?;
    if unpacked.len() as u64 > most {
        return Err(too_large(path, unpacked.len() as u64, most));
    }
    Ok(unpacked)
}

/// The ending of a file's name in lower case, without that of gzip.
pub(crate) fn ending(name: &Path) -> String {
    let of = |name: &Path| {
        let ending = name.extension().unwrap_or(OsStr::new(""));
        ending.to_string_lossy().to_lowercase()
    };
    match of(name).as_str() {
        "gz" => of(Path::new(name.file_stem().unwrap_or_default())),
        other => other.to_owned(),
    }
}

/// The file's name without its endings.
pub(crate) fn stem(name: &Path) -> String {
    let stem = Path::new(name.file_stem().unwrap_or_default());
    let stem = match name.extension() {
        Some(ending) if ending.eq_ignore_ascii_case("gz") => stem.file_stem().unwrap_or_default(),
        _ => stem.as_os_str(),
    };
    stem.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_packed_file_is_read_as_what_it_holds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv.gz");
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(b"text,label\na,b\n").unwrap();
        let packed = packed.finish().unwrap();
        fs::write(&path, &packed).unwrap();
        assert_eq!(read(&path).unwrap(), b"text,label\na,b\n");
        assert_eq!((ending(&path).as_str(), stem(&path).as_str()), ("csv", "x"));
        assert_eq!(ending(Path::new("a/b.TSV")), "tsv");
        assert_eq!(stem(Path::new("a/b.TSV")), "b");
        // A megabyte of zeros packs to a thousandth, and what unpacks to more than makes sense is no data.
        let mut packed_zeros = GzEncoder::new(Vec::new(), Compression::best());
        packed_zeros.write_all(&vec![0; 1 << 20]).unwrap();
        let mut bomb = packed_zeros.finish().unwrap().repeat(100);
        fs::write(&path, &bomb).unwrap();
        let line = read(&path).unwrap_err().to_string();
        let most = (64 << 20) + 256 * bomb.len();
        assert!(
            line.ends_with(&format!("expected at most {most}")),
            "{line}"
        );
        bomb.truncate(bomb.len() / 2);
        fs::write(&path, &bomb).unwrap();
        assert_eq!(read(&path).unwrap().len(), 50 << 20);
        // What was cut off is said.
        fs::write(&path, &packed[..packed.len() - 9]).unwrap();
        let line = read(&path).unwrap_err().to_string();
        assert!(line.contains("x.csv.gz"), "{line}");
    }
}
