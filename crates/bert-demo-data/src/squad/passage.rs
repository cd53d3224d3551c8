//! Writes a passage and asks about it.

use std::collections::{BTreeMap, BTreeSet};

use super::content::{Content, SLOTS, names};
use crate::names::{Names, sum, year};
use crate::random::Random;
use crate::template::{Piece, capitalised, choose, pieces};
use crate::{DemoDataError, Split, nothing_to_choose};

/// The fewest and the most events of a training passage. Short passages make the beginning of a training easier.
const TRAIN_EVENTS: [usize; 2] = [2, 5];
/// Those of a held-out passage.
const DEV_EVENTS: [usize; 2] = [4, 5];
/// Share of the events before which an aside stands, in percent.
const ASIDES: usize = 3;
/// Share of the questions that call a person by the given name alone, in percent.
const GIVEN_ALONE: usize = 30;
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

/// Something that somebody did: the values of the slots and the forms of the verb, by name.
type Event = BTreeMap<String, String>;

/// What passages are made of.
pub(crate) struct Writer<'a> {
    pub(crate) content: &'a Content,
    pub(crate) names: &'a Names,
    /// Templates of questions by the slot that answers them.
    pub(crate) questions: &'a BTreeMap<String, Vec<String>>,
    pub(crate) split: Split,
}

impl Writer<'_> {
    /// A passage with one or two questions about each event.
    pub(crate) fn passage(&self, random: &mut Random) -> Result<Passage, DemoDataError> {
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
            let count = random.between(1, 2);
            for answer in some(&told, count, random) {
                let text = self.question(&passage.mentions, &told, *answer, &event, random)?;
                passage.questions.push(Question {
                    text,
                    answer: *answer,
                });
            }
        }
        Ok(passage)
    }

    /// The events of one passage. No two have a value or a verb in common.
    fn events(&self, random: &mut Random) -> Result<Vec<Event>, DemoDataError> {
        let (names, split) = (self.names, self.split);
        let [fewest, most] = match split {
            Split::Train => TRAIN_EVENTS,
            Split::Dev => DEV_EVENTS,
        };
        let count = random.between(fewest, most);
        let things = some(&self.content.things, count, random);
        let verbs = some(&self.content.verbs, count, random);
        let mut used = BTreeSet::new();
        let mut events = Vec::new();
        for (thing, verb) in things.into_iter().zip(verbs) {
            let given = fresh(&mut used, || names.given.draw(split, random))?;
            let family = fresh(&mut used, || names.family.draw(split, random))?;
            let mut event = verb.clone();
            for (slot, value) in [
                ("who", format!("{given} {family}")),
                ("what", format!("the {thing}")),
                (
                    "where",
                    fresh(&mut used, || names.town.draw(split, random))?,
                ),
                ("when", fresh(&mut used, || year(split, random))?),
                ("sum", fresh(&mut used, || sum(split, random))?),
            ] {
                event.insert(slot.to_owned(), value);
            }
            events.push(event);
        }
        Ok(events)
    }

    /// A question for the mention `answer`. Of the event's values it names only those that are `told`.
    fn question(
        &self,
        mentions: &[Mention],
        told: &[usize],
        answer: usize,
        event: &Event,
        random: &mut Random,
    ) -> Result<String, DemoDataError> {
        let told: Vec<&str> = told.iter().map(|index| mentions[*index].slot).collect();
        let mut fitting: Vec<&String> = Vec::new();
        for template in &self.questions[mentions[answer].slot] {
            let named = names(template)?.into_iter();
            let mut values = named.filter(|name| SLOTS.contains(name));
            if values.all(|name| told.contains(&name)) {
                fitting.push(template);
            }
        }
        let template = choose(pick(&fitting, random)?, random)?;
        let mut named = event.clone();
        if random.chance(GIVEN_ALONE) {
            let given = named["who"].split(' ').next().unwrap_or_default();
            named.insert("who".to_owned(), given.to_owned());
        }
        let mut text = String::new();
        for piece in pieces(&template)? {
            text.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Slot(name) => &named[name],
            });
        }
        Ok(capitalised(&text))
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
