//! A passage with its right and predicted answers marked.

use maud::{Markup, html};

use super::text::{Clean, grouped};

/// Characters shown before and after an answer in a shortened passage.
const AROUND: usize = 160;
/// A passage up to this length is not shortened.
const SHORT: usize = 480;
/// Of a longer passage the rest is left out, and counted.
const MOST: usize = 20_000;

/// A passage's text and what is marked in it, half-open and in Unicode scalars. Spans may overlap, be empty, or be
/// partly or wholly outside the text: what there is of them is marked.
pub(super) struct Passage<'a> {
    text: &'a str,
    /// Where each scalar starts in bytes, and the end.
    offsets: Vec<usize>,
    gold: Vec<(usize, usize)>,
    predicted: Option<(usize, usize)>,
}

/// A part of a passage in which the same is marked.
#[derive(Debug, PartialEq)]
struct Piece<'a> {
    text: &'a str,
    gold: bool,
    predicted: bool,
}

impl<'a> Passage<'a> {
    pub(super) fn new(
        text: &'a str,
        gold: impl IntoIterator<Item = (usize, usize)>,
        predicted: Option<(usize, usize)>,
    ) -> Self {
        let starts = text.char_indices().map(|(start, _)| start);
        let offsets: Vec<usize> = starts.chain([text.len()]).collect();
        let last = offsets.len() - 1;
        let inside = |(start, end): (usize, usize)| (start.min(last), end.min(last));
        let is_some = |span: &(usize, usize)| span.0 < span.1;
        Self {
            text,
            gold: gold.into_iter().map(inside).filter(is_some).collect(),
            predicted: predicted.map(inside).filter(is_some),
            offsets,
        }
    }

    /// The passage, shortened around the answers where it is long, and then all of it to be unfolded.
    pub(super) fn render(&self) -> Markup {
        let length = self.offsets.len() - 1;
        if length <= SHORT {
            return html! { p.passage dir="auto" { (self.range(0, length)) } };
        }
        let excerpts = self.excerpts();
        let shown = length.min(MOST);
        html! {
            p.passage dir="auto" {
                @for (index, (start, end)) in excerpts.iter().enumerate() {
                    @if index == 0 && *start > 0 { "… " }
                    @if index > 0 { " … " }
                    (self.range(*start, *end))
                }
                @if excerpts.last().is_some_and(|(_, end)| *end < length) { " …" }
            }
            details {
                summary { "Whole passage" }
                p.passage dir="auto" { (self.range(0, shown)) }
                @if shown < length { p.note { (grouped((length - shown) as u64)) " more characters are left out." } }
            }
        }
    }

    /// What is shown of a long passage: around every answer, from word to word; the beginning where there is none.
    fn excerpts(&self) -> Vec<(usize, usize)> {
        let length = self.offsets.len() - 1;
        let mut spans: Vec<_> = self.gold.iter().chain(&self.predicted).copied().collect();
        spans.sort_unstable();
        if spans.is_empty() {
            spans.push((0, AROUND));
        }
        let mut excerpts: Vec<(usize, usize)> = Vec::new();
        for (start, end) in spans {
            // Most of an answer that is itself too long is left to the whole passage.
            let end = end.min(start + MOST / 10);
            let start = self.word_start(start.saturating_sub(AROUND));
            let end = self.word_end((end + AROUND).min(length));
            match excerpts.last_mut() {
                Some(last) if start <= last.1 + 1 => last.1 = last.1.max(end),
                _ => excerpts.push((start, end)),
            }
        }
        excerpts
    }

    fn is_space(&self, at: usize) -> bool {
        self.text[self.offsets[at]..].starts_with(char::is_whitespace)
    }

    /// The next start of a word, if one is near.
    fn word_start(&self, at: usize) -> usize {
        if at == 0 {
            return 0;
        }
        (at..at + AROUND / 4)
            .find(|at| *at > 0 && *at < self.offsets.len() - 1 && self.is_space(at - 1))
            .unwrap_or(at)
    }

    /// The last end of a word, if one is near.
    fn word_end(&self, at: usize) -> usize {
        if at + 1 >= self.offsets.len() {
            return at;
        }
        (at.saturating_sub(AROUND / 4)..=at)
            .rev()
            .find(|at| self.is_space(*at))
            .unwrap_or(at)
    }

    fn range(&self, start: usize, end: usize) -> Markup {
        html! {
            @for piece in self.pieces(start, end) {
                @match (piece.gold, piece.predicted) {
                    (false, false) => (Clean(piece.text)),
                    (true, false) => mark.gold title="right answer" { (Clean(piece.text)) },
                    (false, true) => mark.predicted title="predicted answer" { (Clean(piece.text)) },
                    (true, true) => mark.gold.predicted title="right and predicted answer" { (Clean(piece.text)) },
                }
            }
        }
    }

    /// The text from `start` to `end`, cut wherever what is marked changes.
    fn pieces(&self, start: usize, end: usize) -> Vec<Piece<'a>> {
        let spans = || self.gold.iter().chain(&self.predicted);
        let ends = spans().flat_map(|span| [span.0, span.1]);
        let mut cuts: Vec<usize> = ends.filter(|cut| (start..end).contains(cut)).collect();
        cuts.extend([start, end]);
        cuts.sort_unstable();
        cuts.dedup();
        let covers = |(first, last): &(usize, usize), at: usize| (*first..*last).contains(&at);
        let mut pieces: Vec<Piece<'a>> = Vec::new();
        // Where one right answer ends within another nothing changes: one mark must not look like two.
        let mut first = start;
        for cut in cuts.windows(2) {
            let marks = |at| {
                let gold = self.gold.iter().any(|span| covers(span, at));
                (gold, self.predicted.iter().any(|span| covers(span, at)))
            };
            let (gold, predicted) = marks(cut[0]);
            let text = |from: usize| &self.text[self.offsets[from]..self.offsets[cut[1]]];
            match pieces.last_mut() {
                Some(last) if (last.gold, last.predicted) == (gold, predicted) => {
                    last.text = text(first);
                }
                _ => {
                    first = cut[0];
                    let text = text(first);
                    pieces.push(Piece {
                        text,
                        gold,
                        predicted,
                    });
                }
            }
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scraper::{Html, Selector};

    use super::*;

    /// What is in elements of this selector, one text for each.
    fn texts(markup: &Markup, selector: &str) -> Vec<String> {
        let html = Html::parse_fragment(&markup.0);
        let selector = Selector::parse(selector).unwrap();
        html.select(&selector)
            .map(|element| element.text().collect())
            .collect()
    }

    #[test]
    fn marks_count_scalars() {
        let text = "😀é Paris is in France.";
        let passage = Passage::new(text, [(3, 8)], Some((15, 21)));
        let html = passage.render();
        assert_eq!(texts(&html, "mark.gold"), ["Paris"]);
        assert_eq!(texts(&html, "mark.predicted"), ["France"]);
        assert_eq!(texts(&html, "p"), [text]);
    }

    #[test]
    fn overlapping_marks_are_both_shown() {
        let html = Passage::new("one two three four", [(0, 7), (4, 13)], Some((8, 18))).render();
        assert_eq!(texts(&html, "mark.gold:not(.predicted)"), ["one two "]);
        assert_eq!(texts(&html, "mark.gold.predicted"), ["three"]);
        assert_eq!(texts(&html, "mark.predicted:not(.gold)"), [" four"]);
        assert_eq!(texts(&html, "p"), ["one two three four"]);
    }

    #[test]
    fn a_long_passage_is_shortened_between_words() {
        let words: Vec<String> = (0..400).map(|n| format!("w{n}")).collect();
        let text = words.join(" ");
        let at = |word: &str| text.find(&format!("{word} ")).unwrap();
        let (gold, predicted) = (at("w100"), at("w300"));
        let html =
            Passage::new(&text, [(gold, gold + 4)], Some((predicted, predicted + 4))).render();
        let shown = &texts(&html, "p")[0];
        assert!(shown.chars().count() < 800, "{shown}");
        assert_eq!(shown.matches('…').count(), 3, "{shown}");
        assert!(
            shown
                .split_whitespace()
                .all(|word| word == "…" || words.contains(&word.to_owned()))
        );
        assert_eq!(texts(&html, "details p"), [text.as_str()]);
        assert_eq!(texts(&html, "details mark"), ["w100", "w300"]);
        let long = "x".repeat(50_000);
        let html = Passage::new(&long, [(40_000, 49_000)], None).render();
        assert!(html.0.len() < 25_000);
        assert!(html.0.contains("30,000 more characters are left out"));
    }

    proptest! {
        #[test]
        fn any_spans_mark_what_there_is_of_them(
            text in "[ -~é😀\u{202e}\u{0}]{0,40}( word){0,150}",
            spans in prop::collection::vec((0_usize..900, 0_usize..900), 0..4),
            predicted in prop::option::of((any::<usize>(), any::<usize>())),
        ) {
            let passage = Passage::new(&text, spans.clone(), predicted);
            passage.render();
            let length = text.chars().count();
            let pieces = passage.pieces(0, length);
            prop_assert_eq!(pieces.iter().map(|piece| piece.text).collect::<String>(), text.clone());
            let mut at = 0;
            for piece in pieces {
                for _ in piece.text.chars() {
                    prop_assert_eq!(piece.gold, spans.iter().any(|span| span.0 <= at && at < span.1));
                    prop_assert_eq!(piece.predicted, predicted.is_some_and(|span| span.0 <= at && at < span.1));
                    at += 1;
                }
            }
        }
    }
}
