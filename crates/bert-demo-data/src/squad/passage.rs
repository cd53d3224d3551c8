//! Writes a passage and asks about it.

use std::collections::{BTreeMap, BTreeSet};

use super::content::{Content, SLOTS, names};
use crate::names::{Names, sum, year};
use crate::random::Random;
use crate::template::{Piece, capitalised, choose, pieces};
use crate::{DemoDataError, Split, nothing_to_choose};

/// Events that a passage may have.
const EVENTS: [usize; 2] = [4, 5];
/// Buildings and verbs that a passage's events are drawn from; fewer than events, so that neither alone tells which event
/// a question means.
const POOL: usize = 4;
/// Share of the events before which an aside stands, in percent.
const ASIDES: usize = 3;
/// Share of the questions that call a person by the given name alone, in percent.
const GIVEN_ALONE: usize = 30;
/// What stands for the value that a statement leaves blank.
const BLANK: &str = "_";

/// A passage and the questions about it.
#[derive(Debug, Clone)]
pub struct Passage {
    /// The text.
    pub context: String,
    /// Every value that a question could ask for, in reading order.
    pub mentions: Vec<Mention>,
    /// The questions.
    pub questions: Vec<Question>,
}

/// A value in a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What kind of value it is: `who`, `where`, `what`, `when` or `sum`.
    pub slot: &'static str,
    /// The value as the passage writes it.
    pub text: String,
    /// First character, counted in Unicode scalars.
    pub start: usize,
}

/// A question about a passage.
#[derive(Debug, Clone)]
pub struct Question {
    /// The question.
    pub text: String,
    /// Index of its answer among the passage's mentions.
    pub answer: usize,
}

/// How a passage is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// In natural questions, one or two about each event.
    Questions,
    /// In statements with a blank, one about each event.
    Blanks,
}

/// Something that somebody did: the values of the slots and the forms of the verb, by name.
type Event = BTreeMap<String, String>;

/// What passages are made of.
pub(crate) struct Writer<'a> {
    pub(crate) content: &'a Content,
    pub(crate) names: &'a Names,
    pub(crate) split: Split,
}

impl Writer<'_> {
    pub(crate) fn passage(
        &self,
        asking: Asking,
        random: &mut Random,
    ) -> Result<Passage, DemoDataError> {
        let mut passage = Passage {
            context: String::new(),
            mentions: Vec::new(),
            questions: Vec::new(),
        };
        let kinds: Vec<&Vec<String>> = self.content.sentences.values().collect();
        let sentences = *pick(&kinds, random)?;
        for event in self.events(random)? {
            if random.chance(ASIDES) {
                let aside = choose(pick(&self.content.asides, random)?, random)?;
                push_sentence(&mut passage.context, &aside);
            }
            let template = choose(pick(sentences, random)?, random)?;
            let first = passage.mentions.len();
            tell(&mut passage, &template, &event)?;
            let told: Vec<usize> = (first..passage.mentions.len()).collect();
            self.ask(&mut passage, &told, &event, asking, random)?;
        }
        Ok(passage)
    }

    /// The events of one passage. No two have a value in common but a building or a verb, and never both.
    fn events(&self, random: &mut Random) -> Result<Vec<Event>, DemoDataError> {
        let things = some(&self.content.things, POOL, random);
        let verbs = some(&self.content.verbs, POOL, random);
        let mut pairs: Vec<(&String, &Event)> = Vec::new();
        for thing in &things {
            pairs.extend(verbs.iter().map(|verb| (*thing, *verb)));
        }
        let count = *random.pick(&EVENTS).expect("the list is not empty");
        let (names, split) = (self.names, self.split);
        let mut used = BTreeSet::new();
        let mut events = Vec::new();
        for (thing, verb) in some(&pairs, count, random) {
            let mut event = (*verb).clone();
            let given = fresh(&mut used, || names.given(split, random))?;
            let family = fresh(&mut used, || names.family.draw(split, random))?;
            event.insert("who".to_owned(), format!("{given} {family}"));
            event.insert(
                "where".to_owned(),
                fresh(&mut used, || names.town.draw(split, random))?,
            );
            event.insert("what".to_owned(), format!("the {thing}"));
            event.insert("when".to_owned(), fresh(&mut used, || year(split, random))?);
            event.insert("sum".to_owned(), fresh(&mut used, || sum(split, random))?);
            events.push(event);
        }
        Ok(events)
    }

    /// Asks about an event whose sentence has the mentions `told`.
    fn ask(
        &self,
        passage: &mut Passage,
        told: &[usize],
        event: &Event,
        asking: Asking,
        random: &mut Random,
    ) -> Result<(), DemoDataError> {
        let count = match asking {
            Asking::Questions => random.between(1, 2),
            Asking::Blanks => 1,
        };
        let slots: Vec<&str> = told
            .iter()
            .map(|index| passage.mentions[*index].slot)
            .collect();
        for index in some(told, count, random) {
            let slot = passage.mentions[*index].slot;
            // A question names nothing that the passage does not tell.
            let fits = |template: &String| {
                let named = names(template).unwrap_or_default();
                let values = named.iter().filter(|name| SLOTS.contains(name));
                let asked = asking == Asking::Questions || named.contains(&slot);
                asked && values.into_iter().all(|name| slots.contains(name))
            };
            let mut templates: Vec<&String> = Vec::new();
            match asking {
                Asking::Questions => {
                    templates.extend(self.content.questions[slot].iter().filter(|one| fits(one)));
                }
                Asking::Blanks => {
                    let short = &self.content.statements;
                    let long = self.content.sentences.values().flatten();
                    let all = short.iter().chain(short).chain(long);
                    templates.extend(all.filter(|one| fits(one)));
                }
            }
            let template = choose(pick(&templates, random)?, random)?;
            let mut named = event.clone();
            if random.chance(GIVEN_ALONE) {
                let given = named["who"]
                    .split(' ')
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                named.insert("who".to_owned(), given);
            }
            let mut end = "";
            if asking == Asking::Blanks {
                named.insert(slot.to_owned(), BLANK.to_owned());
                end = ".";
            }
            let mut text = String::new();
            for piece in pieces(&template)? {
                text.push_str(match piece {
                    Piece::Text(text) => text,
                    Piece::Slot(name) => &named[name],
                });
            }
            passage.questions.push(Question {
                text: capitalised(&text) + end,
                answer: *index,
            });
        }
        Ok(())
    }
}

/// Adds the sentence that `template` makes of `event`, and its mentions.
fn tell(passage: &mut Passage, template: &str, event: &Event) -> Result<(), DemoDataError> {
    let mut sentence = String::new();
    let before = passage.context.chars().count() + usize::from(!passage.context.is_empty());
    for piece in pieces(template)? {
        match piece {
            Piece::Text(text) => sentence.push_str(text),
            Piece::Slot(name) => {
                let mut text = event[name].clone();
                if sentence.is_empty() {
                    text = capitalised(&text);
                }
                if let Some(slot) = SLOTS.into_iter().find(|slot| *slot == name) {
                    let start = before + sentence.chars().count();
                    passage.mentions.push(Mention {
                        slot,
                        text: text.clone(),
                        start,
                    });
                }
                sentence.push_str(&text);
            }
        }
    }
    push_sentence(&mut passage.context, &sentence);
    Ok(())
}

fn push_sentence(context: &mut String, sentence: &str) {
    if !context.is_empty() {
        context.push(' ');
    }
    context.push_str(sentence);
    context.push('.');
}

/// `count` of `items`, or all if there are fewer, in shuffled order.
fn some<'a, T>(items: &'a [T], count: usize, random: &mut Random) -> Vec<&'a T> {
    let mut items: Vec<&T> = items.iter().collect();
    random.shuffle(&mut items);
    items.truncate(count);
    items
}

fn pick<'a, T>(items: &'a [T], random: &mut Random) -> Result<&'a T, DemoDataError> {
    random
        .pick(items)
        .ok_or_else(|| nothing_to_choose("squad.toml"))
}

/// A value that is not in `used` yet.
fn fresh(
    used: &mut BTreeSet<String>,
    mut draw: impl FnMut() -> Result<String, DemoDataError>,
) -> Result<String, DemoDataError> {
    loop {
        let value = draw()?;
        if used.insert(value.clone()) {
            return Ok(value);
        }
    }
}
