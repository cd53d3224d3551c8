//! Draws examples from the templates of a task.

use std::collections::{BTreeMap, BTreeSet};

use super::content::{Content, Relation, SecondKind, list_of};
use crate::random::Random;
use crate::template::{Piece, capitalised, choose, pieces};
use crate::{DemoDataError, nothing_to_choose};

/// Attempts at an example that is in no file of the task yet.
const ATTEMPTS: usize = 10_000;

/// A labelled sentence or pair of sentences.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) sentence1: String,
    /// None in tasks of one sentence.
    pub(crate) sentence2: Option<String>,
    /// As the file writes it.
    pub(crate) label: String,
}

/// The texts that a task's files hold so far.
pub(super) type Used = BTreeSet<(String, Option<String>)>;

/// The words that slots are filled with.
type Words<'a> = BTreeMap<String, &'a str>;

/// `rows` examples, the labels in the shares of their relations, in shuffled order; none of them in `used`.
///
/// # Errors
///
/// If the lists are too short, or a template has a mistake.
pub(super) fn draw(
    content: &Content,
    rows: usize,
    used: &mut Used,
    random: &mut Random,
) -> Result<Vec<Example>, DemoDataError> {
    let total: usize = content.relation.iter().map(|relation| relation.share).sum();
    let mut examples = Vec::with_capacity(rows);
    let mut share = 0;
    for relation in &content.relation {
        share += relation.share;
        // The shares add up to the whole, so that rounding loses no row.
        while examples.len() < rows * share / total.max(1) {
            examples.push(new_example(content, relation, used, random)?);
        }
    }
    random.shuffle(&mut examples);
    Ok(examples)
}

fn new_example(
    content: &Content,
    relation: &Relation,
    used: &mut Used,
    random: &mut Random,
) -> Result<Example, DemoDataError> {
    for _ in 0..ATTEMPTS {
        let Some(example) = attempt(content, relation, random)? else {
            continue;
        };
        if used.insert((example.sentence1.clone(), example.sentence2.clone())) {
            return Ok(example);
        }
    }
    Err(DemoDataError::NoExample {
        task: format!("label {:?}", relation.label),
        attempts: ATTEMPTS,
    })
}

/// One draw; `None` if sentence 2 does not show what makes its label right.
fn attempt(
    content: &Content,
    relation: &Relation,
    random: &mut Random,
) -> Result<Option<Example>, DemoDataError> {
    let kinds = content.kinds_with(&relation.first);
    let kind = *random
        .pick(&kinds)
        .ok_or_else(|| nothing_to_choose(&relation.first))?;
    let template1 = template(content, kind, &relation.first, random)?;
    let mut words = Words::new();
    let sentence1 = fill(content, template1, &mut words, &Words::new(), random)?;
    let finish = |sentence2| {
        Some(Example {
            sentence1: sentence1.clone(),
            sentence2,
            label: relation.label.clone(),
        })
    };
    let Some(second) = &relation.second else {
        return Ok(finish(None));
    };
    if relation.verbatim {
        return Ok(finish(Some(sentence1.clone())));
    }

    let others: Vec<&str> = content
        .kinds_with(second)
        .into_iter()
        .filter(|other| (*other == kind) == (relation.kind == SecondKind::Same))
        .collect();
    let other = *random
        .pick(&others)
        .ok_or_else(|| nothing_to_choose(second))?;
    let template2 = template(content, other, second, random)?;
    // Two wordings are no two wordings if they come from one template, unless they differ in a word.
    if template2 == template1 && relation.change.is_empty() {
        return Ok(None);
    }
    let mut before = Words::new();
    for slot in &relation.change {
        let Some(word) = words.remove(slot) else {
            return Ok(None);
        };
        before.insert(slot.clone(), word);
    }
    let sentence2 = fill(content, template2, &mut words, &before, random)?;
    let shown = relation.change.iter().all(|slot| words.contains_key(slot));
    Ok(if shown { finish(Some(sentence2)) } else { None })
}

fn template<'a>(
    content: &'a Content,
    kind: &str,
    part: &str,
    random: &mut Random,
) -> Result<&'a str, DemoDataError> {
    let templates = content.kind.get(kind).and_then(|parts| parts.get(part));
    templates
        .and_then(|templates| random.pick(templates))
        .map(String::as_str)
        .ok_or_else(|| nothing_to_choose(&format!("{kind}, {part}")))
}

/// The text of `template`. A slot that `words` lacks is drawn, differently from its word in `before` and from the
/// other slots of its list.
fn fill<'a>(
    content: &'a Content,
    template: &str,
    words: &mut Words<'a>,
    before: &Words<'a>,
    random: &mut Random,
) -> Result<String, DemoDataError> {
    let chosen = choose(template, random)?;
    let mut text = String::new();
    for piece in pieces(&chosen)? {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Slot(slot) => {
                if !words.contains_key(slot) {
                    let list = list_of(slot);
                    let taken = |word: &str| {
                        before.get(slot) == Some(&word)
                            || words
                                .iter()
                                .any(|(other, held)| list_of(other) == list && *held == word)
                    };
                    let free: Vec<&str> = content
                        .lists
                        .get(list)
                        .into_iter()
                        .flatten()
                        .map(String::as_str)
                        .filter(|word| !taken(word))
                        .collect();
                    let word = random.pick(&free).ok_or_else(|| nothing_to_choose(list))?;
                    words.insert(slot.to_owned(), word);
                }
                text.push_str(words[slot]);
            }
        }
    }
    Ok(if content.capitalise {
        capitalised(&text)
    } else {
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(relation: &str) -> Content {
        let text = format!(
            r#"
            rows = {{ train = 4, dev = 1, test = 1 }}
            layout = {{ train = ["sentence", "label"], test = ["index", "sentence"] }}
            relation = [{relation}]
            lists.colour = ["red", "blue"]
            kind.door.tell = ["the {{colour}} door.", "a door, {{colour}}."]
            kind.wall.tell = ["the {{colour}} wall."]
            "#
        );
        toml::from_str(&text).unwrap()
    }

    fn first(relation: &str) -> (String, String) {
        let mut random = Random::new(1, 0);
        let examples = draw(&content(relation), 1, &mut Used::new(), &mut random).unwrap();
        let example = examples[0].clone();
        (example.sentence1, example.sentence2.unwrap())
    }

    #[test]
    fn sentences_share_their_words() {
        let (one, two) = first(r#"{ label = "1", share = 1, first = "tell", second = "tell" }"#);
        assert_ne!(one, two);
        assert!(one.contains("door") && two.contains("door"), "{one} {two}");
        assert_eq!(one.contains("red"), two.contains("red"), "{one} {two}");
    }

    #[test]
    fn a_change_is_seen() {
        let (one, two) = first(
            r#"{ label = "0", share = 1, first = "tell", second = "tell", change = ["colour"] }"#,
        );
        assert_ne!(one.contains("red"), two.contains("red"), "{one} {two}");
    }

    #[test]
    fn another_kind_is_taken() {
        let (one, two) =
            first(r#"{ label = "0", share = 1, first = "tell", second = "tell", kind = "other" }"#);
        assert_ne!(one.contains("door"), two.contains("door"), "{one} {two}");
    }

    #[test]
    fn short_lists_run_out() {
        let relation = r#"{ label = "1", share = 1, first = "tell" }"#;
        let mut random = Random::new(1, 0);
        assert!(draw(&content(relation), 7, &mut Used::new(), &mut random).is_err());
    }
}
