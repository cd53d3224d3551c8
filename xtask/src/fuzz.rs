//! The fuzzer, built with libFuzzer's instrumentation and run on one target or on all.
//!
//! Cargo does it by itself: the flags below are stable ones of rustc's, and what cargo-fuzz adds to them is a sanitizer, which
//! needs a nightly compiler and finds nothing in parsers without `unsafe`.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::cargo::{cargo, exit_code, root, status, target_dir};

/// Counters at every edge of the code and a look at what is compared, as libFuzzer needs them. They are rustc's
/// `-C passes` and LLVM's options, both of the stable compiler.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// What the names of the targets that link Burn begin with.
const OF_MODELS: &str = "model-";

/// libFuzzer's limits: bytes of a case, seconds of one that hangs, megabytes of the process.
const LIMITS: [&str; 3] = ["-max_len=4096", "-timeout=10", "-rss_limit_mb=4096"];

const HELP: &str = "\
cargo xtask fuzz                            list the targets
cargo xtask fuzz TARGET|all [--minutes N]   run one target, or all, for N minutes each [default: 5]
cargo xtask fuzz TARGET FILE                run a target on one case

A case that breaks what must hold is kept below target/fuzz/crashes; docs/reliability.md says how to go on.
";

/// Lists the targets, or runs some.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (name, minutes, case) = match words[..] {
        [] => {
            println!("{}", targets()?.join("\n"));
            return Ok(ExitCode::SUCCESS);
        }
        ["--help" | "-h"] => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        [name] => (name, "5", None),
        [name, "--minutes", minutes] | ["--minutes", minutes, name] => (name, minutes, None),
        [name, case] if name != "all" && !case.starts_with('-') => (name, "0", Some(case)),
        _ => bail!(
            "fuzz: found {:?}, expected what cargo xtask fuzz --help lists",
            words.join(" ")
        ),
    };
    let minutes: f64 = minutes
        .parse()
        .with_context(|| format!("--minutes: found {minutes:?}, expected a number"))?;
    let mut chosen = targets()?;
    if name != "all" {
        chosen.retain(|target| target == name);
    }
    if chosen.is_empty() {
        bail!("fuzz: found the target {name:?}, expected one that cargo xtask fuzz lists");
    }
    let mut code = ExitCode::SUCCESS;
    for target in &chosen {
        println!("── {target}");
        let mut fuzzer = fuzzer(target);
        match case {
            Some(case) => drop(fuzzer.arg(case)),
            None => drop(fuzzer.args(search(target, minutes)?)),
        }
        let ended = status(fuzzer.env("BERT_FUZZ_TARGET", target))?;
        if !ended.success() {
            code = exit_code(ended);
        }
    }
    Ok(code)
}

/// The targets: each has a folder with its corpus.
fn targets() -> anyhow::Result<Vec<String>> {
    let folder = root().join("fuzz/corpus");
    let read = || -> std::io::Result<Vec<String>> {
        fs::read_dir(&folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    };
    let mut names = read().with_context(|| format!("{}: cannot be listed", folder.display()))?;
    names.sort();
    Ok(names)
}

/// The fuzzer, which cargo builds first.
fn fuzzer(target: &str) -> Command {
    let mut cargo = cargo();
    cargo
        .args([
            "run",
            "--quiet",
            "--package",
            "bert-fuzz",
            "--bin",
            "fuzz",
            "--profile",
            "fuzz",
        ])
        // With a target named, build scripts and procedural macros are not instrumented.
        .args(["--target", "host-tuple", "--features", "libfuzzer"])
        .arg("--target-dir")
        .arg(folder("build"))
        .env("RUSTFLAGS", INSTRUMENTATION);
    if !target.starts_with(OF_MODELS) {
        cargo.arg("--no-default-features");
    }
    cargo.arg("--");
    cargo
}

fn folder(name: &str) -> std::path::PathBuf {
    target_dir().join("fuzz").join(name)
}

/// What libFuzzer is told for a search of so many minutes: limits, words, where cases are kept, and where it begins.
fn search(target: &str, minutes: f64) -> anyhow::Result<Vec<OsString>> {
    let (found, crashes) = (folder("corpus").join(target), folder("crashes"));
    for made in [&found, &crashes] {
        fs::create_dir_all(made).with_context(|| format!("{}: cannot be made", made.display()))?;
    }
    let words = folder("words.dict");
    fs::write(&words, dictionary(target)?)
        .with_context(|| format!("{}: cannot be written", words.display()))?;
    let with = |flag: &str, path: &Path| {
        let mut flag = OsString::from(flag);
        flag.push(path);
        flag
    };
    let mut arguments: Vec<OsString> = LIMITS.map(OsString::from).to_vec();
    arguments.extend([
        format!("-max_total_time={:.0}", minutes * 60.0).into(),
        "-print_final_stats=1".into(),
        with("-dict=", &words),
        with("-artifact_prefix=", &crashes.join(format!("{target}-"))),
        found.into(),
        root().join("fuzz/corpus").join(target).into(),
    ]);
    Ok(arguments)
}

/// The words of a target's dictionaries, which the fuzzer names.
fn dictionary(target: &str) -> anyhow::Result<String> {
    let output = fuzzer(target)
        .output()
        .context("cargo could not be started")?;
    if !output.status.success() {
        bail!(
            "the fuzzer cannot be built:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = list
        .lines()
        .find_map(|line| line.strip_prefix(target)?.strip_prefix(' '));
    let mut words = String::new();
    for name in line.unwrap_or_default().split_whitespace() {
        let path = root()
            .join("fuzz/dictionaries")
            .join(format!("{name}.dict"));
        words += &fs::read_to_string(&path)
            .with_context(|| format!("{}: cannot be read", path.display()))?;
    }
    Ok(words)
}
