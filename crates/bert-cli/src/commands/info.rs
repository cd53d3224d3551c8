//! `info`: what a report of a fault needs to say of the program and the machine.

use std::path::PathBuf;

use bert_backend::{BACKENDS, DeviceChoice};
use bert_finetune::environment;
use bert_hub::HubSettings;
use serde_json::{Map, Value};

use crate::config::downloads_dir;
use crate::terminal;

/// Variables that change what the program does.
const VARIABLES: [&str; 14] = [
    "BERT_DEMO_DIR",
    "BERT_DOWNLOADS_DIR",
    "CUDA_VISIBLE_DEVICES",
    "CUBECL_AUTOTUNE_LEVEL",
    "HF_ENDPOINT",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "HTTPS_PROXY",
    "LD_LIBRARY_PATH",
    "MIMALLOC_PURGE_DELAY",
    "RAYON_NUM_THREADS",
    "RUST_LOG",
    "XDG_CACHE_HOME",
];

/// The level of x86-64 whose instructions the compiler used everywhere; a build for one processor has the level it reaches.
const BUILT_FOR: &str = if cfg!(all(
    target_feature = "avx512f",
    target_feature = "avx512bw",
    target_feature = "avx512cd",
    target_feature = "avx512dq",
    target_feature = "avx512vl"
)) {
    "x86-64-v4"
} else if cfg!(all(target_feature = "avx2", target_feature = "fma")) {
    "x86-64-v3"
} else if cfg!(target_feature = "sse4.2") {
    "x86-64-v2"
} else {
    std::env::consts::ARCH
};

/// Prints a line for each fact, or one object.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn run() -> anyhow::Result<()> {
    let facts = facts();
    if terminal::json() {
        let object: Map<String, Value> = facts
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        return Ok(terminal::line(&Value::Object(object).to_string())?);
    }
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in facts {
        terminal::line(format!("{name:<width$}  {value}").trim_end())?;
    }
    Ok(())
}

fn facts() -> Vec<(String, String)> {
    let mut facts = vec![("version".to_owned(), env!("BERT_VERSION").to_owned())];
    let mut push = |name: &str, value: String| facts.push((name.to_owned(), value));
    // The device that a command takes where none is named.
    let environment = environment(DeviceChoice::default());
    let known = environment
        .entries
        .into_iter()
        .filter(|(name, _)| name != "bert");
    for (name, value) in known {
        push(&name, value);
    }
    push("built for", BUILT_FOR.to_owned());
    push("instructions", instructions().join(", "));
    let missing: Vec<&str> = DeviceChoice::default().passed_over().collect();
    let gpus = BACKENDS
        .iter()
        .filter(|kind| kind.is_compiled_in && kind.is_numbered);
    for kind in gpus {
        let first = kind.name.parse::<DeviceChoice>().ok();
        let first = first.filter(|_| !missing.contains(&kind.name));
        let found = first.and_then(DeviceChoice::name);
        push(
            kind.name,
            found.unwrap_or_else(|| "no GPU found".to_owned()),
        );
    }
    let folder = |path: PathBuf| {
        let state = if path.is_dir() { "" } else { " (not there)" };
        format!("{}{state}", path.display())
    };
    match HubSettings::from_env() {
        Ok(settings) => push("models", folder(settings.cache_dir)),
        Err(error) => push("models", error.to_string()),
    }
    push("downloads", folder(downloads_dir()));
    for name in VARIABLES {
        if let Some(value) = std::env::var_os(name) {
            push(name, value.to_string_lossy().into_owned());
        }
    }
    facts
}

/// The processor's instructions that products, attention or checksums use.
#[cfg(target_arch = "x86_64")]
fn instructions() -> Vec<&'static str> {
    macro_rules! found {
        ($($name:tt),*) => { [$(($name, std::arch::is_x86_feature_detected!($name))),*] };
    }
    let known = found!(
        "sse4.2",
        "avx",
        "avx2",
        "fma",
        "avx512f",
        "avx512bw",
        "avx512vnni",
        "avx512bf16"
    );
    known
        .into_iter()
        .filter(|(_, found)| *found)
        .map(|(name, _)| name)
        .collect()
}

/// Other processors have no choice of them here.
#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> Vec<&'static str> {
    vec![std::env::consts::ARCH]
}
