//! Draws names, numbers and other values from `content/lexicon.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::kind::Kind;
use crate::random::Random;
use crate::{DemoDataError, Split};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Attempts at a name of the right half before its list is called too small.
const ATTEMPTS: usize = 10_000;

/// The word lists.
#[derive(Debug, Deserialize)]
pub(crate) struct Lexicon {
    culture: Vec<Culture>,
    pair: BTreeMap<String, Pair>,
}

/// Given names and family names that go together.
#[derive(Debug, Deserialize)]
struct Culture {
    weight: usize,
    women: Vec<String>,
    men: Vec<String>,
    stems: Vec<String>,
    endings: Vec<String>,
}

/// A name made of two parts.
#[derive(Debug, Deserialize)]
struct Pair {
    joint: String,
    first: Vec<String>,
    second: Vec<String>,
}

/// The pronouns a person goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sex {
    Female,
    Male,
}

/// A person's two names.
#[derive(Debug, Clone)]
pub(crate) struct PersonName {
    pub(crate) given: String,
    pub(crate) family: String,
    pub(crate) sex: Sex,
}

impl PersonName {
    /// "Ada Holcroft".
    pub(crate) fn full(&self) -> String {
        format!("{} {}", self.given, self.family)
    }
}

impl Lexicon {
    /// # Errors
    ///
    /// If the file is not what we expect.
    pub(crate) fn load() -> Result<Self, DemoDataError> {
        toml::from_str(include_str!("../content/lexicon.toml")).map_err(|source| {
            DemoDataError::Content {
                file: "lexicon.toml".to_owned(),
                source,
            }
        })
    }

    /// A person whose given name and family name both belong to `split`.
    pub(crate) fn person(
        &self,
        split: Split,
        sex: Option<Sex>,
        random: &mut Random,
    ) -> Result<PersonName, DemoDataError> {
        let sex = sex.unwrap_or(if random.chance(50) {
            Sex::Female
        } else {
            Sex::Male
        });
        let total = self.culture.iter().map(|culture| culture.weight).sum();
        let mut ticket = random.below(total);
        let culture = self.culture.iter().find(|culture| {
            let found = ticket < culture.weight;
            ticket = ticket.saturating_sub(culture.weight);
            found
        });
        let culture = culture.ok_or_else(|| nothing("cultures"))?;
        let given = if sex == Sex::Female {
            &culture.women
        } else {
            &culture.men
        };
        // The lists of given names are short: every fourth is held out, whatever its hash.
        let given: Vec<&String> = given
            .iter()
            .enumerate()
            .filter(|(index, _)| (index % 4 == 3) == (split == Split::Dev))
            .map(|(_, name)| name)
            .collect();
        let given = random.pick(&given).ok_or_else(|| nothing("given names"))?;
        let family = draw_joined(&culture.stems, "", &culture.endings, split, random)?;
        Ok(PersonName {
            given: (*given).clone(),
            family,
            sex,
        })
    }

    /// A value of `kind` for a passage of `split`. Years are the passage's own business: see `squad::values`.
    pub(crate) fn draw(
        &self,
        kind: &Kind,
        split: Split,
        random: &mut Random,
    ) -> Result<String, DemoDataError> {
        match kind {
            Kind::Person | Kind::Spouse => Ok(self.person(split, None, random)?.full()),
            Kind::Surname => Ok(self.person(split, None, random)?.family),
            Kind::Year { .. } => year_between(1790, 1990, split, random),
            Kind::Date => until(split, || {
                let month = random.pick(&MONTHS).copied().unwrap_or_default();
                format!("{} {month}", random.between(1, 28))
            }),
            Kind::Number { low, high, unit } => Ok(format!(
                "{} {unit}",
                number_between(*low, *high, split, random)?
            )),
            Kind::Money { low, high } => {
                Ok(format!("£{}", number_between(*low, *high, split, random)?))
            }
            Kind::Pair(name) => {
                let pair = self
                    .pair
                    .get(name)
                    .ok_or_else(|| DemoDataError::UnknownKind {
                        found: name.clone(),
                    })?;
                draw_joined(&pair.first, &pair.joint, &pair.second, split, random)
            }
        }
    }
}

/// A year of `split` in `low..=high`.
pub(crate) fn year_between(
    low: usize,
    high: usize,
    split: Split,
    random: &mut Random,
) -> Result<String, DemoDataError> {
    // A short span may hold no year of this half; it is widened until it does.
    let mut high = high;
    until(split, || {
        high += 1;
        random.between(low, high).to_string()
    })
}

/// A number of `split` in `low..=high`, as rough as a writer would give it: 243, 1,850, 43,500.
fn number_between(
    low: usize,
    high: usize,
    split: Split,
    random: &mut Random,
) -> Result<String, DemoDataError> {
    until(split, || {
        // Even in the logarithm, so that a wide range gives small numbers too.
        let digits = |number: usize| number.max(1).ilog10();
        let digits = random.between(digits(low) as usize, digits(high) as usize) as u32;
        let value = random.between(
            low.max(10_usize.pow(digits)),
            high.min(10_usize.pow(digits + 1) - 1),
        );
        let step = match value {
            0..1000 => 1,
            1000..10_000 => 50,
            _ => 100,
        };
        with_commas(value / step * step)
    })
}

fn with_commas(value: usize) -> String {
    if value < 1000 {
        value.to_string()
    } else {
        format!("{},{:03}", with_commas(value / 1000), value % 1000)
    }
}

fn draw_joined(
    first: &[String],
    joint: &str,
    second: &[String],
    split: Split,
    random: &mut Random,
) -> Result<String, DemoDataError> {
    until(split, || match (random.pick(first), random.pick(second)) {
        (Some(first), Some(second)) => format!("{first}{joint}{second}"),
        _ => String::new(),
    })
}

/// Draws until the value belongs to `split`.
fn until(split: Split, mut draw: impl FnMut() -> String) -> Result<String, DemoDataError> {
    (0..ATTEMPTS)
        .map(|_| draw())
        .find(|value| Split::of(value) == split)
        .ok_or_else(|| nothing("names of one half"))
}

fn nothing(place: &str) -> DemoDataError {
    DemoDataError::NothingToChoose {
        place: format!("lexicon.toml, {place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(with_commas(7), "7");
        assert_eq!(with_commas(1850), "1,850");
        assert_eq!(with_commas(43_005), "43,005");
    }

    #[test]
    fn numbers_stay_in_range() {
        let mut random = Random::new(1, 0);
        for _ in 0..200 {
            let text = number_between(40, 9800, Split::Train, &mut random).unwrap();
            let value: usize = text.replace(',', "").parse().unwrap();
            assert!((40..=9800).contains(&value), "{text}");
        }
    }

    #[test]
    fn both_halves_have_people() {
        let lexicon = Lexicon::load().unwrap();
        let mut random = Random::new(1, 0);
        for split in [Split::Train, Split::Dev] {
            for _ in 0..50 {
                let person = lexicon
                    .person(split, Some(Sex::Female), &mut random)
                    .unwrap();
                assert_eq!(Split::of(&person.family), split, "{}", person.full());
            }
        }
    }
}
