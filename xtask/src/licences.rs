//! Licences, sources and build scripts of dependencies, which cargo-deny checks by `deny.toml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::cargo::{cargo, root, status};
use crate::tools::DENY;

/// The sums of the files that cargo-deny last passed, as `sha256sum` writes them. Building cargo-deny takes minutes, and
/// nothing but these files decides what it says.
const PASSED: &str = "deny.sha256";

/// Whether the dependencies pass. A pass is written to [`PASSED`], which is committed with the change of the dependencies.
///
/// # Errors
/// When a file cannot be read or written, or cargo-deny cannot be installed.
pub(crate) fn pass() -> anyhow::Result<bool> {
    let record = root().join(PASSED);
    let sums = sums(&root())?;
    if sums.is_some() && fs::read_to_string(&record).ok() == sums {
        println!("   {PASSED}: nothing has changed since they passed");
        return Ok(true);
    }
    // cargo-deny works offline, on all that the lock file names.
    if !status(cargo().args(["fetch", "--locked"]))?.success() {
        return Ok(false);
    }
    let checks = ["--offline", "check", "bans", "licenses", "sources"];
    if !DENY.run(&checks)?.success() {
        return Ok(false);
    }
    if let Some(sums) = sums {
        fs::write(&record, sums).with_context(|| format!("{PASSED}: cannot be written"))?;
        println!("   {PASSED}: written, to be committed with the change");
    }
    Ok(true)
}

/// The sums of the lock file, the rules and every manifest; none where there is no `sha256sum`.
fn sums(root: &Path) -> anyhow::Result<Option<String>> {
    let mut files: Vec<PathBuf> = ["Cargo.lock", "Cargo.toml", "deny.toml"]
        .map(PathBuf::from)
        .into();
    for folder in ["", "crates"] {
        let failed = || format!("{}: cannot be read", root.join(folder).display());
        for entry in fs::read_dir(root.join(folder)).with_context(failed)? {
            let name = entry.with_context(failed)?.file_name();
            files.push(Path::new(folder).join(name).join("Cargo.toml"));
        }
    }
    files.retain(|file| root.join(file).is_file());
    files.sort();
    let summed = Command::new("sha256sum")
        .args(files)
        .current_dir(root)
        .output();
    let text = summed.ok().filter(|it| it.status.success());
    Ok(text.and_then(|it| String::from_utf8(it.stdout).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_the_lock_file_and_every_manifest_count() {
        let Some(sums) = sums(&root()).unwrap() else {
            eprintln!("skipped: found no sha256sum");
            return;
        };
        let files: Vec<&str> = sums
            .lines()
            .map(|line| line.split_once("  ").unwrap().1)
            .collect();
        let expected = [
            "Cargo.lock",
            "Cargo.toml",
            "crates/bert-cli/Cargo.toml",
            "deny.toml",
            "xtask/Cargo.toml",
        ];
        assert!(expected.iter().all(|it| files.contains(it)), "{files:?}");
    }
}
