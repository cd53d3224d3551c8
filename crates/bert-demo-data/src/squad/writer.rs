//! Turns templates into the sentences of a passage and remembers where each value stands.

use super::subject::{Reference, Subject};
use crate::DemoDataError;
use crate::kind::{Class, Kind};
use crate::random::Random;
use crate::template::{Piece, capitalise, capitalised, pieces};

/// A value in a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What it could be the answer to.
    pub class: Class,
    /// First character, counted in Unicode scalars.
    pub start: usize,
    /// Length in Unicode scalars.
    pub len: usize,
    /// Relation and slot, for a value that is asked about.
    pub(crate) source: Option<(String, String)>,
}

/// A value that stands in for a slot of a sentence.
pub(crate) struct Filling {
    pub(crate) text: String,
    pub(crate) kind: Kind,
    pub(crate) source: Option<(String, String)>,
}

/// Writes a passage sentence by sentence.
pub(crate) struct Writer<'a> {
    subject: &'a Subject,
    text: String,
    mentions: Vec<Mention>,
    /// Whether the sentence before was about the subject, so that a pronoun is clear.
    subject_is_topic: bool,
}

/// How a sentence is tied to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tie<'a> {
    /// It stands alone.
    Alone,
    /// It follows an opening such as "Records show that".
    Opening(&'a str),
    /// It continues the sentence before: ", and it …".
    And,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(subject: &'a Subject) -> Self {
        Self {
            subject,
            text: String::new(),
            mentions: Vec::new(),
            subject_is_topic: false,
        }
    }

    /// The passage and its values.
    pub(crate) fn finish(self) -> (String, Vec<Mention>) {
        (self.text, self.mentions)
    }

    /// Whether a sentence has been written whose topic is the subject.
    pub(crate) fn subject_is_topic(&self) -> bool {
        self.subject_is_topic
    }

    /// Adds a sentence. `fill` gives the value of a slot, or of an aside's kind.
    pub(crate) fn sentence(
        &mut self,
        template: &str,
        tie: Tie<'_>,
        random: &mut Random,
        mut fill: impl FnMut(Piece<'_>, &mut Random) -> Result<Filling, DemoDataError>,
    ) -> Result<(), DemoDataError> {
        let pieces = pieces(template)?;
        match tie {
            _ if self.text.is_empty() => {}
            Tie::And => {
                self.text.pop(); // The full stop.
                self.text.push_str(", and ");
            }
            Tie::Alone | Tie::Opening(_) => self.text.push(' '),
        }
        if let Tie::Opening(opening) = tie {
            self.text.push_str(opening);
            self.text.push(' ');
        }
        let start = self.text.len();
        let mut named = tie == Tie::And;
        for (index, piece) in pieces.iter().enumerate() {
            let leads = index == 0;
            match *piece {
                Piece::Text(text) => self.text.push_str(text),
                Piece::Subject | Piece::SubjectPossessive => {
                    let reference = self.reference(leads, tie, named, random);
                    if *piece == Piece::Subject {
                        self.subject_mention(reference);
                    } else {
                        let possessive = self.subject.possessive(reference);
                        self.text.push_str(&possessive);
                    }
                    named = true;
                }
                // Without an antecedent the name is clearer than a pronoun.
                Piece::Nominative if leads && !self.subject_is_topic => {
                    let reference = self.reference(false, tie, false, random);
                    self.text.push_str(self.subject.name(reference));
                }
                Piece::Genitive if leads && !self.subject_is_topic => {
                    let reference = self.reference(false, tie, false, random);
                    self.text.push_str(&self.subject.possessive(reference));
                }
                Piece::Nominative => self.text.push_str(self.subject.nominative()),
                Piece::Genitive => self.text.push_str(self.subject.genitive()),
                Piece::Objective => self.text.push_str(self.subject.objective()),
                Piece::Job => self.text.push_str(&self.subject.job),
                Piece::Slot(_) | Piece::Aside(_) => {
                    let filling = fill(*piece, random)?;
                    self.value(filling, start);
                }
            }
        }
        if tie == Tie::Alone {
            capitalise(&mut self.text, start);
        }
        self.text.push('.');
        self.subject_is_topic = matches!(
            pieces.first(),
            Some(Piece::Subject | Piece::SubjectPossessive | Piece::Nominative | Piece::Genitive)
        );
        Ok(())
    }

    fn subject_mention(&mut self, reference: Reference) {
        if reference == Reference::Full && self.subject.person.is_some() {
            let name = self.subject.full.clone();
            let mention = Mention {
                class: Class::Person,
                start: self.text.chars().count(),
                len: name.chars().count(),
                source: None,
            };
            self.mentions.push(mention);
        }
        self.text.push_str(self.subject.name(reference));
    }

    /// Chooses how to refer to the subject: by name at first, later with more variety.
    fn reference(&self, leads: bool, tie: Tie<'_>, named: bool, random: &mut Random) -> Reference {
        let first = !self.text.contains(self.subject.name(Reference::Full))
            && !self
                .text
                .contains(&capitalised(self.subject.name(Reference::Full)));
        if first {
            return Reference::Full;
        }
        if leads && tie == Tie::And {
            return Reference::Pronoun;
        }
        if leads && tie == Tie::Alone && self.subject_is_topic && random.chance(60) {
            return Reference::Pronoun;
        }
        if named && self.subject.person.is_some() {
            return Reference::Family;
        }
        match random.below(10) {
            0..5 => Reference::Noun,
            5..8 => Reference::Family,
            _ => Reference::Full,
        }
    }

    fn value(&mut self, filling: Filling, sentence_start: usize) {
        let mut text = filling.text;
        if self.text.len() == sentence_start {
            // No sentence begins with a figure.
            if text.starts_with(|c: char| c.is_ascii_digit()) {
                self.text.push_str("some ");
            } else {
                text = capitalised(&text);
            }
        }
        let vowel = text.starts_with(['a', 'e', 'i', 'o', 'u']);
        if vowel
            && (self.text.ends_with(" a ")
                || self.text[sentence_start..].eq_ignore_ascii_case("a "))
        {
            self.text.pop();
            self.text.push_str("n ");
        }
        let start = self.text.chars().count();
        self.mentions.push(Mention {
            class: filling.kind.class(),
            start,
            len: text.chars().count(),
            source: filling.source,
        });
        self.text.push_str(&text);
    }
}
