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

/// Numbers that are summed side by side.
const LANES: usize = 16;

/// The sum of `value` over the elements of slices of one length, in [`LANES`] lanes.
#[inline(always)]
pub(super) fn sum<const N: usize>(slices: [&[f32]; N], value: impl Fn([f32; N]) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let split = slices.map(<[f32]>::as_chunks::<LANES>);
    // A group is a vector: lanes that are found by a counter would be added one by one.
    for n in 0..split[0].0.len() {
        let group = split.map(|(groups, _)| &groups[n]);
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += value(group.map(|values| values[lane]));
        }
    }
    let rest = split.map(|(_, rest)| rest);
    for (n, sum) in lanes.iter_mut().enumerate().take(rest[0].len()) {
        *sum += value(rest.map(|values| values[n]));
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
    fn every_element_is_summed_once() {
        for len in [0, 1, 15, 16, 17, 50] {
            let a: Vec<f32> = (0..len).map(|n| n as f32).collect();
            let b: Vec<f32> = (0..len).map(|n| 1.0 + (n % 3) as f32).collect();
            let expected: usize = (0..len).map(|n| n * (1 + n % 3)).sum();
            assert_eq!(sum([&a, &b], |[a, b]| a * b), expected as f32, "{len}");
        }
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
