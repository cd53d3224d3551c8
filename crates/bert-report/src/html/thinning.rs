//! Long curves in few points.

/// At most this many points of a curve are drawn.
pub(super) const MOST_POINTS: usize = 1000;

/// A curve in at most [`MOST_POINTS`] points: its first and last, and of each of many equal parts the lowest and the
/// highest, in their order. A part without a finite value leaves one that is not, so that a gap stays one.
pub(super) fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let [first, inner @ .., last] = points else {
        return points.to_vec();
    };
    let length = inner.len().div_ceil(MOST_POINTS / 2 - 1);
    let mut kept = vec![*first];
    for part in inner.chunks(length) {
        let finite = || (0..part.len()).filter(|index| part[*index].1.is_finite());
        let by_value = |a: &usize, b: &usize| part[*a].1.total_cmp(&part[*b].1);
        match (finite().min_by(by_value), finite().max_by(by_value)) {
            (Some(least), Some(most)) => {
                kept.push(part[least.min(most)]);
                if least != most {
                    kept.push(part[least.max(most)]);
                }
            }
            _ => kept.extend(part.first()),
        }
    }
    kept.push(*last);
    kept
}

/// The exponential mean of a curve over about a twentieth of its points, 3 at least and 200 at most, and that number.
/// The mean is of the values so far: it does not start at zero, and values that are not finite are left out of it.
pub(super) fn smoothed(points: &[(f64, f64)]) -> (Vec<(f64, f64)>, usize) {
    let over = (points.len() / 20).clamp(3, 200);
    let share = 2.0 / (over as f64 + 1.0);
    let (mut mean, mut weight) = (0.0, 0.0);
    let smoothed = points
        .iter()
        .map(|(step, value)| {
            if !value.is_finite() {
                return (*step, f64::NAN);
            }
            mean += share * (value - mean);
            weight += share * (1.0 - weight);
            (*step, mean / weight)
        })
        .collect();
    (smoothed, over)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn thinning_keeps_ends_and_extremes(values in prop::collection::vec(-1e6_f64..1e6, 1..5000)) {
            let points: Vec<_> = values.iter().enumerate().map(|(x, y)| (x as f64, *y)).collect();
            let kept = thinned(&points);
            prop_assert!(kept.len() <= MOST_POINTS);
            prop_assert_eq!(kept.first(), points.first());
            prop_assert_eq!(kept.last(), points.last());
            prop_assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let extremes = |points: &[(f64, f64)]| {
                let values = || points.iter().map(|point| point.1);
                (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max))
            };
            prop_assert_eq!(extremes(&kept), extremes(&points));
        }
    }

    #[test]
    fn a_gap_stays_a_gap_and_hides_no_value() {
        let mut points: Vec<_> = (0..100_000).map(|x| (f64::from(x), f64::NAN)).collect();
        points[5] = (5.0, 1.0);
        points[99_000] = (99_000.0, f64::INFINITY);
        let kept = thinned(&points);
        assert!(kept.len() <= MOST_POINTS);
        assert_eq!(kept.iter().filter(|(_, y)| y.is_finite()).count(), 1);
        assert!(kept.contains(&(5.0, 1.0)));
    }

    #[test]
    fn smoothing_starts_at_the_first_value_and_steps_over_gaps() {
        let points = [(1.0, 4.0), (2.0, f64::NAN), (3.0, 4.0), (4.0, 0.0)];
        let (smooth, over) = smoothed(&points);
        assert_eq!(over, 3);
        assert_eq!((smooth[0].1, smooth[2].1), (4.0, 4.0));
        assert!(smooth[1].1.is_nan());
        assert!((0.1..3.9).contains(&smooth[3].1), "{smooth:?}");
    }
}
