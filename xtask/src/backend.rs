//! Which backend the binary is built for.

use std::fmt;
use std::path::Path;

/// A set of `bert-cli`'s features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The CPU alone.
    Flex,
    /// CUDA, and the CPU beside it.
    Cuda,
}

/// `--backend` with a value that is none.
#[derive(Debug)]
pub(crate) struct BadBackend(String);

impl fmt::Display for BadBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--backend: found {:?}, expected flex or cuda", self.0)
    }
}

impl std::error::Error for BadBackend {}

impl Backend {
    /// The features of `bert-cli`.
    pub(crate) fn features(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Cuda => "flex,cuda",
        }
    }
}

/// Takes `--backend` out of the arguments, or follows what they say of the device, or else the machine.
pub(crate) fn choose(arguments: &mut Vec<String>) -> anyhow::Result<Backend> {
    let named = take_flag(arguments, "--backend")?;
    let backend = match named.as_deref() {
        Some("flex" | "cpu") => Backend::Flex,
        Some("cuda") => Backend::Cuda,
        Some(other) => return Err(BadBackend(other.to_owned()).into()),
        None if !uses_a_device(arguments) => Backend::Flex,
        None => from_device_flags(arguments).unwrap_or_else(from_machine),
    };
    if named.is_some() && uses_a_device(arguments) && from_device_flags(arguments).is_none() {
        // The backend that was asked for is the one that runs.
        let device = if backend == Backend::Cuda {
            "cuda"
        } else {
            "cpu"
        };
        arguments.extend(["--device".to_owned(), device.to_owned()]);
    }
    Ok(backend)
}

fn take_flag(arguments: &mut Vec<String>, flag: &str) -> anyhow::Result<Option<String>> {
    let Some(at) = arguments
        .iter()
        .position(|a| a == flag || a.starts_with(&format!("{flag}=")))
    else {
        return Ok(None);
    };
    let argument = arguments.remove(at);
    if let Some((_, value)) = argument.split_once('=') {
        return Ok(Some(value.to_owned()));
    }
    if at < arguments.len() {
        return Ok(Some(arguments.remove(at)));
    }
    Err(BadBackend(String::new()).into())
}

fn from_device_flags(arguments: &[String]) -> Option<Backend> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let device = match word.as_str() {
            "--no-cuda" | "--no_cuda" => return Some(Backend::Flex),
            "--device" => words.next().map(String::as_str),
            other => other.strip_prefix("--device="),
        };
        match device {
            Some(device) if device.starts_with("cuda") => return Some(Backend::Cuda),
            Some(_) => return Some(Backend::Flex),
            None => {}
        }
    }
    None
}

/// Whether the verb runs a model.
fn uses_a_device(arguments: &[String]) -> bool {
    arguments.first().is_some_and(|verb| {
        verb.starts_with("train-")
            || verb.starts_with("predict-")
            || ["ask", "classify", "choose", "serve"].contains(&verb.as_str())
    })
}

/// CUDA where there are an NVIDIA GPU and the toolkit that its kernels are compiled with.
fn from_machine() -> Backend {
    let toolkit = std::env::var_os("CUDA_PATH").unwrap_or_else(|| "/usr/local/cuda".into());
    let has_headers = Path::new(&toolkit).join("include/cuda_fp16.h").is_file();
    match has_headers && has_gpu() {
        true => Backend::Cuda,
        false => Backend::Flex,
    }
}

/// Whether there is a device node `/dev/nvidiaN`.
fn has_gpu() -> bool {
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

    fn chosen(line: &str) -> (Result<Backend, String>, String) {
        let mut arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let backend = choose(&mut arguments).map_err(|e| e.to_string());
        (backend, arguments.join(" "))
    }

    #[test]
    fn flags_decide() {
        let cases = [
            (
                "train-squad --backend cuda",
                Backend::Cuda,
                "train-squad --device cuda",
            ),
            (
                "--backend=flex train-squad --seed 1",
                Backend::Flex,
                "train-squad --seed 1 --device cpu",
            ),
            (
                "train-squad --device cuda:1",
                Backend::Cuda,
                "train-squad --device cuda:1",
            ),
            (
                "train-squad --no_cuda",
                Backend::Flex,
                "train-squad --no_cuda",
            ),
            (
                "evaluate-squad --backend cuda",
                Backend::Cuda,
                "evaluate-squad",
            ),
            (
                "ask Who? --backend cuda",
                Backend::Cuda,
                "ask Who? --device cuda",
            ),
            (
                "classify --backend flex",
                Backend::Flex,
                "classify --device cpu",
            ),
            (
                "choose --device cuda",
                Backend::Cuda,
                "choose --device cuda",
            ),
            ("serve --no-cuda", Backend::Flex, "serve --no-cuda"),
            ("serve --backend cuda", Backend::Cuda, "serve --device cuda"),
            ("report out --backend flex", Backend::Flex, "report out"),
        ];
        for (line, backend, left) in cases {
            assert_eq!(chosen(line), (Ok(backend), left.to_owned()), "{line}");
        }
    }

    #[test]
    fn an_unknown_backend_is_refused() {
        let message = "--backend: found \"tpu\", expected flex or cuda";
        assert_eq!(
            chosen("train-squad --backend tpu").0,
            Err(message.to_owned())
        );
        let message = "--backend: found \"\", expected flex or cuda";
        assert_eq!(chosen("train-squad --backend").0, Err(message.to_owned()));
    }
}
