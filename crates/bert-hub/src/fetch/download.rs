//! One file: continued where an earlier attempt ended, verified, and given its name.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::patience::Patience;
use super::request::{Failure, Reply, Request};
use super::{Fault, Fetcher};
use crate::digest::{self, Digest};
use crate::files::{self, publish, read_error, write_error};
use crate::{HubError, Progress, Token};

/// A file that is wanted.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    /// Its name as the user is told it.
    pub(crate) name: &'a str,
    pub(crate) url: &'a str,
    pub(crate) token: Option<&'a Token>,
    /// Its size in bytes, where it is known.
    pub(crate) size: Option<u64>,
    pub(crate) limit: Limit,
    /// All of them must agree.
    pub(crate) digests: &'a [Digest],
    /// Where it grows; bytes that are there already are kept and continued.
    pub(crate) partial: &'a Path,
    /// Where it goes once it is complete and verified.
    pub(crate) target: &'a Path,
}

/// What keeps a server from filling the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// The most bytes of a file of this kind, whatever the server announces.
    Bytes(u64),
    /// The size that is known before, or that the server announces; it must announce one.
    Announced,
}

impl Order<'_> {
    /// Checks a size that is known or announced, before anything is written.
    fn check_limit(&self, size: Option<u64>) -> Result<(), HubError> {
        match (self.limit, size) {
            (Limit::Bytes(limit), Some(size)) if size > limit => {
                Err(self.too_large(Some(size), limit))
            }
            (Limit::Announced, None) => Err(HubError::NotAHub {
                url: self.url.to_owned(),
                header: "Content-Length",
            }),
            _ => Ok(()),
        }
    }

    fn too_large(&self, found: Option<u64>, limit: u64) -> HubError {
        HubError::TooLarge {
            url: self.url.to_owned(),
            found,
            limit,
        }
    }
}

/// A partial file and what is known of it.
struct Growing {
    file: File,
    /// The bytes that are there.
    at: u64,
    /// The most bytes that there have been: an attempt that gets no further is in vain.
    furthest: u64,
    /// The size, as ordered or as the server says.
    size: Option<u64>,
    /// Whether bytes of several answers make up the file.
    mixed: bool,
    /// Whether the server has refused a part of the file.
    refused: bool,
}

impl Fetcher {
    /// Fetches a file. What has arrived when this fails stays in the partial file, unless it is wrong.
    pub(crate) fn download(
        &self,
        order: &Order<'_>,
        progress: &mut dyn Progress,
    ) -> Result<(), HubError> {
        if order.size.is_some() {
            order.check_limit(order.size)?;
        }
        let mut growing = Growing::open(order)?;
        progress.start(order.name, order.size, growing.at);
        let mut patience = Patience::new(&self.settings);
        loop {
            self.grow(order, &mut growing, &mut patience, progress)?;
            growing
                .file
                .sync_all()
                .map_err(|source| write_error(order.partial, source))?;
            match digest::check(order.partial, order.digests)? {
                None => break,
                // What an earlier process left may not be the beginning of this file.
                Some(_) if growing.mixed => {
                    growing.restart(order)?;
                    growing.mixed = false;
                    progress.start(order.name, growing.size, 0);
                }
                Some(mismatch) => {
                    files::remove(order.partial)?;
                    return Err(HubError::Hash {
                        url: order.url.to_owned(),
                        algorithm: mismatch.algorithm,
                        found: mismatch.found,
                        expected: mismatch.expected,
                    });
                }
            }
        }
        drop(growing);
        publish(order.partial, order.target)?;
        progress.finish();
        Ok(())
    }

    /// Fetches until the file has its size.
    fn grow(
        &self,
        order: &Order<'_>,
        growing: &mut Growing,
        patience: &mut Patience,
        progress: &mut dyn Progress,
    ) -> Result<(), HubError> {
        while growing.size.is_none_or(|size| growing.at < size) || growing.at == 0 {
            match self.grow_once(order, growing, progress) {
                Ok(()) => break,
                Err(Failure::Lasting(error)) => return Err(error),
                Err(Failure::Passing(fault)) => {
                    if growing.at > growing.furthest {
                        growing.furthest = growing.at;
                        patience.renew();
                    }
                    patience.endure(fault, order.url, progress)?;
                }
            }
        }
        Ok(())
    }

    fn grow_once(
        &self,
        order: &Order<'_>,
        growing: &mut Growing,
        progress: &mut dyn Progress,
    ) -> Result<(), Failure> {
        let reply = self.attempt(&Request {
            url: order.url,
            token: order.token,
            head: false,
            from: growing.at,
        })?;
        let length = reply.length();
        let total = match reply.status {
            200 => {
                check_size(order, growing, length)?;
                if growing.at > 0 {
                    growing.restart(order)?;
                    progress.start(order.name, growing.size, 0);
                }
                length
            }
            206 if growing.at > 0 => {
                let total = part_total(&reply, growing.at)?;
                check_size(order, growing, total)?;
                growing.mixed = true;
                total
            }
            // What is there is not the beginning of the server's file.
            416 if growing.at > 0 && !growing.refused => {
                growing.refused = true;
                growing.restart(order)?;
                progress.start(order.name, growing.size, 0);
                return self.grow_once(order, growing, progress);
            }
            status => return Err(refusal(&reply, status, order.url, order.token).into()),
        };
        growing.size = growing.size.or(total);
        order.check_limit(growing.size)?;
        self.pour(order, growing, reply, progress)
    }

    /// Writes an answer's bytes to the file.
    fn pour(
        &self,
        order: &Order<'_>,
        growing: &mut Growing,
        reply: Reply,
        progress: &mut dyn Progress,
    ) -> Result<(), Failure> {
        let mut body = reply.body.into_with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = match body.read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.broken(error, growing).into()),
            };
            if read == 0 {
                return match growing.size {
                    Some(size) if growing.at < size => Err(growing.cut().into()),
                    _ => Ok(()),
                };
            }
            let found = growing.at + read as u64;
            if let Some(expected) = growing.size
                && found > expected
            {
                return Err(wrong_size(order, found, expected).into());
            }
            if let Limit::Bytes(limit) = order.limit
                && found > limit
            {
                files::remove(order.partial)?;
                return Err(order.too_large(None, limit).into());
            }
            growing
                .file
                .write_all(&buffer[..read])
                .map_err(|source| write_error(order.partial, source))?;
            growing.at = found;
            if progress.advance(read as u64).is_break() {
                return Err(HubError::Interrupted.into());
            }
        }
    }

    /// What an error within a file means.
    fn broken(&self, error: io::Error, growing: &Growing) -> Fault {
        match ureq::Error::from(error) {
            ureq::Error::Timeout(_) => self.stalled(),
            _ => growing.cut(),
        }
    }
}

impl Growing {
    fn open(order: &Order<'_>) -> Result<Self, HubError> {
        let error = |source| write_error(order.partial, source);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(order.partial)
            .map_err(error)?;
        let mut at = file
            .metadata()
            .map_err(|source| read_error(order.partial, source))?
            .len();
        if order.size.is_some_and(|size| at > size) {
            file.set_len(0).map_err(error)?;
            at = 0;
        }
        file.seek(SeekFrom::Start(at)).map_err(error)?;
        Ok(Self {
            file,
            at,
            furthest: at,
            size: order.size,
            mixed: at > 0,
            refused: false,
        })
    }

    /// Begins again with the first byte.
    fn restart(&mut self, order: &Order<'_>) -> Result<(), HubError> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .map_err(|source| write_error(order.partial, source))?;
        self.at = 0;
        self.mixed = false;
        Ok(())
    }

    fn cut(&self) -> Fault {
        Fault::Cut {
            found: self.at,
            expected: self.size,
        }
    }
}

/// Checks the size that the server states, before anything is thrown away or written.
fn check_size(order: &Order<'_>, growing: &Growing, total: Option<u64>) -> Result<(), HubError> {
    match (total, growing.size) {
        (Some(found), Some(expected)) if found != expected => {
            Err(wrong_size(order, found, expected))
        }
        _ => Ok(()),
    }
}

fn wrong_size(order: &Order<'_>, found: u64, expected: u64) -> HubError {
    HubError::Size {
        url: order.url.to_owned(),
        found,
        expected,
    }
}

/// The whole file's size, if a part of it begins where it should.
fn part_total(reply: &Reply, at: u64) -> Result<Option<u64>, Fault> {
    let found = reply.header("content-range").unwrap_or_default();
    let part = || Fault::Part {
        found: found.to_owned(),
        expected: at,
    };
    let (range, total) = found
        .trim()
        .strip_prefix("bytes ")
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(part)?;
    let (start, _) = range.split_once('-').ok_or_else(part)?;
    if start.trim().parse() != Ok(at) {
        return Err(part());
    }
    Ok(total.trim().parse().ok())
}

/// What an answer without the file means.
pub(crate) fn refusal(reply: &Reply, status: u16, url: &str, token: Option<&Token>) -> HubError {
    match status {
        401 | 403 => HubError::Refused {
            url: url.to_owned(),
            status,
            gated: reply.header("x-error-code") == Some("GatedRepo"),
            token: token.is_some(),
        },
        _ => HubError::Status {
            url: url.to_owned(),
            status,
        },
    }
}
