//! Correlations of predicted and gold scores, such as the similarities of STS-B.

use std::cmp::Ordering;

/// Pearson's correlation coefficient of `x` and `y`, between -1 and 1; the order of the arguments does not matter.
///
/// With `a = x - mean(x)` and `b = y - mean(y)` it is `Σ a b / sqrt(Σ a² Σ b²)` (Pearson 1895). `None` stands where it
/// is not defined, where SciPy gives NaN: fewer than two points, an `x` or a `y` that is constant, and a value that is
/// not finite. It also stands where a range exceeds that of `f64`.
///
/// An offset that is large beside the spread costs no digits. SciPy's `pearsonr` loses some there, with a
/// `NearConstantInputWarning` when it loses many.
///
/// # Panics
///
/// Panics where the slices differ in length.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "values of x and values of y");
    let (x, y) = (centred(x)?, centred(y)?);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let correlation = dot(&x, &y) / (dot(&x, &x) * dot(&y, &y)).sqrt();
    // Rounding may carry a perfect correlation over the edge.
    Some(correlation.clamp(-1.0, 1.0))
}

/// Spearman's rank correlation of `x` and `y`: [`pearson`] of their ranks, where equal values share the mean of theirs
/// (Spearman 1904).
///
/// Infinite values have ranks too. `None` stands where there are fewer than two points, where `x` or `y` is constant
/// and where a value is NaN, as SciPy's `spearmanr` gives NaN there.
///
/// ```
/// use bert_metrics::correlation::{pearson, spearman};
///
/// let (x, y) = ([1.0, 2.0, 3.0, 4.0], [1.0, 10.0, 100.0, 1000.0]);
/// assert_eq!(spearman(&x, &y), Some(1.0));
/// assert!(pearson(&x, &y) < Some(0.9));
/// ```
///
/// # Panics
///
/// Panics where the slices differ in length.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "values of x and values of y");
    if x.iter().chain(y).any(|value| value.is_nan()) {
        return None;
    }
    pearson(&average_ranks(x), &average_ranks(y))
}

/// The values less their mean, scaled to a range of 1; `None` where the range is 0, infinite or not a number.
fn centred(values: &[f64]) -> Option<Vec<f64>> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = greatest - least;
    if !(range > 0.0 && range.is_finite()) || values.iter().any(|value| value.is_nan()) {
        return None;
    }
    // Differences before the mean: they are as exact as the spread allows, whatever the offset. Sums of squares of
    // scaled values neither overflow nor vanish.
    let mut values: Vec<f64> = values.iter().map(|value| (value - least) / range).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    for value in &mut values {
        *value -= mean;
    }
    Some(values)
}

/// Ranks from 1; equal values share the mean of their ranks.
fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].partial_cmp(&values[b]).unwrap_or(Ordering::Equal));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for ties in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = before as f64 + (ties.len() + 1) as f64 / 2.0;
        for &index in ties {
            ranks[index] = rank;
        }
        before += ties.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    /// `x`, `y`; Pearson, Spearman.
    type Case = (&'static [f64], &'static [f64], Option<f64>, Option<f64>);

    #[test]
    fn correlations_of_small_cases() {
        let half_of_root_3 = Some(0.75_f64.sqrt());
        let cases: [Case; 14] = [
            (&[], &[], None, None),
            (&[1.0], &[2.0], None, None),
            (&[1.0, 1.0], &[1.0, 2.0], None, None),
            (&[1.0, 2.0], &[0.1, 0.1], None, None),
            (&[1.0, 2.0], &[-3.0, 8.0], Some(1.0), Some(1.0)),
            (&[5e-324, 0.0], &[0.1, 1e300], Some(-1.0), Some(-1.0)),
            (&[0.0, -0.0], &[1.0, 2.0], None, None),
            (&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0], Some(-1.0), Some(-1.0)),
            (&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0], Some(0.5), Some(0.5)),
            (&[1.0, 2.0, 3.0], &[0.0, 1.0, 0.0], Some(0.0), Some(0.0)),
            (
                &[1e300, 0.0, -1e300],
                &[1.0, 1.0, 0.0],
                half_of_root_3,
                half_of_root_3,
            ),
            // Neighbouring numbers: their mean is between them and rounds to one of them.
            (
                &[1.0, 1.0, 1.0 + f64::EPSILON],
                &[1.0, 2.0, 3.0],
                half_of_root_3,
                half_of_root_3,
            ),
            (&[1.0, INF, 2.0], &[1.0, 3.0, 2.0], None, Some(1.0)),
            (&[1.0, NAN, 2.0], &[1.0, 3.0, 2.0], None, None),
        ];
        for (x, y, expected_pearson, expected_spearman) in cases {
            assert_close(pearson(x, y), expected_pearson);
            assert_close(spearman(x, y), expected_spearman);
        }
    }

    fn assert_close(found: Option<f64>, expected: Option<f64>) {
        let close = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-14,
            (found, expected) => found == expected,
        };
        assert!(close, "found {found:?}, expected {expected:?}");
    }

    #[test]
    fn a_range_beyond_that_of_numbers_has_ranks_only() {
        assert_eq!(pearson(&[f64::MAX, f64::MIN], &[0.0, 1.0]), None);
        assert_eq!(spearman(&[f64::MAX, f64::MIN], &[0.0, 1.0]), Some(-1.0));
    }

    #[test]
    fn ties_share_the_mean_rank() {
        let cases: [(&[f64], &[f64]); 4] = [
            (&[], &[]),
            (&[3.0, 1.0, 2.0], &[3.0, 1.0, 2.0]),
            (&[0.25, 0.25, 0.0, 0.25], &[3.0, 3.0, 1.0, 3.0]),
            (&[5.0, 2.0, 5.0, 2.0, -INF], &[4.5, 2.5, 4.5, 2.5, 1.0]),
        ];
        for (values, ranks) in cases {
            assert_eq!(average_ranks(values), ranks, "{values:?}");
        }
    }

    #[test]
    #[should_panic(expected = "values of x and values of y")]
    fn one_y_for_each_x() {
        spearman(&[1.0], &[]);
    }

    /// Points on quarters, as STS-B rounds its scores: sums with whole numbers are exact.
    fn points() -> impl Strategy<Value = Vec<(f64, f64)>> {
        let quarter = || (-40..=40).prop_map(|quarters| f64::from(quarters) / 4.0);
        proptest::collection::vec((quarter(), quarter()), 2..30)
    }

    proptest! {
        #[test]
        fn correlations_are_bounded_symmetric_and_independent_of_the_order(
            (points, shuffled) in points()
                .prop_flat_map(|points| (Just(points.clone()), Just(points).prop_shuffle())),
        ) {
            let (x, y): (Vec<_>, Vec<_>) = points.into_iter().unzip();
            let (shuffled_x, shuffled_y): (Vec<_>, Vec<_>) = shuffled.into_iter().unzip();
            for correlation in [pearson, spearman] {
                let expected = correlation(&x, &y);
                prop_assert!(expected.is_none_or(|r| (-1.0..=1.0).contains(&r)));
                prop_assert_eq!(correlation(&y, &x), expected);
                if expected.is_some() {
                    prop_assert_eq!(correlation(&x, &x), Some(1.0));
                }
                assert_close(correlation(&shuffled_x, &shuffled_y), expected);
            }
        }

        #[test]
        fn pearson_ignores_shift_and_scale(points in points(), shift in -1e9..1e9_f64, scale in 1e-3..1e3_f64) {
            let (x, y): (Vec<_>, Vec<_>) = points.into_iter().unzip();
            let expected = pearson(&x, &y);
            let shifted: Vec<f64> = x.iter().map(|x| x + shift.round()).collect();
            prop_assert_eq!(pearson(&shifted, &y), expected);
            let scaled: Vec<f64> = x.iter().map(|x| x * scale).collect();
            assert_close(pearson(&scaled, &y), expected);
            let mirrored: Vec<f64> = x.iter().map(|x| -x).collect();
            assert_close(pearson(&mirrored, &y), expected.map(|r| -r));
        }

        #[test]
        fn spearman_ignores_every_increasing_function(points in points()) {
            let (x, y): (Vec<_>, Vec<_>) = points.into_iter().unzip();
            let expected = spearman(&x, &y);
            for increasing in [f64::exp, f64::cbrt, f64::atan] {
                let mapped: Vec<f64> = x.iter().copied().map(increasing).collect();
                prop_assert_eq!(spearman(&mapped, &y), expected);
            }
        }
    }
}
