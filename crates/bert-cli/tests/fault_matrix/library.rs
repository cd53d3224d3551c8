//! Compiling the library that makes calls fail.

use std::path::{Path, PathBuf};
use std::process::Command;

use bert_test_support::repository;

/// Compiles it into a folder.
pub(crate) fn build(dir: &Path) -> PathBuf {
    let library = dir.join("libfault.so");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let built = Command::new(rustc)
        .args([
            "--edition=2024",
            "--crate-type=cdylib",
            "-Cpanic=abort",
            "-o",
        ])
        .arg(&library)
        .arg(repository().join("crates/bert-cli/tests/fault_matrix/library/source.rs"))
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    library
}
