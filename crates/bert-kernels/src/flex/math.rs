//! `exp` and `erf` in forms that the compiler turns into SIMD, and sums in a fixed order.

/// eˣ within 2 units in the last place, by Cody & Waite's reduction to `[-ln 2 / 2, ln 2 / 2]` and the
/// Taylor polynomial of degree 7. Arguments outside of `[-87, 88]` are clamped.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Adding it rounds to an integer, which ends up in the low bits: 1.5 * 2²³.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut p = 1.0 / 5040.0;
    for coefficient in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        p = p * r + coefficient;
    }
    let exponent = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127)
        << 23;
    p * f32::from_bits(exponent)
}

/// erf(x) within 3e-7, by the rational minimax approximation that Eigen's vectorised `erf` uses
/// (odd of degree 13 over even of degree 8, on `[-4, 4]`, beyond which erf is ±1 in `f32`).
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let mut p = -2.726_142_3e-10;
    for coefficient in [
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ] {
        p = p * square + coefficient;
    }
    let mut q = -1.456_607_2e-5;
    for coefficient in [
        -2.133_740_6e-4,
        -1.682_827e-3,
        -7.373_329e-3,
        -1.426_473_9e-2,
    ] {
        q = q * square + coefficient;
    }
    x * p / q
}

/// Sum in eight lanes.
#[inline(always)]
pub(super) fn sum(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let mut lanes = [0.0_f32; 16];
    for (n, value) in values.enumerate() {
        lanes[n % 16] += value;
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_accurate_to_the_last_places() {
        for n in -87_000..88_000 {
            let x = n as f32 / 1000.0;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < 3e-7, "exp({x}): relative error {error:e}");
        }
        assert!(exp(-20_000.0) < 1e-37);
    }

    #[test]
    fn erf_is_odd_and_equals_known_values() {
        // Abramowitz & Stegun, table 7.1.
        for (x, expected) in [
            (0.0, 0.0),
            (0.1, 0.112_462_916),
            (0.5, 0.520_499_878),
            (1.0, 0.842_700_793),
            (1.5, 0.966_105_146),
            (2.0, 0.995_322_265),
            (3.0, 0.999_977_91),
            (5.0, 1.0),
        ] {
            assert!((f64::from(erf(x)) - expected).abs() < 3e-7, "erf({x})");
            assert_eq!(erf(-x), -erf(x));
        }
    }
}
