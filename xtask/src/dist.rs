//! `cargo xtask dist`: archives with the program for other machines, and what installs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};

use crate::cargo::{cargo, root, status, target_dir};
use crate::tools::ABOUT;

/// Files of the repository that each archive has, from the root.
const FILES: [&str; 5] = [
    "README.md",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "deploy/bert.service",
];
/// The shells whose completions each archive has, and the names by which these are found.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "bert.bash"),
    ("zsh", "_bert"),
    ("fish", "bert.fish"),
];
/// What the archives are listed in, with their sums.
const SUMS: &str = "SHA256SUMS";
/// What processors of x86-64 have, the oldest first: the end of an archive's name, and the compiler's word for the processor.
const LEVELS: [(&str, &str); 2] = [("v2", "x86-64-v2"), ("v4", "x86-64-v4")];

/// Builds the program for each level of processors and fills a folder below `target/dist`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let features = match arguments {
        [] => "flex",
        [flag, features] if flag == "--features" => features.as_str(),
        _ => bail!(
            "dist: found {arguments:?}, expected nothing, or --features with those of bert-cli"
        ),
    };
    let host = host()?;
    if !host.starts_with("x86_64-") {
        bail!("dist: found the compiler of {host}, expected one of x86_64");
    }
    let dist = target_dir().join("dist").join(features.replace(',', "-"));
    let contents = dist.join("contents");
    if dist.exists() {
        fs::remove_dir_all(&dist).with_context(|| format!("{}", dist.display()))?;
    }
    fs::create_dir_all(&contents).with_context(|| format!("{}", contents.display()))?;

    let name = format!("bert-{}-{host}", version()?);
    let bert = contents.join("bert");
    let mut made = Vec::new();
    for (level, processor) in LEVELS {
        eprintln!("building for {processor}");
        build(features, &host, processor, &bert)?;
        if made.is_empty() {
            // The oldest level runs on this machine too.
            fill(&contents, features, &host)?;
        }
        made.push(pack(&dist, &format!("{name}-{level}"))?);
    }
    fs::remove_dir_all(&contents)?;
    let sums = output(Command::new("sha256sum").args(&made).current_dir(&dist))?;
    fs::write(dist.join(SUMS), sums)?;
    put(&root().join("deploy/install.sh"), &dist)?;
    made.extend([SUMS.to_owned(), "install.sh".to_owned()]);
    for file in made {
        println!("{}", dist.join(file).display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts all that belongs to the program into its folder.
fn fill(dir: &Path, features: &str, host: &str) -> anyhow::Result<()> {
    let bert = dir.join("bert");
    for file in FILES {
        put(&root().join(file), dir)?;
    }
    let completions = dir.join("completions");
    fs::create_dir_all(&completions)?;
    for (shell, file) in COMPLETIONS {
        let script = output(Command::new(&bert).args(["completions", shell]))?;
        fs::write(completions.join(file), script)?;
    }
    let manual = dir.join("man");
    fs::create_dir_all(&manual)?;
    output(Command::new(&bert).arg("docs-man").arg(&manual))?;
    eprintln!("listing licences, which takes a minute or more");
    let licences = dir.join("licences");
    fs::create_dir_all(&licences)?;
    let rust = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let rust = PathBuf::from(String::from_utf8(rust)?.trim_end());
    put(
        &rust.join("share/doc/rust/COPYRIGHT-library.html"),
        &licences,
    )?;
    list_licences(features, host, &licences.join("crates.html"))
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

/// The compiler's name of this machine.
fn host() -> anyhow::Result<String> {
    let said = String::from_utf8(output(Command::new("rustc").arg("-vV"))?)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV: no host")?.to_owned())
}

/// Builds the program and copies it, without symbols, to a file.
fn build(features: &str, host: &str, processor: &str, to: &Path) -> anyhow::Result<()> {
    let mut build = cargo();
    build
        .args(["build", "--release", "--locked", "--package", "bert-cli"])
        .args(["--no-default-features", "--features", features])
        .arg("--target-dir")
        .arg(target_dir())
        // Where the target is named, what runs while it is built is for this machine, whatever the program is for.
        .args(["--target", host])
        .env("RUSTFLAGS", format!("-C target-cpu={processor}"));
    if !status(&mut build)?.success() {
        bail!("dist: bert could not be built for {processor}");
    }
    let built = target_dir().join(host).join("release/bert");
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(to).arg(&built);
    if !status(&mut strip)?.success() {
        bail!("dist: {} could not be stripped", built.display());
    }
    Ok(())
}

/// Writes the licences of all crates that are linked.
fn list_licences(features: &str, host: &str, to: &Path) -> anyhow::Result<()> {
    let to = to.to_str().context("the build folder's name is no UTF-8")?;
    // cargo-about works offline, on all that the lock file names.
    if !status(cargo().args(["fetch", "--locked"]))?.success() {
        bail!("dist: the crates could not be fetched");
    }
    let done = ABOUT.run(&[
        "generate",
        "--offline",
        "--locked",
        "--fail",
        "--manifest-path",
        "crates/bert-cli/Cargo.toml",
        "--no-default-features",
        "--features",
        features,
        "--target",
        host,
        "--config",
        "deploy/about.toml",
        "--output-file",
        to,
        "deploy/about.hbs",
    ])?;
    if !done.success() {
        bail!("dist: the licences could not be listed");
    }
    Ok(())
}

/// Packs the contents, with the same bytes for the same files.
fn pack(dist: &Path, name: &str) -> anyhow::Result<String> {
    let archive = format!("{name}.tar.gz");
    let mut git = Command::new("git");
    git.args(["log", "-1", "--format=%cI"]).current_dir(root());
    let date = String::from_utf8(output(&mut git)?)?;
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
        .arg(format!("--mtime={}", date.trim()))
        .arg(format!("--transform=s,^contents,{name},"))
        .args([
            "--use-compress-program=gzip -9n",
            "-cf",
            &archive,
            "contents",
        ])
        .current_dir(dist);
    if !status(&mut tar)?.success() {
        bail!("dist: {archive} could not be packed");
    }
    Ok(archive)
}

/// Copies a file into a folder.
fn put(from: &Path, dir: &Path) -> anyhow::Result<()> {
    let to = dir.join(from.file_name().unwrap_or_default());
    fs::copy(from, &to).with_context(|| format!("{}: cannot be copied", from.display()))?;
    Ok(())
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
