//! What a report is made of, most important first.

use super::binaries::Tests;
use super::{COMPARISONS, QUICK};

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
    // A processor that stands in for a GPU takes longer, and does not come to the end of the trainings.
    let [kernels, trainings, golden] = &COMPARISONS;
    let (trainings, times) = match size {
        Size::Full => (trainings, 1),
        Size::Tiny => (&QUICK[0], 6),
    };
    let mut parts = vec![
        test("correctness: kernels", kernels, 60 * times),
        test(
            "correctness: trainings, gradients, answers",
            trainings,
            180 * times,
        ),
        test(
            "correctness: golden outputs and gradients",
            golden,
            60 * times,
        ),
    ];
    let (models, batches): (&[&str], &[usize]) = match size {
        Size::Full => (&["base", "large"], &[12, 32]),
        Size::Tiny => (&["tiny"], &[2, 3]),
    };
    let step = |model, precision, workload, batch| Step {
        size,
        model,
        precision,
        workload,
        batch,
    };
    let mut steps = Vec::new();
    for model in models {
        for precision in precisions {
            for batch in batches {
                // Large at 32 windows needs micro-batches on most cards.
                if *model == "large" && *batch > 12 {
                    continue;
                }
                steps.push(step(model, precision, "squad", *batch));
            }
            if *model != "large" {
                steps.push(step(model, precision, "lengths", batches[0]));
            }
        }
    }
    parts.extend(steps.iter().flat_map(|step| step.on_both_sides()));
    let first = precisions.first().copied().unwrap_or("fp32");
    for flag in ["--optimize-on-cpu", "--gradient-checkpointing"] {
        parts.push(step(models[0], first, "squad", batches[0]).ours(Some(flag)));
    }
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
    // PyTorch compiles for a minute: what is compared with it comes last.
    parts.extend(steps.iter().map(|step| step.compiled()));
    parts
}

fn test(name: &str, tests: &Tests, seconds: u64) -> Part {
    let words = [tests.binary, "--test-threads=1", "--nocapture"];
    let words = words.into_iter().chain(tests.filter);
    Part {
        name: name.to_owned(),
        side: "tests",
        command: words.map(str::to_owned).collect(),
        seconds,
    }
}

/// A training step that is timed.
#[derive(Debug, Clone, Copy)]
struct Step<'a> {
    size: Size,
    model: &'a str,
    precision: &'a str,
    workload: &'a str,
    /// Windows.
    batch: usize,
}

impl Step<'_> {
    /// Our step, and PyTorch's.
    fn on_both_sides(self) -> [Part; 2] {
        [self.ours(None), self.of_torch("PyTorch", None, 60)]
    }

    /// PyTorch's step, compiled.
    fn compiled(self) -> Part {
        self.of_torch("PyTorch, compiled", Some("--compile"), 120)
    }

    fn of_torch(self, side: &'static str, flag: Option<&str>, seconds: u64) -> Part {
        Part {
            name: self.ours(None).name,
            side,
            command: self.command(&["{python}", "{bench}/torch_baseline.py"], flag),
            seconds,
        }
    }

    fn ours(self, flag: Option<&str>) -> Part {
        let mut command = self.command(&["bert", "bench-train", "--device", "{device}"], flag);
        let what = match (self.workload, self.size) {
            ("lengths", _) => "windows of real lengths",
            (_, Size::Full) => "windows of 384",
            (_, Size::Tiny) => {
                command.extend(["--seq-length", "32"].map(str::to_owned));
                "windows of 32"
            }
        };
        let (model, precision, batch) = (self.model, self.precision, self.batch);
        let flag = flag.map_or_else(String::new, |flag| format!(", {flag}"));
        Part {
            name: format!("{model}, {precision}, {batch} {what}{flag}"),
            side: "bert",
            command,
            seconds: 120,
        }
    }

    /// A program that takes the flags of the PyTorch script.
    fn command(self, program: &[&str], flag: Option<&str>) -> Vec<String> {
        let batch = self.batch.to_string();
        let (steps, warmup) = match self.size {
            Size::Full => ("12", "4"),
            Size::Tiny => ("2", "1"),
        };
        let flags = [
            ("--model", self.model),
            ("--precision", self.precision),
            ("--workload", self.workload),
            ("--batch", &batch),
            ("--steps", steps),
            ("--warmup", warmup),
        ];
        let mut words: Vec<&str> = program.to_vec();
        words.extend(flags.iter().flat_map(|(name, value)| [*name, *value]));
        if self.workload == "lengths" {
            words.extend(["--lengths", "{bench}/squad-lengths.txt"]);
        }
        words.extend(flag);
        words.into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correctness_comes_first_and_each_step_of_ours_is_beside_the_other_s() {
        let parts = parts(Size::Full, &["tf32", "bf16"]);
        assert!(parts[..3].iter().all(|part| part.side == "tests"));
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
