//! How rows are shared out: a cube computes a row, and its units the row's columns in turn.

use cubecl::prelude::*;

/// Units of a cube that computes a row.
pub(super) const UNITS: usize = 128;

/// Cubes of one dimension, at most what every device has.
const MOST: usize = 65_535;

/// At least `count` cubes; kernels leave those beyond.
pub(super) fn cubes(count: usize) -> CubeCount {
    let lines = count.div_ceil(MOST).max(1);
    CubeCount::Static(count.div_ceil(lines).max(1) as u32, lines as u32, 1)
}

/// The sum of a value over the units of a cube, in an order that depends on their number only.
#[cube]
pub(super) fn sum_over_units(
    value: f32,
    shared: &mut Shared<[f32]>,
    #[comptime] units: usize,
) -> f32 {
    let unit = UNIT_POS as usize;
    // What was summed before has been read by all.
    sync_cube();
    shared[unit] = value;
    sync_cube();
    let steps = comptime!(units.ilog2() as usize);
    #[unroll]
    for step in 0..steps {
        let half = comptime!(units >> (step + 1));
        if unit < half {
            let other = shared[unit + half];
            shared[unit] += other;
        }
        sync_cube();
    }
    shared[0]
}

/// The largest of a value over the units of a cube.
#[cube]
pub(super) fn largest_of_units(
    value: f32,
    shared: &mut Shared<[f32]>,
    #[comptime] units: usize,
) -> f32 {
    let unit = UNIT_POS as usize;
    sync_cube();
    shared[unit] = value;
    sync_cube();
    let steps = comptime!(units.ilog2() as usize);
    #[unroll]
    for step in 0..steps {
        let half = comptime!(units >> (step + 1));
        if unit < half {
            let other = shared[unit + half];
            shared[unit] = max(shared[unit], other);
        }
        sync_cube();
    }
    shared[0]
}
