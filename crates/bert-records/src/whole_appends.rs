//! A file that grows by whole pieces.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
};

/// A file that grows by whole pieces, also where writing fails for a while: what could not be written is kept, and
/// written before what comes next.
#[derive(Debug)]
pub(crate) struct WholeAppends<F = File> {
    file: F,
    /// Pieces that are not in the file.
    waiting: Vec<u8>,
}

/// A file that can be cut and made durable.
pub(crate) trait Cut: Write + Seek {
    fn cut(&mut self, length: u64) -> io::Result<()>;
    fn sync(&mut self) -> io::Result<()>;
}

impl Cut for File {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

impl<F: Cut> WholeAppends<F> {
    /// Appends at the file's position, which is its end.
    pub(crate) fn to(file: F) -> Self {
        Self {
            file,
            waiting: Vec::new(),
        }
    }

    /// Appends a piece, after those that wait; where that fails half-way, the file is cut back to what it was.
    pub(crate) fn append(&mut self, piece: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(piece);
        self.write()
    }

    /// Writes what waits, and makes everything durable.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.write()?;
        self.file.sync()
    }

    fn write(&mut self) -> io::Result<()> {
        let length = self.file.stream_position()?;
        if let Err(error) = self.file.write_all(&self.waiting) {
            // The first failure is what is told.
            let _ = self.file.cut(length);
            let _ = self.file.seek(SeekFrom::Start(length));
            return Err(error);
        }
        self.waiting.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with so much room.
    struct Disk {
        bytes: io::Cursor<Vec<u8>>,
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let free = self.room - self.bytes.get_ref().len();
            if free == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.bytes.write(&bytes[..bytes.len().min(free)])
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Disk {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.bytes.seek(to)
        }
    }

    impl Cut for Disk {
        fn cut(&mut self, length: u64) -> io::Result<()> {
            self.bytes.get_mut().truncate(length as usize);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_did_not_fit_comes_before_what_comes_next() {
        let mut log = WholeAppends::to(Disk {
            bytes: io::Cursor::default(),
            room: 5,
        });
        log.append(b"one\n").expect("it fits");
        log.append(b"two\n").expect_err("half of it fits");
        log.append(b"three\n").expect_err("no more does");
        assert_eq!(log.file.bytes.get_ref(), b"one\n");
        log.file.room = 100;
        log.append(b"four\n").expect("there is room again");
        log.flush().expect("nothing waits");
        assert_eq!(log.file.bytes.get_ref(), b"one\ntwo\nthree\nfour\n");
    }
}
