//! Where values are drawn.

use plotters::coord::{ranged1d::Ranged, types::RangedCoordf64};

/// The values of one kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Extent {
    pub(super) fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        Self {
            low: values.clone().fold(f64::INFINITY, f64::min),
            high: values.fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// Where values are drawn on an axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    /// Values are drawn divided by it: plotters compares distances with fixed numbers, and ends must not overflow.
    pub(super) scale: f64,
    /// The ends, divided by it.
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Axis {
    /// With room at the ends for this share of what is between them, or for a single value.
    pub(super) fn of(extent: Extent, share: f64) -> Self {
        let size = extent.low.abs().max(extent.high.abs());
        let exponent = size.log10().floor().clamp(-300.0, 300.0);
        let scale = if size > 0.0 {
            10_f64.powf(exponent)
        } else {
            1.0
        };
        let (low, high) = (extent.low / scale, extent.high / scale);
        // Digits that a double does not have are not drawn.
        let is_range = high - low > 1e-9 * low.abs().max(high.abs());
        let room = if is_range { share * (high - low) } else { 0.5 };
        let below = low - room;
        Self {
            scale,
            low: if low >= 0.0 { below.max(0.0) } else { below },
            high: high + room,
        }
    }

    pub(super) fn scaled(&self, value: f64) -> f64 {
        value / self.scale
    }

    pub(super) fn unscaled(&self, value: f64) -> f64 {
        // What sums of steps leave of a zero.
        if value.abs() < 1e-9 {
            0.0
        } else {
            value * self.scale
        }
    }

    /// Where the lines of a mesh with a limited number of labels are.
    pub(super) fn places(&self, most: usize) -> Vec<f64> {
        RangedCoordf64::from(self.low..self.high).key_points(most)
    }

    pub(super) fn is_whole(&self, value: f64) -> bool {
        let value = self.unscaled(value);
        (value - value.round()).abs() < 1e-6 * value.abs().max(1.0)
    }
}

pub(super) struct Axes {
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Axes {
    pub(super) fn around(points: &[(f64, f64)], square: bool) -> Option<Self> {
        if points.is_empty() {
            return None;
        }
        let x = Extent::of(points.iter().map(|point| point.0));
        let y = Extent::of(points.iter().map(|point| point.1));
        let room = if square { 0.04 } else { 0.0 };
        Some(Self {
            x: Axis::of(x, room),
            y: Axis::of(y, 0.06),
        })
    }
}
