//! What the tests of the GLUE commands share.

use std::path::Path;

use crate::support::done;

/// The bundled small model, which has no weights.
pub(crate) const MODEL: &str = "data/demo/bert-small";
/// The bundled data.
pub(crate) const DEMO: &str = "data/demo/glue";

/// Trains for three steps, and returns what is printed.
pub(crate) fn train(task: &str, out: &Path, more: &[&str]) -> String {
    let out = out.to_str().unwrap();
    let fixed = [
        "train-glue",
        "--task",
        task,
        "--output-dir",
        out,
        "--train-batch-size",
        "8",
        "--num-train-epochs",
        "1",
        "--max-train-examples",
        "24",
        "--max-seq-length",
        "48",
        "--device",
        "cpu",
    ];
    done(&[&fixed[..], more].concat())
}
