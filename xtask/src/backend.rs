//! Which backend the binary is built for.

use std::fmt;
use std::path::Path;

use crate::invocation::Invocation;

/// A backend that `bert` can be built with. Adding one is a row in [`BACKENDS`].
#[derive(Debug)]
pub(crate) struct Backend {
    /// Its names for `--backend`, the usual one first.
    names: &'static [&'static str],
    /// The features of `bert-cli` that it needs.
    features: &'static str,
    /// What `--device` calls its devices, without a number after a colon.
    device: &'static str,
    /// Whether this machine has such a device and can build for it, so that it is built without being named.
    is_here: fn() -> bool,
}

/// Every backend, the fastest first. The last one is on every machine.
const BACKENDS: [Backend; 4] = [
    Backend {
        names: &["cuda"],
        features: "flex,cuda",
        device: "cuda",
        is_here: has_cuda,
    },
    Backend {
        names: &["wgpu"],
        features: "flex,wgpu",
        device: "wgpu",
        // A graphics driver that computes cannot be told from one that only draws.
        is_here: || false,
    },
    Backend {
        names: &["vulkan"],
        features: "flex,vulkan",
        device: "wgpu",
        is_here: || false,
    },
    Backend {
        names: &["flex", "cpu"],
        features: "flex",
        device: "cpu",
        is_here: || true,
    },
];

/// The backend of the CPU, which every build has.
const CPU: &Backend = &BACKENDS[BACKENDS.len() - 1];

/// Verbs that run a model; those of training and prediction have [`MODEL_PREFIXES`].
const MODEL_VERBS: [&str; 7] = [
    "ask",
    "classify",
    "choose",
    "serve",
    "export",
    "bench-train",
    "bench-predict",
];
const MODEL_PREFIXES: [&str; 2] = ["train-", "predict-"];

/// `--backend` without a backend's name.
#[derive(Debug)]
pub(crate) struct BadBackend(String);

impl fmt::Display for BadBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--backend: found {:?}, expected ", self.0)?;
        let (last, others) = BACKENDS.split_last().expect("there are backends");
        let others: Vec<&str> = others.iter().map(|backend| backend.names[0]).collect();
        write!(f, "{} or {}", others.join(", "), last.names[0])
    }
}

impl std::error::Error for BadBackend {}

impl Backend {
    /// The features of `bert-cli`.
    pub(crate) fn features(&self) -> &'static str {
        self.features
    }

    fn named(name: &str) -> Option<&'static Self> {
        BACKENDS
            .iter()
            .find(|backend| backend.names.contains(&name))
    }

    /// The backend of a device such as `cuda:1`. What no backend knows is left to `bert` to refuse.
    fn of_device(device: &str) -> &'static Self {
        let kind = device.split(':').next().unwrap_or_default();
        let known = BACKENDS.iter().find(|backend| backend.device == kind);
        known.unwrap_or(CPU)
    }

    fn of_machine() -> &'static Self {
        let here = BACKENDS.iter().find(|backend| (backend.is_here)());
        here.unwrap_or(CPU)
    }
}

/// Takes `--backend` out of a verb's flags and follows it, or else the flags' device, or else the machine. A backend that
/// was named becomes the device that runs.
pub(crate) fn choose(invocation: &mut Invocation) -> Result<&'static Backend, BadBackend> {
    let named = invocation
        .take_value("--backend")
        .map(|name| {
            let name = name.unwrap_or_default();
            Backend::named(&name).ok_or(BadBackend(name))
        })
        .transpose()?;
    if !uses_a_device(&invocation.verb) {
        return Ok(named.unwrap_or(CPU));
    }
    let asked = device_of(&invocation.flags).map(Backend::of_device);
    if let (Some(backend), None) = (named, asked) {
        let device = [String::from("--device"), String::from(backend.device)];
        invocation.flags.extend(device);
    }
    Ok(named.or(asked).unwrap_or_else(Backend::of_machine))
}

fn uses_a_device(verb: &str) -> bool {
    MODEL_VERBS.contains(&verb) || MODEL_PREFIXES.iter().any(|it| verb.starts_with(it))
}

/// The device that flags ask for.
fn device_of(flags: &[String]) -> Option<&str> {
    let mut words = flags.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--no-cuda" | "--no_cuda" => return Some(CPU.device),
            "--device" => return words.next(),
            _ => {}
        }
        if let Some(device) = word.strip_prefix("--device=") {
            return Some(device);
        }
    }
    None
}

/// Whether there are an NVIDIA GPU and the toolkit that kernels are compiled with.
fn has_cuda() -> bool {
    let toolkit = std::env::var_os("CUDA_PATH").unwrap_or_else(|| "/usr/local/cuda".into());
    Path::new(&toolkit).join("include/cuda_fp16.h").is_file() && has_nvidia_gpu()
}

/// Whether there is a device node `/dev/nvidiaN`.
fn has_nvidia_gpu() -> bool {
    let is_gpu = |name: &str| {
        name.strip_prefix("nvidia")
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    std::fs::read_dir("/dev").is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_str().is_some_and(is_gpu))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The features that are built, and what `bert` is given.
    fn chosen(line: &str) -> (Result<&'static str, String>, String) {
        let words = line.split(' ').map(str::to_owned).collect();
        let mut invocation = Invocation::parse(words).expect("there is a verb");
        let backend = choose(&mut invocation).map_err(|error| error.to_string());
        (
            backend.map(Backend::features),
            invocation.into_arguments().join(" "),
        )
    }

    #[test]
    fn flags_decide() {
        let (cpu, cuda) = ("flex", "flex,cuda");
        let cases = [
            (
                "train-squad --backend cuda",
                cuda,
                "train-squad --device cuda",
            ),
            (
                "--backend=flex train-squad --seed 1",
                cpu,
                "train-squad --seed 1 --device cpu",
            ),
            (
                "--backend cuda --json train-squad",
                cuda,
                "--json train-squad --device cuda",
            ),
            (
                "train-squad --device cuda:1",
                cuda,
                "train-squad --device cuda:1",
            ),
            (
                "train-squad --backend wgpu",
                "flex,wgpu",
                "train-squad --device wgpu",
            ),
            (
                "train-squad --device=wgpu:1",
                "flex,wgpu",
                "train-squad --device=wgpu:1",
            ),
            (
                "ask Who? --backend vulkan",
                "flex,vulkan",
                "ask Who? --device wgpu",
            ),
            ("train-squad --no_cuda", cpu, "train-squad --no_cuda"),
            ("evaluate-squad --backend cuda", cuda, "evaluate-squad"),
            (
                "evaluate-squad --device cuda",
                cpu,
                "evaluate-squad --device cuda",
            ),
            ("ask Who? --backend cuda", cuda, "ask Who? --device cuda"),
            ("classify --backend flex", cpu, "classify --device cpu"),
            ("choose --device=cuda", cuda, "choose --device=cuda"),
            ("serve --no-cuda", cpu, "serve --no-cuda"),
            ("serve --backend cuda", cuda, "serve --device cuda"),
            ("report out --backend flex", cpu, "report out"),
            ("train-squad --device tpu", cpu, "train-squad --device tpu"),
        ];
        for (line, features, left) in cases {
            assert_eq!(chosen(line), (Ok(features), left.to_owned()), "{line}");
        }
    }

    #[test]
    fn flags_before_the_verb_and_bench_train_keep_their_device() {
        for (line, left) in [
            (
                "--json train-squad --device cuda",
                "--json train-squad --device cuda",
            ),
            ("bench train --device cuda", "bench-train --device cuda"),
            (
                "--quiet bench train --device cuda --json",
                "--quiet bench-train --device cuda --json",
            ),
            (
                "-q bench train --backend cuda",
                "-q bench-train --device cuda",
            ),
            ("bench predict --device cuda", "bench-predict --device cuda"),
        ] {
            assert_eq!(chosen(line), (Ok("flex,cuda"), left.to_owned()), "{line}");
        }
    }

    #[test]
    fn an_unknown_backend_is_refused() {
        let message = "--backend: found \"tpu\", expected cuda, wgpu, vulkan or flex";
        assert_eq!(
            chosen("train-squad --backend tpu").0,
            Err(message.to_owned())
        );
        let message = "--backend: found \"\", expected cuda, wgpu, vulkan or flex";
        assert_eq!(chosen("train-squad --backend").0, Err(message.to_owned()));
    }
}
