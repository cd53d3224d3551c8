//! Puts a passage together: which facts it tells, in which order and in which words.

use std::collections::BTreeMap;

use super::domain::{Domain, Relation};
use super::question::{Question, ask};
use super::subject::Subject;
use super::values::Values;
use super::writer::{Filling, Mention, Tie, Writer};
use crate::kind::{Class, Kind};
use crate::lexicon::Lexicon;
use crate::random::Random;
use crate::template::{Piece, choose, introduces_subject};
use crate::{DemoDataError, Split};

/// Passages tried for one subject area before its word lists are called too small.
const ATTEMPTS: usize = 400;
/// Sets of relations drawn for a passage; the one with the most rival candidates is kept.
const DRAWS: usize = 3;
/// Length of a passage in words.
const WORDS: std::ops::RangeInclusive<usize> = 58..=112;

/// A passage and the questions about it.
#[derive(Debug, Clone)]
pub struct Passage {
    /// Title of its subject area.
    pub domain: String,
    /// Full name of what it is about.
    pub subject: String,
    /// The text.
    pub context: String,
    /// Every value in it, in reading order.
    pub mentions: Vec<Mention>,
    /// The questions.
    pub questions: Vec<Question>,
}

/// Writes one passage about a subject whose name is not in `used`.
pub(crate) fn write_passage(
    domain: &Domain,
    lexicon: &Lexicon,
    split: Split,
    used: &[String],
    random: &mut Random,
) -> Result<Passage, DemoDataError> {
    for _ in 0..ATTEMPTS {
        let subject = Subject::draw(domain, lexicon, split, random)?;
        if used.contains(&subject.full) {
            continue;
        }
        if let Some(passage) = attempt(domain, &subject, lexicon, split, random)? {
            return Ok(passage);
        }
    }
    Err(DemoDataError::NoPassage {
        domain: domain.title.clone(),
        attempts: ATTEMPTS,
    })
}

fn attempt(
    domain: &Domain,
    subject: &Subject,
    lexicon: &Lexicon,
    split: Split,
    random: &mut Random,
) -> Result<Option<Passage>, DemoDataError> {
    let relations = choose_relations(domain, random);
    let Some(mut values) = Values::draw(domain, subject, &relations, lexicon, split, random)?
    else {
        return Ok(None);
    };
    let mut writer = Writer::new(subject);
    let filler_count = random.between(1, 2);
    let mut fillers: Vec<&String> = domain.fillers.iter().collect();
    random.shuffle(&mut fillers);
    let filler_places: Vec<usize> = (0..filler_count)
        .map(|_| random.between(1, relations.len()))
        .collect();
    let mut complete = true;
    for index in 0..=relations.len() {
        for _ in filler_places.iter().filter(|place| **place == index) {
            let Some(filler) = fillers.pop() else { break };
            let filler = choose(filler, random)?;
            writer.sentence(&filler, Tie::Alone, random, |piece, random| {
                let kind = Kind::parse(if let Piece::Aside(kind) = piece {
                    kind
                } else {
                    ""
                })?;
                let text = values.fresh(&kind, random)?;
                complete &= text.is_some();
                Ok(Filling {
                    text: text.unwrap_or_default(),
                    kind,
                    source: None,
                })
            })?;
        }
        let Some(relation) = relations.get(index) else {
            break;
        };
        write_relation(relation, domain, &values, &mut writer, index, random)?;
    }
    let (context, mentions) = writer.finish();
    let words = context.split(' ').count();
    if !complete || !WORDS.contains(&words) || !each_value_once(&context, &mentions) {
        return Ok(None);
    }
    let questions = ask(
        &relations, subject, &values, &context, &mentions, split, random,
    )?;
    let (domain, subject) = (domain.title.clone(), subject.full.clone());
    Ok(Some(Passage {
        domain,
        subject,
        context,
        mentions,
        questions,
    }))
}

fn write_relation(
    relation: &Relation,
    domain: &Domain,
    values: &Values<'_>,
    writer: &mut Writer<'_>,
    index: usize,
    random: &mut Random,
) -> Result<(), DemoDataError> {
    let mut fitting = Vec::new();
    for sentence in &relation.sentences {
        let sentence = choose(sentence, random)?;
        if index > 0 || introduces_subject(&sentence) {
            fitting.push(sentence);
        }
    }
    let template = random
        .pick(&fitting)
        .map(String::as_str)
        .unwrap_or_default();
    let leads = template.starts_with("{S}");
    let tie = if index == 0 || !leads {
        Tie::Alone
    } else if writer.subject_is_topic() && template.len() < 90 && random.chance(20) {
        Tie::And
    } else if random.chance(12) {
        random
            .pick(&domain.openings)
            .map_or(Tie::Alone, |opening| Tie::Opening(opening))
    } else {
        Tie::Alone
    };
    writer.sentence(template, tie, random, |piece, _| {
        let slot = if let Piece::Slot(slot) = piece {
            slot
        } else {
            ""
        };
        let kind = relation.slots.get(slot).cloned().unwrap_or(Kind::Person);
        let source = Some((relation.name.clone(), slot.to_owned()));
        Ok(Filling {
            text: values.get(relation, slot).to_owned(),
            kind,
            source,
        })
    })
}

/// Draws four or five relations, so that most answers have rivals of their own class in the passage.
fn choose_relations<'a>(domain: &'a Domain, random: &mut Random) -> Vec<&'a Relation> {
    let count = random.between(4, 5);
    let mut best: (usize, Vec<&Relation>) = (0, Vec::new());
    for _ in 0..DRAWS {
        let mut relations: Vec<&Relation> = domain.relations.iter().collect();
        random.shuffle(&mut relations);
        relations.truncate(count);
        let mut classes: BTreeMap<Class, usize> = BTreeMap::new();
        for kind in relations
            .iter()
            .flat_map(|relation| relation.slots.values())
        {
            *classes.entry(kind.class()).or_default() += 1;
        }
        let rivals = 1 + classes
            .values()
            .map(|count| count * (count - 1))
            .sum::<usize>();
        if rivals > best.0 {
            best = (rivals, relations);
        }
    }
    best.1
}

/// Whether each value occurs exactly once, so that an answer's place is not in doubt.
fn each_value_once(context: &str, mentions: &[Mention]) -> bool {
    let characters: Vec<char> = context.chars().collect();
    mentions
        .iter()
        .filter(|mention| mention.source.is_some())
        .all(|mention| {
            let value: String = characters[mention.start..mention.start + mention.len]
                .iter()
                .collect();
            context.matches(&value).count() == 1
        })
}
