//! The device that tests of models run on: `BERT_TEST_DEVICE` names it, so that one test binary is run on every backend
//! that it is built with.
//!
//! A crate whose tests use it forwards its backend features to this one. `bert-test-support` does not link Burn.

use std::env;

use burn::tensor::Device;

pub use bert_test_support::DEVICE_VARIABLE;

/// A backend's name, and its first device.
type Row = (&'static str, fn() -> Device);

/// The backends that the tests are built with. The first is the default: what no variable decides is tested where
/// results have the same bits every time.
const BACKENDS: &[Row] = &[
    #[cfg(feature = "flex")]
    ("cpu", Device::flex),
    #[cfg(feature = "cuda")]
    ("cuda", || Device::cuda(0)),
    #[cfg(feature = "wgpu")]
    ("wgpu", || {
        Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)
    }),
];

/// The device that [`DEVICE_VARIABLE`] names, or else the CPU's, or else that of the one backend that is compiled in.
/// Burn's own default depends on which features Cargo unifies.
///
/// # Panics
///
/// Panics where the variable names no backend that is compiled in.
#[must_use]
pub fn test_device() -> Device {
    let asked = env::var_os(DEVICE_VARIABLE);
    let named = match &asked {
        Some(asked) => BACKENDS.iter().find(|(name, _)| asked == *name),
        None => BACKENDS.first(),
    };
    let Some((_, device)) = named else {
        let names: Vec<&str> = BACKENDS.iter().map(|(name, _)| *name).collect();
        panic!(
            "{DEVICE_VARIABLE}: found {asked:?}, expected {}, which this test is built with",
            names.join(" or ")
        );
    };
    device()
}
