//! Scores of examples that have several labels or none, equal to scikit-learn's.

/// What is right and wrong of one label, or of all.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    right: usize,
    predicted: usize,
    gold: usize,
}

impl Counts {
    fn add(&mut self, gold: bool, predicted: bool) {
        self.right += usize::from(gold && predicted);
        self.predicted += usize::from(predicted);
        self.gold += usize::from(gold);
    }

    /// `2 right / (predicted + gold)`; 0 where there is neither.
    fn f1(self) -> f64 {
        match self.predicted + self.gold {
            0 => 0.0,
            both => 2.0 * self.right as f64 / both as f64,
        }
    }
}

/// The F1 of all labels of all examples counted together: `f1_score(average="micro")` of scikit-learn.
///
/// # Panics
///
/// Panics where the slices differ in length.
#[must_use]
pub fn micro_f1(gold: &[Vec<bool>], predicted: &[Vec<bool>]) -> f64 {
    let mut all = Counts::default();
    for_each(gold, predicted, |_, gold, predicted| {
        all.add(gold, predicted)
    });
    all.f1()
}

/// The mean of the labels' F1: `f1_score(average="macro")` of scikit-learn, with 0 for a label that no example has and none is
/// given.
///
/// # Panics
///
/// Panics where the slices differ in length.
#[must_use]
pub fn macro_f1(gold: &[Vec<bool>], predicted: &[Vec<bool>]) -> f64 {
    let mut labels = vec![Counts::default(); gold.first().map_or(0, Vec::len)];
    for_each(gold, predicted, |label, gold, predicted| {
        labels[label].add(gold, predicted);
    });
    match labels.len() {
        0 => 0.0,
        count => labels.iter().map(|label| label.f1()).sum::<f64>() / count as f64,
    }
}

/// The share of examples whose labels are all right: `accuracy_score` of scikit-learn.
///
/// # Panics
///
/// Panics where the slices differ in length.
#[must_use]
pub fn exact_match(gold: &[Vec<bool>], predicted: &[Vec<bool>]) -> f64 {
    assert_eq!(gold.len(), predicted.len(), "one prediction an example");
    let right = gold.iter().zip(predicted).filter(|(a, b)| a == b).count();
    right as f64 / gold.len().max(1) as f64
}

/// The mean binary cross-entropy of logits over labels and examples: `BCEWithLogitsLoss` of PyTorch, in `f64`.
///
/// # Panics
///
/// Panics where there is not one row of logits for each example.
#[must_use]
pub fn mean_binary_cross_entropy(logits: &[Vec<f32>], gold: &[Vec<bool>]) -> f64 {
    assert_eq!(gold.len(), logits.len(), "one row of logits an example");
    let pairs = logits.iter().flatten().zip(gold.iter().flatten());
    let (mut sum, mut count) = (0.0, 0_usize);
    for (logit, has) in pairs {
        let against = f64::from(if *has { -*logit } else { *logit });
        sum += against.max(0.0) + (-against.abs()).exp().ln_1p();
        count += 1;
    }
    sum / count.max(1) as f64
}

/// The threshold with the best micro F1 where labels with a probability above it are given, and that F1: halfway between two
/// neighbouring probabilities. Of equally good ones it is the nearest to one half.
///
/// # Panics
///
/// Panics where there is not one row of probabilities for each example.
#[must_use]
pub fn best_threshold(gold: &[Vec<bool>], probabilities: &[Vec<f64>]) -> (f64, f64) {
    assert_eq!(gold.len(), probabilities.len(), "one row an example");
    let pairs = probabilities.iter().flatten().zip(gold.iter().flatten());
    let mut pairs: Vec<(f64, bool)> = pairs.map(|(p, has)| (*p, *has)).collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut counts = Counts {
        gold: pairs.iter().filter(|(_, has)| *has).count(),
        ..Counts::default()
    };
    let distance = |threshold: f64| (threshold - 0.5_f64).abs();
    let mut best: Option<(f64, f64)> = None;
    for (n, (probability, has)) in pairs.iter().enumerate() {
        counts.predicted += 1;
        counts.right += usize::from(*has);
        let next = pairs.get(n + 1).map_or(0.0, |(next, _)| *next);
        let mut threshold = (probability + next) / 2.0;
        if threshold >= *probability {
            // Equal probabilities are on one side of every threshold.
            continue;
        }
        if next < 0.5 && 0.5 < *probability {
            threshold = 0.5;
        }
        let f1 = counts.f1();
        let better =
            best.is_none_or(|(at, of)| f1 > of || (f1 == of && distance(threshold) < distance(at)));
        if better {
            best = Some((threshold, f1));
        }
    }
    best.unwrap_or((0.5, 0.0))
}

/// Tells of each label of each example whether the example has it, and whether it is predicted.
fn for_each(gold: &[Vec<bool>], predicted: &[Vec<bool>], mut tell: impl FnMut(usize, bool, bool)) {
    assert_eq!(gold.len(), predicted.len(), "one prediction an example");
    for (gold, predicted) in gold.iter().zip(predicted) {
        assert_eq!(gold.len(), predicted.len(), "one prediction a label");
        for (label, (gold, predicted)) in gold.iter().zip(predicted).enumerate() {
            tell(label, *gold, *predicted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[u8]]) -> Vec<Vec<bool>> {
        let row = |row: &&[u8]| row.iter().map(|it| *it == 1).collect();
        rows.iter().map(row).collect()
    }

    #[test]
    fn scores_equal_those_of_scikit_learn() {
        // f1_score and accuracy_score of scikit-learn give 0.75, 0.5 and 0.3333333333333333.
        let gold = rows(&[&[1, 0, 1, 0], &[0, 0, 0, 0], &[1, 1, 0, 0]]);
        let predicted = rows(&[&[1, 0, 0, 0], &[0, 0, 0, 0], &[1, 1, 1, 0]]);
        assert!((micro_f1(&gold, &predicted) - 6.0 / 8.0).abs() < 1e-12);
        assert!((macro_f1(&gold, &predicted) - (1.0 + 1.0) / 4.0).abs() < 1e-12);
        assert!((exact_match(&gold, &predicted) - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(micro_f1(&[], &[]), 0.0);
        assert_eq!(macro_f1(&[], &[]), 0.0);
        assert_eq!(exact_match(&[], &[]), 0.0);
    }

    #[test]
    fn the_loss_is_finite_for_logits_of_any_size() {
        let gold = rows(&[&[1, 0], &[1, 0]]);
        let loss = mean_binary_cross_entropy(&[vec![0.0, 0.0], vec![-1e30, -1e30]], &gold);
        let expected = (2.0 * 2.0_f64.ln() + f64::from(1e30_f32)) / 4.0;
        assert!((loss - expected).abs() < 1e-9 * expected);
    }

    #[test]
    fn the_best_threshold_is_that_of_trying_all() {
        let gold = rows(&[&[1, 0], &[1, 0], &[0, 1], &[0, 0]]);
        let odd = |n: usize| ((n * 37 + 11) % 23) as f64 / 23.0;
        for shift in 0..23 {
            let at = |n: usize| odd(n + shift);
            let probabilities: Vec<Vec<f64>> =
                (0..4).map(|n| vec![at(2 * n), at(2 * n + 1)]).collect();
            let of = |threshold: f64| {
                let above = |row: &Vec<f64>| row.iter().map(|p| *p > threshold).collect();
                let predicted: Vec<Vec<bool>> = probabilities.iter().map(above).collect();
                micro_f1(&gold, &predicted)
            };
            let (threshold, f1) = best_threshold(&gold, &probabilities);
            assert_eq!(of(threshold), f1);
            assert!((0..460).all(|n| of(f64::from(n) / 460.0) <= f1));
        }
        // Equal probabilities cannot be told apart.
        let equal = vec![vec![0.7, 0.7]; 4];
        let (threshold, f1) = best_threshold(&gold, &equal);
        assert_eq!((threshold, f1), (0.5, 6.0 / 11.0));
        assert_eq!(best_threshold(&[], &[]), (0.5, 0.0));
    }
}
