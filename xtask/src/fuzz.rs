//! The fuzzer, built with libFuzzer's instrumentation and run on one target or on all.
//!
//! Cargo does it by itself: the flags below are stable ones of rustc's, and what cargo-fuzz adds to them is a sanitizer, which
//! needs a nightly compiler and finds nothing in parsers without `unsafe`.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

use crate::cargo::{cargo, exit_code, root, target_dir};

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
    let mut table = String::from(TABLE);
    for target in &chosen {
        println!("── {target}");
        let mut fuzzer = fuzzer(target);
        match case {
            Some(case) => drop(fuzzer.arg(case)),
            None => drop(fuzzer.args(search(target, minutes)?)),
        }
        let (ended, found) = watched(fuzzer.env("BERT_FUZZ_TARGET", target))?;
        if !ended.success() {
            code = exit_code(ended);
        }
        table += &found.row(target);
    }
    if case.is_none() {
        print!("\n{table}");
    }
    Ok(code)
}

/// The head of the table that ends a search, as `docs/reliability.md` has it.
const TABLE: &str = "\
| target | executions | minutes | edges | ended by |
| --- | --- | --- | --- | --- |
";

/// What libFuzzer tells of a search.
#[derive(Debug, Default, PartialEq)]
struct Found {
    executions: u64,
    edges: u64,
    seconds: u64,
    /// The case that ended it.
    case: Option<String>,
}

impl Found {
    /// Learns from a line of libFuzzer's, such as `#8192 pulse  cov: 812 ft: …`.
    fn learn(&mut self, line: &str) {
        let number = |text: Option<&str>| text.and_then(|it| it.trim().parse().ok());
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = number(Some(count)).unwrap_or(self.executions);
        } else if let Some(place) = words.iter().position(|word| *word == "cov:") {
            self.edges = number(words.get(place + 1).copied()).unwrap_or(self.edges);
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.case = Some(path.trim().to_owned());
        }
    }

    fn row(&self, target: &str) -> String {
        let (executions, edges) = (self.executions, self.edges);
        let minutes = self.seconds as f64 / 60.0;
        let ended = self.case.as_deref().unwrap_or("time");
        format!("| {target} | {executions} | {minutes:.1} | {edges} | {ended} |\n")
    }
}

/// Runs the fuzzer, shows what it says and learns from it.
fn watched(fuzzer: &mut Command) -> anyhow::Result<(ExitStatus, Found)> {
    let started = Instant::now();
    let mut child = fuzzer
        .stderr(Stdio::piped())
        .spawn()
        .context("cargo could not be started")?;
    let mut found = Found::default();
    if let Some(output) = child.stderr.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.context("the fuzzer cannot be read")?;
            let line = String::from_utf8_lossy(&line);
            eprintln!("{line}");
            found.learn(&line);
        }
    }
    found.seconds = started.elapsed().as_secs();
    Ok((child.wait().context("the fuzzer was lost")?, found))
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

fn folder(name: &str) -> PathBuf {
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
    // libFuzzer refuses an empty file.
    let mut words = format!("# The words of {target}.\n");
    for name in line.unwrap_or_default().split_whitespace() {
        let path = root()
            .join("fuzz/dictionaries")
            .join(format!("{name}.dict"));
        words += &fs::read_to_string(&path)
            .with_context(|| format!("{}: cannot be read", path.display()))?;
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_ends_in_a_row_of_the_table() {
        let mut found = Found {
            seconds: 90,
            ..Found::default()
        };
        for line in [
            "INFO: Loaded 1 modules   (9 inline 8-bit counters): 9 [0x1, 0x2),",
            "#2\tINITED cov: 40 ft: 41 corp: 1/1b exec/s: 0 rss: 32Mb",
            "#8192\tpulse  cov: 812 ft: 1900 corp: 90/4Kb lim: 68 exec/s: 4096 rss: 60Mb",
            "stat::number_of_executed_units: 12345",
        ] {
            found.learn(line);
        }
        assert_eq!(found.row("squad"), "| squad | 12345 | 1.5 | 812 | time |\n");
        found.learn("artifact_prefix='x-'; Test unit written to x-crash-1");
        assert_eq!(
            found.row("squad"),
            "| squad | 12345 | 1.5 | 812 | x-crash-1 |\n"
        );
    }
}
