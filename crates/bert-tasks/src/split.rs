//! A development set out of the training file.

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
        let mut classes: std::collections::BTreeMap<String, Vec<usize>> = Default::default();
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

    /// Takes examples out of a list, those of one group together, until their share is reached.
    ///
    /// # Errors
    /// When there are not two groups.
    pub(crate) fn take_out_groups<T>(
        self,
        examples: &mut Vec<T>,
        group: impl Fn(&T) -> usize,
    ) -> Result<Vec<T>, TaskError> {
        let mut sizes: std::collections::BTreeMap<usize, usize> = Default::default();
        for example in examples.iter() {
            *sizes.entry(group(example)).or_default() += 1;
        }
        let mut groups: Vec<usize> = sizes.keys().copied().collect();
        groups.shuffle(&mut ChaCha8Rng::seed_from_u64(self.seed));
        groups.pop();
        let wanted = self.share * examples.len() as f64;
        let mut count = 0;
        let mut chosen = std::collections::BTreeSet::new();
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
