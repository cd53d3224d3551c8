//! A range that a number is drawn from.

use rand::Rng;

/// Numbers from `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    low: f64,
    high: f64,
    /// Only whole numbers.
    is_whole: bool,
}

impl Range {
    /// `LOW..HIGH`; of whole numbers where both are. `None` where the text is something else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (low, high) = text.split_once("..")?;
        let is_whole = low.parse::<u32>().is_ok() && high.parse::<u32>().is_ok();
        let (low, high): (f64, f64) = (low.parse().ok()?, high.parse().ok()?);
        let is_range = low.is_finite() && high.is_finite() && low < high;
        is_range.then_some(Self {
            low,
            high,
            is_whole,
        })
    }

    /// A number, evenly on a logarithmic scale where all are above 0, in three digits.
    pub(super) fn draw(&self, random: &mut impl Rng) -> String {
        let share: f64 = random.random();
        let number = if self.low > 0.0 {
            self.low * (self.high / self.low).powf(share)
        } else {
            self.low + (self.high - self.low) * share
        };
        if self.is_whole {
            return number.round().to_string();
        }
        let rounded = format!("{number:.2e}").parse().unwrap_or(number);
        let number = rounded.clamp(self.low, self.high);
        match number.abs() {
            1e-3..1e6 => number.to_string(),
            _ => format!("{number:e}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn numbers_are_drawn_within_a_range_and_evenly_by_magnitude() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let range = Range::read("1e-6..1e-2").unwrap();
        let drawn: Vec<f64> = (0..400)
            .map(|_| range.draw(&mut random).parse().unwrap())
            .collect();
        assert!(drawn.iter().all(|it| (1e-6..=1e-2).contains(it)));
        let small = drawn.iter().filter(|it| **it < 1e-4).count();
        assert!((150..250).contains(&small), "{small}");
        let whole = Range::read("2..4").unwrap();
        let mut drawn: Vec<String> = (0..100).map(|_| whole.draw(&mut random)).collect();
        drawn.sort();
        drawn.dedup();
        assert_eq!(drawn, ["2", "3", "4"]);
    }

    #[test]
    fn other_texts_are_no_ranges() {
        for text in ["1e-5", "2..1", "1..1", "..1", "a..b", "0..inf", "../x"] {
            assert_eq!(Range::read(text), None, "{text}");
        }
        assert!(Range::read("0..0.1").is_some());
    }
}
