//! Draws names, years and sums for the SQuAD passages.

use serde::Deserialize;

use crate::random::Random;
use crate::{DemoDataError, Split, nothing_to_choose, parse};

/// Attempts at a value of the right half before its list is called too small.
const ATTEMPTS: usize = 10_000;

/// `content/names.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Names {
    pub(crate) given: Joined,
    pub(crate) family: Joined,
    pub(crate) town: Joined,
}

/// Names made of a stem and an ending.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Joined {
    pub(crate) stems: Vec<String>,
    pub(crate) endings: Vec<String>,
}

impl Names {
    /// # Errors
    ///
    /// If the file is not what we expect.
    pub(crate) fn load() -> Result<Self, DemoDataError> {
        parse("names.toml", include_str!("../content/names.toml"))
    }
}

impl Joined {
    /// A name of `split`.
    pub(crate) fn draw(&self, split: Split, random: &mut Random) -> Result<String, DemoDataError> {
        until(split, || {
            let parts = [&self.stems, &self.endings].map(|list| random.pick(list));
            parts.into_iter().flatten().map(String::as_str).collect()
        })
    }
}

/// A year of `split`.
pub(crate) fn year(split: Split, random: &mut Random) -> Result<String, DemoDataError> {
    until(split, || random.between(1790, 1999).to_string())
}

/// A sum of `split`, as rough as a writer would give it: £243, £1,850.
pub(crate) fn sum(split: Split, random: &mut Random) -> Result<String, DemoDataError> {
    until(split, || {
        if random.chance(50) {
            return format!("£{}", random.between(100, 999));
        }
        let value = 50 * random.between(20, 198);
        format!("£{},{:03}", value / 1000, value % 1000)
    })
}

/// Draws until the value belongs to `split`.
fn until(split: Split, mut draw: impl FnMut() -> String) -> Result<String, DemoDataError> {
    (0..ATTEMPTS)
        .map(|_| draw())
        .find(|value| Split::of(value) == split)
        .ok_or_else(|| nothing_to_choose("names of one half"))
}
