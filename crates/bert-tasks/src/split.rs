//! A development set out of the training file.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::TaskError;

/// Which share of a file is held out, and by which seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Split {
    pub(crate) share: f64,
    pub(crate) seed: u64,
}

impl Split {
    /// Takes examples out of a list: of each class its share, rounded, but never all.
    ///
    /// # Errors
    /// When that is none.
    pub(crate) fn take_out<T>(
        self,
        examples: &mut Vec<T>,
        class: impl Fn(&T) -> String,
    ) -> Result<Vec<T>, TaskError> {
        let mut order: Vec<usize> = (0..examples.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(self.seed));
        let mut classes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for place in order {
            let class = class(&examples[place]);
            classes.entry(class).or_default().push(place);
        }
        let mut is_held_out = vec![false; examples.len()];
        for places in classes.values() {
            let count = (self.share * places.len() as f64).round() as usize;
            for place in &places[..count.min(places.len() - 1)] {
                is_held_out[*place] = true;
            }
        }
        self.separate(examples, &is_held_out)
    }

    /// Takes examples out of a list of which each has several labels or none: of each label its share, as nearly as may be.
    /// Sechidis et al. 2011, "On the Stratification of Multi-label Data": the label with the fewest examples that are not dealt
    /// yet goes first, and each of its examples to the side that lacks most of that label, or else most examples.
    ///
    /// # Errors
    /// When that is none.
    pub(crate) fn take_out_labelled<T>(
        self,
        examples: &mut Vec<T>,
        labels: &[Vec<String>],
    ) -> Result<Vec<T>, TaskError> {
        let mut order: Vec<usize> = (0..examples.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(self.seed));
        let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for place in order.iter().copied() {
            for label in &labels[place] {
                rows.entry(label).or_default().push(place);
            }
        }
        // What is still wanted of those that are held out, and of those that are kept.
        let wanted = |count: usize| {
            let count = count as f64;
            [self.share * count, (1.0 - self.share) * count]
        };
        let mut wanted_of: BTreeMap<&str, [f64; 2]> = rows
            .iter()
            .map(|(label, rows)| (*label, wanted(rows.len())))
            .collect();
        let mut wanted_in_all = wanted(examples.len());
        let mut dealt: Vec<Option<bool>> = vec![None; examples.len()];
        loop {
            for rows in rows.values_mut() {
                rows.retain(|place| dealt[*place].is_none());
            }
            rows.retain(|_, rows| !rows.is_empty());
            let rarest = rows.iter().min_by_key(|(_, rows)| rows.len());
            // Those without a label come last.
            let (label, places) = match rarest {
                Some((label, places)) => (Some(*label), places.clone()),
                None => {
                    let rest = order.iter().copied();
                    (None, rest.filter(|place| dealt[*place].is_none()).collect())
                }
            };
            for place in places {
                let of_label = label.map_or([0.0; 2], |label| wanted_of[label]);
                let lacks = [0, 1].map(|side| (of_label[side], wanted_in_all[side]));
                let is_out = lacks[0] > lacks[1];
                let side = usize::from(!is_out);
                for label in &labels[place] {
                    if let Some(wanted) = wanted_of.get_mut(label.as_str()) {
                        wanted[side] -= 1.0;
                    }
                }
                wanted_in_all[side] -= 1.0;
                dealt[place] = Some(is_out);
            }
            if label.is_none() {
                break;
            }
        }
        let is_held_out: Vec<bool> = dealt.iter().map(|dealt| *dealt == Some(true)).collect();
        self.separate(examples, &is_held_out)
    }

    /// Takes examples out of a list, those of one group together, until their share is reached.
    ///
    /// # Errors
    /// When there are not two groups.
    pub(crate) fn take_out_groups<T>(
        self,
        examples: &mut Vec<T>,
        group: impl Fn(&T) -> usize,
    ) -> Result<Vec<T>, TaskError> {
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        for example in examples.iter() {
            *sizes.entry(group(example)).or_default() += 1;
        }
        let mut groups: Vec<usize> = sizes.keys().copied().collect();
        groups.shuffle(&mut ChaCha8Rng::seed_from_u64(self.seed));
        groups.pop();
        let wanted = self.share * examples.len() as f64;
        let mut count = 0;
        let mut chosen = BTreeSet::new();
        for group in groups {
            if count as f64 >= wanted {
                break;
            }
            count += sizes[&group];
            chosen.insert(group);
        }
        let is_held_out: Vec<bool> = examples
            .iter()
            .map(|example| chosen.contains(&group(example)))
            .collect();
        self.separate(examples, &is_held_out)
    }

    fn separate<T>(self, examples: &mut Vec<T>, is_held_out: &[bool]) -> Result<Vec<T>, TaskError> {
        let total = examples.len();
        let mut held_out = Vec::new();
        let mut kept = Vec::new();
        for (example, is_out) in examples.drain(..).zip(is_held_out) {
            if *is_out {
                held_out.push(example);
            } else {
                kept.push(example);
            }
        }
        *examples = kept;
        if held_out.is_empty() {
            return Err(TaskError::Setting {
                setting: "validation_split",
                found: format!("{} of {total} examples", self.share),
                expected: "a share that holds out at least one and leaves one of its class, or of another passage"
                    .to_owned(),
            });
        }
        Ok(held_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPLIT: Split = Split {
        share: 0.2,
        seed: 7,
    };

    #[test]
    fn each_class_gives_its_share_and_keeps_one() {
        let all: Vec<(usize, &str)> = (0..100)
            .map(|n| (n, if n % 10 == 0 { "rare" } else { "often" }))
            .chain([(100, "once")])
            .collect();
        let mut kept = all.clone();
        let out = SPLIT.take_out(&mut kept, |it| it.1.to_owned()).unwrap();
        let count = |class| out.iter().filter(|it| it.1 == class).count();
        assert_eq!((count("rare"), count("often"), count("once")), (2, 18, 0));
        // In file order, each once.
        assert!(kept.is_sorted() && out.is_sorted());
        let mut both = [kept, out.clone()].concat();
        both.sort_unstable();
        assert_eq!(both, all);
        let again = SPLIT
            .take_out(&mut all.clone(), |it| it.1.to_owned())
            .unwrap();
        assert_eq!(again, out);
        let other = Split { seed: 8, ..SPLIT };
        let other = other
            .take_out(&mut all.clone(), |it| it.1.to_owned())
            .unwrap();
        assert_ne!(other, out);
    }

    #[test]
    fn of_several_labels_each_gives_its_share() {
        // 200 examples: half are `a`, a tenth `rare` too, a fifth `b`, three in ten without a label, one `once`.
        let labels: Vec<Vec<String>> = (0..200)
            .map(|n| {
                let has = [
                    ("a", n % 2 == 0),
                    ("rare", n % 20 == 0),
                    ("b", n % 5 == 1),
                    ("once", n == 7),
                ];
                let own = has.iter().filter(|(_, has)| *has);
                own.map(|(label, _)| (*label).to_owned()).collect()
            })
            .collect();
        let all: Vec<usize> = (0..200).collect();
        let mut kept = all.clone();
        let out = SPLIT.take_out_labelled(&mut kept, &labels).unwrap();
        assert_eq!(out.len(), 40);
        let count = |label: &str| {
            let has = |place: &&usize| labels[**place].iter().any(|own| own == label);
            out.iter().filter(has).count()
        };
        assert_eq!(
            (count("rare"), count("a"), count("b"), count("once")),
            (2, 20, 8, 0)
        );
        assert!(kept.is_sorted() && out.is_sorted());
        let again = SPLIT.take_out_labelled(&mut all.clone(), &labels).unwrap();
        assert_eq!(again, out);
        let other = Split { seed: 8, ..SPLIT };
        assert_ne!(
            other.take_out_labelled(&mut all.clone(), &labels).unwrap(),
            out
        );
    }

    #[test]
    fn groups_stay_together() {
        let mut questions: Vec<usize> = (0..30).map(|n| n / 3).collect();
        let out = SPLIT.take_out_groups(&mut questions, |it| *it).unwrap();
        assert_eq!((out.len(), questions.len()), (6, 24));
        assert!(out.iter().all(|group| !questions.contains(group)));
    }

    #[test]
    fn nothing_to_hold_out_is_refused() {
        for examples in [vec![1], vec![1, 1]] {
            let line = SPLIT
                .take_out_groups(&mut examples.clone(), |it| *it)
                .unwrap_err();
            assert!(line.to_string().contains("validation_split"), "{line}");
        }
        let line = SPLIT
            .take_out(&mut vec![1, 2], |it| it.to_string())
            .unwrap_err();
        assert!(line.to_string().contains("0.2 of 2 examples"), "{line}");
    }
}
