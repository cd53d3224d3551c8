//! `cargo xtask dist`: an archive with the program for machines like this one's, and the files that install it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};

use crate::cargo::{cargo, root, status, target_dir};
use crate::tools::ABOUT;

/// Files of the repository that the archive has, from the root.
const FILES: [&str; 5] = [
    "README.md",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "deploy/bert.service",
];
/// The shells whose completions the archive has, and the names by which these are found.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "bert.bash"),
    ("zsh", "_bert"),
    ("fish", "bert.fish"),
];
/// What the archives are listed in, with their sums.
const SUMS: &str = "SHA256SUMS";

/// Builds the program for any processor of this kind and fills `target/dist`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let features = match arguments {
        [] => "flex",
        [flag, features] if flag == "--features" => features.as_str(),
        _ => bail!(
            "dist: found {arguments:?}, expected nothing, or --features with those of bert-cli"
        ),
    };
    let name = format!("bert-{}-{}", version()?, platform(features)?);
    let dist = target_dir().join("dist");
    let dir = dist.join(&name);
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("{}", dir.display()))?;
    }
    fs::create_dir_all(&dir).with_context(|| format!("{}", dir.display()))?;
    let bert = build(features, &dir)?;
    for file in FILES {
        put(&root().join(file), &dir)?;
    }
    licences(features, &dir.join("THIRD-PARTY-LICENSES.html"))?;
    let completions = dir.join("completions");
    fs::create_dir_all(&completions)?;
    for (shell, file) in COMPLETIONS {
        let script = output(Command::new(&bert).args(["completions", shell]))?;
        fs::write(completions.join(file), script)?;
    }
    let manual = dir.join("man");
    fs::create_dir_all(&manual)?;
    output(Command::new(&bert).arg("docs-man").arg(&manual))?;
    let archive = pack(&dist, &name)?;
    put(&root().join("deploy/install.sh"), &dist)?;
    let sums = output(Command::new("sha256sum").arg(&archive).current_dir(&dist))?;
    fs::write(dist.join(SUMS), sums)?;
    for file in [archive.as_str(), SUMS, "install.sh"] {
        println!("{}", dist.join(file).display());
    }
    Ok(ExitCode::SUCCESS)
}

/// The version of the workspace.
fn version() -> anyhow::Result<String> {
    let words = ["metadata", "--no-deps", "--format-version", "1"];
    let metadata = output(cargo().args(words))?;
    let metadata: serde_json::Value = serde_json::from_slice(&metadata)?;
    let packages = metadata["packages"].as_array();
    let own = packages.and_then(|all| all.iter().find(|it| it["name"] == "bert-cli"));
    let version = own.and_then(|own| own["version"].as_str());
    Ok(version.context("cargo metadata: no bert-cli")?.to_owned())
}

/// What the archive is for: the compiler's name of this machine, and the features beside the CPU's.
fn platform(features: &str) -> anyhow::Result<String> {
    let said = output(Command::new("rustc").arg("-vV"))?;
    let said = String::from_utf8(said)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    let mut name = host.context("rustc -vV: no host")?.to_owned();
    for feature in features.split(',').filter(|it| *it != "flex") {
        name.push('-');
        name.push_str(feature);
    }
    Ok(name)
}

/// Builds the program, without symbols, into a folder. It runs on every processor of this architecture: its loops look for
/// better instructions when they run.
fn build(features: &str, dir: &Path) -> anyhow::Result<PathBuf> {
    let own = ["--package", "bert-cli", "--no-default-features"];
    let mut build = cargo();
    build
        .args(["build", "--release", "--locked", "--features", features])
        .args(own);
    build.arg("--target-dir").arg(target_dir());
    // No more than the architecture's own instructions, whatever the developer's settings are.
    build.env_remove("RUSTFLAGS");
    if !status(&mut build)?.success() {
        bail!("dist: bert could not be built");
    }
    let bert = put(&target_dir().join("release/bert"), dir)?;
    if !status(Command::new("strip").arg(&bert))?.success() {
        bail!("dist: {} could not be stripped", bert.display());
    }
    Ok(bert)
}

/// Writes the licences of all that is linked.
fn licences(features: &str, to: &Path) -> anyhow::Result<()> {
    let to = to.to_str().context("the build folder's name is no UTF-8")?;
    let manifest = root().join("crates/bert-cli/Cargo.toml");
    let manifest = manifest.to_str().context("the folder's name is no UTF-8")?;
    let config = root().join("deploy/about.toml");
    let config = config.to_str().context("the folder's name is no UTF-8")?;
    let words = [
        "generate",
        "--offline",
        "--fail",
        "--manifest-path",
        manifest,
    ];
    let own = ["--no-default-features", "--features", features];
    let files = ["--config", config, "--output-file", to, "deploy/about.hbs"];
    let done = ABOUT.run(&[&words[..], &own, &files].concat())?;
    if !done.success() {
        bail!("dist: the licences could not be listed");
    }
    Ok(())
}

/// Packs a folder, with the same bytes for the same files.
fn pack(dist: &Path, name: &str) -> anyhow::Result<String> {
    let archive = format!("{name}.tar.gz");
    let date = output(git().args(["log", "-1", "--format=%cI"]))?;
    let date = String::from_utf8(date)?;
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
        .arg(format!("--mtime={}", date.trim()))
        .args(["--use-compress-program=gzip -9n", "-cf", &archive, name])
        .current_dir(dist);
    if !status(&mut tar)?.success() {
        bail!("dist: {archive} could not be packed");
    }
    Ok(archive)
}

fn git() -> Command {
    let mut git = Command::new("git");
    git.current_dir(root());
    git
}

/// Copies a file into a folder.
fn put(from: &Path, dir: &Path) -> anyhow::Result<PathBuf> {
    let to = dir.join(from.file_name().unwrap_or_default());
    fs::copy(from, &to).with_context(|| format!("{}: cannot be copied", from.display()))?;
    Ok(to)
}

/// What a command prints, which must succeed.
fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command.stderr(Stdio::inherit()).output();
    let done = done.with_context(|| format!("{program} could not be started"))?;
    if !done.status.success() {
        bail!("{program} failed: {}", done.status);
    }
    Ok(done.stdout)
}
