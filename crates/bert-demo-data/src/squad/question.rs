//! Asks about the values of a passage.

use super::domain::Relation;
use super::subject::{Reference, Subject};
use super::values::Values;
use super::writer::Mention;
use crate::kind::{Class, Kind};
use crate::random::Random;
use crate::template::{Piece, capitalised, choose, pieces};
use crate::{DemoDataError, Split};

/// A gold answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The words as they stand in the passage.
    pub text: String,
    /// First character, counted in Unicode scalars.
    pub start: usize,
}

/// A question about a passage.
#[derive(Debug, Clone)]
pub struct Question {
    /// The question.
    pub text: String,
    /// One answer in training passages, up to three in held-out ones; the first is the whole value.
    pub answers: Vec<Answer>,
    /// What kind of answer it takes.
    pub class: Class,
}

/// One question for each value of `relations`.
pub(crate) fn ask(
    relations: &[&Relation],
    subject: &Subject,
    values: &Values<'_>,
    context: &str,
    mentions: &[Mention],
    split: Split,
    random: &mut Random,
) -> Result<Vec<Question>, DemoDataError> {
    let mut questions = Vec::new();
    for mention in mentions {
        let Some((relation, slot)) = &mention.source else {
            continue;
        };
        let Some(relation) = relations
            .iter()
            .find(|candidate| candidate.name == *relation)
        else {
            continue;
        };
        let rivals = mentions
            .iter()
            .filter(|other| other.class == mention.class)
            .count();
        // A value without a rival is easy to find; half of them are left out.
        if rivals < 2 && random.chance(50) {
            continue;
        }
        let (Some(templates), Some(kind)) =
            (relation.questions.get(slot), relation.slots.get(slot))
        else {
            continue;
        };
        let template = random
            .pick(templates)
            .map(String::as_str)
            .unwrap_or_default();
        let text = phrase(
            &choose(template, random)?,
            relation,
            subject,
            values,
            random,
        )?;
        let value: String = context
            .chars()
            .skip(mention.start)
            .take(mention.len)
            .collect();
        let mut answers = vec![Answer {
            text: value,
            start: mention.start,
        }];
        if split == Split::Dev {
            add_other_answers(&mut answers, kind, random);
        }
        questions.push(Question {
            text,
            answers,
            class: mention.class.clone(),
        });
    }
    random.shuffle(&mut questions);
    Ok(questions)
}

fn phrase(
    template: &str,
    relation: &Relation,
    subject: &Subject,
    values: &Values<'_>,
    random: &mut Random,
) -> Result<String, DemoDataError> {
    let mut text = String::new();
    for piece in pieces(template)? {
        match piece {
            Piece::Text(words) => text.push_str(words),
            Piece::Subject | Piece::SubjectPossessive => {
                let reference = match random.below(10) {
                    0..5 => Reference::Full,
                    5..7 => Reference::Family,
                    _ => Reference::Noun,
                };
                if piece == Piece::Subject {
                    text.push_str(subject.name(reference));
                } else {
                    text.push_str(&subject.possessive(reference));
                }
            }
            Piece::Nominative => text.push_str(subject.nominative()),
            Piece::Genitive => text.push_str(subject.genitive()),
            Piece::Objective => text.push_str(subject.objective()),
            Piece::Job => text.push_str(&subject.job),
            Piece::Slot(slot) => text.push_str(values.get(relation, slot)),
            Piece::Aside(_) => {}
        }
    }
    Ok(capitalised(&text))
}

/// Adds the shorter answers that another reader would have given: a family name, a number without its unit.
fn add_other_answers(answers: &mut Vec<Answer>, kind: &Kind, random: &mut Random) {
    let Some(whole) = answers.first().cloned() else {
        return;
    };
    let after = |text: &str| Answer {
        start: whole.start + whole.text[..whole.text.len() - text.len()].chars().count(),
        text: text.to_owned(),
    };
    let shorter = match kind {
        Kind::Person | Kind::Spouse => whole.text.split_once(' ').map(|(_, family)| after(family)),
        Kind::Number { .. } => whole.text.split_once(' ').map(|(number, _)| Answer {
            start: whole.start,
            text: number.to_owned(),
        }),
        Kind::Money { .. } => whole.text.strip_prefix('£').map(after),
        _ => None,
    };
    if random.chance(40) {
        answers.push(whole.clone());
    }
    answers.extend(shorter.filter(|_| random.chance(50)));
}
