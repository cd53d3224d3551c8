use bert_test_support::{Prerequisite, skip};
use burn::tensor::bf16;
use proptest::prelude::*;

use crate::flex::product::{Matrix, Product};
use crate::pass::{Precision, processor_has_bf16};

/// Skips a test where the processor lacks the instructions.
#[track_caller]
fn runs() -> bool {
    if !processor_has_bf16() {
        skip(Prerequisite::Bf16, "the processor lacks AVX512-BF16");
    }
    processor_has_bf16()
}

/// Numbers of either sign, in no order, from below 2⁻⁸ to 1.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    let mut state = seed as u64;
    let mut next = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..count)
        .map(|_| (next() - 0.5) * 2.0_f32.powi(-(8.0 * next()) as i32))
        .collect()
}

/// A matrix `[rows, columns]` of values that lie row by row, or column by column.
fn matrix(values: &[f32], rows: usize, columns: usize, by_rows: bool) -> Matrix<'_> {
    if by_rows {
        Matrix::new(values, columns)
    } else {
        Matrix::new(values, rows).transposed()
    }
}

fn product(m: usize, n: usize, k: usize) -> Product {
    Product {
        m,
        n,
        k,
        out_row: n,
        scale: 1.0,
        add: false,
        parallel: false,
        precision: Precision::Bf16,
    }
}

/// `[rows, columns]` of a matrix, rounded.
fn rounded(from: Matrix<'_>, rows: usize, columns: usize) -> Vec<f64> {
    let at = |n: usize| from.values[n / columns * from.row + n % columns * from.column];
    let round = |n| bf16::from_f32(at(n)).to_f64();
    (0..rows * columns).map(round).collect()
}

/// A product in 64 bits of rounded operands, and the sum of its terms' sizes.
fn expected(of: &Product, a: Matrix<'_>, b: Matrix<'_>) -> Vec<(f64, f64)> {
    let (a, b) = (rounded(a, of.m, of.k), rounded(b, of.k, of.n));
    let mut sums = vec![(0.0, 0.0); of.m * of.n];
    for (a, sums) in a.chunks(of.k).zip(sums.chunks_mut(of.n)) {
        for (a, b) in a.iter().zip(b.chunks(of.n)) {
            for (b, sum) in b.iter().zip(&mut *sums) {
                *sum = (sum.0 + a * b, sum.1 + (a * b).abs());
            }
        }
    }
    sums
}

fn size() -> impl Strategy<Value = usize> {
    // Around the sizes of tiles and tasks, and any.
    prop_oneof![1..70_usize, 1..400_usize]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn any_product_is_that_of_rounded_operands_and_writes_nothing_else(
        (m, n, k) in (size(), size(), size()),
        (a_by_rows, b_by_rows, add, parallel) in any::<(bool, bool, bool, bool)>(),
        beside in 0..20_usize,
    ) {
        const GUARD: f32 = -7.5;
        if !runs() {
            return Ok(());
        }
        let of = Product { out_row: n + beside, scale: 0.25, add, parallel, ..product(m, n, k) };
        let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
        let (a, b) = (matrix(&a, m, k, a_by_rows), matrix(&b, k, n, b_by_rows));
        let mut out = vec![GUARD; m * of.out_row + 100];
        // The last row has nothing beside it.
        of.run(&mut out[50..][..m * of.out_row - beside], a, b);
        let expected = expected(&of, a, b);
        for (at, found) in out.iter().enumerate() {
            let place = at.checked_sub(50).map(|at| (at / of.out_row, at % of.out_row));
            match place {
                Some((row, column)) if row < m && column < n => {
                    let (sum, size) = expected[row * n + column];
                    let before = if add { f64::from(GUARD) } else { 0.0 };
                    let off = (f64::from(*found) - (before + 0.25 * sum)).abs();
                    prop_assert!(off <= 1e-6 * (before.abs() + size), "{row}, {column}: {off:e} of {size}");
                }
                _ => prop_assert_eq!(*found, GUARD, "beside the output, at {}", at),
            }
        }
    }
}

/// Several blocks along `k`, and more than are packed at once.
#[test]
fn long_sums_are_those_of_all_blocks() {
    if !runs() {
        return;
    }
    let of = product(5, 40, 3333);
    let (a, b) = (numbers(5 * 3333, 1), numbers(3333 * 40, 2));
    for by_rows in [false, true] {
        let (a, b) = (matrix(&a, 5, 3333, by_rows), matrix(&b, 3333, 40, by_rows));
        let found = of.matrix(a, b);
        for (found, (sum, size)) in found.iter().zip(expected(&of, a, b)) {
            let off = (f64::from(*found) - sum).abs();
            assert!(off <= 1e-6 * size, "{off:e} of {size}");
        }
    }
}

/// Times 1, a number is what it is rounded to.
#[test]
fn numbers_are_rounded_to_the_nearest_and_the_even_one() {
    if !runs() {
        return;
    }
    // The ends of every binade, halfway between neighbours and beside that, and any.
    let ends = (0..=0xff_u32).flat_map(|exponent| {
        [0, 1, 0x7fff, 0x8000, 0x8001, 0x1_7fff, 0x1_8000, 0x7f_ffff].map(|n| exponent << 23 | n)
    });
    let any = (0..1000_u32).map(|n| n.wrapping_mul(0x9e37_79b9) & 0x7fff_ffff);
    let bits = ends.chain(any).flat_map(|bits| [bits, bits | 1 << 31]);
    let numbers: Vec<f32> = bits.map(f32::from_bits).collect();
    let of = product(numbers.len(), 1, 1);
    let found = of.matrix(matrix(&numbers, of.m, 1, true), Matrix::new(&[1.0], 1));
    for (number, found) in numbers.iter().zip(found) {
        let expected = if number.is_subnormal() {
            0.0
        } else {
            bf16::from_f32(*number).to_f32()
        };
        assert!(
            found == expected || found.is_nan() && number.is_nan(),
            "{number:e}: {found:e}, expected {expected:e}"
        );
    }
}

/// One that is in a sum makes it infinite or NaN, and no other.
#[test]
fn infinities_and_nan_stay_in_their_row() {
    if !runs() {
        return;
    }
    let (m, n, k) = (50, 35, 67);
    for by_rows in [false, true] {
        for special in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            let mut a = vec![1.0; m * k];
            let (row, at) = (47, 66);
            a[if by_rows { row * k + at } else { at * m + row }] = special;
            let b = vec![1.0; k * n];
            let of = product(m, n, k);
            let found = of.matrix(matrix(&a, m, k, by_rows), matrix(&b, k, n, by_rows));
            for (at, found) in found.iter().enumerate() {
                let expected = if at / n == row { special } else { k as f32 };
                assert_eq!(found.to_string(), expected.to_string(), "{at}");
            }
        }
    }
}

#[test]
fn threads_change_no_bit() {
    if !runs() {
        return;
    }
    let (m, n, k) = (333, 111, 700);
    let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
    let run = |threads, parallel| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let of = Product {
                parallel,
                ..product(m, n, k)
            };
            let out = of.matrix(Matrix::new(&a, k), Matrix::new(&b, n));
            out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        })
    };
    let alone = run(1, false);
    for threads in [1, 2, 3] {
        assert_eq!(run(threads, true), alone, "{threads} threads");
    }
}
