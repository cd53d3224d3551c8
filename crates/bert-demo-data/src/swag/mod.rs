//! Multiple-choice rows in the layout of SWAG.
//!
//! A first sentence begins an *activity*; the second names its subject and takes one of four endings, of which one
//! belongs to the activity. Each ending is right once for every three times that it is wrong, in each file, so the
//! ending alone says nothing: it has to be related to the first sentence.

mod content;
mod csv_file;
mod endings;

pub(crate) use csv_file::to_csv;

use std::collections::BTreeSet;

use crate::people::People;
use crate::random::Random;
use crate::template::capitalised;
use crate::{DemoDataError, nothing_to_choose};
use content::{Activity, Frames};
use endings::Ending;

/// Times that each ending is right in the training file.
const TRAIN_ROUNDS: usize = 16;
/// Rows of the validation file.
const VAL_ROWS: usize = 300;
/// Rows of the test file.
const TEST_ROWS: usize = 60;
/// First of the random streams used here; SQuAD's are the small numbers.
const FIRST_STREAM: u64 = 2_000;
/// Attempts at a first sentence that is in no file yet.
const ATTEMPTS: usize = 1_000;

/// The files of the demo.
#[derive(Debug, Clone)]
pub(crate) struct Swag {
    pub(crate) train: Vec<Row>,
    pub(crate) val: Vec<Row>,
    pub(crate) test: Vec<Row>,
}

/// A row of a file.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Running number over all three files, for ids.
    pub(crate) number: usize,
    /// The first sentence.
    pub(crate) sent1: String,
    /// The subject of the second.
    pub(crate) sent2: String,
    /// Four ways to go on.
    pub(crate) endings: [String; 4],
    /// Index of the right one.
    pub(crate) label: usize,
}

/// All three files.
///
/// # Errors
///
/// If the content files have a mistake.
pub(crate) fn generate(seed: u64) -> Result<Swag, DemoDataError> {
    let activities = content::load_activities()?;
    let mut maker = Maker {
        frames: content::load_frames()?,
        people: People::load()?,
        activities: &activities,
        used: BTreeSet::new(),
        number: 0,
    };
    let all: Vec<Ending> = endings::all(&activities);
    let mut random = Random::new(seed, FIRST_STREAM);
    let train = maker.rows(&all.repeat(TRAIN_ROUNDS), &mut random)?;
    let mut held_out = |rows: usize, stream: u64| {
        let mut random = Random::new(seed, FIRST_STREAM + stream);
        // Whole rounds first, so that in each file the endings are right equally often, within one.
        let mut chosen = all.repeat(rows / all.len());
        let mut rest = all.clone();
        random.shuffle(&mut rest);
        chosen.extend(rest.into_iter().take(rows - chosen.len()));
        maker.rows(&chosen, &mut random)
    };
    Ok(Swag {
        train,
        val: held_out(VAL_ROWS, 1)?,
        test: held_out(TEST_ROWS, 2)?,
    })
}

struct Maker<'a> {
    frames: Frames,
    people: People,
    activities: &'a [Activity],
    /// First sentences of the rows made so far.
    used: BTreeSet<String>,
    number: usize,
}

impl Maker<'_> {
    /// One row for each of `right`, in shuffled order.
    fn rows(&mut self, right: &[Ending], random: &mut Random) -> Result<Vec<Row>, DemoDataError> {
        let mut right = right.to_vec();
        random.shuffle(&mut right);
        let wrong = endings::wrong(&right, self.activities, random)?;
        let mut labels: Vec<usize> = (0..right.len()).map(|index| index % 4).collect();
        random.shuffle(&mut labels);
        let mut rows = Vec::with_capacity(right.len());
        for ((right, wrong), label) in right.iter().zip(&wrong).zip(labels) {
            let (sent1, sent2) = self.context(right.activity, random)?;
            let mut endings = wrong.to_vec();
            endings.insert(label, *right);
            let text = |ending: &Ending| format!("{}.", ending.text(self.activities));
            rows.push(Row {
                number: self.number,
                sent1,
                sent2,
                endings: std::array::from_fn(|index| text(&endings[index])),
                label,
            });
            self.number += 1;
        }
        Ok(rows)
    }

    /// A first sentence that no row has yet, and the subject of the second.
    fn context(
        &mut self,
        activity: usize,
        random: &mut Random,
    ) -> Result<(String, String), DemoDataError> {
        for _ in 0..ATTEMPTS {
            let (who, sent2) = self.subject(random)?;
            let frame = random.pick(&self.frames.frames);
            let opening = random.pick(&self.activities[activity].openings);
            let (frame, opening) = frame
                .zip(opening)
                .ok_or_else(|| nothing_to_choose("swag, first sentences"))?;
            let text = frame.replace("{who}", &who).replace("{opening}", opening);
            let sent1 = format!("{}.", capitalised(&text));
            if self.used.insert(sent1.clone()) {
                return Ok((sent1, sent2));
            }
        }
        Err(DemoDataError::NoExample {
            task: "SWAG".to_owned(),
            attempts: ATTEMPTS,
        })
    }

    /// Who acts, in the first sentence and in the second: "Maria" and "She", or "the old man" and "The old man".
    fn subject(&self, random: &mut Random) -> Result<(String, String), DemoDataError> {
        let (list, pronoun) = match random.below(10) {
            0..4 => (&self.people.women, Some("She")),
            4..8 => (&self.people.men, Some("He")),
            _ => (&self.frames.roles, None),
        };
        let who = random
            .pick(list)
            .ok_or_else(|| nothing_to_choose("swag, people"))?;
        let again = pronoun.map_or_else(|| capitalised(who), str::to_owned);
        Ok((who.clone(), again))
    }
}
