//! Fills the slots of a passage's relations with values that do not contradict or contain each other.

use std::collections::BTreeMap;

use super::domain::{Domain, Relation};
use super::subject::Subject;
use crate::kind::Kind;
use crate::lexicon::{Lexicon, Sex, year_between};
use crate::random::Random;
use crate::{DemoDataError, Split};

/// Attempts at a value that resembles no other before the passage is given up.
const ATTEMPTS: usize = 200;
/// No year lies after this one.
const LAST_YEAR: usize = 2015;

/// The values of one passage.
pub(crate) struct Values<'a> {
    lexicon: &'a Lexicon,
    split: Split,
    sex: Option<Sex>,
    /// By relation and slot.
    slots: BTreeMap<(String, String), String>,
    /// Lower-case texts already in use, the subject's name among them.
    taken: Vec<String>,
    /// Span that years mentioned in passing fall in.
    years: [usize; 2],
}

impl<'a> Values<'a> {
    /// Draws a value for each slot; `None` if no fitting one was found.
    pub(crate) fn draw(
        domain: &Domain,
        subject: &Subject,
        relations: &[&Relation],
        lexicon: &'a Lexicon,
        split: Split,
        random: &mut Random,
    ) -> Result<Option<Self>, DemoDataError> {
        let sex = subject.person.as_ref().map(|person| person.sex);
        let taken = vec![subject.full.to_lowercase()];
        let mut values = Self {
            lexicon,
            split,
            sex,
            slots: BTreeMap::new(),
            taken,
            years: [0, 0],
        };
        if !values.draw_years(domain, relations, random)? {
            return Ok(None);
        }
        for relation in relations {
            for (slot, kind) in &relation.slots {
                if matches!(kind, Kind::Year { .. }) {
                    continue;
                }
                let Some(value) = values.fresh(kind, random)? else {
                    return Ok(None);
                };
                values
                    .slots
                    .insert((relation.name.clone(), slot.clone()), value);
            }
        }
        Ok(Some(values))
    }

    /// The value of a slot.
    pub(crate) fn get(&self, relation: &Relation, slot: &str) -> &str {
        let value = self.slots.get(&(relation.name.clone(), slot.to_owned()));
        value.expect("`domain::check` rejects templates with unknown slots")
    }

    /// A value for something mentioned in passing; `None` if no fitting one was found.
    pub(crate) fn fresh(
        &mut self,
        kind: &Kind,
        random: &mut Random,
    ) -> Result<Option<String>, DemoDataError> {
        for _ in 0..ATTEMPTS {
            let value = match (kind, self.sex) {
                (Kind::Year { .. }, _) => {
                    year_between(self.years[0], self.years[1], self.split, random)?
                }
                (Kind::Spouse, Some(sex)) => {
                    let other = if sex == Sex::Female {
                        Sex::Male
                    } else {
                        Sex::Female
                    };
                    self.lexicon.person(self.split, Some(other), random)?.full()
                }
                _ => self.lexicon.draw(kind, self.split, random)?,
            };
            if self.take(&value) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Draws the years of a passage in the order of their ranks; false if they reach into the future.
    fn draw_years(
        &mut self,
        domain: &Domain,
        relations: &[&Relation],
        random: &mut Random,
    ) -> Result<bool, DemoDataError> {
        let mut dated: Vec<(usize, usize, String, String)> = Vec::new();
        for relation in relations {
            for (slot, kind) in &relation.slots {
                if let Kind::Year { rank } = kind {
                    // Years of one rank may come in either order.
                    dated.push((
                        *rank,
                        random.below(1000),
                        relation.name.clone(),
                        slot.clone(),
                    ));
                }
            }
        }
        dated.sort();
        let [first, last] = domain.first_year;
        let mut year = random.between(first, last);
        let start = year;
        let mut previous_rank = 1;
        for (rank, _, relation, slot) in dated {
            // A person is born at rank 1 and does nothing of note as a child.
            if domain.is_person && previous_rank == 1 && rank > 1 {
                year += 18;
            }
            previous_rank = rank;
            let longest_gap = if domain.is_person { 9 } else { 22 };
            let text = year_between(year + 1, year + longest_gap, self.split, random)?;
            year = text.parse().unwrap_or(year);
            self.taken.push(text.clone());
            self.slots.insert((relation, slot), text);
        }
        // Nothing in passing happens before the subject is grown up or built.
        let earliest = start + (year - start) / 2;
        self.years = [
            earliest.max(start + 25).min(LAST_YEAR - 20),
            (year + 10).min(LAST_YEAR).max(start + 45),
        ];
        Ok(year <= LAST_YEAR)
    }

    /// Takes `value` unless it shares a long word or a number with a value already taken.
    fn take(&mut self, value: &str) -> bool {
        let value = value.to_lowercase();
        let clash = self.taken.iter().any(|other| {
            other.contains(&value) || value.contains(other.as_str()) || shares_word(other, &value)
        });
        if !clash {
            self.taken.push(value);
        }
        !clash
    }
}

/// Whether two values share a name or a number; articles and units do not count.
fn shares_word(one: &str, other: &str) -> bool {
    const COMMON: [&str; 4] = ["a", "and", "the", "of"];
    let is_quantity = one.starts_with(|c: char| c == '£' || c.is_ascii_digit());
    one.split(' ')
        .take(if is_quantity { 1 } else { usize::MAX })
        .any(|word| !COMMON.contains(&word) && other.split(' ').any(|candidate| candidate == word))
}
