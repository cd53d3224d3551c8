//! The positions with the largest logits.

/// The `n` positions with the largest logits, best first; of equal logits the earlier position comes first.
///
/// Every logit must be finite.
pub(super) fn best_positions(logits: &[f32], n: usize) -> Vec<usize> {
    // A short sorted list instead of a full sort: once it is full, nearly every logit fails the first comparison.
    let mut best: Vec<(f32, usize)> = Vec::with_capacity(n.min(logits.len()) + 1);
    for (position, &logit) in logits.iter().enumerate() {
        if best.len() == n {
            match best.last() {
                Some(&(worst, _)) if logit > worst => {}
                _ => continue,
            }
        }
        let rank = best.partition_point(|&(better, _)| better >= logit);
        best.insert(rank, (logit, position));
        best.truncate(n);
    }
    best.into_iter().map(|(_, position)| position).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ties_keep_the_earlier_position() {
        let cases: [(&[f32], usize, &[usize]); 7] = [
            (&[], 3, &[]),
            (&[1.0, 2.0], 0, &[]),
            (&[1.0, 3.0, 2.0], 2, &[1, 2]),
            (&[1.0, 3.0, 2.0], 9, &[1, 2, 0]),
            (&[5.0, 5.0, 5.0], 2, &[0, 1]),
            (&[0.0, 5.0, 1.0, 5.0, 1.0], 3, &[1, 3, 2]),
            // The two zeros are equal.
            (&[-0.0, 0.0, -1.0], 2, &[0, 1]),
        ];
        for (logits, n, expected) in cases {
            assert_eq!(best_positions(logits, n), expected, "{logits:?} {n}");
        }
    }

    proptest! {
        #[test]
        fn equals_a_stable_sort(logits in prop::collection::vec(-4_i8..4, 0..60), n in 0_usize..25) {
            let logits: Vec<f32> = logits.into_iter().map(f32::from).collect();
            let mut sorted: Vec<usize> = (0..logits.len()).collect();
            sorted.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
            sorted.truncate(n);
            prop_assert_eq!(best_positions(&logits, n), sorted);
        }
    }
}
