//! A number over several runs.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

/// Mean and sample standard deviation of a number over runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Statistic {
    /// The mean.
    pub mean: f64,
    /// The standard deviation with n - 1; `None` of one run.
    pub standard_deviation: Option<f64>,
}

impl Statistic {
    /// That of some values; `None` where there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let beside = values.len() - 1;
        Some(Self {
            mean,
            standard_deviation: (beside > 0).then(|| (squares / beside as f64).sqrt()),
        })
    }
}

impl Display for Statistic {
    /// With two decimals, as a table has it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.mean)?;
        match self.standard_deviation {
            Some(deviation) => write!(f, " ± {deviation:.2}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let cell = |values: &[f64]| Statistic::of(values).map(|it| it.to_string());
        assert_eq!(cell(&[]), None);
        assert_eq!(cell(&[3.0]).as_deref(), Some("3.00"));
        assert_eq!(cell(&[1.0, 2.0, 3.0]).as_deref(), Some("2.00 ± 1.00"));
    }
}
