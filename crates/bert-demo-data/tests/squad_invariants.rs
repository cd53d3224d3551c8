//! What the demo passages and questions promise: exact spans, disjoint halves, no short cut to the answers.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use bert_demo_data::squad::{Mention, Passage, Question, generate};
use bert_demo_data::{SEED, Split};

fn both() -> (Vec<Passage>, Vec<Passage>) {
    (
        generate(Split::Train, SEED).unwrap(),
        generate(Split::Dev, SEED).unwrap(),
    )
}

fn slice(context: &str, start: usize, len: usize) -> String {
    context.chars().skip(start).take(len).collect()
}

fn mention_text(passage: &Passage, mention: &Mention) -> String {
    slice(&passage.context, mention.start, mention.len)
}

fn questions(passages: &[Passage]) -> impl Iterator<Item = (&Passage, &Question)> {
    passages.iter().flat_map(|passage| {
        passage
            .questions
            .iter()
            .map(move |question| (passage, question))
    })
}

#[test]
fn answers_are_slices_of_their_passage() {
    let (train, dev) = both();
    let mut beyond_ascii = 0;
    for (passage, question) in questions(&train).chain(questions(&dev)) {
        for answer in &question.answers {
            assert_eq!(
                slice(&passage.context, answer.start, answer.text.chars().count()),
                answer.text
            );
            beyond_ascii += usize::from(!passage.context.is_ascii());
        }
    }
    assert!(
        beyond_ascii > 100,
        "character offsets are hardly put to the test"
    );
    assert!(questions(&train).all(|(_, question)| question.answers.len() == 1));
    assert!(questions(&dev).all(|(_, question)| (1..=3).contains(&question.answers.len())));
}

#[test]
fn there_is_enough_to_learn_from() {
    let (train, dev) = both();
    assert!((500..=700).contains(&train.len()), "{}", train.len());
    assert!((80..=100).contains(&dev.len()), "{}", dev.len());
    assert!(
        (3500..=5000).contains(&questions(&train).count()),
        "{}",
        questions(&train).count()
    );
    assert!(
        (500..=800).contains(&questions(&dev).count()),
        "{}",
        questions(&dev).count()
    );
}

#[test]
fn ids_are_unique() {
    let (train, dev) = both();
    let mut ids = BTreeSet::new();
    for (passages, split) in [(&train, Split::Train), (&dev, Split::Dev)] {
        let text = bert_demo_data::squad::to_json(passages, split).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        for article in json["data"].as_array().unwrap() {
            for paragraph in article["paragraphs"].as_array().unwrap() {
                for qa in paragraph["qas"].as_array().unwrap() {
                    assert!(
                        ids.insert(qa["id"].as_str().unwrap().to_owned()),
                        "{} twice",
                        qa["id"]
                    );
                }
            }
        }
    }
    assert_eq!(
        ids.len(),
        questions(&train).count() + questions(&dev).count()
    );
}

#[test]
fn held_out_names_are_new() {
    let (train, dev) = both();
    let names = |passages: &[Passage]| {
        let mut names: BTreeSet<String> = passages
            .iter()
            .map(|passage| passage.subject.to_lowercase())
            .collect();
        for passage in passages {
            names.extend(
                passage
                    .mentions
                    .iter()
                    .map(|mention| mention_text(passage, mention).to_lowercase()),
            );
        }
        names
    };
    let shared: Vec<String> = names(&train).intersection(&names(&dev)).cloned().collect();
    assert!(shared.is_empty(), "in both halves: {shared:?}");
    // Nor does a training passage hold a held-out name within other words.
    let words = |text: &str| {
        text.to_lowercase()
            .split(|c: char| " .;?".contains(c))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let text: String = train
        .iter()
        .map(|passage| format!(" {} ", words(&passage.context)))
        .collect();
    for name in &names(&dev) {
        assert!(
            !text.contains(&format!(" {name} ")),
            "{name:?} is in a training passage"
        );
    }
    let contexts: BTreeSet<&str> = train
        .iter()
        .chain(&dev)
        .map(|passage| passage.context.as_str())
        .collect();
    assert_eq!(
        contexts.len(),
        train.len() + dev.len(),
        "a passage occurs twice"
    );
}

/// Share of `passages`' questions, in percent, whose answer is the candidate at `place` among those of its class.
fn hits(passages: &[Passage], place: impl Fn(usize) -> Option<usize>) -> f64 {
    let mut found: u32 = 0;
    let mut asked: u32 = 0;
    for (passage, question) in questions(passages) {
        let candidates: Vec<&Mention> = passage
            .mentions
            .iter()
            .filter(|mention| mention.class == question.class)
            .collect();
        asked += 1;
        let guess = place(candidates.len()).and_then(|place| candidates.get(place));
        found += u32::from(guess.is_some_and(|guess| guess.start == question.answers[0].start));
    }
    100.0 * f64::from(found) / f64::from(asked)
}

#[test]
fn position_does_not_give_the_answer() {
    const BOUND: f64 = 50.0;
    let (train, dev) = both();
    for passages in [&train, &dev] {
        let mut scores = BTreeMap::new();
        for place in 0..5 {
            scores.insert(
                format!("candidate {place}"),
                hits(passages, |_| Some(place)),
            );
        }
        scores.insert(
            "last candidate".to_owned(),
            hits(passages, |count| count.checked_sub(1)),
        );
        scores.insert(
            "middle candidate".to_owned(),
            hits(passages, |count| Some(count / 2)),
        );
        println!("{scores:.1?}");
        assert!(scores.values().all(|score| *score < BOUND), "{scores:.1?}");
    }
}

#[test]
fn most_answers_have_rivals() {
    let (train, dev) = both();
    for passages in [&train, &dev] {
        let mut total: u32 = 0;
        let mut with_rival: u32 = 0;
        let mut chance = 0.0;
        for (passage, question) in questions(passages) {
            let candidates = passage
                .mentions
                .iter()
                .filter(|mention| mention.class == question.class)
                .count();
            total += 1;
            with_rival += u32::from(candidates > 1);
            chance += 1.0 / candidates as f64;
        }
        let total = f64::from(total);
        println!(
            "{:.1} % have rivals; a guess within the class: {:.1} %",
            100.0 * f64::from(with_rival) / total,
            100.0 * chance / total
        );
        assert!(f64::from(with_rival) > 0.85 * total);
    }
}

#[test]
fn passages_read_well() {
    let (train, dev) = both();
    for passage in train.iter().chain(&dev) {
        let text = &passage.context;
        for flaw in [
            "  ",
            " ,",
            " .",
            "..",
            ",,",
            "{",
            "}",
            "[",
            "]",
            "|",
            " the the ",
            " The ",
            " a a",
            " a e",
            " a i",
        ] {
            // " The " may open a sentence or a title, never follow a lower-case article.
            let found = if flaw == " The " {
                text.contains(" the The ")
            } else {
                text.contains(flaw)
            };
            assert!(!found, "{flaw:?} in {text:?}");
        }
        let first = text.chars().next().unwrap();
        assert!(first.is_uppercase() && text.ends_with('.'), "{text:?}");
        assert!(
            !text
                .split(". ")
                .any(|sentence| sentence.starts_with(char::is_lowercase)),
            "{text:?}"
        );
    }
    for (_, question) in questions(&train).chain(questions(&dev)) {
        assert!(
            question.text.ends_with('?') && question.text.starts_with(char::is_uppercase),
            "{}",
            question.text
        );
    }
}
