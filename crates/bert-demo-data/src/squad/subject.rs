//! What a passage is about, and the ways to refer to it.

use super::domain::Domain;
use crate::kind::Kind;
use crate::lexicon::{Lexicon, PersonName, Sex};
use crate::random::Random;
use crate::template::{Piece, choose, pieces};
use crate::{DemoDataError, Split};

/// The subject of a passage.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// "the Amberhill Bridge", "Ada Holcroft".
    pub(crate) full: String,
    /// "the bridge".
    pub(crate) noun_phrase: String,
    /// The post that its leader holds: "captain".
    pub(crate) job: String,
    pub(crate) person: Option<PersonName>,
}

/// How a sentence refers to the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference {
    Full,
    Noun,
    Pronoun,
    /// A person's family name; for anything else the full name.
    Family,
}

impl Subject {
    pub(crate) fn draw(
        domain: &Domain,
        lexicon: &Lexicon,
        split: Split,
        random: &mut Random,
    ) -> Result<Self, DemoDataError> {
        let noun_phrase = format!("the {}", domain.noun);
        if domain.is_person {
            let person = lexicon.person(split, None, random)?;
            return Ok(Self {
                full: person.full(),
                noun_phrase,
                job: domain.job.clone(),
                person: Some(person),
            });
        }
        let template = random
            .pick(&domain.names)
            .map(String::as_str)
            .unwrap_or_default();
        let mut full = String::new();
        for piece in pieces(&choose(template, random)?)? {
            match piece {
                Piece::Text(text) => full.push_str(text),
                Piece::Slot(kind) => {
                    full.push_str(&lexicon.draw(&Kind::parse(kind)?, split, random)?)
                }
                _ => {
                    return Err(DemoDataError::UnknownKind {
                        found: template.to_owned(),
                    });
                }
            }
        }
        Ok(Self {
            full,
            noun_phrase,
            job: domain.job.clone(),
            person: None,
        })
    }

    /// The subject as `{S}`.
    pub(crate) fn name(&self, reference: Reference) -> &str {
        match (reference, &self.person) {
            (Reference::Full, _) | (Reference::Family, None) => &self.full,
            (Reference::Family, Some(person)) => &person.family,
            (Reference::Noun, _) => &self.noun_phrase,
            (Reference::Pronoun, _) => self.nominative(),
        }
    }

    /// The subject as `{S's}`.
    pub(crate) fn possessive(&self, reference: Reference) -> String {
        match reference {
            Reference::Pronoun => self.genitive().to_owned(),
            _ => format!("{}'s", self.name(reference)),
        }
    }

    pub(crate) fn nominative(&self) -> &'static str {
        self.pronoun("it", "she", "he")
    }

    pub(crate) fn genitive(&self) -> &'static str {
        self.pronoun("its", "her", "his")
    }

    pub(crate) fn objective(&self) -> &'static str {
        self.pronoun("it", "her", "him")
    }

    fn pronoun(&self, thing: &'static str, woman: &'static str, man: &'static str) -> &'static str {
        match self.person.as_ref().map(|person| person.sex) {
            None => thing,
            Some(Sex::Female) => woman,
            Some(Sex::Male) => man,
        }
    }
}
