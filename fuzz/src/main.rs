//! The fuzzer: libFuzzer around the target that `BERT_FUZZ_TARGET` names, or without one the list of the targets and the
//! dictionaries of each. `cargo xtask fuzz` builds and runs it.

#![no_main]

use std::env;
use std::process;
use std::sync::OnceLock;

use bert_fuzz::{TARGETS, Target, target};

static CHOSEN: OnceLock<&Target> = OnceLock::new();

fn choose() {
    let Ok(name) = env::var("BERT_FUZZ_TARGET") else {
        for target in TARGETS {
            println!("{} {}", target.name, target.dictionaries.join(" "));
        }
        process::exit(0);
    };
    let chosen = target(&name)
        .unwrap_or_else(|| panic!("BERT_FUZZ_TARGET: found {name:?}, expected a target"));
    CHOSEN.get_or_init(|| chosen);
}

libfuzzer_sys::fuzz_target!(
    init: choose(),
    |data: &[u8]| CHOSEN.get().expect("`init` has chosen").run(data)
);
