//! Loops for the widest vectors that the processor has, whatever processor the build is for.

/// Does `work` with its loops compiled for AVX-512, for AVX2, or for the processor that the build is for: the first of these that
/// this processor has. Numbers are the same bits with each, as no operation is joined with another or done in another order.
///
/// What `work` calls is compiled so too where it is inlined.
#[inline(always)]
pub fn wide<T>(work: impl FnOnce() -> T) -> T {
    pulp::Arch::new().dispatch(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_depend_on_the_processor() {
        let values: Vec<f32> = (0..1003).map(|n| (n as f32 * 0.37).sin()).collect();
        let work = |values: &[f32]| -> Vec<f32> {
            let of = |value: &f32| (value * 1.7 + 0.3).sqrt() / (value.abs() + 0.1);
            values.iter().map(of).collect()
        };
        let bits =
            |values: Vec<f32>| -> Vec<u32> { values.into_iter().map(f32::to_bits).collect() };
        assert_eq!(bits(wide(|| work(&values))), bits(work(&values)));
    }
}
