//! `gpu-report`: every part in turn, each part's result on disk before the next begins, and a table of all.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::bundle::{self, PROGRAMS, REPOSITORY};
use super::flags::Flags;
use super::parts::{Part, Size, parts};
use super::run::{End, run};
use super::software;

const HELP: &str = "\
cargo xtask gpu-report [FLAGS]

Tests and measures a device in one unattended call, the most important part first. Each part's result is on disk before
the next begins: PART.out and PART.err, a line in results.jsonl, and the table report.md.

  --device DEVICE   cuda, cuda:1, wgpu, wgpu:1 [default: cuda]
  --out DIR         folder for the results [default: target/gpu-report]
  --minutes N       parts that have not begun after N minutes are left out [default: 9]
  --python PROGRAM  python with PyTorch and transformers, for the other side [default: python3]
  --software        on a device that the processor stands in for: a rehearsal
  --tiny            with models of a rehearsal
  --build-only      build the bundle target/gpu-bundle, which a machine without Rust runs with ./run.sh
  --bundle DIR      run that bundle instead of building one
";

/// Seconds that a part needs at least to be worth beginning.
const LEAST: u64 = 5;

/// Where a report is made, and from what.
struct Place {
    bundle: PathBuf,
    out: PathBuf,
    device: String,
    python: String,
    variables: Vec<(String, std::ffi::OsString)>,
}

/// Makes a report.
pub(crate) fn report(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let switches = ["--software", "--tiny", "--build-only"];
    let valued = ["--device", "--out", "--minutes", "--python", "--bundle"];
    let Some(flags) = Flags::parse(arguments, &switches, &valued)? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let minutes = flags.value("--minutes").unwrap_or("9");
    let Ok(minutes) = minutes.parse::<f64>() else {
        bail!("--minutes: found {minutes:?}, expected a number");
    };
    let device = flags.value("--device").unwrap_or("cuda").to_owned();
    let variables = software::variables(&device, flags.has("--software"))?;
    let tiny = flags.has("--tiny");
    let bundle = match flags.value("--bundle") {
        Some(dir) => PathBuf::from(dir),
        // A rehearsal needs no optimised program.
        None => bundle::build(&device, if tiny { "dev" } else { "release" })?,
    };
    if flags.has("--build-only") {
        println!("{}", bundle.display());
        return Ok(ExitCode::SUCCESS);
    }
    let out = match (flags.value("--out"), flags.value("--bundle")) {
        (Some(out), _) => PathBuf::from(out),
        (None, Some(dir)) => Path::new(dir).join("report"),
        (None, None) => crate::cargo::target_dir().join("gpu-report"),
    };
    let place = Place {
        bundle: absolute(&bundle)?,
        out,
        device,
        python: flags.value("--python").unwrap_or("python3").to_owned(),
        variables,
    };
    let precisions: &[&str] = if place.device.starts_with("cuda") {
        &["tf32", "bf16"]
    } else {
        &["fp32"]
    };
    let size = if tiny { Size::Tiny } else { Size::Full };
    let deadline = Duration::from_secs_f64(60.0 * minutes);
    let results = place.run(&parts(size, precisions), deadline)?;
    print!("{}", table(&place.device, &results));
    let failed = results
        .iter()
        .any(|it| it["side"] == "tests" && it["end"] != End::Done.name());
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    path.canonicalize()
        .with_context(|| format!("{}: found no such folder", path.display()))
}

impl Place {
    /// Runs every part that begins before the deadline; a line of results for each.
    fn run(&self, parts: &[Part], deadline: Duration) -> anyhow::Result<Vec<Value>> {
        let failed = |path: &Path| format!("{}: cannot be written", path.display());
        fs::create_dir_all(&self.out).with_context(|| failed(&self.out))?;
        let lines = self.out.join("results.jsonl");
        let mut file = File::create(&lines).with_context(|| failed(&lines))?;
        let started = Instant::now();
        let mut results = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let left = deadline.saturating_sub(started.elapsed()).as_secs();
            let result = if left < LEAST {
                json!({"part": part.name, "side": part.side, "end": "not begun"})
            } else {
                eprintln!(
                    "{} of {}: {}, {}",
                    number + 1,
                    parts.len(),
                    part.side,
                    part.name
                );
                self.measure(part, number + 1, left)?
            };
            writeln!(file, "{result}").with_context(|| failed(&lines))?;
            file.sync_all().with_context(|| failed(&lines))?;
            results.push(result);
            let page = self.out.join("report.md");
            fs::write(&page, table(&self.device, &results)).with_context(|| failed(&page))?;
        }
        Ok(results)
    }

    fn measure(&self, part: &Part, number: usize, left: u64) -> anyhow::Result<Value> {
        let words: Vec<String> = part
            .command
            .iter()
            .map(|word| self.filled_in(word))
            .collect();
        let (program, arguments) = words.split_first().context("a part has a program")?;
        let own = self.bundle.join(PROGRAMS).join(program);
        let mut command = if own.is_file() {
            Command::new(own)
        } else {
            Command::new(program)
        };
        let cache = self.out.join("kernels");
        if part.name.ends_with("cold") {
            // It may not be there.
            let _ = fs::remove_dir_all(&cache);
        }
        let repository = self.bundle.join(REPOSITORY);
        command
            .args(arguments)
            .current_dir(&repository)
            .env("BERT_REPOSITORY", &repository)
            .env("BERT_TEST_DEVICE", &self.device)
            .env("XDG_CACHE_HOME", absolute(&self.out)?.join("kernels"))
            .envs(
                self.variables
                    .iter()
                    .filter(|(name, _)| name != "XDG_CACHE_HOME")
                    .cloned(),
            );
        let files = self.out.join(format!(
            "{number:02}-{}",
            part.side.replace([' ', ','], "-")
        ));
        let limit = Duration::from_secs(part.seconds.min(left));
        let mut result = json!({"part": part.name, "side": part.side, "command": words.join(" ")});
        match run(&mut command, &files, limit) {
            Ok((end, took)) => {
                result["end"] = json!(end.name());
                result["seconds"] = json!((took.as_secs_f64() * 10.0).round() / 10.0);
                let text = fs::read_to_string(files.with_extension("out")).unwrap_or_default();
                let last = text
                    .lines()
                    .rev()
                    .find_map(|line| serde_json::from_str(line).ok());
                if let Some(Value::Object(last)) = last {
                    result["result"] = Value::Object(last);
                }
                if end != End::Done {
                    let said = fs::read_to_string(files.with_extension("err")).unwrap_or_default();
                    result["said"] = json!(said.lines().last());
                }
            }
            // A part whose program is missing, such as PyTorch's, does not end the report.
            Err(error) => result["end"] = json!(format!("{error:#}")),
        }
        Ok(result)
    }

    fn filled_in(&self, word: &str) -> String {
        let bench = self.bundle.join("shared/bench");
        word.replace("{device}", &self.device)
            .replace("{python}", &self.python)
            .replace("{bench}", &bench.display().to_string())
            .replace("{model}", "../shared/models/minilm-l6-squad")
    }
}

/// The table for `docs/performance.md`.
fn table(device: &str, results: &[Value]) -> String {
    let mut text = format!(
        "Device: {device}. Each line is one process; `ms` is the median of its steps.\n\n\
         | what | side | end | s | ms a step | windows/s | host ms | peak MiB | estimate MiB |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    );
    for result in results {
        let measured = &result["result"];
        let number = |value: &Value| match value.as_f64() {
            Some(number) if number >= 100.0 => format!("{number:.0}"),
            Some(number) => format!("{number:.2}"),
            None => String::new(),
        };
        let grouped = &measured["grouped"]["sequences_per_s"];
        let rate = if grouped.is_number() {
            grouped
        } else {
            &measured["sequences_per_s"]
        };
        let cells = [
            result["part"].as_str().unwrap_or_default().to_owned(),
            result["side"].as_str().unwrap_or_default().to_owned(),
            result["end"].as_str().unwrap_or_default().to_owned(),
            number(&result["seconds"]),
            number(&measured["ms_per_step"]),
            number(rate),
            number(&measured["host_ms_per_step"]),
            number(&measured["peak_mib"]),
            number(&measured["estimate_mib"]),
        ];
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_a_part() {
        let results = [
            json!({"part": "base", "side": "bert", "end": "done", "seconds": 12.5,
                "result": {"ms_per_step": 123.4, "sequences_per_s": 97.25, "peak_mib": null}}),
            json!({"part": "lengths", "side": "bert", "end": "done",
                "result": {"grouped": {"sequences_per_s": 200.0}}}),
            json!({"part": "large", "side": "PyTorch", "end": "not begun"}),
        ];
        let table = table("cuda", &results);
        let lines: Vec<&str> = table.lines().skip(4).collect();
        assert_eq!(
            lines[0],
            "| base | bert | done | 12.50 | 123 | 97.25 |  |  |  |"
        );
        assert_eq!(lines[1], "| lengths | bert | done |  |  | 200 |  |  |  |");
        assert_eq!(
            lines[2],
            "| large | PyTorch | not begun |  |  |  |  |  |  |"
        );
    }
}
