//! What a report is made of, most important first.

/// How large the models are that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// Those of the recipes.
    Full,
    /// Models of a rehearsal.
    Tiny,
}

/// One measurement: a command, run to its end before the next begins.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Its name in the table, and of its files.
    pub(super) name: String,
    /// Who computes: `bert`, `PyTorch`, or what the part is about.
    pub(super) side: &'static str,
    /// Program and arguments. `{device}` and `{bench}` are replaced.
    pub(super) command: Vec<String>,
    /// Seconds after which it is ended.
    pub(super) seconds: u64,
}

/// Every part of a report.
pub(super) fn parts(size: Size, precisions: &[&'static str]) -> Vec<Part> {
    let mut parts = vec![
        test("correctness: trainings, gradients, answers", "parity", 240),
        test("correctness: golden outputs and gradients", "model", 60),
    ];
    let (models, batches): (&[&str], &[usize]) = match size {
        Size::Full => (&["base", "large"], &[12, 32]),
        Size::Tiny => (&["tiny"], &[2, 3]),
    };
    for model in models {
        for precision in precisions {
            for batch in batches {
                // Large at 32 windows needs micro-batches on most cards.
                if *model == "large" && *batch > 12 {
                    continue;
                }
                parts.extend(both_sides(size, model, precision, "squad", *batch, &[]));
            }
            if *model != "large" {
                parts.extend(both_sides(
                    size,
                    model,
                    precision,
                    "lengths",
                    batches[0],
                    &[],
                ));
            }
        }
    }
    let first = precisions.first().copied().unwrap_or("fp32");
    let moved = ["--optimize-on-cpu"];
    parts.push(ours(size, models[0], first, "squad", batches[0], &moved));
    let again = ["--gradient-checkpointing"];
    parts.push(ours(size, models[0], first, "squad", batches[0], &again));
    for name in ["start-up, cold", "start-up, warm"] {
        let words = [
            "bert",
            "ask",
            "--device",
            "{device}",
            "--model",
            "{model}",
            "--text",
            "It was built in 1889.",
            "When was it built?",
        ];
        parts.push(Part {
            name: name.to_owned(),
            side: "bert",
            command: words.map(str::to_owned).to_vec(),
            seconds: 90,
        });
    }
    parts
}

fn test(name: &str, binary: &str, seconds: u64) -> Part {
    let words = [binary, "--test-threads=1", "--nocapture"];
    Part {
        name: name.to_owned(),
        side: "tests",
        command: words.map(str::to_owned).to_vec(),
        seconds,
    }
}

/// Our step, and PyTorch's, eager and compiled.
fn both_sides(
    size: Size,
    model: &str,
    precision: &str,
    workload: &str,
    batch: usize,
    more: &[&str],
) -> Vec<Part> {
    let ours = ours(size, model, precision, workload, batch, more);
    let of_torch = |compile: bool| {
        let mut command: Vec<String> = ["{python}", "{bench}/torch_baseline.py"]
            .map(str::to_owned)
            .to_vec();
        command.extend(shape(size, model, precision, workload, batch));
        if compile {
            command.push("--compile".to_owned());
        }
        Part {
            name: ours.name.clone(),
            side: if compile {
                "PyTorch, compiled"
            } else {
                "PyTorch"
            },
            command,
            seconds: if compile { 120 } else { 60 },
        }
    };
    let torch = [of_torch(false), of_torch(true)];
    [ours].into_iter().chain(torch).collect()
}

fn ours(
    size: Size,
    model: &str,
    precision: &str,
    workload: &str,
    batch: usize,
    more: &[&str],
) -> Part {
    let mut command: Vec<String> = ["bert", "bench-train", "--device", "{device}"]
        .map(str::to_owned)
        .to_vec();
    command.extend(shape(size, model, precision, workload, batch));
    if size == Size::Tiny && workload == "squad" {
        command.extend(["--seq-length", "32"].map(str::to_owned));
    }
    command.extend(more.iter().map(|flag| (*flag).to_owned()));
    let what = match workload {
        "lengths" => "windows of real lengths",
        _ if size == Size::Tiny => "windows",
        _ => "windows of 384",
    };
    let more: String = more.iter().map(|flag| format!(", {flag}")).collect();
    Part {
        name: format!("{model}, {precision}, {batch} {what}{more}"),
        side: "bert",
        command,
        seconds: 120,
    }
}

fn shape(size: Size, model: &str, precision: &str, workload: &str, batch: usize) -> Vec<String> {
    let batch = batch.to_string();
    let (steps, warmup) = match size {
        Size::Full => ("12", "4"),
        Size::Tiny => ("2", "1"),
    };
    let mut words = vec![
        "--model",
        model,
        "--precision",
        precision,
        "--workload",
        workload,
        "--batch",
        &batch,
        "--steps",
        steps,
        "--warmup",
        warmup,
    ];
    if workload == "lengths" {
        words.extend(["--lengths", "{bench}/squad-lengths.txt"]);
    }
    words.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correctness_comes_first_and_each_step_of_ours_is_beside_the_other_s() {
        let parts = parts(Size::Full, &["tf32", "bf16"]);
        assert!(parts[..2].iter().all(|part| part.side == "tests"));
        let sides = |name: &str| {
            let of_name = parts.iter().filter(|part| part.name == name);
            of_name.map(|part| part.side).collect::<Vec<_>>()
        };
        assert_eq!(
            sides("base, tf32, 12 windows of 384"),
            ["bert", "PyTorch", "PyTorch, compiled"]
        );
        assert_eq!(sides("base, bf16, 12 windows of real lengths").len(), 3);
        assert_eq!(
            sides("base, tf32, 12 windows of 384, --optimize-on-cpu"),
            ["bert"]
        );
        assert!(
            !parts
                .iter()
                .any(|part| part.name.starts_with("large, tf32, 32"))
        );
    }
}
