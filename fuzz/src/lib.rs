//! What the program reads from files and connections, each behind a function of any bytes, and what must hold for all bytes:
//!
//! - nothing panics;
//! - what is refused is refused in one short line that names the file;
//! - memory stays below [`MOST_PER_BYTE`] times the bytes and [`MOST_BESIDE`];
//! - a case takes less than [`LONGEST`] of the processor's time;
//! - what is written reads back as it was, and spans lie inside their text.
//!
//! `cargo xtask fuzz` has libFuzzer make the bytes up (`docs/reliability.md`). The test of this crate runs the corpus.

mod allocator;
mod checks;
mod datasets;
mod hub;
#[cfg(feature = "models")]
mod models;
mod records;
mod serve;
mod slow_tokenizer;
mod text;

use std::time::Duration;

/// The most bytes that may live at once for each byte that is read.
pub const MOST_PER_BYTE: usize = 64;

/// The most bytes that may live at once beside those: buffers and tables of a fixed size.
pub const MOST_BESIDE: usize = 1 << 20;

/// The most time of the processor that a case may take.
pub const LONGEST: Duration = Duration::from_secs(1);

/// Something that reads bytes.
#[derive(Debug)]
pub struct Target {
    /// Its name, and that of its folder below `fuzz/corpus`.
    pub name: &'static str,
    /// The dictionaries below `fuzz/dictionaries` that have its words.
    pub dictionaries: &'static [&'static str],
    read: fn(&[u8]),
}

const fn of(name: &'static str, dictionaries: &'static [&'static str], read: fn(&[u8])) -> Target {
    Target {
        name,
        dictionaries,
        read,
    }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    of("squad", &["json", "squad"], datasets::squad),
    of("squad-rows", &["json", "squad"], datasets::squad_rows),
    of("predictions", &["json", "squad"], datasets::predictions),
    of("swag", &["table"], datasets::swag),
    of("choices", &["json", "table"], datasets::choices),
    of("glue", &["table"], datasets::glue),
    of("table", &["json", "table"], datasets::table),
    of("parquet", &[], datasets::parquet),
    of("vocab", &["vocab"], text::vocab),
    of("tokenizer-json", &["json", "vocab"], text::tokenizer_json),
    of("tokenize", &["vocab"], text::tokenize),
    of("windows", &[], text::windows),
    of("features", &["vocab"], text::features),
    of("answers", &["vocab"], text::answers),
    of("metrics", &[], text::metrics),
    of("run-json", &["json", "records"], records::run_json),
    of("results", &["json", "records"], records::results),
    of("metrics-log", &["json", "records"], records::metrics_log),
    of("run-state", &["json", "records"], records::run_state),
    of("hub", &["http"], hub::model),
    of("serve", &["json", "serve"], serve::bodies),
    of("serve-http", &["json", "http"], serve::requests),
    #[cfg(feature = "models")]
    of("model-config", &["json", "records"], models::config),
    #[cfg(feature = "models")]
    of(
        "model-safetensors",
        &["json", "records"],
        models::safetensors,
    ),
    #[cfg(feature = "models")]
    of("model-pytorch", &["pickle"], models::pytorch),
];

/// The target of a name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

impl Target {
    /// Reads the bytes and checks what must hold for all.
    ///
    /// # Panics
    ///
    /// Where something does not hold.
    pub fn run(&self, data: &[u8]) {
        let most = MOST_BESIDE + MOST_PER_BYTE * data.len();
        let excess = || {
            let before = checks::processor_time();
            let peak = allocator::peak_of(|| (self.read)(data));
            let time = checks::processor_time() - before;
            (peak > most || time > LONGEST).then_some((peak, time))
        };
        // What is made once, such as a table, counts in the first case of a process only.
        if excess().is_some()
            && let Some((peak, time)) = excess()
        {
            panic!(
                "{}: {} bytes took {peak} bytes of memory and {time:?}, expected at most {most} bytes and {LONGEST:?}",
                self.name,
                data.len()
            );
        }
    }
}
