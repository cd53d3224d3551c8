//! What the demo passages and questions promise: exact spans, disjoint halves, no short cut to the answers.

#![allow(clippy::unwrap_used, reason = "a test ends by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use bert_demo_data::squad::{Asking, Mention, Passage, Question, generate, to_json};
use bert_demo_data::{SEED, Split};

fn both(asking: Asking) -> [Vec<Passage>; 2] {
    [(Split::Train, 300), (Split::Dev, 100)]
        .map(|(split, count)| generate(split, asking, count, SEED).unwrap())
}

fn questions(passages: &[Passage]) -> impl Iterator<Item = (&Passage, &Question)> {
    passages.iter().flat_map(|passage| {
        let questions = passage.questions.iter();
        questions.map(move |question| (passage, question))
    })
}

fn candidates<'a>(passage: &'a Passage, question: &Question) -> Vec<&'a Mention> {
    let slot = passage.mentions[question.answer].slot;
    let mentions = passage.mentions.iter();
    mentions.filter(|mention| mention.slot == slot).collect()
}

#[test]
fn mentions_are_slices_of_their_passage() {
    let mut beyond_ascii = 0;
    for passage in both(Asking::Questions).iter().flatten() {
        for mention in &passage.mentions {
            let rest = passage.context.chars().skip(mention.start);
            let slice: String = rest.take(mention.text.chars().count()).collect();
            assert_eq!(slice, mention.text);
        }
        beyond_ascii += usize::from(!passage.context.is_ascii());
    }
    assert!(
        beyond_ascii > 100,
        "character offsets are hardly put to the test"
    );
}

#[test]
fn held_out_names_are_new() {
    for asking in [Asking::Questions, Asking::Blanks] {
        let [train, dev] = both(asking);
        let parts = |passages: &[Passage]| -> BTreeSet<String> {
            let mentions = passages.iter().flat_map(|passage| &passage.mentions);
            let names = mentions.filter(|mention| mention.slot != "what");
            names
                .flat_map(|name| name.text.split(' ').map(str::to_owned))
                .collect()
        };
        let (train, dev) = (parts(&train), parts(&dev));
        let shared: Vec<&String> = train.intersection(&dev).collect();
        assert!(shared.is_empty(), "in both halves: {shared:?}");
        assert!(dev.len() > 300, "{} held-out names", dev.len());
    }
}

#[test]
fn a_guess_of_the_right_kind_is_mostly_wrong() {
    for passages in both(Asking::Questions) {
        let asked: Vec<_> = questions(&passages).collect();
        let share = |hit: &dyn Fn(&[&Mention], &Mention) -> f64| {
            let hits = asked.iter().map(|(passage, question)| {
                let answer = &passage.mentions[question.answer];
                hit(&candidates(passage, question), answer)
            });
            100.0 * hits.sum::<f64>() / asked.len() as f64
        };
        let mut scores = BTreeMap::new();
        scores.insert(
            "any".to_owned(),
            share(&|candidates, _| 1.0 / candidates.len() as f64),
        );
        for place in 0..5 {
            let hit = move |candidates: &[&Mention], answer: &Mention| {
                f64::from(candidates.get(place).is_some_and(|guess| *guess == answer))
            };
            scores.insert(format!("candidate {place}"), share(&hit));
        }
        println!("{scores:.1?}");
        assert!(scores.values().all(|score| *score < 40.0), "{scores:.1?}");
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.map(str::to_lowercase).filter(|word| word != "the")
}

/// A question names a person or a building of its answer's sentence, and no other sentence has them.
#[test]
fn a_question_means_one_event() {
    for passages in both(Asking::Questions) {
        for passage in &passages {
            let told: Vec<_> = passage
                .mentions
                .iter()
                .filter(|m| m.slot == "who")
                .collect();
            let names: BTreeSet<_> = told.iter().map(|mention| &mention.text).collect();
            assert_eq!(names.len(), told.len(), "{}", passage.context);
        }
        for (passage, question) in questions(&passages) {
            let sentence = |mention: &Mention| {
                let before = passage.context.chars().take(mention.start);
                before.filter(|letter| *letter == '.').count()
            };
            let answer = &passage.mentions[question.answer];
            let asked: Vec<String> = words(&question.text).collect();
            let asks_for = |text: &str| words(text).all(|word| asked.contains(&word));
            let named = passage.mentions.iter().filter(|mention| {
                let given = mention.text.split(' ').next().unwrap();
                asks_for(&mention.text) || (mention.slot == "who" && asks_for(given))
            });
            let places: BTreeSet<usize> = named.map(sentence).collect();
            assert_eq!(
                places,
                BTreeSet::from([sentence(answer)]),
                "{}: {}",
                passage.context,
                question.text
            );
        }
    }
}

#[test]
fn ids_are_unique() {
    let [train, dev] = both(Asking::Questions);
    let mut ids = BTreeSet::new();
    for (passages, prefix) in [(&train, "train"), (&dev, "dev")] {
        let json: serde_json::Value =
            serde_json::from_str(&to_json(passages, prefix).unwrap()).unwrap();
        for paragraph in json["data"][0]["paragraphs"].as_array().unwrap() {
            for qa in paragraph["qas"].as_array().unwrap() {
                assert!(ids.insert(qa["id"].as_str().unwrap().to_owned()), "{qa}");
            }
        }
    }
    assert_eq!(
        ids.len(),
        questions(&train).count() + questions(&dev).count()
    );
}

#[test]
fn texts_read_well() {
    for asking in [Asking::Questions, Asking::Blanks] {
        for passage in both(asking).iter().flatten() {
            let questions = passage.questions.iter().map(|question| &question.text);
            for text in questions.chain([&passage.context]) {
                for flaw in ["  ", " ,", " .", "..", "{", "}", "[", "]", "|", "the the "] {
                    assert!(!text.contains(flaw), "{flaw:?} in {text:?}");
                }
                let blank = text.starts_with('_');
                let first = text.chars().next().unwrap();
                assert!(first.is_uppercase() || blank, "{text:?}");
                assert!(text.ends_with(['.', '?']), "{text:?}");
            }
            let mut sentences = passage.context.split(". ");
            assert!(sentences.all(|sentence| !sentence.starts_with(char::is_lowercase)));
        }
    }
}
