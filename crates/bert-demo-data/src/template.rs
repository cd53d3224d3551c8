//! The template language of the content files: `[a|b]` is a choice, `{…}` is filled in.

use crate::DemoDataError;
use crate::random::Random;

/// A part of a template after its choices have been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Literal text.
    Text(&'a str),
    /// `{name}`: the value of a slot.
    Slot(&'a str),
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
        pieces.push(Piece::Slot(name));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// `text` with an upper-case first letter.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
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
            let text = choose("Who was the keeper [of {mill}|]?", &mut random).unwrap();
            assert!(
                text == "Who was the keeper of {mill}?" || text == "Who was the keeper?",
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
        let found = pieces("{mill} cost {sum}, they say").unwrap();
        let expected = [
            Piece::Slot("mill"),
            Piece::Text(" cost "),
            Piece::Slot("sum"),
            Piece::Text(", they say"),
        ];
        assert_eq!(found, expected);
    }
}
