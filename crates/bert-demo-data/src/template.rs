//! The template language of the content files: `[a|b]` is a choice, `{…}` is filled in.

use crate::DemoDataError;
use crate::random::Random;

/// A part of a template after its choices have been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Literal text.
    Text(&'a str),
    /// `{S}`: the subject of the passage.
    Subject,
    /// `{S's}`: its possessive.
    SubjectPossessive,
    /// `{it}`: it, she, he.
    Nominative,
    /// `{its}`: its, her, his.
    Genitive,
    /// `{them}`: it, her, him.
    Objective,
    /// `{job}`: the post that its leader holds.
    Job,
    /// `{name}`: the value of a slot.
    Slot(&'a str),
    /// `{?kind}`: a value that nobody asks about.
    Aside(&'a str),
}

/// Replaces each `[a|b|…]` of `template` by one of its alternatives. Choices do not nest.
///
/// # Errors
///
/// If a bracket is not closed.
pub(crate) fn choose(template: &str, random: &mut Random) -> Result<String, DemoDataError> {
    let mut chosen = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('[') {
        let (inside, after) = after
            .split_once(']')
            .ok_or_else(|| unclosed('[', template))?;
        let alternatives: Vec<&str> = inside.split('|').collect();
        chosen.push_str(before);
        chosen.push_str(random.pick(&alternatives).copied().unwrap_or_default());
        rest = after;
    }
    chosen.push_str(rest);
    // An empty alternative leaves two blanks, or one before a comma or question mark.
    Ok(chosen
        .replace("  ", " ")
        .replace(" ,", ",")
        .replace(" ?", "?")
        .trim()
        .to_owned())
}

/// Texts of `template` in which each alternative is taken at least once, for checking it.
///
/// # Errors
///
/// If a bracket is not closed.
pub(crate) fn variants(template: &str) -> Result<Vec<String>, DemoDataError> {
    let mut variants = vec![String::new()];
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('[') {
        let (inside, after) = after
            .split_once(']')
            .ok_or_else(|| unclosed('[', template))?;
        let alternatives: Vec<&str> = inside.split('|').collect();
        while variants.len() < alternatives.len() {
            variants.push(variants[0].clone());
        }
        for (index, variant) in variants.iter_mut().enumerate() {
            variant.push_str(before);
            variant.push_str(alternatives[index % alternatives.len()]);
        }
        rest = after;
    }
    for variant in &mut variants {
        variant.push_str(rest);
    }
    Ok(variants)
}

/// Splits a template whose choices have been made.
///
/// # Errors
///
/// If a brace is not closed.
pub(crate) fn pieces(template: &str) -> Result<Vec<Piece<'_>>, DemoDataError> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| unclosed('{', template))?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(match name {
            "S" => Piece::Subject,
            "S's" => Piece::SubjectPossessive,
            "it" => Piece::Nominative,
            "its" => Piece::Genitive,
            "them" => Piece::Objective,
            "job" => Piece::Job,
            _ => name
                .strip_prefix('?')
                .map_or(Piece::Slot(name), Piece::Aside),
        });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Whether the template can begin a passage: it names the subject before it uses a pronoun for it.
pub(crate) fn introduces_subject(template: &str) -> bool {
    let subject = template
        .find("{S}")
        .into_iter()
        .chain(template.find("{S's}"))
        .min();
    let pronoun = ["{it}", "{its}", "{them}"]
        .iter()
        .filter_map(|pronoun| template.find(pronoun))
        .min();
    subject.is_some_and(|subject| pronoun.is_none_or(|pronoun| subject < pronoun))
}

/// `text` with an upper-case first letter.
pub(crate) fn capitalised(text: &str) -> String {
    let mut text = text.to_owned();
    capitalise(&mut text, 0);
    text
}

/// Puts the letter at byte `start` into upper case.
pub(crate) fn capitalise(text: &mut String, start: usize) {
    if let Some(letter) = text.get(start..).and_then(|rest| rest.chars().next()) {
        let upper: String = letter.to_uppercase().collect();
        text.replace_range(start..start + letter.len_utf8(), &upper);
    }
}

fn unclosed(bracket: char, template: &str) -> DemoDataError {
    DemoDataError::Unclosed {
        bracket,
        template: template.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_leave_no_stray_blanks() {
        let mut random = Random::new(1, 0);
        for _ in 0..20 {
            let text = choose("Who was the keeper [of {S}|]?", &mut random).unwrap();
            assert!(
                text == "Who was the keeper of {S}?" || text == "Who was the keeper?",
                "{text:?}"
            );
        }
        assert!(choose("Who [was", &mut random).is_err());
    }

    #[test]
    fn variants_take_every_alternative() {
        assert_eq!(
            variants("a [b|c] d [e|f|g]").unwrap(),
            ["a b d e", "a c d f", "a b d g"]
        );
    }

    #[test]
    fn templates_are_split() {
        let found = pieces("{S} cost {cost}, says {?person}").unwrap();
        let expected = [
            Piece::Subject,
            Piece::Text(" cost "),
            Piece::Slot("cost"),
            Piece::Text(", says "),
            Piece::Aside("person"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_pronoun_does_not_introduce() {
        assert!(introduces_subject("In {year} {S} sold {its} bell"));
        assert!(!introduces_subject("With {its} bell, {S} was sold"));
        assert!(!introduces_subject("The bell was sold"));
    }
}
