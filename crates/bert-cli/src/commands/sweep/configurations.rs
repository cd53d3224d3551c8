//! The configurations of a sweep: every combination of values, or some at random.

use std::collections::HashSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::axes::{Axis, Values};
use crate::exit::bad_usage;

/// More configurations than a sweep has.
const MOST: usize = 1000;
/// Bytes of the longest name of a folder; file systems take 255.
const LONGEST_NAME: usize = 200;

/// Every combination of the values, those of the last flag changing fastest.
///
/// # Errors
/// When there are too many, or a flag has a range.
pub(super) fn all(axes: &[Axis]) -> anyhow::Result<Vec<Vec<String>>> {
    let mut found = vec![Vec::new()];
    for axis in axes {
        let Values::List(values) = &axis.values else {
            bad_usage!(
                "--{}: found a range, expected values: only `bert sweep --random N` draws from a range",
                axis.flag
            );
        };
        let longer = |before: &Vec<String>| {
            let before = before.clone();
            let with =
                move |value: &String| [before.as_slice(), std::slice::from_ref(value)].concat();
            values.iter().map(with).collect::<Vec<_>>()
        };
        found = found.iter().flat_map(longer).collect();
        if found.len() > MOST {
            bad_usage!(
                "found more than {MOST} combinations of values, expected fewer: `bert sweep --random N` draws some"
            );
        }
    }
    Ok(found)
}

/// `count` different combinations at random. The first of them do not depend on how many there are.
///
/// # Errors
/// When there are not as many.
pub(super) fn some(axes: &[Axis], count: usize, seed: u64) -> anyhow::Result<Vec<Vec<String>>> {
    let mut sizes = axes.iter().map(|axis| match &axis.values {
        Values::List(values) => Some(values.len()),
        Values::Range(_) => None,
    });
    let possible = sizes.try_fold(1_usize, |all, own| Some(all.saturating_mul(own?)));
    let most = possible.map_or(MOST, |possible| possible.min(MOST));
    if !(1..=most).contains(&count) {
        bad_usage!("--random: found {count}, expected 1 to {most} configurations");
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    // Of whole numbers in a range there may be fewer than is known here.
    for _ in 0..1000 * count {
        let draw = |axis: &Axis| match &axis.values {
            Values::List(values) => values[random.random_range(0..values.len())].clone(),
            Values::Range(range) => range.draw(&mut random),
        };
        let drawn: Vec<String> = axes.iter().map(draw).collect();
        if seen.insert(drawn.clone()) {
            found.push(drawn);
        }
        if found.len() == count {
            return Ok(found);
        }
    }
    bad_usage!(
        "--random: found {count}, expected at most {}: the ranges hold no more",
        found.len()
    );
}

/// The name of a configuration's folder: flags and values, in characters that no shell or file system minds.
///
/// # Errors
/// When it is too long.
pub(super) fn name(axes: &[Axis], values: &[String]) -> anyhow::Result<String> {
    let parts = axes.iter().zip(values).map(|(axis, value)| {
        let plain = |character: char| match character {
            '.' | '-' | '+' => character,
            _ if character.is_alphanumeric() => character,
            _ => '-',
        };
        format!(
            "{}-{}",
            axis.flag,
            value.chars().map(plain).collect::<String>()
        )
    });
    let name = parts.collect::<Vec<_>>().join("_");
    if name.len() > LONGEST_NAME {
        bad_usage!(
            "found a configuration whose folder would have a name of {} bytes, expected at most {LONGEST_NAME}: vary fewer \
             flags",
            name.len()
        );
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::sweep::range::Range;

    fn axes() -> Vec<Axis> {
        let list = |flag: &str, values: &[&str]| Axis {
            flag: flag.to_owned(),
            values: Values::List(values.iter().map(|it| (*it).to_owned()).collect()),
        };
        vec![list("a", &["1", "2"]), list("b", &["x", "y/z", "0,1"])]
    }

    #[test]
    fn every_combination_is_there_once() {
        let found = all(&axes()).unwrap();
        assert_eq!(found.len(), 6);
        assert_eq!(found[1], ["1", "y/z"]);
        assert_eq!(name(&axes(), &found[1]).unwrap(), "a-1_b-y-z");
        assert_eq!(name(&axes(), &found[5]).unwrap(), "a-2_b-0-1");
    }

    #[test]
    fn a_larger_draw_begins_with_a_smaller_one() {
        let few = some(&axes(), 2, 7).unwrap();
        let many = some(&axes(), 6, 7).unwrap();
        assert_eq!(few, many[..2]);
        assert_ne!(many, some(&axes(), 6, 8).unwrap());
        let different: HashSet<&Vec<String>> = many.iter().collect();
        assert_eq!(different.len(), 6);
        let error = some(&axes(), 7, 7).unwrap_err().to_string();
        assert_eq!(error, "--random: found 7, expected 1 to 6 configurations");
        let mut few = axes();
        few.truncate(1);
        few[0].values = Values::Range(Range::read("1..3").unwrap());
        let error = some(&few, 5, 7).unwrap_err().to_string();
        assert!(error.contains("expected at most 3"), "{error}");
    }
}
