//! Deals wrong endings so that each ending is wrong three times as often as it is right.

use super::content::Activity;
use crate::DemoDataError;
use crate::random::Random;

/// Wrong endings of a row.
pub(super) const WRONG: usize = 3;
/// Swaps tried for one place before the list of activities is called too small.
const ATTEMPTS: usize = 10_000;

/// An ending, by its place in the list of activities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) activity: usize,
    index: usize,
}

impl Ending {
    pub(super) fn text(self, activities: &[Activity]) -> &str {
        &activities[self.activity].endings[self.index]
    }
}

/// Every ending of `activities` once.
pub(super) fn all(activities: &[Activity]) -> Vec<Ending> {
    activities
        .iter()
        .enumerate()
        .flat_map(|(activity, content)| {
            (0..content.endings.len()).map(move |index| Ending { activity, index })
        })
        .collect()
}

/// Wrong endings for rows whose right endings are `right`: together three times the same endings, but in a row of
/// other groups than its own and of activities that differ.
///
/// # Errors
///
/// If no such deal is found.
pub(super) fn wrong(
    right: &[Ending],
    activities: &[Activity],
    random: &mut Random,
) -> Result<Vec<[Ending; WRONG]>, DemoDataError> {
    let mut dealt: Vec<[Ending; WRONG]> = right.iter().map(|ending| [*ending; WRONG]).collect();
    for place in 0..WRONG {
        let mut column = right.to_vec();
        random.shuffle(&mut column);
        let fits = |row: usize, ending: Ending, dealt: &[[Ending; WRONG]]| {
            let group = |ending: Ending| activities[ending.activity].group.as_str();
            group(ending) != group(right[row])
                && dealt[row][..place]
                    .iter()
                    .all(|other| other.activity != ending.activity)
        };
        for row in 0..right.len() {
            // An exchange keeps the counts, and may not spoil the row it is made with.
            let mut left = ATTEMPTS;
            while !fits(row, column[row], &dealt) {
                let other = random.below(column.len());
                if fits(row, column[other], &dealt) && fits(other, column[row], &dealt) {
                    column.swap(row, other);
                }
                left = left
                    .checked_sub(1)
                    .ok_or_else(|| DemoDataError::NoExample {
                        task: "SWAG".to_owned(),
                        attempts: ATTEMPTS,
                    })?;
            }
        }
        for (dealt, ending) in dealt.iter_mut().zip(column) {
            dealt[place] = ending;
        }
    }
    Ok(dealt)
}
